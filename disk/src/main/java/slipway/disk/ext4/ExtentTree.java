package slipway.disk.ext4;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import slipway.disk.ext4.Format.Extents;

/**
 * Where the blocks of a file lie. Each level holds what fits into one block, which is written as
 * soon as it is full, so a file of any number of pieces costs little memory.
 */
final class ExtentTree {
  /** An extent of the lowest level; above it, a block of the level below. */
  private record Piece(long logical, int length, long block) {}

  /** What of a level is not written yet. */
  private static final class Level {
    final List<Piece> pieces = new ArrayList<>();
    boolean written;
  }

  private final long inode;
  private final Volume volume;
  private final Checksums checksums;
  private final List<Level> levels = new ArrayList<>();
  private long logical;
  private int length;
  private long block;

  /** Blocks of the file, those of the tree included. */
  private long blocks;

  ExtentTree(long inode, Volume volume, Checksums checksums) {
    this.inode = inode;
    this.volume = volume;
    this.checksums = checksums;
  }

  long blocks() {
    return blocks;
  }

  /** Adds the next block; blocks that are left out are holes. */
  void add(long atLogical, long atBlock) throws IOException {
    blocks++;
    boolean follows = atLogical == logical + length && atBlock == block + length;
    if (length > 0 && follows && length < Extents.LONGEST) {
      length++;
      return;
    }
    endPiece();
    logical = atLogical;
    block = atBlock;
    length = 1;
  }

  private void endPiece() throws IOException {
    if (length > 0) {
      add(0, new Piece(logical, length, block));
    }
    length = 0;
  }

  private void add(int depth, Piece piece) throws IOException {
    if (depth == levels.size()) {
      levels.add(new Level());
    }
    Level level = levels.get(depth);
    if (level.pieces.size() == Extents.IN_BLOCK) {
      write(depth);
    }
    level.pieces.add(piece);
  }

  private void write(int depth) throws IOException {
    Level level = levels.get(depth);
    ByteBuffer b = Format.structure(Format.BLOCK);
    put(b, depth, level.pieces, Extents.IN_BLOCK);
    int end = Extents.ENTRY * (1 + Extents.IN_BLOCK);
    b.putInt(end, checksums.ofBlock(inode, b.array(), end));
    long at = volume.append(b.array(), 0);
    blocks++;
    Piece above = new Piece(level.pieces.getFirst().logical, 0, at);
    level.pieces.clear();
    level.written = true;
    add(depth + 1, above);
  }

  /** The root, for the inode. */
  byte[] finish() throws IOException {
    endPiece();
    int depth = 0;
    while (depth < levels.size() && !isRoot(levels.get(depth))) {
      write(depth++);
    }
    ByteBuffer root = Format.structure(Format.Inode.BLOCKS_SIZE);
    put(root, depth, levels.isEmpty() ? List.of() : levels.get(depth).pieces, Extents.IN_INODE);
    return root.array();
  }

  private static boolean isRoot(Level level) {
    return !level.written && level.pieces.size() <= Extents.IN_INODE;
  }

  private static void put(ByteBuffer b, int depth, List<Piece> pieces, int max) {
    b.putShort((short) Extents.MAGIC_VALUE).putShort((short) pieces.size());
    b.putShort((short) max).putShort((short) depth).putInt(0);
    for (Piece piece : pieces) {
      b.putInt((int) piece.logical);
      short high = (short) (piece.block >>> 32);
      if (depth == 0) {
        b.putShort((short) piece.length).putShort(high).putInt((int) piece.block);
      } else {
        b.putInt((int) piece.block).putShort(high).putShort((short) 0);
      }
    }
  }
}
