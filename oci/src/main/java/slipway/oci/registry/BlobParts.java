package slipway.oci.registry;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.StringJoiner;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import slipway.base.BlockInput;
import slipway.base.Problem;
import slipway.oci.copy.Span;
import slipway.oci.model.Descriptor;

/**
 * Parts of a blob, asked for by ranges (RFC 9110 section 14): many in one request, or one at a time
 * of a registry that does not give more. Whatever it answers is taken as far as it fits: ranges
 * that it joined, and fewer than were asked for.
 */
final class BlobParts {
  /** Apache answers no more than 200; and a header has room for some kilobytes. */
  private static final int RANGES = 128;

  /** Where each part takes a request of its own, so much between two is fetched, too. */
  private static final long NEAR = 64 * 1024;

  /** Requests that find out how a registry has to be asked. */
  private static final int EXTRA = 4;

  private static final int BUFFER = 64 * 1024;

  private final RegistryHttp http;
  private final RegistryHttp.Call call;
  private final Descriptor blob;
  private final List<Span> spans;
  private final LongConsumer fetched;

  /** Whether the registry may be asked for several parts at once. */
  private boolean several = true;

  /** Whether a part came or was promised: then it is too late to say that none can be had. */
  private boolean begun;

  /** Requests that are left, of all readers. */
  private long requests;

  /** A registry that gives whole blobs only. */
  static final class WholeOnly extends RuntimeException {
    private static final long serialVersionUID = 1;

    WholeOnly() {
      super("only whole blobs can be had", null, false, false);
    }
  }

  /**
   * @param call which asks for the whole blob
   * @param spans in ascending order, none of them touching another
   * @param fetched is told the bytes that come, those too that are passed over
   */
  BlobParts(
      RegistryHttp http,
      RegistryHttp.Call call,
      Descriptor blob,
      List<Span> spans,
      LongConsumer fetched) {
    this.http = http;
    this.call = call;
    this.blob = blob;
    this.spans = List.copyOf(spans);
    this.fetched = fetched;
    // One for each part, and as many for each MiB as may be cut; others give a byte for each.
    long attempts = http.options().attempts();
    this.requests = spans.size() + (1 + (Span.sum(spans) >> 20)) * attempts + EXTRA;
  }

  /**
   * Opens what is left behind so many bytes of the parts.
   *
   * @throws WholeOnly the first time, when the registry gives no parts
   * @throws Problem of kind CORRUPT when it takes too many requests
   */
  InputStream open(long offset) throws IOException {
    int index = 0;
    long left = offset;
    while (index < spans.size() && left >= spans.get(index).length()) {
      left -= spans.get(index++).length();
    }
    Reader reader = new Reader(index, left);
    boolean opened = false;
    try {
      reader.begin();
      opened = true;
      return reader;
    } finally {
      begun = true;
      if (!opened) {
        reader.close();
      }
    }
  }

  private final class Reader extends BlockInput {
    private int index;

    /** Where in the blob the next byte is that is wanted. */
    private long wanted;

    private RegistryHttp.@Nullable Answer answer;
    private @Nullable InputStream body;
    private @Nullable MultipartBody parts;

    /** Where in the blob the next byte of the body is, and where its part ends. */
    private long at;

    private long end;

    Reader(int index, long within) {
      this.index = index;
      this.wanted = index < spans.size() ? spans.get(index).offset() + within : 0;
    }

    void begin() throws IOException {
      if (index < spans.size()) {
        request();
      }
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      if (index == spans.size() || length == 0) {
        return length == 0 ? 0 : -1;
      }
      while (at > wanted || end <= wanted) {
        advance();
      }
      InputStream in = java.util.Objects.requireNonNull(body);
      if (at < wanted) {
        in.skipNBytes(wanted - at);
        fetched.accept(wanted - at);
        at = wanted;
      }
      long most = Math.min(end, spans.get(index).end()) - at;
      int n = in.read(buffer, offset, (int) Math.min(length, most));
      if (n < 0) {
        throw new EOFException("a part ended early");
      }
      fetched.accept(n);
      at += n;
      wanted = at;
      if (wanted == spans.get(index).end() && ++index < spans.size()) {
        wanted = spans.get(index).offset();
      }
      return n;
    }

