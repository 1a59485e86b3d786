package slipway.ostree.repo;

import java.io.IOException;
import slipway.base.BlockInput;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;

/** Reads a file by its descriptor; does not follow a symbolic link in the last component. */
final class FileInput extends BlockInput {
  private final int fd;
  private boolean open = true;

  FileInput(OsPath path) throws IOException {
    fd = Posix.open(path, Posix.O_RDONLY | Posix.O_NOFOLLOW | Posix.O_CLOEXEC, 0);
  }

  Stat stat() throws IOException {
    return Posix.fstat(fd);
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    java.util.Objects.checkFromIndexSize(offset, length, bytes.length);
    return length == 0 ? 0 : Posix.read(fd, bytes, offset, length);
  }

  @Override
  public void close() throws IOException {
    if (open) {
      open = false;
      Posix.close(fd);
    }
  }

  /**
   * Reads a whole small file.
   *
   * @throws Problem of kind CORRUPT when it is longer than {@code limit}
   */
  static byte[] readAll(OsPath path, int limit) throws IOException {
    try (FileInput in = new FileInput(path)) {
      long size = in.stat().size();
      if (size > limit) {
        throw Problem.corrupt(
            path + " has " + size + " bytes, more than the " + limit + " allowed");
      }
      byte[] bytes = new byte[(int) size];
      int n = in.readNBytes(bytes, 0, bytes.length);
      return n == bytes.length ? bytes : java.util.Arrays.copyOf(bytes, n);
    }
  }
}
