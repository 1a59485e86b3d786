package slipway.linux;

import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;

/** Reads a file through its descriptor; closing the stream closes the descriptor. */
public final class FdInput extends InputStream {
  private final int fd;
  private boolean open = true;

  /** Takes over an open descriptor. */
  public FdInput(int fd) {
    this.fd = fd;
  }

  /** Opens a file by any name, without following a link in the last component. */
  public static FdInput open(OsPath path) throws UnixException {
    return new FdInput(Posix.open(path, Posix.O_RDONLY | Posix.O_NOFOLLOW, 0));
  }

  /** The descriptor; it stays this stream's. */
  public int fd() {
    return fd;
  }

  /** What is known of the open file. */
  public Stat stat() throws UnixException {
    return Posix.fstat(fd);
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    if (!open) {
      throw new IOException("the file is closed");
    }
    return length == 0 ? 0 : Posix.read(fd, bytes, offset, length);
  }

  @Override
  public void close() throws IOException {
    if (open) {
      open = false;
      Posix.close(fd);
    }
  }
}