    /** Goes to the next part of the answer, or to the next answer. */
    private void advance() throws IOException {
      InputStream in = body;
      MultipartBody rest = parts;
      if (in != null && rest != null) {
        in.skipNBytes(end - at);
        fetched.accept(end - at);
        Span next = rest.next();
        if (next != null && next.offset() <= wanted && next.end() > wanted) {
          at = next.offset();
          end = next.end();
          return;
        }
        // It ended, or the parts are not those that were asked for.
        several = several && next == null;
      }
      request();
    }

    private void request() throws IOException {
      close();
      RegistryHttp.Answer got = ask();
      answer = got;
      InputStream in = new BufferedInputStream(got.body(), BUFFER);
      body = in;
      parts = MultipartBody.of(got.header("Content-Type"), in, call.action()).orElse(null);
      Span span =
          parts == null
              ? MultipartBody.range(got.header("Content-Range")).orElse(null)
              : parts.next();
      // Who gives one part of many is asked for one at a time from now on.
      several = several && parts != null;
      if (span == null || span.offset() > wanted || span.end() <= wanted) {
        throw Problem.corrupt("cannot " + call.action() + ": the registry sent another range");
      }
      at = span.offset();
      end = span.end();
    }

    /** An answer with one part or more. */
    private RegistryHttp.Answer ask() throws IOException {
      while (true) {
        boolean many = several && index + 1 < spans.size();
        RegistryHttp.Answer got;
        try {
          got = exchange(many ? ranges() : "bytes=" + wanted + "-" + (nearEnd() - 1));
        } catch (Problem e) {
          // Servers and what stands before them fail at many ranges; not so a broken network.
          if (!many || e.kind() != Problem.Kind.UNAVAILABLE || e.getCause() != null) {
            throw e;
          }
          several = false;
          continue;
        }
        if (got.status() == 206) {
          begun = true;
          return got;
        }
        try (InputStream rest = got.body()) {
          if (!many) {
            throw refused(got);
          }
        }
        several = false;
      }
    }

    private RegistryHttp.Answer exchange(String ranges) throws IOException {
      if (--requests < 0) {
        throw Problem.corrupt(
            "cannot " + call.action() + ": the registry gives them in too many answers");
      }
      return http.exchange(
          call, b -> b.header("Accept-Encoding", "identity").header("Range", ranges).GET());
    }

    /** Why a single part does not come. */
    private RuntimeException refused(RegistryHttp.Answer got) {
      if (got.status() != 200) {
        return http.refused(got, call.action());
      }
      if (!begun) {
        return new WholeOnly();
      }
      return Problem.input("cannot " + call.action() + ": the registry gives no parts any more");
    }

    private String ranges() {
      StringJoiner ranges = new StringJoiner(",", "bytes=", "");
      long from = wanted;
      for (int i = index; i < Math.min(spans.size(), index + RANGES); i++) {
        ranges.add((i == index ? from : spans.get(i).offset()) + "-" + (spans.get(i).end() - 1));
      }
      return ranges.toString();
    }

    /** The end of the last part that is worth fetching together with the one that is wanted. */
    private long nearEnd() {
      long last = spans.get(index).end();
      for (int i = index + 1; i < spans.size() && spans.get(i).offset() - last <= NEAR; i++) {
        last = spans.get(i).end();
      }
      return Math.min(last, blob.size());
    }

    @Override
    public void close() throws IOException {
      RegistryHttp.Answer open = answer;
      answer = null;
      body = null;
      parts = null;
      at = 0;
      end = 0;
      if (open != null) {
        open.close();
      }
    }
  }
}
