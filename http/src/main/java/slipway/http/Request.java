package slipway.http;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.io.EofException;
import org.eclipse.jetty.util.Blocker;
import org.eclipse.jetty.util.Fields;
import org.jspecify.annotations.Nullable;

/** A request as it came; for use by the thread that handles it. */
public final class Request {
  private final org.eclipse.jetty.server.Request jetty;
  private Map<String, String> parameters = Map.of();
  private @Nullable Fields query;
  private boolean begun;
  private boolean consumed;

  Request(org.eclipse.jetty.server.Request jetty) {
    this.jetty = jetty;
  }

  /** Takes the bytes of a body as they come; must use up the buffer before it returns. */
  @FunctionalInterface
  public interface BodySink {
    void write(ByteBuffer bytes) throws IOException;
  }

  /** In capitals, such as {@code GET}. */
  public String method() {
    return jetty.getMethod();
  }

  /** The path as sent, still percent-encoded, without the query; begins with a slash. */
  public String path() {
    String path = jetty.getHttpURI().getPath();
    return path == null ? "" : path;
  }

  /** The client's address, for logs. */
  public String remote() {
    return org.eclipse.jetty.server.Request.getRemoteAddr(jetty);
  }

  /** What stood at {@code {name}} in the route's pattern, percent-decoded. */
  public String parameter(String name) {
    String value = parameters.get(name);
    if (value == null) {
      throw new IllegalArgumentException("the route has no {" + name + "}");
    }
    return value;
  }

  void parameters(Map<String, String> values) {
    parameters = values;
  }

  /** The first value of a query parameter, decoded, or null. */
  public @Nullable String query(String name) {
    return fields().getValue(name);
  }

  /** All values of a query parameter, decoded, in order. */
  public List<String> queryAll(String name) {
    return List.copyOf(fields().getValuesOrEmpty(name));
  }

  private Fields fields() {
    Fields parsed = query;
    if (parsed == null) {
      try {
        parsed = org.eclipse.jetty.server.Request.extractQueryParameters(jetty);
      } catch (IllegalArgumentException | IllegalStateException e) {
        throw new HttpProblem(400, "the query of the URL is malformed");
      }
      query = parsed;
    }
    return parsed;
  }

  /** The first header of that name in any case, or null. */
  public @Nullable String header(String name) {
    return jetty.getHeaders().get(name);
  }

  /** All headers of that name. */
  public List<String> headers(String name) {
    return jetty.getHeaders().getValuesList(name);
  }

  /** Bytes of the body as announced, 0 when there is none, -1 when it is sent in chunks. */
  public long contentLength() {
    long length = jetty.getLength();
    return length < 0 && header("Transfer-Encoding") == null ? 0 : length;
  }

  /**
   * Hands the body on without copying it or keeping any of it.
   *
   * @return bytes read
   * @throws HttpProblem with 400 when the body is malformed or ends before it should
   * @throws ConnectionLost when the client went away, was idle too long or too slow
   */
  public long transferTo(BodySink sink) throws IOException {
    return transferTo(Long.MAX_VALUE, sink);
  }

  /**
   * As {@link #transferTo(BodySink)}, for a body that has a bound.
   *
   * @throws HttpProblem with 413 when it is longer than {@code limit} bytes; what came until then
   *     was handed on
   */
  public long transferTo(long limit, BodySink sink) throws IOException {
    if (contentLength() > limit) {
      throw tooLarge(limit);
    }
    long total = 0;
    while (true) {
      begun = true;
      Content.Chunk chunk = jetty.read();
      if (chunk == null) {
        awaitContent();
        continue;
      }
      if (Content.Chunk.isFailure(chunk)) {
        throw failed(chunk.getFailure());
      }
      consumed = chunk.isLast();
      try {
        total += chunk.remaining();
        if (total > limit) {
          throw tooLarge(limit);
        }
        if (chunk.hasRemaining()) {
          sink.write(chunk.getByteBuffer());
        }
      } finally {
        chunk.release();
      }
      if (consumed) {
        return total;
      }
      Thread.yield(); // a virtual thread whose bytes are always there would never let go
    }
  }

  private IOException failed(@Nullable Throwable failure) {
    consumed = true; // nothing more can be read
    if (failure instanceof HttpException malformed) {
      throw new HttpProblem(malformed.getCode(), "the request's body is malformed");
    }
    if (failure instanceof EofException) {
      throw new HttpProblem(400, "the request's body ended before it should");
    }
    return new ConnectionLost("the request's body was cut short", failure);
  }

  /**
   * Reads over what is left of the body, because a client that is still sending when the connection
   * closes never sees the answer. Gives up when there is too much of it, and leaves alone a client
   * that waits to be asked for the body.
   */
  void discardBody(long limit) throws ConnectionLost {
    boolean waiting = !begun && header("Expect") != null;
    if (consumed || waiting || contentLength() > limit) {
      return;
    }
    long[] left = {limit};
    try {
      transferTo(
          bytes -> {
            left[0] -= bytes.remaining();
            bytes.position(bytes.limit());
            if (left[0] < 0) {
              throw new TooMuch();
            }
          });
    } catch (TooMuch e) {
      // The connection closes behind the answer.
    } catch (ConnectionLost e) {
      throw e;
    } catch (IOException e) {
      throw new ConnectionLost("the request's body was cut short", e);
    }
  }

  private static final class TooMuch extends IOException {
    private static final long serialVersionUID = 1L;
  }

  private void awaitContent() throws IOException {
    try (Blocker.Runnable blocker = Blocker.runnable()) {
      jetty.demand(blocker);
      blocker.block();
    }
  }

  private static HttpProblem tooLarge(long limit) {
    return new HttpProblem(413, "the body is longer than " + limit + " bytes");
  }
}
