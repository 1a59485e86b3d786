package slipway.ostree.repo;

import java.io.IOException;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.SparseOutput;

/** A new file by its descriptor. */
final class FileSink implements AutoCloseable {
  private final int fd;
  private final SparseOutput out;
  private boolean open = true;

  /**
   * Creates the file; the name must not exist.
   *
   * @param size bytes that will come; zeros of a large file become holes
   */
  FileSink(OsPath path, int mode, long size) throws IOException {
    fd =
        Posix.open(
            path,
            Posix.O_WRONLY | Posix.O_CREAT | Posix.O_EXCL | Posix.O_NOFOLLOW | Posix.O_CLOEXEC,
            mode);
    out = new SparseOutput(fd, size);
  }

  int fd() {
    return fd;
  }

  void write(byte[] bytes, int offset, int length) throws IOException {
    out.write(bytes, offset, length);
  }

  void finish(boolean sync) throws IOException {
    out.finish();
    if (sync) {
      Posix.fsync(fd);
    }
    close();
  }

  @Override
  public void close() throws IOException {
    if (open) {
      open = false;
      Posix.close(fd);
    }
  }

  /** Writes a whole small file. */
  static void write(OsPath path, int mode, byte[] bytes, boolean sync) throws IOException {
    try (FileSink sink = new FileSink(path, 0600, bytes.length)) {
      sink.write(bytes, 0, bytes.length);
      Posix.fchmod(sink.fd, mode);
      sink.finish(sync);
    }
  }
}
