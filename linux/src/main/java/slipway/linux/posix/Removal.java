package slipway.linux.posix;

import java.io.IOException;

/** Removes what nothing leads to any more, also what chattr(1) protects. */
public final class Removal {
  private Removal() {}

  /** As {@link Posix#removeTree}: one that does not exist is fine, mounts are not touched. */
  public static void tree(OsPath path) throws IOException {
    try {
      Posix.removeTree(path);
    } catch (UnixException e) {
      if (e.errno() != UnixException.EPERM) {
        throw e;
      }
      // A file that an administrator protected in a deployment's /etc goes with its deployment.
      unprotect(path);
      Posix.removeTree(path);
    }
  }

  private static void unprotect(OsPath path) throws IOException {
    Stat stat = Posix.lstat(path);
    if (stat.isRegular()) {
      Ioctls.clearProtection(path);
    } else if (stat.isDirectory()) {
      Ioctls.clearProtection(path);
      for (OsPath name : Posix.list(path)) {
        unprotect(path.resolve(name));
      }
    }
  }
}
