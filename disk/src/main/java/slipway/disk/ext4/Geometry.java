package slipway.disk.ext4;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import slipway.disk.ext4.Format.Group;
import slipway.disk.ext4.Format.Inode;

/** Where the parts of each group lie in a file system of a size, whatever is in it. */
final class Geometry {
  /** As many bytes as mke2fs has for each inode. */
  private static final int RATIO = 16384;

  /** A last group with less than that beside its own parts is left out. */
  private static final int WORTHWHILE = 50;

  private static final int WITHOUT_JOURNAL = 2048;
  private static final long MAX_BLOCKS = 0xffff_ffffL;
  private static final int POINTERS = Format.BLOCK / 4;

  /** Blocks that no file may have. */
  record Area(long start, long end) {}

  final long blocks;
  final int groups;
  final int inodesPerGroup;
  final int descriptorBlocks;
  final int reservedBlocks;
  final int journalBlocks;
  final long[] blockBitmaps;
  final long[] inodeBitmaps;
  final long[] inodeTables;

  /** Sorted; none touches another. */
  final List<Area> areas = new ArrayList<>();

  /** Blocks for journal and tree. */
  final long room;

  private long cursor;
  private final boolean complete;

  private Geometry(long blocks, long inodes) {
    this.blocks = blocks;
    this.groups = groups(blocks);
    long wanted = Math.max(inodes, blocks * Format.BLOCK / RATIO);
    long each = Math.ceilDiv(wanted, groups);
    this.inodesPerGroup =
        (int) Math.min(Format.PER_GROUP, Math.ceilDiv(each, Inode.PER_BLOCK) * Inode.PER_BLOCK);
    this.descriptorBlocks = Math.ceilDiv(groups, Format.BLOCK / Group.SIZE);
    this.reservedBlocks = reserved(blocks, descriptorBlocks);
    this.journalBlocks = journal(blocks);
    this.blockBitmaps = new long[groups];
    this.inodeBitmaps = new long[groups];
    this.inodeTables = new long[groups];
    this.complete = each <= Format.PER_GROUP && placeSupers() && placeAll();
    merge();
    long taken = areas.stream().mapToLong(a -> a.end - a.start).sum();
    this.room = blocks - taken - journalBlocks;
  }

  /**
   * @param blocks of the region, of which a few at the end may be left out
   * @param inodes at least as many, reserved ones included
   * @return empty when not even the groups' own parts have room
   */
  static Optional<Geometry> of(long blocks, long inodes) {
    if (blocks < 64 || blocks > MAX_BLOCKS) {
      return Optional.empty();
    }
    Geometry all = new Geometry(blocks, inodes);
    long last = blocks - (all.groups - 1L) * Format.PER_GROUP;
    if (all.groups > 1 && last < all.own(all.groups - 1) + WORTHWHILE) {
      return of(blocks - last, inodes);
    }
    return all.complete && all.room > 0 ? Optional.of(all) : Optional.empty();
  }

  private static int groups(long blocks) {
    return Math.toIntExact(Math.ceilDiv(blocks, (long) Format.PER_GROUP));
  }

  /** Blocks for the descriptors of a file system 1024 times as large, as mke2fs keeps them. */
  private static int reserved(long blocks, int descriptorBlocks) {
    long largest = blocks < MAX_BLOCKS / 1024 ? blocks * 1024 : MAX_BLOCKS;
    int all = Math.ceilDiv(groups(largest), Format.BLOCK / Group.SIZE);
    return Math.clamp(all - descriptorBlocks, 0, POINTERS);
  }

  /** As large as mke2fs makes it. */
  private static int journal(long blocks) {
    if (blocks < WITHOUT_JOURNAL) {
      return 0;
    }
    int size = 1024;
    for (long from : new long[] {1 << 15, 1 << 18, 1 << 19, 1 << 22, 1 << 23, 1 << 24, 1 << 25}) {
      if (blocks >= from) {
        size = from == 1 << 15 ? 4096 : size * 2;
      }
    }
    return size;
  }

  int tableBlocks() {
    return inodesPerGroup / Inode.PER_BLOCK;
  }

  long start(int group) {
    return (long) group * Format.PER_GROUP;
  }

  long end(int group) {
    return Math.min(blocks, start(group + 1));
  }

  /** Whether a group has a superblock: 0, 1 and powers of 3, 5 and 7 have. */
  static boolean hasSuper(int group) {
    return group <= 1 || isPower(group, 3) || isPower(group, 5) || isPower(group, 7);
  }

  private static boolean isPower(int number, int base) {
    int rest = number;
    while (rest % base == 0) {
      rest /= base;
    }
    return rest == 1;
  }

  /** Blocks at the beginning of a group. */
  int superBlocks(int group) {
    return hasSuper(group) ? 1 + descriptorBlocks + reservedBlocks : 0;
  }

  private long own(int group) {
    return superBlocks(group) + 2 + tableBlocks();
  }

  private boolean placeSupers() {
    for (int g = 0; g < groups; g++) {
      if (hasSuper(g)) {
        areas.add(new Area(start(g), start(g) + superBlocks(g)));
      }
    }
    return areas.getLast().end < blocks;
  }

  private boolean placeAll() {
    int flex = 1 << Format.FLEX_BITS;
    for (int first = 0; first < groups; first += flex) {
      int behind = Math.min(groups, first + flex);
      cursor = start(first);
      place(blockBitmaps, first, behind, 1);
      place(inodeBitmaps, first, behind, 1);
      place(inodeTables, first, behind, tableBlocks());
      if (cursor > end(behind - 1)) {
        return false;
      }
    }
    return true;
  }

  private void place(long[] places, int first, int behind, int size) {
    for (int g = first; g < behind; g++) {
      places[g] = take(size);
    }
  }

  /** Neighbours that no superblock parts. */
  private long take(int size) {
    int group = (int) (cursor / Format.PER_GROUP);
    cursor = Math.max(cursor, start(group) + superBlocks(group));
    long next = start(group + 1);
    if (cursor + size > next && superBlocks(group + 1) > 0) {
      cursor = next + superBlocks(group + 1);
    }
    areas.add(new Area(cursor, cursor + size));
    cursor += size;
    return cursor - size;
  }

  private void merge() {
    areas.sort(Comparator.comparingLong(Area::start));
    List<Area> merged = new ArrayList<>();
    for (Area area : areas) {
      if (!merged.isEmpty() && merged.getLast().end == area.start) {
        merged.add(new Area(merged.removeLast().start, area.end));
      } else {
        merged.add(area);
      }
    }
    areas.clear();
    areas.addAll(merged);
  }
}
