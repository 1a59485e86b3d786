package slipway.disk.format;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import slipway.archive.compress.BlockCompression;

/**
 * QEMU's qcow2, version 3 (compat 1.1), compressed.
 *
 * @param isZstd clusters are zstd's, which QEMU reads since 5.1, not deflate
 */
public record Qcow2(boolean isZstd) implements ImageFormat {
  private static final int CLUSTER_BITS = 16;
  private static final int CLUSTER = 1 << CLUSTER_BITS;

  /** Entries of an L2 table, which fills a cluster. */
  private static final int ENTRIES = CLUSTER / 8;

  /** Refcounts, of two bytes, in a block, which fills a cluster. */
  private static final int COUNTS = CLUSTER / 2;

  private static final long COPIED = 1L << 63;
  private static final long COMPRESSED = 1L << 62;

  /** Where the number of further sectors stands in the entry of a compressed cluster. */
  private static final int SECTORS_SHIFT = 62 - (CLUSTER_BITS - 8);

  private static final int MAGIC = 0x514649fb;
  private static final int HEADER_LENGTH = 112;
  private static final long COMPRESSION_TYPE_FEATURE = 1 << 3;

  @Override
  public void write(Path raw, Path result) throws IOException {
    BlockCompression how = isZstd ? BlockCompression.ZSTD : BlockCompression.DEFLATE;
    try (RawDisk disk = RawDisk.open(raw);
        FileChannel file = FileChannel.open(result, StandardOpenOption.WRITE)) {
      Writer writer = new Writer(file, disk.size(), isZstd);
      try (Compressor compressor = new Compressor(how, writer::cluster)) {
        disk.pieces(CLUSTER, compressor::add);
        compressor.finish();
      }
      writer.finish();
    }
  }

  /** One file. Clusters come in ascending order, so a table is done when the next one begins. */
  private static final class Writer {
    private final FileChannel file;
    private final long size;
    private final boolean isZstd;
    private final ByteBuffer l1;
    private final ByteBuffer l2 = ByteBuffer.allocate(CLUSTER);
    private long l2Index = -1;

    /** How often each cluster of the file is used; two bytes for 64 KiB. */
    private short[] counts = new short[1024];

    /** The first cluster's place that nothing has. */
    private long end;

    /** Where the next compressed cluster may go: into one that others have begun. */
    private long fill;

    Writer(FileChannel file, long size, boolean isZstd) {
      this.file = file;
      this.size = size;
      this.isZstd = isZstd;
      long tables = Math.ceilDiv(Math.ceilDiv(size, CLUSTER), ENTRIES);
      this.l1 = ByteBuffer.allocate(Math.toIntExact(Math.max(1, tables)) * 8);
      allocate(1 + Math.ceilDiv(l1.capacity(), CLUSTER));
      fill = end;
    }

    /** Takes so many clusters at the end. */
    private long allocate(int clusters) {
      long start = end;
      end += (long) clusters * CLUSTER;
      count(start, end);
      return start;
    }

    private void count(long from, long to) {
      for (long i = from / CLUSTER; i < Math.ceilDiv(to, CLUSTER); i++) {
        if (i >= counts.length) {
          counts = Arrays.copyOf(counts, counts.length * 2);
        }
        counts[(int) i]++;
      }
    }

    void cluster(long index, byte[] data, byte[] compressed) throws IOException {
      if (index / ENTRIES != l2Index) {
        flushL2();
        l2Index = index / ENTRIES;
      }
      long entry;
      if (compressed.length < CLUSTER) {
        long at = placeCompressed(compressed.length);
        put(ByteBuffer.wrap(compressed), at);
        long further = (at + compressed.length - 1) / RawDisk.SECTOR - at / RawDisk.SECTOR;
        entry = COMPRESSED | further << SECTORS_SHIFT | at;
      } else {
        long at = allocate(1);
        put(ByteBuffer.wrap(data), at);
        entry = COPIED | at;
      }
      l2.putLong((int) (index % ENTRIES) * 8, entry);
    }

    /** Compressed clusters share those of the file, and may lie across two that are neighbours. */
    private long placeCompressed(int length) {
      long border = Math.ceilDiv(fill, CLUSTER) * CLUSTER;
      if (border - fill < length && border != end) {
        fill = end;
      }
      long at = fill;
      fill += length;
      count(at, fill);
      end = Math.max(end, Math.ceilDiv(fill, CLUSTER) * CLUSTER);
      return at;
    }

    private void flushL2() throws IOException {
      if (l2Index >= 0) {
        long at = allocate(1);
        put(l2.clear(), at);
        l1.putLong((int) l2Index * 8, COPIED | at);
        Arrays.fill(l2.array(), (byte) 0);
      }
    }

    void finish() throws IOException {
      flushL2();
      long first = end / CLUSTER;
      // The blocks count themselves and the table too, so what they need is found step by step.
      int blocks = 0;
      int table = 0;
      boolean grown = true;
      while (grown) {
        int needed = Math.toIntExact(Math.ceilDiv(first + blocks + table, COUNTS));
        int tables = Math.ceilDiv(needed * 8, CLUSTER);
        grown = needed != blocks || tables != table;
        blocks = needed;
        table = tables;
      }
      long blocksAt = allocate(blocks);
      long tableAt = allocate(table);
      ByteBuffer places = ByteBuffer.allocate(table * CLUSTER);
      for (int i = 0; i < blocks; i++) {
        put(block(i), blocksAt + (long) i * CLUSTER);
        places.putLong(blocksAt + (long) i * CLUSTER);
      }
      put(places.clear(), tableAt);
      put(l1.clear(), CLUSTER);
      put(header(tableAt, table), 0);
    }

    private ByteBuffer block(int index) {
      ByteBuffer block = ByteBuffer.allocate(CLUSTER);
      int from = index * COUNTS;
      for (int i = from; i < Math.min(counts.length, from + COUNTS); i++) {
        block.putShort(counts[i]);
      }
      return block.clear();
    }

    private ByteBuffer header(long tableAt, int tableClusters) {
      ByteBuffer header = ByteBuffer.allocate(CLUSTER);
      header.putInt(MAGIC).putInt(3);
      header.putLong(0).putInt(0); // no other file behind it
      header.putInt(CLUSTER_BITS).putLong(size);
      header.putInt(0); // not encrypted
      header.putInt(l1.capacity() / 8).putLong(CLUSTER);
      header.putLong(tableAt).putInt(tableClusters);
      header.putInt(0).putLong(0); // no snapshots
      header.putLong(isZstd ? COMPRESSION_TYPE_FEATURE : 0).putLong(0).putLong(0);
      header.putInt(4).putInt(HEADER_LENGTH); // refcounts of 2^4 bits
      header.put((byte) (isZstd ? 1 : 0));
      return header.clear();
    }

    private void put(ByteBuffer bytes, long at) throws IOException {
      for (long to = at; bytes.hasRemaining(); ) {
        to += file.write(bytes, to);
      }
    }
  }
}
