package slipway.linux.posix;

/**
 * Copies the content of one open file into another that is empty: blocks are shared where the file
 * system can, and holes stay holes.
 */
public final class SparseCopy {
  private SparseCopy() {}

  /**
   * Copies from the beginning to the end.
   *
   * @param from a regular file, open for reading
   * @param to an empty regular file, open for writing
   * @param buffer to copy through
   */
  public static void copy(int from, int to, byte[] buffer) throws UnixException {
    if (Ioctls.reflink(from, to)) {
      return;
    }
    long size = Posix.fstat(from).size();
    // Files of the kernel's own file systems say that they are empty.
    if (size == 0) {
      piece(from, to, buffer, Long.MAX_VALUE);
      return;
    }
    for (long at = 0; at < size; ) {
      long data = Posix.seekData(from, at);
      if (data < 0) {
        break;
      }
      long end = Posix.seekHole(from, data);
      Posix.seek(from, data);
      Posix.seek(to, data);
      if (piece(from, to, buffer, end - data) < end - data) {
        return; // It was cut off meanwhile; all that is left has been copied.
      }
      at = end;
    }
    Posix.ftruncate(to, size);
  }

  /** Copies at most so many bytes; fewer when the file ends. */
  private static long piece(int from, int to, byte[] buffer, long length) throws UnixException {
    long done = 0;
    while (done < length) {
      int n = Posix.read(from, buffer, 0, (int) Math.min(buffer.length, length - done));
      if (n < 0) {
        break;
      }
      Posix.write(to, buffer, 0, n);
      done += n;
    }
    return done;
  }
}
