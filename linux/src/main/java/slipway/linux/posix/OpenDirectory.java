package slipway.linux.posix;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import slipway.base.Limit;
import slipway.base.Problem;

/**
 * A directory of an image or a context, held open. What is in it is reached by single names, and
 * what is deeper by openat2 as if this were {@code /}: neither links nor dot-dot lead out of it,
 * whatever anybody does to its files meanwhile, and no path is too long.
 */
public final class OpenDirectory implements AutoCloseable {
  private static final int MAX_LINKS = 40;
  private static final int FLAGS = Posix.O_RDONLY | Posix.O_DIRECTORY;
  private static final OsPath PROC_FD = OsPath.of("/proc/self/fd");
  private static final OsPath SELF = OsPath.of(".");

  private final int fd;
  private boolean closed;

  private OpenDirectory(int fd) {
    this.fd = fd;
  }

  /** Opens a directory of the builder's; links on the way to it are followed. */
  public static OpenDirectory of(OsPath path) throws IOException {
    return new OpenDirectory(Posix.open(path, FLAGS, 0));
  }

  /** A path to a name in it, for as long as this is open. */
  public OsPath at(OsPath name) {
    if (!name.isName()) {
      throw new IllegalArgumentException("\"" + name + "\" is no name in a directory");
    }
    return PROC_FD.resolve(Integer.toString(fd)).resolve(name);
  }

  /** A path to the directory itself, for as long as this is open. */
  public OsPath self() {
    return PROC_FD.resolve(Integer.toString(fd)).resolve(SELF);
  }

  /** The names in it, in byte order. */
  public List<OsPath> names() throws IOException {
    List<OsPath> names = new ArrayList<>(Posix.list(self()));
    Limit.LAYER_ENTRIES.check(names.size(), "one directory");
    Collections.sort(names);
    return names;
  }

  /** A directory in it, which is no link. */
  public OpenDirectory child(OsPath name) throws IOException {
    return new OpenDirectory(Posix.openat(fd, requireName(name), FLAGS | Posix.O_NOFOLLOW, 0));
  }

  /** Makes a directory in it, for nobody else yet. */
  public OpenDirectory make(OsPath name) throws IOException {
    Posix.mkdirat(fd, requireName(name), 0700);
    return child(name);
  }

  /** Makes a file in it, for nobody else yet; the caller closes the descriptor. */
  public int create(OsPath name) throws IOException {
    int flags = Posix.O_WRONLY | Posix.O_CREAT | Posix.O_EXCL | Posix.O_NOFOLLOW;
    return Posix.openat(fd, requireName(name), flags, 0600);
  }

  private static OsPath requireName(OsPath name) {
    if (!name.isName()) {
      throw new IllegalArgumentException("\"" + name + "\" is no name in a directory");
    }
    return name;
  }

  /** What stands at a path, links followed here, also the last one. */
  public Optional<Stat> stat(OsPath inside) throws IOException {
    int found = open(inside, Posix.O_PATH);
    if (found < 0) {
      return Optional.empty();
    }
    try {
      return Optional.of(Posix.fstat(found));
    } finally {
      Posix.close(found);
    }
  }

  /** What stands at a path, links followed but for the last name. */
  public Optional<Stat> lstat(OsPath inside) throws IOException {
    Optional<OpenDirectory> found = inside.isEmpty() ? Optional.empty() : find(inside.parent());
    if (found.isEmpty()) {
      return Optional.empty();
    }
    try (OpenDirectory parent = found.get()) {
      OsPath path = parent.at(inside.name());
      return Posix.exists(path) ? Optional.of(Posix.lstat(path)) : Optional.empty();
    }
  }

  /**
   * The path from here to what a path leads to, without links; nothing when that does not exist.
   */
  public Optional<OsPath> real(OsPath inside) throws IOException {
    int found = open(inside, Posix.O_PATH);
    if (found < 0) {
      return Optional.empty();
    }
    try {
      OsPath here = Posix.readlink(PROC_FD.resolve(Integer.toString(fd)));
      OsPath there = Posix.readlink(PROC_FD.resolve(Integer.toString(found)));
      int root = here.is("/") ? 0 : here.length();
      return Optional.of(there.length() <= root ? OsPath.of("") : there.substring(root + 1));
    } finally {
      Posix.close(found);
    }
  }

  /** The directory that a path leads to; nothing when there is none, or something else. */
  public Optional<OpenDirectory> find(OsPath inside) throws IOException {
    int found = open(inside, FLAGS);
    return found < 0 ? Optional.empty() : Optional.of(new OpenDirectory(found));
  }

  /** As openat2, or -1 when there is no such thing. */
  private int open(OsPath inside, int flags) throws IOException {
    try {
      OsPath relative = inside.isEmpty() ? SELF : inside;
      return Posix.openat2(fd, relative, flags, 0, Posix.RESOLVE_IN_ROOT);
    } catch (UnixException e) {
      InRoot.requireAbsence(e, inside);
      return -1;
    }
  }

  /**
   * Opens a directory, making it and what is missing above it with mode 0755; links on the way are
   * followed, also those whose target does not exist yet.
   *
   * @throws Problem when something else is there
   */
  public OpenDirectory mkdirs(OsPath inside, InRoot.Ownership owner) throws IOException {
    makeAll(inside, owner, 0);
    return find(inside)
        .orElseThrow(() -> Problem.input("\"/" + inside + "\" exists and is not a directory"));
  }

  private void makeAll(OsPath inside, InRoot.Ownership owner, int links) throws IOException {
    OsPath at = OsPath.of("");
    for (OsPath name : inside.components()) {
      if (name.is(".")) {
        continue;
      }
      OsPath next = at.resolve(name);
      if (stat(next).isEmpty()) {
        try (OpenDirectory parent = require(at)) {
          if (Posix.exists(parent.at(name))) {
            followDangling(at, parent.at(name), owner, links);
          } else {
            Posix.mkdirat(parent.fd, name, 0755);
            Posix.chmodat(parent.fd, name, 0755);
            Posix.lchownat(parent.fd, name, owner.uid(), owner.gid());
          }
        }
      }
      at = next;
    }
  }

  private OpenDirectory require(OsPath inside) throws IOException {
    return find(inside)
        .orElseThrow(() -> Problem.input("\"/" + inside + "\" exists and is not a directory"));
  }

  /** Makes the directory that a link points to. */
  private void followDangling(OsPath parentInside, OsPath link, InRoot.Ownership owner, int links)
      throws IOException {
    if (!Posix.lstat(link).isSymlink()) {
      throw Problem.input("\"" + link.name() + "\" exists and is not a directory");
    }
    if (links >= MAX_LINKS) {
      throw Problem.input("\"" + link.name() + "\" leads through too many symbolic links");
    }
    OsPath target = Posix.readlink(link);
    OsPath inside = target.isAbsolute() ? target.substring(1) : parentInside.resolve(target);
    makeAll(inside, owner, links + 1);
  }

  @Override
  public void close() throws IOException {
    if (!closed) {
      closed = true;
      Posix.close(fd);
    }
  }
}
