package slipway.builder.copy;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import slipway.archive.compress.Compression;
import slipway.linux.posix.FdInput;

/** Tells by its content whether a file is a tar archive that ADD extracts. */
final class Archive {
  private static final int BLOCK = 512;

  private Archive() {}

  /**
   * The plain tar in a file, which is closed with it, also out of gzip, bzip2, xz or zstd; nothing
   * when it is no tar.
   */
  static Optional<InputStream> open(FdInput file) throws IOException {
    InputStream all = file;
    boolean ours = false;
    try {
      all = new BufferedInputStream(Compression.decompressArchive(file), 128 * 1024);
      ours = isTar(all);
      return ours ? Optional.of(all) : Optional.empty();
    } catch (IOException | slipway.base.Problem e) {
      return Optional.empty(); // It begins like compressed data but is none.
    } finally {
      if (!ours) {
        all.close(); // What decompresses too: it holds memory that nothing else frees.
      }
    }
  }

  /** A header with a right checksum (POSIX.1-1988, ustar; older ones have no magic). */
  private static boolean isTar(InputStream in) throws IOException {
    in.mark(BLOCK);
    byte[] block = in.readNBytes(BLOCK);
    in.reset();
    if (block.length < BLOCK || block[0] == 0) {
      return false;
    }
    String field = new String(block, 148, 8, java.nio.charset.StandardCharsets.ISO_8859_1);
    String digits = field.replace('\0', ' ').strip();
    if (!digits.matches("[0-7]{1,7}")) {
      return false;
    }
    int sum = 0;
    for (int i = 0; i < BLOCK; i++) {
      sum += i >= 148 && i < 156 ? ' ' : block[i] & 0xff;
    }
    return sum == Integer.parseInt(digits, 8);
  }
}
