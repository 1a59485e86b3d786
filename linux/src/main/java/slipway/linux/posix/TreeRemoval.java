package slipway.linux.posix;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Removes a tree from its root down, however deep it is: every step is relative to one open
 * directory, so no path is ever too long, no stack too small, and two descriptors are enough. Links
 * are removed, never followed, and no mount is entered: the kernel refuses to remove a mount point,
 * and to open what is mounted on a directory meanwhile.
 */
final class TreeRemoval {
  private static final OsPath PARENT = OsPath.of("..");
  static final int DIRECTORY = Posix.O_RDONLY | Posix.O_DIRECTORY | Posix.O_NOFOLLOW;

  /** A directory on the way down, and those of its directories that are known and still there. */
  private record Level(OsPath name, long device, long inode, Deque<OsPath> below) {
    static Level of(OsPath name, int fd) throws UnixException {
      Stat stat = Posix.fstat(fd);
      return new Level(name, stat.device(), stat.inode(), new ArrayDeque<>());
    }
  }

  private final Deque<Level> levels = new ArrayDeque<>();
  private int fd;

  private TreeRemoval(int fd) {
    this.fd = fd;
  }

  /** As {@link Posix#removeTree}. */
  static void remove(OsPath path) throws UnixException {
    if (removeOne(Posix.AT_FDCWD, path)) {
      return;
    }
    TreeRemoval removal;
    try {
      removal = new TreeRemoval(open(path, DIRECTORY));
    } catch (UnixException e) {
      requireGone(e);
      return;
    }
    try {
      removal.levels.push(Level.of(path, removal.fd));
      removal.empty();
    } catch (UnixException e) {
      throw new UnixException("remove", path, e.errno(), removal.reason(e));
    } finally {
      Posix.close(removal.fd);
    }
    rmdir(Posix.AT_FDCWD, path);
  }

  private static void rmdir(int dir, OsPath name) throws UnixException {
    try {
      Posix.unlinkat(dir, name, true);
    } catch (UnixException e) {
      requireGone(e);
    }
  }

  /** Somebody else may remove the same at the same time. */
  private static void requireGone(UnixException e) throws UnixException {
    if (e.errno() != UnixException.ENOENT) {
      throw e;
    }
  }

  /**
   * Opens what is no mount, nor a link.
   *
   * @throws UnixException EXDEV for one where something is mounted
   */
  static int open(OsPath path, int flags) throws UnixException {
    OsPath parent = path.parent().isEmpty() ? OsPath.of(".") : path.parent();
    int above = Posix.open(parent, Posix.O_PATH | Posix.O_DIRECTORY, 0);
    try {
      return Posix.openat2(above, path.name(), flags, 0, Posix.RESOLVE_NO_XDEV);
    } finally {
      Posix.close(above);
    }
  }

  private String reason(UnixException e) {
    String reason = String.valueOf(e.getMessage());
    boolean mounted = e.errno() == UnixException.EBUSY || e.errno() == UnixException.EXDEV;
    if (!mounted || levels.isEmpty()) {
      return reason;
    }
    OsPath at = OsPath.of("");
    for (Level level : (Iterable<Level>) levels.reversed()::iterator) {
      at = at.resolve(level.name());
    }
    return reason + ", in " + at + "; if something is mounted there, unmount it";
  }

  /** Removes what is no directory, or an empty one; says whether the name is free now. */
  private static boolean removeOne(int dir, OsPath name) throws UnixException {
    try {
      Posix.unlinkat(dir, name, false);
      return true;
    } catch (UnixException e) {
      if (e.errno() == UnixException.ENOENT) {
        return true;
      }
      if (e.errno() != UnixException.EISDIR) {
        throw e;
      }
    }
    try {
      Posix.unlinkat(dir, name, true);
      return true;
    } catch (UnixException e) {
      if (e.errno() == UnixException.ENOENT) {
        return true;
      }
      if (e.errno() != UnixException.ENOTEMPTY && e.errno() != UnixException.EEXIST) {
        throw e;
      }
      return false;
    }
  }

  /** Removes all below the first level. */
  private void empty() throws UnixException {
    while (true) {
      Level level = levels.element();
      if (!level.below().isEmpty()) {
        enter(level.below().pop());
      } else if (!removeSome(level)) {
        if (levels.size() == 1) {
          return;
        }
        leave();
      }
    }
  }

  /**
   * Removes as many entries as one call to the kernel names; directories with something in them are
   * kept for later.
   *
   * @return false when there are none
   */
  private boolean removeSome(Level level) throws UnixException {
    Posix.seek(fd, 0);
    List<OsPath> names = new ArrayList<>();
    boolean more = true;
    try {
      while (more && names.isEmpty()) {
        more = DirectoryNames.next(fd, level.name(), names);
      }
    } catch (UnixException e) {
      // So says one that was removed.
      requireGone(e);
    }
    for (OsPath name : names) {
      if (!removeOne(fd, name)) {
        level.below().push(name);
      }
    }
    return !names.isEmpty();
  }

  private void enter(OsPath name) throws UnixException {
    int child;
    try {
      child = Posix.openat2(fd, name, DIRECTORY, 0, Posix.RESOLVE_NO_XDEV);
    } catch (UnixException e) {
      requireGone(e);
      return;
    }
    Posix.close(fd);
    fd = child;
    levels.push(Level.of(name, child));
  }

  private void leave() throws UnixException {
    Level done = levels.pop();
    Level parent = levels.element();
    int above = Posix.openat(fd, PARENT, DIRECTORY, 0);
    Posix.close(fd);
    fd = above;
    Stat stat = Posix.fstat(above);
    if (stat.inode() != parent.inode() || stat.device() != parent.device()) {
      // Going on would remove what is no part of the tree.
      throw new UnixException(
          "rmdir", done.name(), UnixException.EBUSY, "it was moved elsewhere meanwhile");
    }
    rmdir(fd, done.name());
  }
}
