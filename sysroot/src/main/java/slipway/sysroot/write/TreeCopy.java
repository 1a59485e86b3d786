package slipway.sysroot.write;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Consumer;
import slipway.linux.posix.Ioctls;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.UnixException;
import slipway.linux.posix.Xattrs;

/**
 * Copies files with owner, mode, times and extended attributes, as real copies (blocks are shared
 * where the file system can). Names are bytes; links are never followed.
 */
final class TreeCopy {
  private static final long BUFFER = 256 * 1024;

  private TreeCopy() {}

  /**
   * Copies an inode, with all below it for a directory. The target must not exist; a directory may,
   * then it is filled and takes the attributes of the source.
   *
   * @param dropped is told the paths of sockets, which cannot be copied
   */
  static void copy(OsPath source, OsPath target, Consumer<OsPath> dropped) throws IOException {
    Stat stat = Posix.lstat(source);
    switch (stat.mode() & Stat.S_IFMT) {
      case Stat.S_IFDIR -> copyDirectory(source, stat, target, dropped);
      case Stat.S_IFREG -> {
        copyFile(source, stat, target);
      }
      case Stat.S_IFLNK -> {
        Posix.symlink(Posix.readlink(source), target);
        copyAttributes(source, stat, target);
      }
      case Stat.S_IFIFO, Stat.S_IFCHR, Stat.S_IFBLK -> {
        Posix.mknod(target, stat.mode(), stat.rdev());
        copyAttributes(source, stat, target);
      }
      default -> dropped.accept(source);
    }
  }

  private static void copyDirectory(
      OsPath source, Stat stat, OsPath target, Consumer<OsPath> dropped) throws IOException {
    try {
      Posix.mkdir(target, 0700);
    } catch (UnixException e) {
      if (e.errno() != UnixException.EEXIST || !Posix.lstat(target).isDirectory()) {
        throw e;
      }
    }
    for (OsPath name : Posix.list(source)) {
      copy(source.resolve(name), target.resolve(name), dropped);
    }
    copyAttributes(source, stat, target);
  }

  private static void copyFile(OsPath source, Stat stat, OsPath target) throws IOException {
    int in = Posix.open(source, Posix.O_RDONLY | Posix.O_NOFOLLOW, 0);
    try {
      int out =
          Posix.open(
              target, Posix.O_WRONLY | Posix.O_CREAT | Posix.O_EXCL | Posix.O_NOFOLLOW, 0600);
      try {
        if (!Ioctls.reflink(in, out)) {
          copyBytes(in, out);
        }
      } finally {
        Posix.close(out);
      }
    } finally {
      Posix.close(in);
    }
    copyAttributes(source, stat, target);
  }

  /** Copies all bytes from one descriptor to another. */
  static void copyBytes(int in, int out) throws UnixException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(BUFFER);
      for (int n; (n = Posix.read(in, buffer, BUFFER)) > 0; ) {
        Posix.write(out, buffer, n);
      }
    }
  }

  /** Gives {@code target} the owner, mode, times and attributes of {@code source}. */
  static void copyAttributes(OsPath source, Stat stat, OsPath target) throws UnixException {
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
  static void copyXattrs(OsPath source, OsPath target, boolean label) throws UnixException {
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

  static boolean isLabel(OsPath name) {
    return name.is("security.selinux");
  }
}
