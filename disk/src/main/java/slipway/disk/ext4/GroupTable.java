package slipway.disk.ext4;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import slipway.disk.ext4.Format.Group;

/** Writes the groups' bitmaps, and makes their descriptors, once all blocks are given out. */
final class GroupTable {
  private final Geometry geometry;
  private final Volume volume;
  private final Checksums checksums;
  private final InodeTable inodes;
  private final int lastInode;
  private final boolean blank;
  private final ByteBuffer descriptors;

  /** The first area that may end in the group or behind it. */
  private int area;

  private long freeBlocks;

  /**
   * @param blank as {@link Ext4Options} has it
   */
  GroupTable(
      Geometry geometry,
      Volume volume,
      Checksums checksums,
      InodeTable inodes,
      int lastInode,
      boolean blank) {
    this.geometry = geometry;
    this.volume = volume;
    this.checksums = checksums;
    this.inodes = inodes;
    this.lastInode = lastInode;
    this.blank = blank;
    this.descriptors = Format.structure(geometry.descriptorBlocks * Format.BLOCK);
  }

  long freeBlocks() {
    return freeBlocks;
  }

  /** The blocks of descriptors. */
  byte[] write() throws IOException {
    for (int g = 0; g < geometry.groups; g++) {
      descriptors.put(group(g).array());
    }
    return descriptors.array();
  }

  private ByteBuffer group(int g) throws IOException {
    ByteBuffer b = Format.structure(Group.SIZE);
    put(b, Group.BLOCK_BITMAP, geometry.blockBitmaps[g]);
    put(b, Group.INODE_BITMAP, geometry.inodeBitmaps[g]);
    put(b, Group.INODE_TABLE, geometry.inodeTables[g]);
    int flags = blank ? Group.TABLE_ZEROED : 0;
    boolean noInodes = inodes(b, g);
    if (noInodes) {
      flags |= Group.INODES_UNINITIALIZED;
    }
    if (blocks(b, g, noInodes)) {
      flags |= Group.BLOCKS_UNINITIALIZED;
    }
    b.putShort(Group.FLAGS_2, (short) flags);
    checksums.sealGroup(g, b);
    return b;
  }

  private static void put(ByteBuffer b, int at, long block) {
    b.putInt(at, (int) block).putInt(at + Group.HIGH, (int) (block >>> 32));
  }

  /** Whether none is in use, so that there is no bitmap. */
  private boolean inodes(ByteBuffer b, int g) throws IOException {
    int all = geometry.inodesPerGroup;
    int used = Math.clamp(lastInode - (long) g * all, 0, all);
    b.putShort(Group.FREE_INODES_2, (short) (all - used));
    b.putShort(Group.UNUSED_INODES_2, (short) (all - used));
    b.putShort(Group.DIRECTORIES_2, (short) inodes.directories(g));
    if (used == 0) {
      return true;
    }
    byte[] bitmap = new byte[Format.BLOCK];
    fill(bitmap, 0, used);
    fill(bitmap, all, Format.PER_GROUP);
    volume.put(geometry.inodeBitmaps[g], bitmap);
    int sum = checksums.ofBitmap(bitmap, all / Byte.SIZE);
    b.putShort(Group.INODE_BITMAP_CHECKSUM_2, (short) sum);
    b.putShort(Group.INODE_BITMAP_CHECKSUM_HIGH_2, (short) (sum >>> 16));
    return false;
  }

  /**
   * Whether none is in use but by the copy of the superblock, so that there is no bitmap; the last
   * group has one, for it may be shorter.
   */
  private boolean blocks(ByteBuffer b, int g, boolean noInodes) throws IOException {
    byte[] bitmap = new byte[Format.BLOCK];
    int size = (int) (geometry.end(g) - geometry.start(g));
    mark(bitmap, g, 0, volume.end());
    while (area < geometry.areas.size() && geometry.areas.get(area).end() <= geometry.start(g)) {
      area++;
    }
    for (int i = area; i < geometry.areas.size(); i++) {
      Geometry.Area each = geometry.areas.get(i);
      if (each.start() >= geometry.end(g)) {
        break;
      }
      mark(bitmap, g, each.start(), each.end());
    }
    int used = java.util.BitSet.valueOf(bitmap).cardinality();
    b.putShort(Group.FREE_BLOCKS_2, (short) (size - used));
    freeBlocks += size - used;
    boolean last = g == geometry.groups - 1;
    if (used == geometry.superBlocks(g) && noInodes && !last) {
      return true;
    }
    fill(bitmap, size, Format.PER_GROUP);
    volume.put(geometry.blockBitmaps[g], bitmap);
    int sum = checksums.ofBitmap(bitmap, bitmap.length);
    b.putShort(Group.BLOCK_BITMAP_CHECKSUM_2, (short) sum);
    b.putShort(Group.BLOCK_BITMAP_CHECKSUM_HIGH_2, (short) (sum >>> 16));
    return false;
  }

  private void mark(byte[] bitmap, int g, long start, long end) {
    long from = Math.max(start, geometry.start(g)) - geometry.start(g);
    long to = Math.min(end, geometry.end(g)) - geometry.start(g);
    if (from < to) {
      fill(bitmap, (int) from, (int) to);
    }
  }

  private static void fill(byte[] bitmap, int from, int to) {
    int at = from;
    for (; at < to && at % Byte.SIZE != 0; at++) {
      set(bitmap, at);
    }
    if (at < to) {
      Arrays.fill(bitmap, at / Byte.SIZE, to / Byte.SIZE, (byte) 0xff);
    }
    for (at = Math.max(at, to / Byte.SIZE * Byte.SIZE); at < to; at++) {
      set(bitmap, at);
    }
  }

  private static void set(byte[] bitmap, int at) {
    bitmap[at / Byte.SIZE] |= (byte) (1 << (at % Byte.SIZE));
  }
}
