package slipway.tree;

import java.io.IOException;
import java.io.InputStream;
import slipway.archive.tar.Metadata;
import slipway.archive.tar.Metadata.Xattr;
import slipway.base.Problem;
import slipway.linux.mount.Mounts;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.SparseOutput;
import slipway.linux.posix.UnixException;
import slipway.linux.posix.Xattrs;

/**
 * Makes inodes by a name in an open directory, with all of their metadata. Names are single
 * components that must not exist yet, so nothing is followed or replaced. The order of calls
 * matters: a change of owner clears set-id bits and capabilities, times come last.
 */
final class InodeWriter {
  private final byte[] buffer = new byte[256 * 1024];

  /** Whether attributes of overlayfs are escaped, so that a mount shows them as they were. */
  private final boolean overlay;

  InodeWriter(boolean overlay) {
    this.overlay = overlay;
  }

  /** Fails unless the process may give files to others. */
  static void requireRoot(String what) {
    if (Posix.geteuid() != 0) {
      throw Problem.denied(what + " needs root, because files get their owners; run it as root");
    }
  }

  /** A regular file with exactly {@code size} bytes of {@code content}. */
  void file(int dir, OsPath name, Metadata metadata, long size, InputStream content)
      throws IOException {
    int flags = Posix.O_WRONLY | Posix.O_CREAT | Posix.O_EXCL | Posix.O_NOFOLLOW;
    int fd = Posix.openat(dir, name, flags, 0600);
    try {
      copy(fd, name, size, content);
      apply(fd, metadata);
    } finally {
      Posix.close(fd);
    }
  }

  private void copy(int fd, OsPath name, long size, InputStream content) throws IOException {
    SparseOutput out = new SparseOutput(fd, size);
    for (long done = 0; done < size; ) {
      int n = content.readNBytes(buffer, 0, (int) Math.min(size - done, buffer.length));
      if (n == 0) {
        throw new IOException("\"" + name + "\" is shorter than the " + size + " bytes it has");
      }
      out.write(buffer, 0, n);
      done += n;
    }
    if (content.read() >= 0) {
      throw new IOException("\"" + name + "\" is longer than the " + size + " bytes it has");
    }
    out.finish();
  }

  /** Gives an open file or directory its metadata. */
  void apply(int fd, Metadata metadata) throws UnixException {
    Posix.fchown(fd, metadata.uid(), metadata.gid());
    for (Xattr xattr : metadata.xattrs()) {
      try {
        Xattrs.fsetxattr(fd, stored(xattr.name()), xattr.value());
      } catch (UnixException e) {
        OsPath path = OsPath.of("/proc/self/fd/" + fd);
        throw told(path, Posix.readlink(path).name(), xattr, e);
      }
    }
    Posix.fchmod(fd, metadata.permissions());
    Posix.futimens(fd, metadata.mtimeSeconds(), metadata.mtimeNanos());
  }

  /** A symbolic link. */
  void symlink(int dir, OsPath name, Node.Symlink link) throws UnixException {
    Posix.symlinkat(link.target(), dir, name);
    finish(dir, name, link.metadata());
  }

  /** A device, fifo or socket. */
  void special(int dir, OsPath name, Node.Special special) throws UnixException {
    Metadata metadata = special.metadata();
    Posix.mknodat(dir, name, metadata.type() | 0600, special.rdev());
    finish(dir, name, metadata);
    Posix.chmodat(dir, name, metadata.permissions());
  }

  private void finish(int dir, OsPath name, Metadata metadata) throws UnixException {
    Posix.lchownat(dir, name, metadata.uid(), metadata.gid());
    if (!metadata.xattrs().isEmpty()) {
      // No call takes a directory and a name before Linux 6.13.
      OsPath path = OsPath.of("/proc/self/fd/" + dir).resolve(name);
      for (Xattr xattr : metadata.xattrs()) {
        try {
          Xattrs.lsetxattr(path, stored(xattr.name()), xattr.value());
        } catch (UnixException e) {
          throw told(OsPath.of("/proc/self/fd/" + dir), name, xattr, e);
        }
      }
    }
    Posix.lutimensat(dir, name, metadata.mtimeSeconds(), metadata.mtimeNanos());
  }

  /**
   * Tells an attribute that the file system cannot have, or not of that size; other failures are
   * handed on.
   *
   * @param path on the file system
   */
  private static Problem told(OsPath path, OsPath file, Xattr xattr, UnixException e)
      throws UnixException {
    boolean cannot =
        switch (e.errno()) {
          case UnixException.EOPNOTSUPP, UnixException.E2BIG, UnixException.ERANGE -> true;
          case UnixException.ENOSPC -> !Mounts.isForWantOfRoom(e, path);
          default -> false;
        };
    if (!cannot) {
      throw e;
    }
    return new Problem(
        Problem.Kind.INPUT,
        "\""
            + file
            + "\" has the extended attribute \""
            + xattr.name()
            + "\", which the file system here cannot keep; remove it from the archive or image",
        e);
  }

  private OsPath stored(OsPath xattr) {
    return overlay && xattr.startsWith(DirectoryReader.OVERLAY)
        ? DirectoryReader.ESCAPED_OVERLAY.concat(xattr.substring(DirectoryReader.OVERLAY.length()))
        : xattr;
  }

  /** Makes a directory, open for nobody else yet, and opens it; {@link #apply} finishes it. */
  static int makeDirectory(int dir, OsPath name) throws UnixException {
    Posix.mkdirat(dir, name, 0700);
    return openDirectory(dir, name);
  }

  static int openDirectory(int dir, OsPath name) throws UnixException {
    return Posix.openat(dir, name, Posix.O_RDONLY | Posix.O_DIRECTORY | Posix.O_NOFOLLOW, 0);
  }
}
