package slipway.ostree;

import java.io.IOException;
import slipway.linux.OsPath;
import slipway.linux.Posix;

/** A new file by its descriptor. */
final class FileSink implements AutoCloseable {
  private final int fd;
  private boolean open = true;

  /** Creates the file; the name must not exist. */
  FileSink(OsPath path, int mode) throws IOException {
    fd =
        Posix.open(
            path,
            Posix.O_WRONLY | Posix.O_CREAT | Posix.O_EXCL | Posix.O_NOFOLLOW | Posix.O_CLOEXEC,
            mode);
  }

  int fd() {
    return fd;
  }

  void write(byte[] bytes, int offset, int length) throws IOException {
    Posix.write(fd, bytes, offset, length);
  }

  void finish(boolean sync) throws IOException {
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
    try (FileSink sink = new FileSink(path, 0600)) {
      sink.write(bytes, 0, bytes.length);
      Posix.fchmod(sink.fd, mode);
      sink.finish(sync);
    }
  }
}
