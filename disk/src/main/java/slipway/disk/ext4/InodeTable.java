package slipway.disk.ext4;

import java.io.IOException;
import java.nio.ByteBuffer;
import slipway.archive.tar.Metadata;
import slipway.disk.ext4.Format.Inode;
import slipway.linux.posix.Stat;

/**
 * Writes inodes into the tables of their groups. They come in the order of their numbers, but for
 * those of the first block, which stays in memory.
 */
final class InodeTable {
  private static final int PIECE = 64;
  private static final long MIN_SECONDS = Integer.MIN_VALUE;
  private static final long MAX_SECONDS = MIN_SECONDS + (1L << 34) - 1;

  private final Volume volume;
  private final Geometry geometry;
  private final Checksums checksums;
  private final long now;
  private final ByteBuffer first = Format.structure(Format.BLOCK);
  private ByteBuffer piece = Format.structure(PIECE * Format.BLOCK);
  private long pieceAt = -1;
  private final long latest;
  private final int[] directories;

  /**
   * @param now seconds when the file system was made
   * @param latest seconds of the youngest file
   */
  InodeTable(Volume volume, Geometry geometry, Checksums checksums, long now, long latest) {
    this.volume = volume;
    this.geometry = geometry;
    this.checksums = checksums;
    this.now = now;
    this.latest = latest;
    this.directories = new int[geometry.groups];
  }

  /** How many directories have their inodes in a group. */
  int directories(int group) {
    return directories[group];
  }

  /**
   * An inode with all but what depends on its content.
   *
   * @param xattrBlock the block of attributes, or 0
   */
  ByteBuffer inode(Metadata metadata, int links, Attributes attributes, long xattrBlock) {
    ByteBuffer b = Format.structure(Inode.SIZE);
    b.putShort(Inode.MODE_2, (short) metadata.mode());
    b.putShort(Inode.UID_2, (short) metadata.uid());
    b.putShort(Inode.UID_HIGH_2, (short) (metadata.uid() >>> 16));
    b.putShort(Inode.GID_2, (short) metadata.gid());
    b.putShort(Inode.GID_HIGH_2, (short) (metadata.gid() >>> 16));
    // A directory with more subdirectories than can be counted has one link.
    b.putShort(Inode.LINKS_2, (short) (links > Format.LINK_MAX ? 1 : links));
    b.putShort(Inode.EXTRA_2, (short) Inode.EXTRA_VALUE);
    long modified = Math.min(metadata.mtimeSeconds(), latest);
    int nanos = metadata.mtimeSeconds() < latest ? metadata.mtimeNanos() : 0;
    time(b, Inode.MODIFIED, Inode.MODIFIED_EXTRA, modified, nanos);
    time(b, Inode.ACCESSED, Inode.ACCESSED_EXTRA, modified, nanos);
    time(b, Inode.CHANGED, Inode.CHANGED_EXTRA, now, 0);
    time(b, Inode.CREATED, Inode.CREATED_EXTRA, now, 0);
    b.put(Inode.XATTRS, attributes.inInode());
    b.putInt(Inode.XATTR_BLOCK, (int) xattrBlock);
    b.putShort(Inode.XATTR_BLOCK_HIGH_2, (short) (xattrBlock >>> 32));
    return b;
  }

  /** Two more bits for the seconds, above which lie the nanoseconds; the kernel clamps too. */
  private static void time(ByteBuffer b, int at, int extraAt, long seconds, int nanos) {
    long known = Math.clamp(seconds, MIN_SECONDS, MAX_SECONDS);
    b.putInt(at, (int) known);
    b.putInt(extraAt, (int) (((known - (int) known) >>> 32) & 3) | (nanos << 2));
  }

  /**
   * Puts into an inode what its content is.
   *
   * @param blocks of content, extents and attributes
   * @param root of the extents
   */
  static void content(ByteBuffer inode, long length, long blocks, byte[] root) {
    inode.putInt(Inode.LENGTH, (int) length);
    inode.putInt(Inode.LENGTH_HIGH, (int) (length >>> 32));
    long sectors = blocks * Format.SECTORS;
    inode.putInt(Inode.SECTORS, (int) sectors);
    inode.putShort(Inode.SECTORS_HIGH_2, (short) (sectors >>> 32));
    inode.put(Inode.BLOCKS_60, root);
  }

  void write(int number, ByteBuffer inode) throws IOException {
    checksums.seal(number, inode);
    int group = (number - 1) / geometry.inodesPerGroup;
    int index = (number - 1) % geometry.inodesPerGroup;
    if ((inode.getShort(Inode.MODE_2) & Stat.S_IFMT) == Stat.S_IFDIR) {
      directories[group]++;
    }
    if (number <= Inode.PER_BLOCK) {
      first.put(index * Inode.SIZE, inode.array());
      return;
    }
    long at = geometry.inodeTables[group] * Format.BLOCK + (long) index * Inode.SIZE;
    if (pieceAt < 0 || at != pieceAt + piece.position() || !piece.hasRemaining()) {
      flush();
      pieceAt = at;
    }
    piece.put(inode.array());
  }

  private void flush() throws IOException {
    volume.write(pieceAt, piece.flip());
    piece.clear();
  }

  /** Reserved inodes that nobody wrote are in use all the same; zeros need no checksum. */
  void finish() throws IOException {
    flush();
    volume.put(geometry.inodeTables[0], first.array());
  }
}
