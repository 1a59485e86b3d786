package slipway.archive.tar;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import slipway.archive.tar.Metadata.Xattr;
import slipway.archive.tar.TarHeader.Field;
import slipway.linux.posix.OsPath;

/**
 * Writes ustar headers, preceded by a pax header when a value does not fit (POSIX.1-2017, pax).
 * Names are written as bytes; those that do not fit and are not UTF-8 are marked {@code
 * hdrcharset=BINARY}.
 */
public final class TarHeaderWriter {
  private static final byte[] ZEROS = new byte[TarHeader.BLOCK];
  private static final byte[] MAGIC = "ustar\00000".getBytes(StandardCharsets.US_ASCII);
  private static final OsPath EMPTY = OsPath.of("");
  private static final OsPath EXTENSION = OsPath.of("PaxHeaders");
  private static final long MAX_SECONDS = 077777777777L;
  private static final long MAX_SIZE = 077777777777L;
  private static final int MAX_ID = 07777777;

  private final OutputStream out;
  private final ByteArrayOutputStream records = new ByteArrayOutputStream();
  private boolean binary;

  public TarHeaderWriter(OutputStream out) {
    this.out = out;
  }

  /**
   * Writes the header of one member.
   *
   * @param name directories end with a slash
   * @param type the type flag
   * @param link target of a link, else empty
   */
  public void write(OsPath name, char type, Metadata metadata, long size, OsPath link, long rdev)
      throws IOException {
    records.reset();
    binary = false;
    text("path", name, Field.NAME);
    text("linkpath", link, Field.LINK_NAME);
    number("size", size, MAX_SIZE);
    number("uid", metadata.uid() & 0xffffffffL, MAX_ID);
    number("gid", metadata.gid() & 0xffffffffL, MAX_ID);
    mtime(metadata);
    if (type != '1') {
      for (Xattr xattr : metadata.xattrs()) {
        record(keyword(xattr.name()), xattr.value());
      }
    }
    if (records.size() > 0) {
      writeExtension(name);
    }
    byte[] block = new byte[TarHeader.BLOCK];
    put(block, Field.MODE, metadata.permissions());
    put(block, Field.UID, fit(metadata.uid() & 0xffffffffL, MAX_ID));
    put(block, Field.GID, fit(metadata.gid() & 0xffffffffL, MAX_ID));
    put(block, Field.SIZE, fit(size, MAX_SIZE));
    put(block, Field.MTIME, fit(metadata.mtimeSeconds(), MAX_SECONDS));
    put(block, Field.DEV_MAJOR, major(rdev));
    put(block, Field.DEV_MINOR, minor(rdev));
    finish(block, name, type, link);
  }

  /** The number of zero bytes that follow {@code size} bytes of content. */
  public void pad(long size) throws IOException {
    int over = (int) (size % TarHeader.BLOCK);
    if (over > 0) {
      out.write(ZEROS, 0, TarHeader.BLOCK - over);
    }
  }

  /** The two blocks of zeros that end an archive. */
  public void end() throws IOException {
    out.write(ZEROS);
    out.write(ZEROS);
  }

  static int major(long rdev) {
    return (int) ((rdev >>> 8 & 0xfff) | (rdev >>> 32 & 0xfffff000));
  }

  static int minor(long rdev) {
    return (int) ((rdev & 0xff) | (rdev >>> 12 & 0xffffff00));
  }

  private static long fit(long value, long max) {
    return value < 0 || value > max ? 0 : value;
  }

  private void text(String key, OsPath value, Field field) {
    if (value.length() <= field.length) {
      return;
    }
    if (!binary && !value.isUtf8()) {
      binary = true;
      record("hdrcharset", "BINARY");
    }
    record(key.getBytes(StandardCharsets.US_ASCII), value.bytes());
  }

  private void number(String key, long value, long max) {
    if (value > max) {
      record(key, Long.toString(value));
    }
  }

