package slipway.base;

import java.io.IOException;
import java.io.InputStream;

/** A stream that reads blocks; a single byte is a block of one. */
public abstract class BlockInput extends InputStream {
  @Override
  public int read() throws IOException {
    return one(this);
  }

  @Override
  public abstract int read(byte[] buffer, int offset, int length) throws IOException;

  /** The next byte of a stream by its reading of blocks, or -1 at the end. */
  static int one(InputStream in) throws IOException {
    byte[] one = new byte[1];
    return in.read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }
}
