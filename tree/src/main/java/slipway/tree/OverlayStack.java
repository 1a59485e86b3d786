package slipway.tree;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.UnixException;

/**
 * Finds what a stack of overlay layers shows at a path, without mounting it.
 *
 * @param layers directories, the topmost first
 */
record OverlayStack(List<OsPath> layers) {
  /** Where the inode lies. */
  record Found(OsPath path, Stat stat) {}

  /** The topmost inode at a path from the root that no layer above hides; links not followed. */
  @Nullable Found find(List<OsPath> path) throws IOException {
    for (OsPath layer : layers) {
      OsPath at = layer;
      boolean last = false;
      for (int i = 0; ; i++) {
        Stat stat = lstat(at);
        if (stat == null) {
          break;
        }
        if (DirectoryReader.isWhiteout(stat)) {
          return null;
        }
        if (i == path.size()) {
          return new Found(at, stat);
        }
        if (!stat.isDirectory()) {
          return null;
        }
        last |= DirectoryReader.isOpaque(at);
        at = at.resolve(path.get(i));
      }
      if (last) {
        return null;
      }
    }
    return null;
  }

  /** Null when there is no such name. */
  static @Nullable Stat lstat(OsPath path) throws UnixException {
    try {
      return Posix.lstat(path);
    } catch (UnixException e) {
      if (e.errno() == UnixException.ENOENT) {
        return null;
      }
      throw e;
    }
  }
}
