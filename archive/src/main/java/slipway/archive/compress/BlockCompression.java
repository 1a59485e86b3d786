package slipway.archive.compress;

import com.github.luben.zstd.Zstd;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.zip.Deflater;

/**
 * Compresses blocks that are found and read each by itself, as disk formats have them. Unlike
 * layers they need not be the same bytes on every machine, so deflate is the JDK's, which is
 * fastest. For many threads at once.
 */
public enum BlockCompression {
  /** RFC 1951, without a frame. */
  DEFLATE,
  /** RFC 1950. */
  ZLIB,
  /** RFC 8878, a frame a block. */
  ZSTD;

  private static final int DEFLATE_LEVEL = 6;
  private static final int ZSTD_LEVEL = 3;

  /** Gets ready; before the first block. */
  public void prepare() throws IOException {
    if (this == ZSTD) {
      Compression.prepareZstd();
    }
  }

  /** The block, compressed; it may have become longer. */
  public byte[] compress(byte[] block) {
    return switch (this) {
      case DEFLATE -> deflate(block, true);
      case ZLIB -> deflate(block, false);
      case ZSTD -> Zstd.compress(block, ZSTD_LEVEL);
    };
  }

  private static byte[] deflate(byte[] block, boolean isBare) {
    try (Deflater deflater = new Deflater(DEFLATE_LEVEL, isBare)) {
      deflater.setInput(block);
      deflater.finish();
      ByteArrayOutputStream result = new ByteArrayOutputStream(block.length / 2);
      byte[] buffer = new byte[16 * 1024];
      while (!deflater.finished()) {
        result.write(buffer, 0, deflater.deflate(buffer));
      }
      return result.toByteArray();
    }
  }
}
