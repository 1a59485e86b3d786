package slipway.linux.posix;

import java.util.Arrays;

/**
 * Writes a new file from its beginning to its end and leaves holes where it is zero: the content is
 * the same, and the zeros take no space. Small files are written as they are. For one thread; the
 * descriptor stays the caller's.
 */
public final class SparseOutput {
  /** From this size on, pieces of zeros become holes. */
  private static final long SPARSE_FROM = 1 << 20;

  /** What is a hole or not as a whole; a multiple of every file system's block. */
  private static final int PIECE = 64 * 1024;

  private static final byte[] ZEROS = new byte[PIECE];

  private final int fd;
  private final boolean sparse;

  /** Bytes of the file so far, holes included. */
  private long position;

  /** Where the descriptor stands: before a hole that is still open, else at {@link #position}. */
  private long behind;

  /**
   * @param fd an empty file, open for writing at its beginning
   * @param size bytes that will come
   */
  public SparseOutput(int fd, long size) {
    this.fd = fd;
    this.sparse = size >= SPARSE_FROM;
  }

  /** Writes the next bytes. */
  public void write(byte[] bytes, int offset, int length) throws UnixException {
    int end = offset + length;
    int data = offset;
    for (int at = offset; at < end; ) {
      int piece = (int) Math.min(PIECE - (position + at - data) % PIECE, end - at);
      if (sparse && Arrays.equals(bytes, at, at + piece, ZEROS, 0, piece)) {
        append(bytes, data, at - data);
        position += piece;
        data = at + piece;
      }
      at += piece;
    }
    append(bytes, data, end - data);
  }

  private void append(byte[] bytes, int offset, int length) throws UnixException {
    if (length == 0) {
      return;
    }
    if (behind < position) {
      Posix.seek(fd, position);
    }
    Posix.write(fd, bytes, offset, length);
    position += length;
    behind = position;
  }

  /** Gives the file its size when it ends with a hole. */
  public void finish() throws UnixException {
    if (behind < position) {
      Posix.ftruncate(fd, position);
    }
  }
}
