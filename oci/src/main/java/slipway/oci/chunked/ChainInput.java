package slipway.oci.chunked;

import java.io.IOException;
import java.io.InputStream;
import java.util.Iterator;
import slipway.base.BlockInput;

/** Streams one after the other, each opened when its turn comes. */
final class ChainInput extends BlockInput {
  /** A stream to come. */
  interface Part {
    InputStream open() throws IOException;
  }

  private final Iterator<? extends Part> parts;
  private InputStream part = InputStream.nullInputStream();

  ChainInput(Iterator<? extends Part> parts) {
    this.parts = parts;
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    while (true) {
      int n = part.read(buffer, offset, length);
      if (n >= 0) {
        return n;
      }
      part.close();
      part = InputStream.nullInputStream();
      if (!parts.hasNext()) {
        return -1;
      }
      part = parts.next().open();
    }
  }

  @Override
  public void close() throws IOException {
    part.close();
  }
}
