package slipway.build;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import slipway.base.Problem;
import slipway.linux.OsPath;
import slipway.linux.Posix;
import slipway.linux.Stat;
import slipway.linux.UnixException;

/**
 * Names inside a root directory, resolved as if that were {@code /}: neither links nor dot-dot lead
 * out of it (openat2 with RESOLVE_IN_ROOT).
 */
final class InRoot {
  private static final int MAX_LINKS = 40;
  private static final OsPath PROC_FD = OsPath.of("/proc/self/fd");

  private InRoot() {}

  /** Removes empty and dot components, resolves dot-dot as at the root; no slash in front. */
  static String clean(String path) {
    Deque<String> parts = new ArrayDeque<>();
    for (String part : path.split("/")) {
      if (part.equals("..")) {
        parts.pollLast();
      } else if (!part.isEmpty() && !part.equals(".")) {
        parts.addLast(part);
      }
    }
    return String.join("/", parts);
  }

  /**
   * The real path, outside, of a name inside; the last component is followed too.
   *
   * @param root an absolute path without links
   * @return nothing when it does not exist
   */
  static Optional<OsPath> resolve(OsPath root, OsPath inside) throws IOException {
    int rootFd = Posix.open(root, Posix.O_PATH | Posix.O_DIRECTORY | Posix.O_CLOEXEC, 0);
    try {
      int flags = Posix.O_PATH | Posix.O_CLOEXEC;
      OsPath relative = inside.isEmpty() ? OsPath.of(".") : inside;
      int fd = Posix.openat2(rootFd, relative, flags, 0, Posix.RESOLVE_IN_ROOT);
      try {
        return Optional.of(Posix.readlink(PROC_FD.resolve(String.valueOf(fd))));
      } finally {
        Posix.close(fd);
      }
    } catch (UnixException e) {
      if (e.errno() == UnixException.ENOENT || e.errno() == UnixException.ENOTDIR) {
        return Optional.empty();
      }
      if (e.errno() == UnixException.ELOOP) {
        throw Problem.input("\"" + inside + "\" leads through too many symbolic links");
      }
      throw e;
    } finally {
      Posix.close(rootFd);
    }
  }

  static Optional<OsPath> resolve(OsPath root, String inside) throws IOException {
    return resolve(root, OsPath.of(inside));
  }

  /** As {@link #resolve} but the last component is not followed when it is a link. */
  static Optional<OsPath> resolveParent(OsPath root, OsPath inside) throws IOException {
    OsPath name = inside.name();
    if (inside.isEmpty() || name.isEmpty() || name.is(".") || name.is("..")) {
      return resolve(root, inside);
    }
    Optional<OsPath> parent = resolve(root, inside.parent());
    return parent.map(p -> p.resolve(name)).filter(Posix::exists);
  }

  /** What a new directory gets. */
  record Ownership(int uid, int gid) {
    static final Ownership ROOT = new Ownership(0, 0);
  }

  /**
   * Makes a directory and what is missing above it, mode 0755; links on the way are followed, also
   * those whose target does not exist yet.
   *
   * @return its real path
   */
  static OsPath mkdirs(OsPath root, OsPath inside, Ownership owner) throws IOException {
    return mkdirs(root, inside, owner, 0);
  }

  private static OsPath mkdirs(OsPath root, OsPath inside, Ownership owner, int links)
      throws IOException {
    OsPath at = OsPath.of("");
    for (OsPath name : inside.components()) {
      if (name.is(".")) {
        continue;
      }
      OsPath next = at.resolve(name);
      Optional<OsPath> there = resolve(root, next);
      if (there.isEmpty()) {
        OsPath parent = resolve(root, at).orElseThrow();
        OsPath path = parent.resolve(name);
        if (Posix.exists(path)) {
          followDangling(root, at, path, owner, links);
        } else {
          Posix.mkdir(path, 0755);
          Posix.chmod(path, 0755);
          Posix.lchown(path, owner.uid(), owner.gid());
        }
      }
      at = next;
    }
    OsPath real = resolve(root, at).orElseThrow();
    if (!Posix.lstat(real).isDirectory()) {
      throw Problem.input("\"/" + inside + "\" exists and is not a directory");
    }
    return real;
  }

  /** Makes the directory that a link points to. */
  private static void followDangling(
      OsPath root, OsPath parentInside, OsPath link, Ownership owner, int links)
      throws IOException {
    Stat stat = Posix.lstat(link);
    if (!stat.isSymlink()) {
      throw Problem.input("\"" + link.name() + "\" exists and is not a directory");
    }
    if (links >= MAX_LINKS) {
      throw Problem.input("\"" + link.name() + "\" leads through too many symbolic links");
    }
    OsPath target = Posix.readlink(link);
    OsPath inside = target.isAbsolute() ? target.substring(1) : parentInside.resolve(target);
    mkdirs(root, inside, owner, links + 1);
  }
}
