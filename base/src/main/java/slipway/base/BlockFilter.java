package slipway.base;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/** A stream above another that looks at what is read in blocks; a single byte is a block of one. */
public abstract class BlockFilter extends FilterInputStream {
  protected BlockFilter(InputStream in) {
    super(in);
  }

  @Override
  public int read() throws IOException {
    return BlockInput.one(this);
  }

  @Override
  public abstract int read(byte[] buffer, int offset, int length) throws IOException;
}
