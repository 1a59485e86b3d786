package slipway.disk.format;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import slipway.archive.compress.Compression;
import slipway.base.Cleanup;

/**
 * What Google's Compute Engine imports: an old GNU tar with the one member {@code disk.raw},
 * gzipped. The member is sparse, as {@code tar --format=oldgnu -S} makes it, so zeros are neither
 * compressed nor unpacked.
 */
public record GceArchive() implements ImageFormat {
  private static final int BLOCK = 512;

  /** Holes smaller than this are written; it keeps the list of extents short. */
  private static final int GRAIN = 64 * 1024;

  private static final int IN_HEADER = 4;
  private static final int IN_EXTENSION = 21;
  private static final int ENTRY = 24;
  private static final int SPARSE_AT = 386;
  private static final int EXTENDED_AT = 482;
  private static final int REAL_SIZE_AT = 483;
  private static final int MORE_AT = 504;
  private static final long MOST_OCTAL = 077777777777L;

  @Override
  public void write(Path raw, Path result) throws IOException {
    try (RawDisk disk = RawDisk.open(raw);
        OutputStream file = new BufferedOutputStream(Files.newOutputStream(result), 1 << 20);
        OutputStream out = Compression.GZIP.compress(file, Compression.DEFAULT_LEVEL)) {
      List<RawDisk.Extent> extents = disk.extents(GRAIN);
      headers(out, extents, disk.size());
      byte[] buffer = new byte[1 << 20];
      for (RawDisk.Extent extent : extents) {
        disk.seek(extent.start());
        for (long left = extent.length(); left > 0; ) {
          Cleanup.checkStopped();
          int n = (int) Math.min(left, buffer.length);
          disk.read(buffer, n);
          out.write(buffer, 0, n);
          left -= n;
        }
      }
      // Sizes of disks are whole sectors, so only the two blocks at the end are missing.
      out.write(new byte[2 * BLOCK]);
    }
  }

  private static void headers(OutputStream out, List<RawDisk.Extent> extents, long size)
      throws IOException {
    List<RawDisk.Extent> map = new ArrayList<>(extents);
    // A hole at the end is told by an extent of nothing.
    if (map.isEmpty() || map.getLast().end() < size) {
      map.add(new RawDisk.Extent(size, 0));
    }
    long packed = extents.stream().mapToLong(RawDisk.Extent::length).sum();
    ByteBuffer header = ByteBuffer.allocate(BLOCK);
    text(header, 0, "disk.raw");
    text(header, 100, "0000644\0" + "0000000\0" + "0000000\0");
    number(header, 124, packed);
    number(header, 136, 0);
    text(header, 156, "S");
    text(header, 257, "ustar  \0root");
    text(header, 297, "root");
    entries(header, SPARSE_AT, map.subList(0, Math.min(IN_HEADER, map.size())));
    header.put(EXTENDED_AT, (byte) (map.size() > IN_HEADER ? 1 : 0));
    number(header, REAL_SIZE_AT, size);
    text(header, 148, "        ");
    int sum = 0;
    for (byte b : header.array()) {
      sum += b & 0xff;
    }
    text(header, 148, String.format(Locale.ROOT, "%06o\0 ", sum));
    out.write(header.array());
    for (int at = IN_HEADER; at < map.size(); at += IN_EXTENSION) {
      int to = Math.min(map.size(), at + IN_EXTENSION);
      ByteBuffer block = ByteBuffer.allocate(BLOCK);
      entries(block, 0, map.subList(at, to));
      block.put(MORE_AT, (byte) (to < map.size() ? 1 : 0));
      out.write(block.array());
    }
  }

  private static void entries(ByteBuffer block, int at, List<RawDisk.Extent> extents) {
    for (int i = 0; i < extents.size(); i++) {
      number(block, at + i * ENTRY, extents.get(i).start());
      number(block, at + i * ENTRY + ENTRY / 2, extents.get(i).length());
    }
  }

  /** Eleven octal digits, or above 8 GiB binary with the first bit set, as GNU tar has it. */
  private static void number(ByteBuffer block, int at, long value) {
    if (value <= MOST_OCTAL) {
      text(block, at, String.format(Locale.ROOT, "%011o\0", value));
    } else {
      block.put(at, (byte) 0x80).putLong(at + 4, value);
    }
  }

  private static void text(ByteBuffer block, int at, String text) {
    block.put(at, text.getBytes(US_ASCII));
  }
}
