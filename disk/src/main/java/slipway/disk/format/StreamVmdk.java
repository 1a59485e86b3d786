package slipway.disk.format;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import slipway.archive.compress.BlockCompression;

/**
 * VMware's VMDK, streamOptimized: written and read from one end to the other.
 *
 * @param contentId of the disk; neither 0 nor -1 mean one
 */
public record StreamVmdk(int contentId) implements ImageFormat {
  private static final int SECTOR = RawDisk.SECTOR;
  private static final int GRAIN = 64 * 1024;
  private static final int ENTRIES = 512;
  private static final int MAGIC = 0x564d444b;
  private static final int DESCRIPTOR_SECTORS = 20;

  /** Where the first grain lies, in sectors. */
  private static final int OVERHEAD = 128;

  private static final int NEWLINE_TEST = 1;
  private static final int IS_COMPRESSED = 1 << 16;
  private static final int HAS_MARKERS = 1 << 17;
  private static final long AT_END = -1;
  private static final int TABLE_MARKER = 1;
  private static final int DIRECTORY_MARKER = 2;
  private static final int FOOTER_MARKER = 3;

  @Override
  public void write(Path raw, Path result) throws IOException {
    try (RawDisk disk = RawDisk.open(raw);
        OutputStream out = new BufferedOutputStream(Files.newOutputStream(result), 1 << 20)) {
      Writer writer = new Writer(out, disk.size() / SECTOR);
      writer.begin(descriptor(disk.size() / SECTOR));
      try (Compressor compressor = new Compressor(BlockCompression.ZLIB, writer::grain)) {
        disk.pieces(GRAIN, compressor::add);
        compressor.finish();
      }
      writer.finish();
    }
  }

  private String descriptor(long sectors) {
    return """
        # Disk DescriptorFile
        version=1
        CID=%08x
        parentCID=ffffffff
        createType="streamOptimized"

        # Extent description
        RW %d SPARSE "disk.vmdk"

        # The Disk Data Base
        #DDB

        ddb.virtualHWVersion = "4"
        ddb.geometry.cylinders = "%d"
        ddb.geometry.heads = "255"
        ddb.geometry.sectors = "63"
        ddb.adapterType = "lsilogic"
        """
        .formatted(contentId, sectors, Math.min(65535, sectors / (255 * 63)));
  }

  /** One file; grains come in ascending order. */
  private static final class Writer {
    private final OutputStream out;
    private final long capacity;
    private final ByteBuffer directory;
    private final ByteBuffer table = little(ENTRIES * 4);
    private long tableIndex = -1;

    /** In sectors. */
    private long position;

    Writer(OutputStream out, long capacity) {
      this.out = out;
      this.capacity = capacity;
      long tables = Math.ceilDiv(Math.ceilDiv(capacity, GRAIN / SECTOR), ENTRIES);
      this.directory = little(Math.ceilDiv(Math.toIntExact(tables) * 4, SECTOR) * SECTOR);
    }

    private static ByteBuffer little(int length) {
      return ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void put(byte[] bytes) throws IOException {
      out.write(bytes);
      int over = bytes.length % SECTOR;
      if (over > 0) {
        out.write(new byte[SECTOR - over]);
      }
      position += Math.ceilDiv(bytes.length, SECTOR);
    }

    void begin(String descriptor) throws IOException {
      put(header(AT_END));
      put(descriptor.getBytes(US_ASCII));
      put(new byte[(int) (OVERHEAD - position) * SECTOR]);
    }

    private byte[] header(long directoryAt) {
      ByteBuffer header = little(SECTOR);
      header.putInt(MAGIC).putInt(3).putInt(NEWLINE_TEST | IS_COMPRESSED | HAS_MARKERS);
      header.putLong(capacity).putLong(GRAIN / SECTOR);
      header.putLong(1).putLong(DESCRIPTOR_SECTORS).putInt(ENTRIES);
      header.putLong(0).putLong(directoryAt).putLong(OVERHEAD); // no second directory
      header.put((byte) 0).put("\n \r\n".getBytes(US_ASCII)).putShort((short) 1); // deflate
      return header.array();
    }

    void grain(long index, byte[] data, byte[] compressed) throws IOException {
      if (index / ENTRIES != tableIndex) {
        flushTable();
        tableIndex = index / ENTRIES;
      }
      table.putInt((int) (index % ENTRIES) * 4, sector());
      ByteBuffer grain = little(12 + compressed.length);
      grain.putLong(index * (GRAIN / SECTOR)).putInt(compressed.length).put(compressed);
      put(grain.array());
    }

    private int sector() throws IOException {
      if (position > 0xffff_ffffL) {
        throw new IOException("a VMDK cannot be larger than 2 TiB");
      }
      return (int) position;
    }

    private void marker(long sectors, int type) throws IOException {
      put(little(SECTOR).putLong(sectors).putInt(0).putInt(type).array());
    }

    private void flushTable() throws IOException {
      if (tableIndex >= 0) {
        marker(table.capacity() / SECTOR, TABLE_MARKER);
        directory.putInt((int) tableIndex * 4, sector());
        put(table.array());
        Arrays.fill(table.array(), (byte) 0);
      }
    }

    void finish() throws IOException {
      flushTable();
      marker(directory.capacity() / SECTOR, DIRECTORY_MARKER);
      long directoryAt = position;
      put(directory.array());
      marker(1, FOOTER_MARKER);
      put(header(directoryAt));
      put(new byte[SECTOR]); // the end of the stream
    }
  }
}
