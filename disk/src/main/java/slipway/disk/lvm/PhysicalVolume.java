package slipway.disk.lvm;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/** What makes a partition the physical volume of a group, without the content of its volumes. */
public final class PhysicalVolume {
  static final int SECTOR = 512;

  /** Where the area of descriptions begins, and its size. */
  static final int AREA = 4096;

  static final int AREA_SIZE = (int) VolumeGroup.FIRST_EXTENT - AREA;

  /** Where the first description lies in the area. */
  static final int FIRST = 512;

  static final byte[] MAGIC = " LVM2 x[5A%r0N*>".getBytes(US_ASCII);

  private static final int LABEL_CHECKED = 20;
  private static final int LABEL_SIZE = 32;
  private static final int EXTENSION_VERSION = 2;

  private PhysicalVolume() {}

  /**
   * Writes it.
   *
   * @param start bytes of the disk before the partition, whose first MiB holds zeros
   * @param time when it is made, in seconds of the epoch
   */
  public static void write(Path disk, long start, VolumeGroup group, long time) throws IOException {
    byte[] text = (Description.of(group, time) + "\0").getBytes(US_ASCII);
    ByteBuffer all = little(AREA + FIRST + text.length);
    all.put(SECTOR, label(group));
    all.put(AREA, head(text));
    all.put(AREA + FIRST, text);
    try (RandomAccessFile out = new RandomAccessFile(disk.toFile(), "rw")) {
      out.seek(start);
      out.write(all.array());
    }
  }

  private static byte[] label(VolumeGroup group) {
    ByteBuffer label = little(SECTOR);
    label.put("LABELONE".getBytes(US_ASCII)).putLong(1);
    label.position(LABEL_CHECKED);
    label.putInt(LABEL_SIZE).put("LVM2 001".getBytes(US_ASCII));
    label.put(Description.characters(group.physical()).getBytes(US_ASCII)).putLong(group.size());
    label.putLong(VolumeGroup.FIRST_EXTENT).putLong(0).putLong(0).putLong(0);
    label.putLong(AREA).putLong(AREA_SIZE).putLong(0).putLong(0);
    label.putInt(EXTENSION_VERSION).putInt(1);
    label.putInt(LABEL_CHECKED - Integer.BYTES, Crc.of(label.array(), LABEL_CHECKED, SECTOR));
    return label.array();
  }

  private static byte[] head(byte[] text) {
    ByteBuffer head = little(FIRST);
    head.position(Integer.BYTES);
    head.put(MAGIC).putInt(1).putLong(AREA).putLong(AREA_SIZE);
    head.putLong(FIRST).putLong(text.length).putInt(Crc.of(text, 0, text.length)).putInt(0);
    head.putInt(0, Crc.of(head.array(), Integer.BYTES, FIRST));
    return head.array();
  }

  private static ByteBuffer little(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }
}
