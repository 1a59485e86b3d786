package slipway.linux.posix;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * Removes what nothing leads to any more, also what chattr(1) protects, and read-only subvolumes of
 * btrfs.
 */
public final class Removal {
  private static final int FILE = Posix.O_RDONLY | Posix.O_NOFOLLOW;

  private Removal() {}

  /** As {@link Posix#removeTree}: one that does not exist is fine, mounts are not touched. */
  public static void tree(OsPath path) throws IOException {
    try {
      Posix.removeTree(path);
    } catch (UnixException e) {
      if (e.errno() != UnixException.EPERM && e.errno() != UnixException.EROFS) {
        throw e;
      }
      // A file that an administrator protected in a deployment's /etc goes with its deployment.
      unprotect(path);
      Posix.removeTree(path);
    }
  }

  /** Goes into no mount, as the removal does. */
  private static void unprotect(OsPath path) throws IOException {
    Deque<OsPath> open = new ArrayDeque<>(List.of(path));
    while (!open.isEmpty()) {
      OsPath next = open.pop();
      Stat stat = Posix.lstat(next);
      if (stat.isDirectory() || stat.isRegular()) {
        unprotect(next, stat, open);
      }
    }
  }

  private static void unprotect(OsPath path, Stat stat, Deque<OsPath> below) throws IOException {
    int fd;
    try {
      fd = TreeRemoval.open(path, stat.isDirectory() ? TreeRemoval.DIRECTORY : FILE);
    } catch (UnixException e) {
      if (e.errno() == UnixException.EXDEV) {
        return;
      }
      throw e;
    }
    try {
      if (Btrfs.isSubvolume(stat)) {
        Btrfs.makeWritable(fd);
      }
      Ioctls.clearProtection(fd);
      if (stat.isDirectory()) {
        for (OsPath name : Posix.list(path)) {
          below.push(path.resolve(name));
        }
      }
    } finally {
      Posix.close(fd);
    }
  }
}
