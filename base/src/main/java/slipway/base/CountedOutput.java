package slipway.base;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/** Counts what passes. */
public final class CountedOutput extends FilterOutputStream {
  private long bytes;

  public CountedOutput(OutputStream out) {
    super(out);
  }

  /** How many bytes were written so far. */
  public long bytes() {
    return bytes;
  }

  @Override
  public void write(int b) throws IOException {
    out.write(b);
    bytes++;
  }

  @Override
  public void write(byte[] buffer, int offset, int length) throws IOException {
    out.write(buffer, offset, length);
    bytes += length;
  }
}
