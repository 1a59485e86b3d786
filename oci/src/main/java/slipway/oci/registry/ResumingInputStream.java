package slipway.oci.registry;

import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;
import slipway.base.BlockInput;
import slipway.base.Problem;
import slipway.oci.model.Descriptor;

/**
 * A blob's bytes up to its promised end, however often the connection is cut: goes on where it was
 * by another request. Never hands out more than was promised. Not verified.
 */
final class ResumingInputStream extends BlockInput {
  /** So much must have come for a failure to count as the first again. */
  private static final long PROGRESS = 1024 * 1024;

  /** Opens the rest of the blob. */
  interface Opener {
    /**
     * @return a stream that begins at this offset of the blob
     * @throws Problem when that cannot be done, after its own retries
     * @throws IOException when what comes before the offset breaks off
     */
    InputStream open(long offset) throws IOException;
  }

  private final Opener opener;
  private final RegistryHttp http;
  private final Descriptor descriptor;
  private final String action;
  private @Nullable InputStream in;
  private long position;
  private long lastFailure;
  private int failures;
  private boolean closed;

  ResumingInputStream(
      Opener opener, RegistryHttp http, Descriptor descriptor, long offset, String action)
      throws IOException {
    this.opener = opener;
    this.http = http;
    this.descriptor = descriptor;
    this.position = offset;
    this.lastFailure = offset;
    this.action = action;
    try {
      this.in = opener.open(offset); // Here, so that "not found" comes at once.
    } catch (IOException e) {
      count(e);
    }
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    if (closed) {
      throw new IOException("the stream is closed");
    }
    if (length == 0) {
      return 0;
    }
    while (true) {
      try {
        int n = current().read(buffer, offset, length);
        if (n < 0 && position < descriptor.size()) {
          throw new IOException(
              "it ended after " + position + " of " + descriptor.size() + " bytes");
        }
        if (n > 0) {
          advance(n);
        }
        return n;
      } catch (IOException e) {
        drop();
        if (position == descriptor.size()) {
          return -1; // All is here; how the connection ended does not matter.
        }
        count(e);
      }
    }
  }

  private InputStream current() throws IOException {
    InputStream open = in;
    if (open == null) {
      open = opener.open(position);
      in = open;
    }
    return open;
  }

  private void advance(int n) {
    position += n;
    if (position > descriptor.size()) {
      throw Problem.corrupt(
          "cannot " + action + ": it is longer than its " + descriptor.size() + " bytes");
    }
  }

  private void count(IOException e) throws IOException {
    failures = position - lastFailure >= PROGRESS ? 1 : failures + 1;
    lastFailure = position;
    if (failures >= http.options().attempts() || !NetworkFailure.isPassing(e)) {
      throw http.failed(e, action);
    }
    http.pause(failures, null);
  }

  private void drop() {
    if (in != null) {
      try {
        in.close();
      } catch (IOException e) {
        // It is broken already.
      }
      in = null;
    }
  }

  @Override
  public void close() {
    closed = true;
    drop();
  }
}
