package slipway.http;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.util.Blocker;
import org.jspecify.annotations.Nullable;

/**
 * An answer, written by the thread that handles the request. Status and headers go out with the
 * first byte of the body. For HEAD the body is left out, its length is still told.
 */
public final class Response {
  /**
   * So much of a file is copied and leaves together with the headers; the rest is left to the
   * kernel. It is a little more than the largest segment of a connection (65,483 bytes, on the
   * loopback). When the headers leave alone, a client's kernel that is as near as that measures
   * next to no time to the rest, and so keeps its window of reception small: a third fewer bytes a
   * second.
   */
  private static final int FIRST = 64 * 1024;

  private final org.eclipse.jetty.server.Response jetty;
  private final boolean head;
  private boolean lengthTold;
  private boolean ended;
  private long sent;

  Response(org.eclipse.jetty.server.Response jetty, boolean head) {
    this.jetty = jetty;
    this.head = head;
    jetty.setStatus(200);
  }

  /** Sets the status; 200 unless told otherwise. */
  public Response status(int status) {
    jetty.setStatus(status);
    return this;
  }

  int status() {
    return jetty.getStatus();
  }

  /** Sets a header, replacing earlier ones of the name. */
  public Response header(String name, String value) {
    jetty.getHeaders().put(name, value);
    return this;
  }

  /** Adds a header beside others of the name. */
  public Response addHeader(String name, String value) {
    jetty.getHeaders().add(name, value);
    return this;
  }

  /** Announces the body's length in bytes; without it the body goes out in chunks. */
  public Response length(long bytes) {
    jetty.getHeaders().put(HttpHeader.CONTENT_LENGTH, bytes);
    lengthTold = true;
    return this;
  }

  /** Ends the answer without a body. */
  public void end() throws IOException {
    if (!lengthTold && bodyAllowed()) {
      length(0);
    }
    finish(null);
  }

  /** Ends the answer with a whole body. */
  public void end(byte[] body) throws IOException {
    length(body.length);
    finish(head ? null : ByteBuffer.wrap(body));
  }

  /** Ends the answer with a text, sent as UTF-8. */
  public void end(String contentType, String body) throws IOException {
    header("Content-Type", contentType);
    end(body.getBytes(StandardCharsets.UTF_8));
  }

  /** Writes a part of the body and sends it on at once. */
  public void write(ByteBuffer bytes) throws IOException {
    if (!head) {
      write(false, bytes);
    }
  }

  /**
   * Writes a part of a file that nobody changes meanwhile (it may be unlinked), which the kernel
   * copies from its cache to the connection.
   */
  public void write(FileChannel file, long offset, long length) throws IOException {
    if (head || length == 0) {
      return;
    }
    int first = (int) Math.min(FIRST, length);
    copy(file, offset, first);
    ClientEndPoint client =
        (ClientEndPoint) jetty.getRequest().getConnectionMetaData().getConnection().getEndPoint();
    long position = offset + first;
    long end = offset + length;
    while (position < end) {
      int size = (int) Math.min(ClientEndPoint.LONGEST, end - position);
      write(false, client.announce(file, position, size));
      position += size;
    }
  }

  private void copy(FileChannel file, long offset, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    while (buffer.hasRemaining()) {
      if (file.read(buffer, offset + buffer.position()) < 0) {
        throw new IOException("the file is shorter than " + (offset + length) + " bytes");
      }
    }
    write(false, buffer.flip());
  }

  private void finish(@Nullable ByteBuffer last) throws IOException {
    ended = true;
    write(true, last);
  }

  private void write(boolean last, @Nullable ByteBuffer bytes) throws IOException {
    int length = bytes == null ? 0 : bytes.remaining();
    try (Blocker.Callback callback = Blocker.callback()) {
      jetty.write(last, bytes, callback);
      callback.block();
    } catch (IOException e) {
      throw new ConnectionLost("the answer could not be sent", e);
    }
    sent += length;
  }

  private boolean bodyAllowed() {
    int status = jetty.getStatus();
    return status >= 200 && status != 204 && status != 304;
  }

  boolean committed() {
    return jetty.isCommitted();
  }

  /** Ends what the handler left open. */
  void complete() throws IOException {
    if (ended) {
      return;
    }
    if (jetty.isCommitted()) {
      finish(null);
    } else {
      end();
    }
  }

  /** Forgets status and headers set so far, for an error answer. */
  void reset() {
    jetty.reset();
    lengthTold = false;
  }

  long sent() {
    return sent;
  }
}
