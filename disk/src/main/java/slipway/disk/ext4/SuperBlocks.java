package slipway.disk.ext4;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import slipway.disk.ext4.Format.Group;
import slipway.disk.ext4.Format.Inode;
import slipway.disk.ext4.Format.Super;

/** Writes the superblock with the groups' descriptors, and their copies. */
final class SuperBlocks {
  private static final int RESERVED_PERCENT = 5;

  private final Geometry geometry;
  private final Volume volume;
  private final ByteBuffer block = Format.structure(Super.SIZE);

  /**
   * @param free blocks that nobody has
   */
  SuperBlocks(Geometry geometry, Volume volume, Ext4Options options, long free, int lastInode) {
    this.geometry = geometry;
    this.volume = volume;
    counts(free, lastInode);
    fixed(options);
    features(options.verity());
  }

  private void counts(long free, int lastInode) {
    int inodes = geometry.inodesPerGroup * geometry.groups;
    block.putInt(Super.INODES, inodes).putInt(Super.FREE_INODES, inodes - lastInode);
    put(Super.BLOCKS, Super.BLOCKS_HIGH, geometry.blocks);
    put(Super.FREE_BLOCKS, Super.FREE_BLOCKS_HIGH, free);
    long reserved = geometry.blocks * RESERVED_PERCENT / 100;
    put(Super.ROOTS_BLOCKS, Super.ROOTS_BLOCKS_HIGH, reserved);
    block.putInt(Super.PER_GROUP_BLOCKS, Format.PER_GROUP);
    block.putInt(Super.PER_GROUP_CLUSTERS, Format.PER_GROUP);
    block.putInt(Super.PER_GROUP_INODES, geometry.inodesPerGroup);
    block.putShort(Super.RESERVED_DESCRIPTORS_2, (short) geometry.reservedBlocks);
  }

  private void put(int low, int high, long value) {
    block.putInt(low, (int) value).putInt(high, (int) (value >>> 32));
  }

  private void fixed(Ext4Options options) {
    int seconds = (int) options.seconds();
    block.putInt(Super.LOG_BLOCK, Format.BLOCK_BITS - 10);
    block.putInt(Super.LOG_CLUSTER, Format.BLOCK_BITS - 10);
    block.putInt(Super.WRITTEN, seconds).putInt(Super.CHECKED, seconds);
    block.putInt(Super.MADE, seconds);
    block.putShort(Super.MAX_MOUNTS_2, (short) -1).putShort(Super.STATE_2, (short) 1);
    block.putShort(Super.MAGIC_2, (short) Super.MAGIC_VALUE).putShort(Super.ERRORS_2, (short) 1);
    block.putInt(Super.REVISION, 1).putInt(Super.FIRST_INODE, Inode.LOST_AND_FOUND);
    block.putShort(Super.INODE_SIZE_2, (short) Inode.SIZE);
    block.putShort(Super.DESCRIPTOR_SIZE_2, (short) Group.SIZE);
    Format.put(block, Super.UUID_16, options.id());
    Format.put(block, Super.HASH_SEED_16, options.hashSeed());
    block.put(Super.LABEL_16, options.label().getBytes(StandardCharsets.UTF_8));
    block.put(Super.HASH_1, (byte) Super.HALF_MD4).putInt(Super.FLAGS, Super.SIGNED_HASH);
    block.putInt(Super.MOUNT_OPTIONS, Super.MOUNT_OPTIONS_VALUE);
    block.putShort(Super.MIN_EXTRA_2, (short) Inode.EXTRA_VALUE);
    block.putShort(Super.WANT_EXTRA_2, (short) Inode.EXTRA_VALUE);
    block.put(Super.LOG_FLEX_1, (byte) Format.FLEX_BITS).put(Super.CHECKSUM_TYPE_1, (byte) 1);
  }

  private void features(boolean verity) {
    int compatible = Super.EXT_ATTR | Super.DIR_INDEX;
    compatible |= geometry.reservedBlocks > 0 ? Super.RESIZE_INODE : 0;
    compatible |= geometry.journalBlocks > 0 ? Super.HAS_JOURNAL : 0;
    block.putInt(Super.COMPATIBLE, compatible);
    block.putInt(Super.INCOMPATIBLE, Super.INCOMPATIBLE_VALUE);
    block.putInt(Super.READ_ONLY_COMPATIBLE, Super.READ_ONLY_VALUE | (verity ? Super.VERITY : 0));
  }

  /** Keeps a copy of where the journal lies. */
  void journal(ByteBuffer inode) {
    block.putInt(Super.JOURNAL, Inode.JOURNAL).put(Super.JOURNAL_COPY_1, (byte) 1);
    byte[] blocks = new byte[Inode.BLOCKS_SIZE];
    inode.get(Inode.BLOCKS_60, blocks);
    block.put(Super.JOURNAL_BLOCKS_68, blocks);
    block.putInt(Super.JOURNAL_BLOCKS_68 + 60, inode.getInt(Inode.LENGTH_HIGH));
    block.putInt(Super.JOURNAL_BLOCKS_68 + 64, inode.getInt(Inode.LENGTH));
  }

  /** Copies first: with the first superblock the file system is there. */
  void write(byte[] descriptors) throws IOException {
    for (int g = geometry.groups - 1; g >= 0; g--) {
      if (Geometry.hasSuper(g)) {
        volume.put(geometry.start(g) + 1, descriptors);
        block.putShort(Super.GROUP_2, (short) g);
        block.putInt(Super.CHECKSUM, Checksums.ofSuper(block));
        long at = geometry.start(g) * Format.BLOCK;
        volume.write(g == 0 ? Super.START : at, block.duplicate());
      }
    }
  }
}
