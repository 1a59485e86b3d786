package slipway.build;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import slipway.linux.OsPath;
import slipway.linux.Posix;

/** Reads files whose names need not be text. */
final class FileBytes {
  private static final int CHUNK = 256 * 1024;

  private FileBytes() {}

  /** Opens a regular file; a link is refused. */
  static InputStream open(OsPath path) throws IOException {
    int fd = Posix.open(path, Posix.O_RDONLY | Posix.O_NOFOLLOW | Posix.O_CLOEXEC, 0);
    return new FileStream(fd);
  }

  /** Copies all of one open file into another, sharing blocks where the file system can. */
  static void copy(int from, int to, MemorySegment buffer) throws IOException {
    if (Posix.reflink(from, to)) {
      return;
    }
    for (int n; (n = Posix.read(from, buffer, buffer.byteSize())) > 0; ) {
      Posix.write(to, buffer, n);
    }
  }

  private static final class FileStream extends InputStream {
    private final int fd;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment buffer = arena.allocate(CHUNK);
    private boolean closed;

    FileStream(int fd) {
      this.fd = fd;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] b, int offset, int length) throws IOException {
      if (length == 0) {
        return 0;
      }
      int n = Posix.read(fd, buffer, Math.min(length, CHUNK));
      if (n <= 0) {
        return -1;
      }
      MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, 0, b, offset, n);
      return n;
    }

    @Override
    public void close() throws IOException {
      if (!closed) {
        closed = true;
        arena.close();
        Posix.close(fd);
      }
    }
  }
}
