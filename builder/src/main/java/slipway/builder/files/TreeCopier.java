package slipway.builder.files;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import slipway.base.Position;
import slipway.builder.language.Chmod;
import slipway.linux.mount.Mounts;
import slipway.linux.posix.FdInput;
import slipway.linux.posix.InRoot;
import slipway.linux.posix.OpenDirectory;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.SparseCopy;
import slipway.linux.posix.Stat;
import slipway.linux.posix.UnixException;
import slipway.linux.posix.Xattrs;

/**
 * Copies files into an image's tree as COPY does: links in the destination are followed inside the
 * tree, hard links among the copied files stay, times are kept. All is written by single names in
 * directories that are held open beneath the tree's root.
 */
public final class TreeCopier implements AutoCloseable {
  private static final int BUFFER = 1024 * 1024;

  private final OpenDirectory root;
  private final InRoot.@Nullable Ownership owner;
  private final @Nullable Chmod chmod;
  private final Position at;
  private final byte[] buffer = new byte[BUFFER];

  /** Files with several names, of the item that is being copied: where the first copy is. */
  private final Map<Inode, OsPath> links = new HashMap<>();

  private record Inode(long device, long inode) {}

  /**
   * @param root the tree to copy into
   * @param owner of all copies, or null for the source's rule
   */
  public TreeCopier(
      OsPath root, InRoot.@Nullable Ownership owner, @Nullable Chmod chmod, Position at)
      throws IOException {
    this.root = OpenDirectory.of(root);
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
   * Copies the files of an archive, which are the whole of {@code source}, into a directory.
   *
   * @param implied tells of directories, by their paths, that only stand in the paths of others:
   *     those that exist stay as they are, new ones are plain
   */
  public void unpacked(
      CopySource source, IgnoreRules excludes, String destination, Predicate<OsPath> implied)
      throws IOException {
    links.clear();
    OsPath inside = OsPath.of(InRoot.clean(destination));
    try (DirectoryCopy copy = new DirectoryCopy(source, inside, implied, true)) {
      source.walk(source.whole(), excludes, copy);
    }
  }

  /**
   * Copies one item.
   *
   * @param destination absolute path in the tree; the content of a directory goes into it
   * @param intoDirectory whether a file goes into the destination even if that does not exist yet
   */
  public void copy(
      CopySource source,
      CopySource.Item item,
      IgnoreRules excludes,
      String destination,
      boolean intoDirectory)
      throws IOException {
    links.clear();
    OsPath inside = OsPath.of(InRoot.clean(destination));
    if (item.stat().isDirectory()) {
      try (DirectoryCopy copy = new DirectoryCopy(source, inside, relative -> false, false)) {
        source.walk(item, excludes, copy);
      }
      return;
    }
    source.walk(
        item,
        excludes,
        (relative, path, stat) -> {
          try (Target target = fileTarget(inside, item.fileName(), intoDirectory)) {
            node(source, path, target, stat);
          }
        });
  }

  /**
   * Makes the directories that {@code COPY --parents} brings along, those that are new as they are
   * in the source.
   *
   * @return where the item goes
   */
  public String parents(CopySource source, CopySource.Item item, String destination)
      throws IOException {
    List<OsPath> names = item.inside().components();
    int directories = item.stat().isDirectory() ? names.size() : names.size() - 1;
    OsPath to = OsPath.of(InRoot.clean(destination));
    root.mkdirs(to, newDirectoryOwner()).close();
    try (OpenDirectory top = OpenDirectory.of(source.root())) {
      OsPath from = OsPath.of("");
      for (int i = 0; i < directories; i++) {
        from = from.resolve(names.get(i));
        if (i < item.pivot()) {
          continue;
        }
        to = to.resolve(names.get(i));
        if (root.stat(to).isEmpty()) {
          parent(source, top.find(from), to);
        }
      }
    }
    return "/" + to;
  }

  private void parent(CopySource source, Optional<OpenDirectory> from, OsPath to)
      throws IOException {
    try (OpenDirectory made = root.mkdirs(to, newDirectoryOwner())) {
      if (from.isPresent()) {
        try (OpenDirectory original = from.get()) {
          Stat stat = Posix.lstat(original.self());
          finish(source, original.self(), made.self(), stat, true);
        }
      }
    }
  }

  /**
   * A name to write to.
   *
   * @param inside its path in the tree
   */
  private record Target(OpenDirectory directory, OsPath name, OsPath inside)
      implements AutoCloseable {
    OsPath path() {
      return directory.at(name);
    }

    @Override
    public void close() throws IOException {
      directory.close();
    }
  }

  /**
   * Where a single file goes. A link to a directory there is followed; any other link is replaced,
   * as buildah and BuildKit do, so that its target stays as it is.
   */
  private Target fileTarget(OsPath inside, OsPath name, boolean intoDirectory) throws IOException {
    if (!name.isName()) {
      throw at.problem("\"" + name + "\" cannot name a file");
    }
    Optional<Stat> there = root.stat(inside);
    if (intoDirectory || (there.isPresent() && there.get().isDirectory())) {
      OpenDirectory directory = root.mkdirs(inside, newDirectoryOwner());
      return new Target(directory, name, inside.resolve(name));
    }
    OpenDirectory directory = root.mkdirs(inside.parent(), newDirectoryOwner());
    return new Target(directory, inside.name(), inside);
  }

  /**
   * A directory of the destination that is being filled.
   *
   * @param finished whether it is left as it is
   */
  private record Filled(OpenDirectory directory, OsPath inside, boolean finished) {}

  /** Copies a directory while it is walked. */
  private final class DirectoryCopy implements CopySource.Visitor, AutoCloseable {
    private final CopySource source;
    private final OsPath destination;
    private final Predicate<OsPath> implied;
    private final boolean archive;
    private final Deque<Filled> open = new ArrayDeque<>();

    DirectoryCopy(
        CopySource source, OsPath destination, Predicate<OsPath> implied, boolean archive) {
      this.source = source;
      this.destination = destination;
      this.implied = implied;
      this.archive = archive;
    }

    @Override
    public void visit(OsPath relative, OsPath path, Stat stat) throws IOException {
      if (relative.isEmpty()) {
        open.push(top());
        return;
      }
      Filled parent = open.getFirst();
      OsPath inside = parent.inside().resolve(relative.name());
      Target target = new Target(parent.directory(), relative.name(), inside);
      if (stat.isDirectory()) {
        open.push(enter(target, implied.test(relative)));
      } else {
        node(source, path, target, stat);
      }
    }

    /** What a directory is copied to has its own mode: it lends the image its files only. */
    private Filled top() throws IOException {
      boolean existed = root.stat(destination).isPresent();
      OpenDirectory target = root.mkdirs(destination, newDirectoryOwner());
      if (!existed && chmod != null) {
        Posix.chmod(target.self(), chmod.applyToCarried(0755));
      }
      return new Filled(target, destination, true);
    }

    @Override
    public void leave(OsPath relative, OsPath path, Stat stat) throws IOException {
      try (OpenDirectory done = open.getFirst().directory()) {
        if (!open.pop().finished()) {
          finish(source, path, done.self(), stat, archive);
        }
      }
    }

    @Override
    public void close() throws IOException {
      while (!open.isEmpty()) {
        open.pop().directory().close();
      }
    }
  }

  /** Makes a directory, or follows a link to one. */
  private Filled enter(Target to, boolean implied) throws IOException {
    OpenDirectory parent = to.directory();
    if (!Posix.exists(to.path())) {
      OpenDirectory made = parent.make(to.name());
      if (implied) {
        InRoot.Ownership who = newDirectoryOwner();
        Posix.lchown(made.self(), who.uid(), who.gid());
        Posix.chmod(made.self(), chmod == null ? 0755 : chmod.applyToCarried(0755));
      }
      return new Filled(made, to.inside(), implied);
    }
    if (Posix.lstat(to.path()).isDirectory()) {
      return new Filled(parent.child(to.name()), to.inside(), implied);
    }
    Optional<OpenDirectory> real = root.find(to.inside());
    return new Filled(
        real.orElseThrow(
            () ->
                at.problem(
                    "the source has a directory where the image has a file: /" + to.inside())),
        to.inside(),
        true);
  }

  private void makeWay(Target to, String otherwise) throws IOException {
    if (Posix.exists(to.path())) {
      if (Posix.lstat(to.path()).isDirectory()) {
        throw at.problem(otherwise + " /" + to.inside());
      }
      Posix.unlink(to.path());
    }
  }

  /** Copies anything but a directory, replacing what is there. */
  private void node(CopySource source, OsPath from, Target to, Stat stat) throws IOException {
    makeWay(to, "the source has a file where the image has a directory:");
    if (stat.nlink() > 1 && linked(to, new Inode(stat.device(), stat.inode()))) {
      return;
    }
    switch (stat.mode() & Stat.S_IFMT) {
      case Stat.S_IFREG -> file(from, to);
      case Stat.S_IFLNK -> Posix.symlink(Posix.readlink(from), to.path());
      default -> Posix.mknod(to.path(), (stat.mode() & Stat.S_IFMT) | 0600, stat.rdev());
    }
    finish(source, from, to.path(), stat, false);
  }

  /** Makes another name of a file that has been copied, if it still is where it was put. */
  private boolean linked(Target to, Inode inode) throws IOException {
    OsPath first = links.putIfAbsent(inode, to.inside());
    Optional<OpenDirectory> found = first == null ? Optional.empty() : root.find(first.parent());
    if (first == null || found.isEmpty()) {
      return false;
    }
    try (OpenDirectory directory = found.get()) {
      OsPath existing = directory.at(first.name());
      if (!Posix.exists(existing)) {
        return false;
      }
      Posix.link(existing, to.path());
      return true;
    }
  }

  private void file(OsPath from, Target to) throws IOException {
    int out = to.directory().create(to.name());
    try (FdInput in = openRegular(from)) {
      SparseCopy.copy(in.fd(), out, buffer);
    } finally {
      Posix.close(out);
    }
  }

  /** Opens what was a regular file a moment ago; what took its place since is not waited for. */
  static FdInput openRegular(OsPath path) throws IOException {
    FdInput in =
        new FdInput(Posix.open(path, Posix.O_RDONLY | Posix.O_NOFOLLOW | Posix.O_NONBLOCK, 0));
    if (!in.stat().isRegular()) {
      in.close();
      throw new IOException("\"" + path.name() + "\" was replaced while it was read");
    }
    return in;
  }

  /**
   * Sets owner, mode, attributes and time, in the order in which none undoes another.
   *
   * @param carried whether it is a directory that comes along with what is copied
   */
  private void finish(CopySource source, OsPath from, OsPath to, Stat stat, boolean carried)
      throws IOException {
    if (owner != null) {
      Posix.lchown(to, owner.uid(), owner.gid());
    } else if (source.keepOwners()) {
      Posix.lchown(to, stat.uid(), stat.gid());
    } else {
      Posix.lchown(to, 0, 0);
    }
    if (!stat.isSymlink()) {
      int mode = stat.permissions();
      Posix.chmod(to, mode(mode, stat.isDirectory(), carried));
      for (OsPath name : Xattrs.llistxattr(from)) {
        byte[] value = isCopied(name) ? Xattrs.lgetxattr(from, name) : null;
        if (value != null) {
          attribute(source, from, to, name, value);
        }
      }
    }
    Posix.lutimens(to, stat.mtimeSeconds(), stat.mtimeNanos());
  }

  private void attribute(CopySource source, OsPath from, OsPath to, OsPath name, byte[] value)
      throws IOException {
    try {
      Xattrs.lsetxattr(to, name, value);
    } catch (UnixException e) {
      if (Mounts.isForWantOfRoom(e, to)) {
        throw e;
      }
      throw at.problem(
          "the extended attribute \""
              + name
              + "\" of \""
              + from.name()
              + "\" in "
              + source.name()
              + " cannot be kept ("
              + e.text()
              + "); remove it, or leave the file out");
    }
  }

  private int mode(int original, boolean directory, boolean carried) {
    if (chmod == null) {
      return original;
    }
    return carried ? chmod.applyToCarried(original) : chmod.apply(original, directory);
  }

  /** Writes a small file of the builder's making: an inline document. */
  public void write(
      byte[] content, OsPath name, String destination, boolean intoDirectory, long mtime)
      throws IOException {
    OsPath inside = OsPath.of(InRoot.clean(destination));
    try (Target to = fileTarget(inside, name, intoDirectory)) {
      makeWay(to, "the image has a directory at");
      int out = to.directory().create(to.name());
      try {
        Posix.write(out, content, 0, content.length);
        InRoot.Ownership who = newDirectoryOwner();
        Posix.fchown(out, who.uid(), who.gid());
        Posix.fchmod(out, chmod == null ? 0644 : chmod.apply(0644, false));
        Posix.futimens(out, mtime, 0);
      } finally {
        Posix.close(out);
      }
    }
  }

  @Override
  public void close() throws IOException {
    root.close();
  }
}
