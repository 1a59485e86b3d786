package slipway.linux.posix;

import java.io.IOException;
import java.util.List;
import java.util.function.Consumer;
import slipway.base.Problem;

/**
 * Copies inodes with all below them, as real copies (blocks are shared where the file system can).
 * Names are bytes; links are never followed.
 */
public final class TreeCopy {
  private static final int BUFFER = 64 * 1024;

  /** What goes along, and how. */
  public interface Rules {
    /** Whether an inode is copied. */
    boolean takes(Stat source);

    /**
     * Whether others change the source meanwhile: what is gone before it was copied is left out.
     */
    default boolean isLive() {
      return false;
    }

    /** Gives a copy its owner, mode and whatever else; called for a directory when it is full. */
    void finish(OsPath source, Stat stat, OsPath target) throws IOException;
  }

  /** All but sockets, with owner, mode, times and extended attributes. */
  public static final Rules FAITHFUL =
      new Rules() {
        @Override
        public boolean takes(Stat source) {
          return (source.mode() & Stat.S_IFMT) != Stat.S_IFSOCK;
        }

        @Override
        public void finish(OsPath source, Stat stat, OsPath target) throws IOException {
          copyAttributes(source, stat, target);
        }
      };

  /** As {@link #FAITHFUL}, of what others change meanwhile. */
  public static final Rules LIVE =
      new Rules() {
        @Override
        public boolean takes(Stat source) {
          return FAITHFUL.takes(source);
        }

        @Override
        public boolean isLive() {
          return true;
        }

        @Override
        public void finish(OsPath source, Stat stat, OsPath target) throws IOException {
          FAITHFUL.finish(source, stat, target);
        }
      };

  /** How often something is looked at that goes and comes again. */
  private static final int ATTEMPTS = 100;

  private final Rules rules;
  private final Consumer<OsPath> dropped;
  private final byte[] buffer = new byte[BUFFER];

  private TreeCopy(Rules rules, Consumer<OsPath> dropped) {
    this.rules = rules;
    this.dropped = dropped;
  }

  /**
   * Copies an inode, with all below it for a directory. The target must not exist; a directory may,
   * then it is filled and finished as the source's copy.
   *
   * @param dropped is told the paths of what the rules do not take
   */
  public static void copy(OsPath source, OsPath target, Rules rules, Consumer<OsPath> dropped)
      throws IOException {
    new TreeCopy(rules, dropped).copy(source, target);
  }

  private void copy(OsPath source, OsPath target) throws IOException {
    for (int attempt = 1; ; attempt++) {
      try {
        copyNow(source, target);
        return;
      } catch (UnixException e) {
        if (!rules.isLive() || e.errno() != UnixException.ENOENT) {
          throw e;
        }
        Posix.removeTree(target);
        if (!Posix.exists(source)) {
          return;
        }
        if (attempt == ATTEMPTS) {
          throw Problem.environment(
              source + " goes and comes all the time, so that it cannot be copied");
        }
      }
    }
  }

  private void copyNow(OsPath source, OsPath target) throws IOException {
    Stat stat = Posix.lstat(source);
    if (!rules.takes(stat)) {
      dropped.accept(source);
      return;
    }
    switch (stat.mode() & Stat.S_IFMT) {
      case Stat.S_IFDIR -> directory(source, target);
      case Stat.S_IFREG -> file(source, target);
      case Stat.S_IFLNK -> Posix.symlink(Posix.readlink(source), target);
      default -> Posix.mknod(target, stat.mode(), stat.rdev());
    }
    rules.finish(source, stat, target);
  }

  private void directory(OsPath source, OsPath target) throws IOException {
    try {
      Posix.mkdir(target, 0700);
    } catch (UnixException e) {
      if (e.errno() != UnixException.EEXIST || !Posix.lstat(target).isDirectory()) {
        throw e;
      }
    }
    for (OsPath name : Posix.list(source)) {
      copy(source.resolve(name), target.resolve(name));
    }
  }

  private void file(OsPath source, OsPath target) throws IOException {
    int in = Posix.open(source, Posix.O_RDONLY | Posix.O_NOFOLLOW, 0);
    try {
      int out =
          Posix.open(
              target, Posix.O_WRONLY | Posix.O_CREAT | Posix.O_EXCL | Posix.O_NOFOLLOW, 0600);
      try {
        SparseCopy.copy(in, out, buffer);
      } finally {
        Posix.close(out);
      }
    } finally {
      Posix.close(in);
    }
  }

  /** Gives {@code target} the owner, mode, times and attributes of {@code source}. */
  private static void copyAttributes(OsPath source, Stat stat, OsPath target) throws UnixException {
    Posix.lchown(target, stat.uid(), stat.gid());
    if (!stat.isSymlink()) {
      Posix.chmod(target, stat.permissions());
    }
    copyXattrs(source, target, true);
    Posix.lutimens(target, stat.mtimeSeconds(), stat.mtimeNanos());
  }

  /**
   * Gives {@code target} the attributes of {@code source} and no others.
   *
   * @param label whether the SELinux label is among them; without, the target's stays
   */
  public static void copyXattrs(OsPath source, OsPath target, boolean label) throws UnixException {
    List<OsPath> wanted = Xattrs.llistxattr(source);
    for (OsPath name : Xattrs.llistxattr(target)) {
      if (!wanted.contains(name) && (label || !isLabel(name))) {
        Xattrs.lremovexattr(target, name);
      }
    }
    for (OsPath name : wanted) {
      byte[] value = Xattrs.lgetxattr(source, name);
      if (value != null && (label || !isLabel(name))) {
        Xattrs.lsetxattr(target, name, value);
      }
    }
  }

  /** Whether an extended attribute is SELinux's label. */
  public static boolean isLabel(OsPath name) {
    return name.is("security.selinux");
  }
}
