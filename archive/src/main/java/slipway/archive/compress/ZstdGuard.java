package slipway.archive.compress;

import com.github.luben.zstd.ZstdIOException;
import java.io.IOException;
import java.io.InputStream;
import slipway.base.BlockFilter;
import slipway.base.Problem;

/** Tells damaged zstd data from a failing source, and reads the source to its end. */
final class ZstdGuard extends BlockFilter {
  ZstdGuard(InputStream zstd) {
    super(zstd);
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    try {
      return in.read(buffer, offset, length);
    } catch (ZstdIOException e) {
      throw new Problem(Problem.Kind.CORRUPT, "the zstd data is damaged: " + e.getMessage(), e);
    }
  }

  @Override
  public long skip(long n) throws IOException {
    byte[] buffer = new byte[(int) Math.min(n, 64 * 1024)];
    long left = n;
    while (left > 0) {
      int r = read(buffer, 0, (int) Math.min(buffer.length, left));
      if (r < 0) {
        break;
      }
      left -= r;
    }
    return n - left;
  }

  @Override
  public boolean markSupported() {
    return false;
  }
}