  private void mtime(Metadata metadata) {
    long seconds = metadata.mtimeSeconds();
    int nanos = metadata.mtimeNanos();
    if (nanos == 0 && seconds >= 0 && seconds <= MAX_SECONDS) {
      return;
    }
    StringBuilder text = new StringBuilder();
    if (seconds < 0 && nanos > 0) {
      // -1.25 s is kept as -2 s and 750 000 000 ns.
      seconds += 1;
      nanos = 1_000_000_000 - nanos;
      text.append(seconds == 0 ? "-" : "");
    }
    text.append(seconds);
    if (nanos > 0) {
      String digits = Integer.toString(1_000_000_000 + nanos).substring(1);
      text.append('.').append(digits.replaceAll("0+$", ""));
    }
    record("mtime", text.toString());
  }

  /** As GNU tar writes it: {@code =} would end the keyword. */
  private static byte[] keyword(OsPath xattr) {
    String name = new String(xattr.bytes(), StandardCharsets.ISO_8859_1);
    return (PaxRecords.SCHILY_XATTR + name.replace("%", "%25").replace("=", "%3D"))
        .getBytes(StandardCharsets.ISO_8859_1);
  }

  private void record(String key, String value) {
    record(key.getBytes(StandardCharsets.US_ASCII), value.getBytes(StandardCharsets.US_ASCII));
  }

  private void record(byte[] key, byte[] value) {
    int rest = key.length + value.length + 3;
    int length = rest + Integer.toString(rest).length();
    length = rest + Integer.toString(length).length();
    records.writeBytes((length + " ").getBytes(StandardCharsets.US_ASCII));
    records.writeBytes(key);
    records.write('=');
    records.writeBytes(value);
    records.write('\n');
  }

  private void writeExtension(OsPath name) throws IOException {
    byte[] block = new byte[TarHeader.BLOCK];
    put(block, Field.MODE, 0644);
    put(block, Field.UID, 0);
    put(block, Field.GID, 0);
    put(block, Field.SIZE, records.size());
    put(block, Field.MTIME, 0);
    put(block, Field.DEV_MAJOR, 0);
    put(block, Field.DEV_MINOR, 0);
    finish(block, EXTENSION.resolve(plainName(name)), 'x', EMPTY);
    records.writeTo(out);
    pad(records.size());
  }

  private static OsPath plainName(OsPath name) {
    byte[] bytes = name.bytes();
    int length =
        bytes.length > 0 && bytes[bytes.length - 1] == '/' ? bytes.length - 1 : bytes.length;
    return OsPath.ofBytes(Arrays.copyOf(bytes, Math.min(length, 80)));
  }

  private void finish(byte[] block, OsPath name, char type, OsPath link) throws IOException {
    put(block, Field.NAME, name);
    put(block, Field.LINK_NAME, link);
    block[TarHeader.TYPE] = (byte) type;
    System.arraycopy(MAGIC, 0, block, TarHeader.MAGIC, MAGIC.length);
    Arrays.fill(block, Field.CHECKSUM.offset, Field.CHECKSUM.offset + 8, (byte) ' ');
    int sum = 0;
    for (byte b : block) {
      sum += b & 0xff;
    }
    // Six digits, NUL, space.
    put(block, Field.CHECKSUM.offset, 7, sum);
    block[Field.CHECKSUM.offset + 6] = 0;
    out.write(block);
  }

  private static void put(byte[] block, Field field, OsPath text) {
    byte[] bytes = text.bytes();
    System.arraycopy(bytes, 0, block, field.offset, Math.min(bytes.length, field.length));
  }

  private static void put(byte[] block, Field field, long value) {
    put(block, field.offset, field.length, value);
  }

  /** Octal digits in all but the last byte. */
  private static void put(byte[] block, int offset, int length, long value) {
    long rest = value;
    for (int i = offset + length - 2; i >= offset; i--) {
      block[i] = (byte) ('0' + (rest & 7));
      rest >>>= 3;
    }
  }
}
