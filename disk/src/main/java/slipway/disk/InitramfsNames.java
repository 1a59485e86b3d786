package slipway.disk;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.HexFormat;
import java.util.function.Predicate;
import slipway.archive.compress.Compression;
import slipway.base.Cleanup;
import slipway.base.Problem;

/**
 * Names of files in an initramfs: archives of cpio, one behind the other, the last of them packed
 * (Linux, Documentation/driver-api/early-userspace/buffer-format). It is an image's, so that what
 * is not understood says nothing.
 */
final class InitramfsNames {
  private static final int HEADER = 110;
  private static final int MAGIC = 6;
  private static final int FIELD = 8;
  private static final int SIZE = MAGIC + 6 * FIELD;
  private static final int NAME_SIZE = MAGIC + 11 * FIELD;
  private static final int LONGEST = 4096;
  private static final int PIECE = 1 << 16;
  private static final String END = "TRAILER!!!";

  /** No machine would unpack more into its memory at each start. */
  private static final long LARGEST = 4L << 30;

  private final Predicate<String> wanted;
  private long left = LARGEST;

  private InitramfsNames(Predicate<String> wanted) {
    this.wanted = wanted;
  }

  /** Whether no name is a wanted one; false too when the archive is not understood to its end. */
  static boolean lacks(InputStream initramfs, Predicate<String> wanted) {
    try {
      return new InitramfsNames(wanted).lacks(new BufferedInputStream(initramfs), true);
    } catch (IOException | Problem | IllegalArgumentException e) {
      return false;
    }
  }

  private boolean lacks(BufferedInputStream in, boolean mayBePacked) throws IOException {
    while (true) {
      in.mark(MAGIC);
      int first = in.read();
      if (first < 0) {
        return true;
      }
      if (first == 0) {
        zeros(in);
        continue;
      }
      in.reset();
      String magic = new String(in.readNBytes(MAGIC), ISO_8859_1);
      in.reset();
      if (magic.equals("070701") || magic.equals("070702")) {
        if (!entryLacks(in)) {
          return false;
        }
      } else {
        return mayBePacked && packedLacks(in);
      }
    }
  }

  /** Passes over those that lie between archives, up to where something else begins. */
  private void zeros(BufferedInputStream in) throws IOException {
    byte[] piece = new byte[PIECE];
    while (true) {
      Cleanup.checkStopped();
      in.mark(PIECE);
      int n = in.read(piece);
      int zeros = 0;
      while (zeros < n && piece[zeros] == 0) {
        zeros++;
      }
      take(zeros);
      if (zeros < PIECE) {
        in.reset();
        in.skipNBytes(zeros);
        if (n < 0 || zeros < n || zeros == 0) {
          return;
        }
      }
    }
  }

  private boolean packedLacks(InputStream in) throws IOException {
    try (InputStream plain = Compression.decompressArchive(in)) {
      return lacks(new BufferedInputStream(plain), false);
    }
  }

  private boolean entryLacks(InputStream in) throws IOException {
    Cleanup.checkStopped();
    String header = text(in, HEADER);
    long size = number(header, SIZE);
    long length = number(header, NAME_SIZE);
    if (length < 1 || length > LONGEST) {
      throw new EOFException();
    }
    String name = text(in, (int) length).substring(0, (int) length - 1);
    in.skipNBytes(padding(HEADER + length));
    long rest = name.equals(END) ? 0 : size + padding(size);
    take(rest);
    in.skipNBytes(rest);
    return !wanted.test(name);
  }

  /** Eight digits, without a sign. */
  private static long number(String header, int at) {
    return Integer.toUnsignedLong(HexFormat.fromHexDigits(header, at, at + FIELD));
  }

  private static long padding(long size) {
    return -size & 3;
  }

  private String text(InputStream in, int length) throws IOException {
    take(length);
    byte[] bytes = in.readNBytes(length);
    if (bytes.length < length) {
      throw new EOFException();
    }
    return new String(bytes, ISO_8859_1);
  }

  private void take(long bytes) throws IOException {
    left -= bytes;
    if (bytes < 0 || left < 0) {
      throw new EOFException();
    }
  }
}
