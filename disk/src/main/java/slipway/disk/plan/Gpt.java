package slipway.disk.plan;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_16LE;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Locale;
import java.util.UUID;
import java.util.zip.CRC32;

/**
 * A GUID partition table (UEFI specification 2.10, section 5.3) for sectors of any size: sfdisk(8)
 * takes those of a file for 512 bytes.
 *
 * <pre>
 *  sector    0              protective MBR: one partition of type ee over all
 *            1              header: 0 EFI PART, 8 version, 12 size (92), 16 checksum of it,
 *                           24 sector of it, 32 of the other, 40 first and 48 last that may be used,
 *                           56 id, 72 sector of the entries, 80 how many (128), 84 size of one (128),
 *                           88 their checksum
 *            2              entries: 0 type, 16 id, 32 first sector, 40 last, 48 flags, 56 name
 *            …
 *            the last but n entries, then the header once more, in the last sector
 * </pre>
 */
final class Gpt {
  static final int ENTRIES = 128;
  private static final int ENTRY = 128;
  private static final int HEADER = 92;
  private static final int VERSION = 0x1_0000;
  private static final int TABLE_OF_MBR = 446;

  private final DiskPlan plan;
  private final int sector;
  private final long last;

  private Gpt(DiskPlan plan, long last) {
    this.plan = plan;
    this.sector = plan.sector();
    this.last = last;
  }

  /** Writes it to a disk, which may be a little larger than the plan. */
  static void write(Path disk, DiskPlan plan) throws IOException {
    try (RandomAccessFile out = new RandomAccessFile(disk.toFile(), "rw")) {
      new Gpt(plan, out.length() / plan.sector() - 1).write(out);
    }
  }

  private void write(RandomAccessFile out) throws IOException {
    byte[] entries = entries();
    long behind = last - entries.length / sector;
    out.seek(0);
    out.write(protective());
    out.write(header(1, last, 2, entries));
    out.write(entries);
    out.seek(behind * sector);
    out.write(entries);
    out.write(header(last, 1, behind, entries));
  }

  private ByteBuffer sector() {
    return ByteBuffer.allocate(sector).order(ByteOrder.LITTLE_ENDIAN);
  }

  private byte[] protective() {
    ByteBuffer mbr = sector();
    mbr.position(TABLE_OF_MBR);
    mbr.putInt(0x0002_0000).putInt(0xffff_ffee).putInt(1);
    mbr.putInt((int) Math.min(last, 0xffff_ffffL));
    mbr.putShort(510, (short) 0xaa55);
    return mbr.array();
  }

  private byte[] header(long own, long other, long entriesAt, byte[] entries) {
    ByteBuffer header = sector();
    header.put("EFI PART".getBytes(US_ASCII)).putInt(VERSION).putInt(HEADER).putLong(0);
    long taken = entries.length / sector;
    header.putLong(own).putLong(other).putLong(2 + taken).putLong(last - taken - 1);
    put(header, plan.diskId());
    header.putLong(entriesAt).putInt(ENTRIES).putInt(ENTRY).putInt(sum(entries, entries.length));
    return header.putInt(16, sum(header.array(), HEADER)).array();
  }

  private byte[] entries() {
    ByteBuffer all = ByteBuffer.allocate(ENTRIES * ENTRY).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < plan.parts().size(); i++) {
      DiskPlan.Part part = plan.parts().get(i);
      all.position(i * ENTRY);
      put(all, UUID.fromString(part.type().toLowerCase(Locale.ROOT)));
      put(all, part.id());
      all.putLong(part.start() / sector);
      all.putLong((part.start() + part.size()) / sector - 1);
      all.putLong(0).put(part.name().getBytes(UTF_16LE));
    }
    return all.array();
  }

  /** The first three numbers of a GUID are little-endian. */
  private static void put(ByteBuffer to, UUID id) {
    long high = id.getMostSignificantBits();
    to.putInt((int) (high >>> 32)).putShort((short) (high >>> 16)).putShort((short) high);
    to.putLong(Long.reverseBytes(id.getLeastSignificantBits()));
  }

  private static int sum(byte[] bytes, int length) {
    CRC32 crc = new CRC32();
    crc.update(bytes, 0, length);
    return (int) crc.getValue();
  }
}
