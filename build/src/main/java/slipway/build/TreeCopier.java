package slipway.build;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.linux.Ioctls;
import slipway.linux.OsPath;
import slipway.linux.Posix;
import slipway.linux.Stat;
import slipway.linux.Xattrs;

/**
 * Copies files into an image's tree as COPY does: links in the destination are followed inside the
 * tree, hard links among the copied files stay, times are kept.
 */
final class TreeCopier implements AutoCloseable {
  private static final int BUFFER = 1024 * 1024;

  private final OsPath root;
  private final InRoot.@Nullable Ownership owner;
  private final @Nullable Chmod chmod;
  private final Position at;
  private final Arena arena = Arena.ofConfined();
  private final MemorySegment buffer = arena.allocate(BUFFER);

  /** Files with several names, of the item that is being copied. */
  private final Map<Inode, OsPath> links = new HashMap<>();

  private record Inode(long device, long inode) {}

  /** A directory whose metadata is set after its content. */
  private record Unfinished(OsPath from, OsPath to, Stat stat) {}

  /**
   * @param root the tree to copy into
   * @param owner of all copies, or null for the source's rule
   */
  TreeCopier(OsPath root, InRoot.@Nullable Ownership owner, @Nullable Chmod chmod, Position at) {
    this.root = root;
    this.owner = owner;
    this.chmod = chmod;
    this.at = at;
  }

  /** Whether an extended attribute goes along: all but overlayfs's own and security labels. */
  static boolean isCopied(OsPath name) {
    return !name.startsWith("trusted.overlay.")
        && !name.is("security.selinux")
        && !name.is("system.posix_acl_access")
        && !name.is("system.posix_acl_default");
  }

  private InRoot.Ownership newDirectoryOwner() {
    return owner == null ? InRoot.Ownership.ROOT : owner;
  }

  /**
   * Copies one item.
   *
   * @param destination absolute path in the tree; the content of a directory goes into it
   * @param intoDirectory whether a file goes into the destination even if that does not exist yet
   */
  void copy(
      CopySource source,
      CopySource.Item item,
      IgnoreRules excludes,
      String destination,
      boolean intoDirectory)
      throws IOException {
    links.clear();
    OsPath inside = OsPath.of(InRoot.clean(destination));
    if (item.stat().isDirectory()) {
      // The directory that a build happens to run in lends the image its files, not its own mode.
      boolean whole = item.inside().isEmpty() && !source.keepOwners();
      boolean existed = InRoot.resolve(root, inside).isPresent();
      OsPath target = InRoot.mkdirs(root, inside, newDirectoryOwner());
      directory(source, item, excludes, target, existed || intoDirectory || whole);
      return;
    }
    source.walk(
        item,
        excludes,
        (relative, path, stat) ->
            node(source, path, fileTarget(inside, item.fileName(), intoDirectory), stat));
  }

  /** Where a single file goes. */
  private OsPath fileTarget(OsPath inside, OsPath name, boolean intoDirectory) throws IOException {
    if (!name.isName()) {
      throw at.problem("\"" + name + "\" cannot name a file");
    }
    Optional<OsPath> there = InRoot.resolve(root, inside);
    if (intoDirectory || (there.isPresent() && Posix.lstat(there.get()).isDirectory())) {
      return InRoot.mkdirs(root, inside, newDirectoryOwner()).resolve(name);
    }
    if (there.isPresent()) {
      return there.get();
    }
    return InRoot.mkdirs(root, inside.parent(), newDirectoryOwner()).resolve(inside.name());
  }

  private void directory(
      CopySource source,
      CopySource.Item item,
      IgnoreRules excludes,
      OsPath target,
      boolean keepsMetadata)
      throws IOException {
    List<Unfinished> unfinished = new ArrayList<>();
    Map<OsPath, OsPath> redirected = new HashMap<>();
    redirected.put(OsPath.of(""), target);
    source.walk(
        item,
        excludes,
        (relative, path, stat) -> {
          if (relative.isEmpty()) {
            if (!keepsMetadata) {
              unfinished.add(new Unfinished(path, target, stat));
            }
            return;
          }
          OsPath parent = redirected.get(relative.parent());
          OsPath to = java.util.Objects.requireNonNull(parent).resolve(relative.name());
          if (stat.isDirectory()) {
            OsPath real = enter(to);
            redirected.put(relative, real);
            if (real.equals(to)) {
              unfinished.add(new Unfinished(path, to, stat));
            }
          } else {
            node(source, path, to, stat);
          }
        });
    for (Unfinished u : unfinished.reversed()) {
      finish(source, u.from(), u.to(), u.stat());
    }
  }

