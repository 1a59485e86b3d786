package slipway.tree;

import java.io.IOException;
import java.io.InputStream;
import slipway.base.Problem;
import slipway.linux.posix.FdInput;
import slipway.linux.posix.OsPath;

/**
 * The bytes of a file on disk, opened when asked for.
 *
 * @param path absolute
 * @param size bytes when it was seen
 */
record DiskContent(OsPath path, long size) implements Content {
  /** To ask for the holes of smaller files costs more than to read them. */
  private static final long SPARSE_FROM = 1 << 20;

  @Override
  public InputStream open() throws IOException {
    FdInput in = FdInput.open(path);
    try {
      if (in.stat().isRegular() && in.stat().size() == size) {
        if (size >= SPARSE_FROM) {
          in.skipHoles();
        }
        return in;
      }
    } catch (IOException | RuntimeException e) {
      in.close();
      throw e;
    }
    in.close();
    throw Problem.input(
        path + " changed while it was read; leave the directory alone and try again");
  }
}
