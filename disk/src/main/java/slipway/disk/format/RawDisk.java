package slipway.disk.format;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import slipway.base.Cleanup;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;

/** A raw disk, open for reading. Holes are passed over without being read. For one thread. */
final class RawDisk implements AutoCloseable {
  static final int SECTOR = 512;

  private final int fd;
  private final long size;

  /**
   * Where data lies.
   *
   * @param start in bytes
   * @param length in bytes
   */
  record Extent(long start, long length) {
    long end() {
      return start + length;
    }
  }

  /** Takes pieces of data. */
  @FunctionalInterface
  interface Taker {
    /**
     * @param index which piece of the disk it is
     * @param data as long as every piece; the taker's from now on
     */
    void take(long index, byte[] data) throws IOException;
  }

  private RawDisk(int fd, long size) {
    this.fd = fd;
    this.size = size;
  }

  static RawDisk open(Path file) throws IOException {
    int fd = Posix.open(OsPath.of(file), Posix.O_RDONLY | Posix.O_CLOEXEC, 0);
    try {
      return new RawDisk(fd, Posix.fstat(fd).size());
    } catch (IOException e) {
      Posix.close(fd);
      throw e;
    }
  }

  int descriptor() {
    return fd;
  }

  long size() {
    return size;
  }

  /**
   * Where it has data, in ascending order, widened to multiples of a block and joined where they
   * meet.
   */
  List<Extent> extents(int block) throws IOException {
    List<Extent> found = new ArrayList<>();
    long at = 0;
    while (at < size) {
      long data = Posix.seekData(fd, at);
      if (data < 0) {
        break;
      }
      at = Posix.seekHole(fd, data);
      long start = data - data % block;
      long end = Math.min(size, at + (block - at % block) % block);
      if (!found.isEmpty() && found.getLast().end() >= start) {
        start = found.removeLast().start();
      }
      found.add(new Extent(start, end - start));
    }
    return found;
  }

  /** Gives all pieces in which anything is not zero; the last one is filled up with zeros. */
  void pieces(int length, Taker taker) throws IOException {
    byte[] zeros = new byte[length];
    for (Extent extent : extents(length)) {
      Posix.seek(fd, extent.start());
      for (long at = extent.start(); at < extent.end(); at += length) {
        Cleanup.checkStopped();
        byte[] piece = new byte[length];
        read(piece, (int) Math.min(length, size - at));
        if (!Arrays.equals(piece, zeros)) {
          taker.take(at / length, piece);
        }
      }
    }
  }

  /** Reads on from where the file stands. */
  void read(byte[] target, int length) throws IOException {
    for (int done = 0; done < length; ) {
      int n = Posix.read(fd, target, done, length - done);
      if (n <= 0) {
        throw new IOException("the disk became shorter while it was read");
      }
      done += n;
    }
  }

  /** Goes to a place, which the next {@link #read} begins at. */
  void seek(long position) throws IOException {
    Posix.seek(fd, position);
  }

  @Override
  public void close() throws IOException {
    Posix.close(fd);
  }
}