  /** Makes a directory, or follows a link to one. */
  private OsPath enter(OsPath to) throws IOException {
    if (!Posix.exists(to)) {
      Posix.mkdir(to, 0700);
      return to;
    }
    if (Posix.lstat(to).isDirectory()) {
      return to;
    }
    Optional<OsPath> real = InRoot.resolve(root, inside(to));
    if (real.isEmpty() || !Posix.lstat(real.get()).isDirectory()) {
      throw at.problem("the source has a directory where the image has a file: /" + inside(to));
    }
    return real.get();
  }

  private OsPath inside(OsPath path) {
    return path.length() <= root.length() ? OsPath.of("") : path.substring(root.length() + 1);
  }

  /** Copies anything but a directory, replacing what is there. */
  private void node(CopySource source, OsPath from, OsPath to, Stat stat) throws IOException {
    if (Posix.exists(to)) {
      if (Posix.lstat(to).isDirectory()) {
        throw at.problem("the source has a file where the image has a directory: /" + inside(to));
      }
      Posix.unlink(to);
    }
    if (stat.nlink() > 1) {
      OsPath first = links.putIfAbsent(new Inode(stat.device(), stat.inode()), to);
      if (first != null && Posix.exists(first)) {
        Posix.link(first, to);
        return;
      }
    }
    switch (stat.mode() & Stat.S_IFMT) {
      case Stat.S_IFREG -> file(from, to);
      case Stat.S_IFLNK -> Posix.symlink(Posix.readlink(from), to);
      case Stat.S_IFSOCK -> {
        return; // A layer cannot hold one.
      }
      default -> Posix.mknod(to, (stat.mode() & Stat.S_IFMT) | 0600, stat.rdev());
    }
    finish(source, from, to, stat);
  }

  private void file(OsPath from, OsPath to) throws IOException {
    int in = Posix.open(from, Posix.O_RDONLY | Posix.O_NOFOLLOW | Posix.O_CLOEXEC, 0);
    try {
      int flags = Posix.O_WRONLY | Posix.O_CREAT | Posix.O_EXCL | Posix.O_CLOEXEC;
      int out = Posix.open(to, flags, 0600);
      try {
        if (!Ioctls.reflink(in, out)) {
          for (int n; (n = Posix.read(in, buffer, buffer.byteSize())) > 0; ) {
            Posix.write(out, buffer, n);
          }
        }
      } finally {
        Posix.close(out);
      }
    } finally {
      Posix.close(in);
    }
  }

  /** Sets owner, mode, attributes and time, in the order in which none undoes another. */
  private void finish(CopySource source, OsPath from, OsPath to, Stat stat) throws IOException {
    if (owner != null) {
      Posix.lchown(to, owner.uid(), owner.gid());
    } else if (source.keepOwners()) {
      Posix.lchown(to, stat.uid(), stat.gid());
    } else {
      Posix.lchown(to, 0, 0);
    }
    if (!stat.isSymlink()) {
      int mode = stat.permissions();
      Posix.chmod(to, chmod == null ? mode : chmod.apply(mode, stat.isDirectory()));
      for (OsPath name : Xattrs.llistxattr(from)) {
        byte[] value = isCopied(name) ? Xattrs.lgetxattr(from, name) : null;
        if (value != null) {
          Xattrs.lsetxattr(to, name, value);
        }
      }
    }
    Posix.lutimens(to, stat.mtimeSeconds(), stat.mtimeNanos());
  }

  /** Writes a small file of the builder's making: an inline document, a secret. */
  void write(byte[] content, OsPath name, String destination, boolean intoDirectory, long mtime)
      throws IOException {
    OsPath to = fileTarget(OsPath.of(InRoot.clean(destination)), name, intoDirectory);
    if (Posix.exists(to)) {
      if (Posix.lstat(to).isDirectory()) {
        throw at.problem("the image has a directory at /" + inside(to));
      }
      Posix.unlink(to);
    }
    int flags = Posix.O_WRONLY | Posix.O_CREAT | Posix.O_EXCL | Posix.O_CLOEXEC;
    int out = Posix.open(to, flags, 0600);
    try (Arena small = Arena.ofConfined()) {
      MemorySegment bytes = small.allocate(Math.max(1, content.length));
      MemorySegment.copy(
          content, 0, bytes, java.lang.foreign.ValueLayout.JAVA_BYTE, 0, content.length);
      Posix.write(out, bytes, content.length);
      InRoot.Ownership who = newDirectoryOwner();
      Posix.fchown(out, who.uid(), who.gid());
      Posix.fchmod(out, chmod == null ? 0644 : chmod.apply(0644, false));
      Posix.futimens(out, mtime, 0);
    } finally {
      Posix.close(out);
    }
  }

  @Override
  public void close() {
    arena.close();
  }
}
