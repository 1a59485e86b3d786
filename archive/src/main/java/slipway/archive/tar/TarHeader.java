package slipway.archive.tar;

import java.util.Arrays;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;

/**
 * The fields of a header block of 512 bytes (POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar
 * manual, "Basic Tar Format"; tar(5) of libarchive for v7 and star).
 */
final class TarHeader {
  static final int BLOCK = 512;

  /** Offset and length of each field. */
  enum Field {
    NAME(0, 100),
    MODE(100, 8),
    UID(108, 8),
    GID(116, 8),
    SIZE(124, 12),
    MTIME(136, 12),
    CHECKSUM(148, 8),
    LINK_NAME(157, 100),
    DEV_MAJOR(329, 8),
    DEV_MINOR(337, 8),
    PREFIX(345, 155),
    STAR_PREFIX(345, 131),
    GNU_REAL_SIZE(483, 12);

    final int offset;
    final int length;

    Field(int offset, int length) {
      this.offset = offset;
      this.length = length;
    }
  }

  static final int TYPE = 156;
  static final int MAGIC = 257;
  private static final byte[] USTAR = {'u', 's', 't', 'a', 'r', 0};
  private static final byte[] GNU = {'u', 's', 't', 'a', 'r', ' ', ' ', 0};
  private static final int STAR_TRAILER = 508;
  private static final byte[] STAR = {'t', 'a', 'r', 0};

  private final byte[] block;
  private final long position;

  /**
   * @param block 512 bytes
   * @param position of the block in the archive, for messages
   */
  TarHeader(byte[] block, long position) {
    this.block = block;
    this.position = position;
  }

  static boolean isZero(byte[] block) {
    for (byte b : block) {
      if (b != 0) {
        return false;
      }
    }
    return true;
  }

  /** Fails unless the checksum fits, as unsigned or (old writers) as signed bytes. */
  void verify() {
    long unsigned = 0;
    long signed = 0;
    for (int i = 0; i < BLOCK; i++) {
      boolean inSum = i < Field.CHECKSUM.offset || i >= Field.CHECKSUM.offset + 8;
      byte b = inSum ? block[i] : (byte) ' ';
      unsigned += b & 0xff;
      signed += b;
    }
    long stored = number(Field.CHECKSUM);
    if (stored != unsigned && stored != signed) {
      throw corrupt("the header's checksum is wrong");
    }
  }

  byte type() {
    return block[TYPE];
  }

  private boolean has(byte[] magic, int offset) {
    return Arrays.equals(block, offset, offset + magic.length, magic, 0, magic.length);
  }

  private boolean isPosix() {
    return has(USTAR, MAGIC);
  }

  /** Whether device numbers are there: not in v7. */
  boolean hasDevices() {
    return isPosix() || has(GNU, MAGIC);
  }

  /** The name with its prefix. */
  OsPath name() {
    OsPath name = text(Field.NAME);
    if (!isPosix()) {
      return name;
    }
    OsPath prefix = text(has(STAR, STAR_TRAILER) ? Field.STAR_PREFIX : Field.PREFIX);
    return prefix.isEmpty() ? name : prefix.concat(OsPath.of("/")).concat(name);
  }

  /** A field up to its first NUL. */
  OsPath text(Field field) {
    return cString(block, field.offset, field.offset + field.length);
  }

  static OsPath cString(byte[] bytes, int from, int to) {
    int end = from;
    while (end < to && bytes[end] != 0) {
      end++;
    }
    return OsPath.ofBytes(Arrays.copyOfRange(bytes, from, end));
  }

  /** A number in octal digits, or base 256 when the first bit is set. */
  long number(Field field) {
    return number(field.offset, field.length);
  }

  long number(int offset, int length) {
    return (block[offset] & 0x80) != 0 ? base256(offset, length) : octal(offset, length);
  }

  private long base256(int offset, int length) {
    int invert = (block[offset] & 0x40) != 0 ? 0xff : 0;
    long value = 0;
    for (int i = 0; i < length; i++) {
      int digit = (block[offset + i] & 0xff) ^ invert;
      if (i == 0) {
        digit &= 0x7f;
      }
      if (value >>> 55 != 0) {
        throw corrupt("a number in the header is too large");
      }
      value = value << 8 | digit;
    }
    return invert == 0 ? value : ~value;
  }

  /** Digits with spaces and NULs around them; an empty field is 0. */
  private long octal(int offset, int length) {
    int at = offset;
    int end = offset + length;
    while (at < end && (block[at] == ' ' || block[at] == 0)) {
      at++;
    }
    long value = 0;
    for (; at < end && block[at] != 0; at++) {
      int digit = block[at] - '0';
      if (digit >= 0 && digit <= 7) {
        value = value << 3 | digit;
      } else if (onlySpace(at, end)) {
        break;
      } else {
        throw corrupt("a number in the header is not octal");
      }
    }
    return value;
  }

  private boolean onlySpace(int from, int to) {
    for (int i = from; i < to && block[i] != 0; i++) {
      if (block[i] != ' ') {
        return false;
      }
    }
    return true;
  }

  byte at(int offset) {
    return block[offset];
  }

  Problem corrupt(String what) {
    return Problem.corrupt("the tar archive is damaged at byte " + position + ": " + what);
  }
}
