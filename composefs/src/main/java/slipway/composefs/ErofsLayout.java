package slipway.composefs;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import slipway.composefs.ErofsFormat.SuperBlock;
import slipway.composefs.ErofsFormat.XattrArea;
import slipway.linux.posix.OsPath;

/** Decides where everything in a composefs image lies. */
public final class ErofsLayout {
  static final int HEADER_END = SuperBlock.START + SuperBlock.SIZE;
  private static final int BLOCK = ErofsFormat.BLOCK;
  private static final OsPath DOT = OsPath.of(".");
  private static final OsPath DOT_DOT = OsPath.of("..");

  /** In the order of the image. */
  final List<ErofsInode> inodes = new ArrayList<>();

  /** Attributes that several inodes have, in the order of the image, and where each lies. */
  final Map<ErofsXattr, Integer> sharedOffsets = new java.util.LinkedHashMap<>();

  long minSeconds = Long.MAX_VALUE;
  int minNanos;

  /** End of the inodes; the shared attributes follow. */
  long inodesEnd;

  int sharedSize;

  /** Whether some inode has an access control list. */
  boolean acl;

  long firstDataBlock;
  long totalBlocks;

  public ErofsLayout(ErofsInode root) {
    number(root);
    findEarliest();
    shareXattrs();
    for (ErofsInode inode : inodes) {
      inode.measure();
      inode.extended = needsExtended(inode);
    }
    place();
    long block = firstDataBlock;
    for (ErofsInode inode : inodes) {
      inode.firstBlock = block;
      block += inode.blocks;
    }
    totalBlocks = block;
  }

  private void number(ErofsInode root) {
    ArrayDeque<ErofsInode> queue = new ArrayDeque<>();
    root.number = 0;
    queue.add(root);
    while (!queue.isEmpty()) {
      ErofsInode inode = queue.remove();
      inodes.add(inode);
      for (Map.Entry<OsPath, ErofsInode> child : inode.children.entrySet()) {
        boolean self = child.getKey().equals(DOT) || child.getKey().equals(DOT_DOT);
        if (!self && child.getValue().isFirstName(inode, child.getKey())) {
          child.getValue().number = inodes.size() + queue.size();
          queue.add(child.getValue());
        }
      }
    }
  }

  private void findEarliest() {
    for (ErofsInode inode : inodes) {
      boolean earlier =
          inode.mtimeSeconds < minSeconds
              || (inode.mtimeSeconds == minSeconds && inode.mtimeNanos < minNanos);
      if (earlier) {
        minSeconds = inode.mtimeSeconds;
        minNanos = inode.mtimeNanos;
      }
    }
  }

  private void shareXattrs() {
    Map<ErofsXattr, Integer> uses = new HashMap<>();
    for (ErofsInode inode : inodes) {
      for (ErofsXattr xattr : inode.formXattrs()) {
        uses.merge(xattr, 1, Integer::sum);
        acl |= xattr.isAcl();
      }
    }
    for (ErofsInode inode : inodes) {
      inode.shareXattrs(uses);
    }
    List<ErofsXattr> shared = new ArrayList<>();
    uses.forEach(
        (xattr, count) -> {
          if (count > 1) {
            shared.add(xattr);
          }
        });
    shared.sort(Collections.reverseOrder());
    for (ErofsXattr x : shared) {
      sharedOffsets.put(x, sharedSize);
      sharedSize += x.paddedSize();
    }
  }

  private boolean needsExtended(ErofsInode inode) {
    return inode.mtimeSeconds != minSeconds
        || inode.mtimeNanos != minNanos
        || inode.nlink > 0xffff
        || Integer.compareUnsigned(inode.uid, 0xffff) > 0
        || Integer.compareUnsigned(inode.gid, 0xffff) > 0
        || inode.size > 0xffffffffL;
  }

  private void place() {
    long position = HEADER_END;
    for (ErofsInode inode : inodes) {
      position = roundUp(position, ErofsFormat.SLOT);
      int fixed = inode.inodeSize() + inode.xattrSize();
      position +=
          inode.kind == ErofsInode.Kind.SYMLINK
              ? symlinkPadding(inode, position, fixed)
              : tailPadding(inode, position, fixed);
      inode.position = position;
      position += fixed + inode.tail;
    }
    inodesEnd = roundUp(position, ErofsFormat.SLOT);
    firstDataBlock = (inodesEnd + sharedSize + BLOCK - 1) / BLOCK;
  }

  /**
   * A symbolic link's inode, attributes and target lie in one block. A target that cannot becomes a
   * data block; the inode begins a block all the same.
   */
  private static long symlinkPadding(ErofsInode inode, long position, int fixed) {
    int total = fixed + inode.tail;
    if (total >= BLOCK) {
      inode.blocks = 1;
      inode.tail = 0;
    }
    return total > room(position) ? room(position) % BLOCK : 0;
  }

  /** A tail lies in one block. */
  private static long tailPadding(ErofsInode inode, long position, int fixed) {
    if (inode.tail == 0 || inode.tail <= room(position + fixed)) {
      return 0;
    }
    long padding = roundUp(room(position + fixed), ErofsFormat.SLOT);
    if (inode.tail <= room(position + padding + fixed)) {
      return padding;
    }
    inode.blocks++;
    inode.tail = 0;
    return room(position) % BLOCK;
  }

  /** Bytes left in the block; a whole block at its start. */
  private static long room(long position) {
    return BLOCK - position % BLOCK;
  }

  static long roundUp(long value, int unit) {
    return (value + unit - 1) / unit * unit;
  }

  /** The number by which inodes name a shared attribute: units of four from its block. */
  int sharedId(ErofsXattr xattr) {
    int offset = java.util.Objects.requireNonNull(sharedOffsets.get(xattr));
    return Math.toIntExact((inodesEnd % BLOCK + offset) / XattrArea.UNIT);
  }
}
