package slipway.sysroot.write;

import java.io.IOException;
import slipway.linux.posix.Ioctls;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.UnixException;

/** Removes what nothing leads to any more, also what chattr(1) protects. */
final class Removal {
  private Removal() {}

  /** Removes a tree; one that does not exist is fine. */
  static void tree(OsPath path) throws IOException {
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
