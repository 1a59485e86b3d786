package slipway.linux.posix;

import java.io.IOException;
import java.util.Arrays;
import java.util.Objects;
import slipway.base.BlockInput;

/** Reads a file through its descriptor; closing the stream closes the descriptor. */
public final class FdInput extends BlockInput {
  private final int fd;
  private boolean open = true;

  /** Whether holes are told from data; then the fields below count. */
  private boolean holes;

  private long position;

  /** The end of the hole or of the data that {@link #position} is in. */
  private long end;

  private boolean inHole;

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

  /**
   * Gives the zeros of holes without reading them from now on. The file is read from its beginning,
   * by this stream alone.
   */
  public void skipHoles() {
    holes = true;
  }

  /** What is known of the open file. */
  public Stat stat() throws UnixException {
    return Posix.fstat(fd);
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    if (!open) {
      throw new IOException("the file is closed");
    }
    if (length == 0 || !holes) {
      return length == 0 ? 0 : Posix.read(fd, bytes, offset, length);
    }
    if (position == end) {
      locate();
    }
    int n;
    if (inHole) {
      n = (int) Math.min(length, end - position);
      Arrays.fill(bytes, offset, offset + n, (byte) 0);
    } else {
      n = Posix.read(fd, bytes, offset, (int) Math.min(length, end - position));
    }
    position += Math.max(n, 0);
    return n;
  }

  /** Finds out what comes at the position, and goes to where reading goes on after it. */
  private void locate() throws UnixException {
    long data = Posix.seekData(fd, position);
    long size = data < 0 ? stat().size() : 0;
    inHole = data > position || size > position;
    if (inHole) {
      end = Math.max(data, size);
      Posix.seek(fd, end);
    } else {
      end = data < 0 ? Long.MAX_VALUE : Posix.seekHole(fd, position);
      Posix.seek(fd, position);
    }
  }

  @Override
  public void close() throws IOException {
    if (open) {
      open = false;
      Posix.close(fd);
    }
  }
}
