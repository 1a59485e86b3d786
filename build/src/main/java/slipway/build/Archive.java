package slipway.build;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Optional;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorInputStream;
import org.tukaani.xz.XZInputStream;
import slipway.linux.FdInput;
import slipway.linux.OsPath;
import slipway.oci.Compression;

/** Tells by its content whether a file is a tar archive that ADD extracts. */
final class Archive {
  private static final int BLOCK = 512;
  private static final byte[] BZIP2 = {'B', 'Z', 'h'};
  private static final byte[] XZ = {(byte) 0xfd, '7', 'z', 'X', 'Z', 0};
  private static final int XZ_MEMORY_KIB = 256 * 1024;

  private Archive() {}

  /** The plain tar in a file, also out of gzip, bzip2, xz or zstd; nothing when it is no tar. */
  static Optional<InputStream> open(OsPath file) throws IOException {
    InputStream raw = new BufferedInputStream(FdInput.open(file), 128 * 1024);
    boolean ours = false;
    try {
      InputStream plain = new BufferedInputStream(decompress(raw), 128 * 1024);
      ours = isTar(plain);
      return ours ? Optional.of(plain) : Optional.empty();
    } catch (IOException | slipway.base.Problem e) {
      return Optional.empty(); // It begins like compressed data but is none.
    } finally {
      if (!ours) {
        raw.close();
      }
    }
  }

  private static InputStream decompress(InputStream in) throws IOException {
    in.mark(16);
    byte[] head = in.readNBytes(6);
    in.reset();
    if (startsWith(head, BZIP2)) {
      return new BZip2CompressorInputStream(in, true);
    }
    if (startsWith(head, XZ)) {
      return new XZInputStream(in, XZ_MEMORY_KIB);
    }
    return Compression.detect(in).decompress(in);
  }

  private static boolean startsWith(byte[] bytes, byte[] prefix) {
    return bytes.length >= prefix.length
        && Arrays.equals(bytes, 0, prefix.length, prefix, 0, prefix.length);
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
