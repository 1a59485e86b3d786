package slipway.disk.lvm;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads a physical volume as LVM2 does: label, checksums, description, where each volume lies. */
public final class LvmReader {
  private static final Pattern VOLUME =
      Pattern.compile(
          "(\\S+) \\{\nid = [^{}]*segment1 \\{\nstart_extent = 0\nextent_count = (\\d+)\n"
              + "type = \"striped\"\nstripe_count = 1\nstripes = \\[\"pv0\", (\\d+)\\]\n");

  /** A volume, in bytes from the beginning of the partition. */
  public record Range(long start, long size) {}

  private final RandomAccessFile in;
  private final long start;

  private LvmReader(RandomAccessFile in, long start) {
    this.in = in;
    this.start = start;
  }

  /** The description of the group on a partition, whose checksums are all true. */
  public static String description(Path disk, long start) throws IOException {
    try (RandomAccessFile in = new RandomAccessFile(disk.toFile(), "r")) {
      return new LvmReader(in, start).description();
    }
  }

  /** Where volumes lie, by their names. */
  public static Map<String, Range> volumes(Path disk, long start) throws IOException {
    String text = description(disk, start);
    long extent = number(text, "extent_size") * 512;
    long first = number(text, "pe_start") * 512;
    Map<String, Range> found = new LinkedHashMap<>();
    Matcher m = VOLUME.matcher(text);
    while (m.find()) {
      found.put(
          m.group(1),
          new Range(
              first + Long.parseLong(m.group(3)) * extent, Long.parseLong(m.group(2)) * extent));
    }
    return found;
  }

  static long number(String text, String key) {
    Matcher m = Pattern.compile("\n" + key + " = (\\d+)\n").matcher(text);
    require(m.find(), key);
    return Long.parseLong(m.group(1));
  }

  private String description() throws IOException {
    ByteBuffer label = read(512, 512);
    require(text(label, 0, 8).equals("LABELONE") && label.getLong(8) == 1, "label");
    require(label.getInt(16) == Crc.of(label.array(), 20, 512), "checksum of the label");
    require(label.getInt(20) == 32 && text(label, 24, 8).equals("LVM2 001"), "kind");
    require(label.getLong(88) == 0 && label.getLong(96) == 0, "data areas");
    ByteBuffer head = read(label.getLong(104), 512);
    require(head.getInt(0) == Crc.of(head.array(), 4, 512), "checksum of the area");
    require(text(head, 4, 16).equals(" LVM2 x[5A%r0N*>") && head.getInt(20) == 1, "area");
    require(head.getLong(24) == label.getLong(104) && head.getLong(32) == label.getLong(112), "at");
    ByteBuffer text = read(head.getLong(24) + head.getLong(40), (int) head.getLong(48));
    require(head.getInt(56) == Crc.of(text.array(), 0, text.capacity()), "checksum of the text");
    require(text.get(text.capacity() - 1) == 0, "end of the text");
    return text(text, 0, text.capacity() - 1);
  }

  private ByteBuffer read(long offset, int size) throws IOException {
    byte[] bytes = new byte[size];
    in.seek(start + offset);
    in.readFully(bytes);
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static String text(ByteBuffer from, int at, int length) {
    return new String(from.array(), at, length, US_ASCII);
  }

  private static void require(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }
}
