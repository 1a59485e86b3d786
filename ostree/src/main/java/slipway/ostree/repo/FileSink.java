package slipway.ostree.repo;

import java.io.IOException;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.SparseOutput;
import slipway.linux.posix.UnixException;

/** A new file by its descriptor. */
final class FileSink implements AutoCloseable {
  private final OsPath path;
  private final int fd;
  private final SparseOutput out;
  private boolean isWhole;
  private boolean open = true;

  /**
   * Creates the file; the name must not exist.
   *
   * @param size bytes that will come; zeros of a large file become holes
   */
  FileSink(OsPath path, int mode, long size) throws IOException {
    this.path = path;
    fd =
        Posix.open(
            path,
            Posix.O_WRONLY | Posix.O_CREAT | Posix.O_EXCL | Posix.O_NOFOLLOW | Posix.O_CLOEXEC,
            mode);
    out = new SparseOutput(fd, size);
  }

  /**
   * Ends the content, and gives the descriptor for what the file gets then. A file that ends with
   * zeros gets its size here, and a change of size would take its time and capabilities away.
   */
  int whole() throws IOException {
    if (!isWhole) {
      try {
        out.finish();
      } catch (UnixException e) {
        throw named(e);
      }
      isWhole = true;
    }
    return fd;
  }

  void write(byte[] bytes, int offset, int length) throws IOException {
    try {
      out.write(bytes, offset, length);
    } catch (UnixException e) {
      throw named(e);
    }
  }

  void finish(boolean sync) throws IOException {
    whole();
    try {
      if (sync) {
        Posix.fsync(fd);
      }
    } catch (UnixException e) {
      throw named(e);
    }
    close();
  }

  /** Calls by a descriptor fail without the name of the file. */
  private UnixException named(UnixException e) {
    return new UnixException("write", path, e.errno(), e.text());
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
      Posix.fchmod(sink.whole(), mode);
      sink.finish(sync);
    }
  }
}
