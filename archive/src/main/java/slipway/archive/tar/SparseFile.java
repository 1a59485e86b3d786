package slipway.archive.tar;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;
import slipway.base.BlockInput;
import slipway.base.Cleanup;
import slipway.base.Problem;

/** Fills the holes of a sparse member with zeros (GNU tar manual, "Storing Sparse Files"). */
final class SparseFile extends BlockInput {
  /** Most pieces of data that are taken. */
  static final int MAX_PIECES = 1 << 20;

  private final InputStream data;
  private final long[] pieces;
  private final long size;
  private long position;
  private int piece;

  /**
   * @param data the stored bytes, one piece after the other
   * @param pairs offset and length of each piece
   * @param size apparent size
   * @param stored bytes that {@code data} gives
   */
  SparseFile(InputStream data, List<Long> pairs, long size, long stored) {
    this.data = data;
    this.pieces = pairs.stream().mapToLong(Long::longValue).toArray();
    this.size = size;
    check(stored);
  }

  private void check(long stored) {
    long end = 0;
    long sum = 0;
    boolean sound = pieces.length % 2 == 0 && size >= 0;
    for (int i = 0; sound && i < pieces.length; i += 2) {
      long offset = pieces[i];
      long length = pieces[i + 1];
      sound = offset >= end && length >= 0 && offset <= size && length <= size - offset;
      end = offset + length;
      sum += length;
    }
    if (!sound || sum != stored) {
      throw Problem.corrupt("the tar archive is damaged: the map of a sparse file is wrong");
    }
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    while (piece < pieces.length && position >= pieces[piece] + pieces[piece + 1]) {
      piece += 2;
    }
    if (position >= size) {
      return -1;
    }
    int n;
    if (piece < pieces.length && position >= pieces[piece]) {
      long left = pieces[piece] + pieces[piece + 1] - position;
      n = data.read(target, offset, (int) Math.min(length, left));
    } else {
      long hole = (piece < pieces.length ? pieces[piece] : size) - position;
      n = (int) Math.min(length, hole);
      Arrays.fill(target, offset, offset + n, (byte) 0);
      Cleanup.checkStopped();
    }
    position += n;
    return n;
  }
}
