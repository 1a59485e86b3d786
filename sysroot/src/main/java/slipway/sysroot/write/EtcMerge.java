package slipway.sysroot.write;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.TreeCopy;
import slipway.linux.posix.UnixException;
import slipway.linux.posix.Xattrs;

/**
 * The three-way merge of {@code /etc}: what a machine's administrator changed against the old
 * image's defaults is carried over to a new image's. The local version wins, as with ostree (ostree
 * manual, "Deployments", "Three-way merge"); on top of ostree's rules four changes are kept that
 * ostree loses:
 *
 * <ul>
 *   <li>what is in a directory that the administrator made of a file or link, where the new image
 *       has a directory, too;
 *   <li>extended attributes that changed alone: they go onto the new image's file;
 *   <li>owner, mode and attributes of a directory that the new image has too;
 *   <li>fifos and device nodes.
 * </ul>
 *
 * SELinux labels are no change: they differ between {@code /usr/etc} and {@code /etc} by design.
 */
public final class EtcMerge {
  /** What happened to a path. */
  public enum Kind {
    /** Content, type, owner or mode differ. */
    MODIFIED('M'),
    /** Only extended attributes differ. */
    ATTRIBUTES('M'),
    /** The administrator removed it. */
    REMOVED('D'),
    /** The administrator made it. */
    ADDED('A');

    private final char letter;

    Kind(char letter) {
      this.letter = letter;
    }

    /** As in {@code ostree admin config-diff}. */
    public char letter() {
      return letter;
    }
  }

  /**
   * One local change.
   *
   * @param path below {@code /etc}, without a leading slash
   */
  public record Change(Kind kind, OsPath path) {
    @Override
    public String toString() {
      return kind.letter() + "    " + path;
    }
  }

  /** How often something is looked at that goes and comes again. */
  private static final int ATTEMPTS = 100;

  private final OsPath defaults;
  private final OsPath live;
  private final List<Change> changes;

  private EtcMerge(OsPath defaults, OsPath live, List<Change> changes) {
    this.defaults = defaults;
    this.live = live;
    this.changes = List.copyOf(changes);
  }

  /**
   * Finds the local changes.
   *
   * @param defaults the old image's {@code usr/etc}
   * @param live the machine's {@code /etc}
   */
  public static EtcMerge diff(Path defaults, Path live) throws IOException {
    List<Change> changes = new ArrayList<>();
    OsPath from = OsPath.of(defaults.toAbsolutePath());
    OsPath to = OsPath.of(live.toAbsolutePath());
    compareDirectories(from, to, OsPath.of(""), changes);
    return new EtcMerge(from, to, changes);
  }

  /** The local changes as ostree lists them: modified, removed, added; in each by path. */
  public List<Change> listed() {
    return changes.stream()
        .sorted(Comparator.comparing(change -> "MDA".indexOf(change.kind().letter())))
        .toList();
  }

  /** The local changes, parents before children. */
  public List<Change> changes() {
    return changes;
  }

  /** What ostree prints: {@code Copying /etc changes: 1 modified, 0 removed, 2 added}. */
  public String summary() {
    return "Copying /etc changes: "
        + (count(Kind.MODIFIED) + count(Kind.ATTRIBUTES))
        + " modified, "
        + count(Kind.REMOVED)
        + " removed, "
        + count(Kind.ADDED)
        + " added";
  }

  private long count(Kind kind) {
    return changes.stream().filter(c -> c.kind() == kind).count();
  }

  private static void compareDirectories(
      OsPath defaults, OsPath live, OsPath path, List<Change> changes) throws IOException {
    Set<OsPath> before = new TreeSet<>(Posix.list(defaults));
    Set<OsPath> now = new TreeSet<>(list(live));
    Set<OsPath> all = new TreeSet<>(before);
    all.addAll(now);
    for (OsPath name : all) {
      OsPath child = path.resolve(name);
      if (!now.contains(name)) {
        changes.add(new Change(Kind.REMOVED, child));
      } else if (!before.contains(name)) {
        added(live.resolve(name), child, changes);
      } else {
        compare(defaults.resolve(name), live.resolve(name), child, changes);
      }
    }
  }

  private static void added(OsPath live, OsPath path, List<Change> changes) throws IOException {
    Optional<Stat> now = stat(live);
    if (now.isEmpty()) {
      return;
    }
    changes.add(new Change(Kind.ADDED, path));
    addChildren(now.get(), live, path, changes);
  }

  private static void addChildren(Stat now, OsPath live, OsPath path, List<Change> changes)
      throws IOException {
    if (now.isDirectory()) {
      for (OsPath name : new TreeSet<>(list(live))) {
        added(live.resolve(name), path.resolve(name), changes);
      }
    }
  }

  /** The names in a directory of the machine; none when it is gone by now. */
  private static List<OsPath> list(OsPath live) throws IOException {
    try {
      return Posix.list(live);
    } catch (UnixException e) {
      if (stat(live).map(Stat::isDirectory).orElse(false)) {
        throw e;
      }
      return List.of();
    }
  }

  /** Programs go on changing /etc: what is gone while it is compared is removed. */
  private static void compare(OsPath defaults, OsPath live, OsPath path, List<Change> changes)
      throws IOException {
    for (int attempt = 1; ; attempt++) {
      List<Change> found = new ArrayList<>();
      try {
        compareNow(defaults, live, path, found);
        changes.addAll(found);
        return;
      } catch (UnixException e) {
        if (e.errno() != UnixException.ENOENT || attempt == ATTEMPTS) {
          throw e;
        }
        if (stat(live).isEmpty()) {
          changes.add(new Change(Kind.REMOVED, path));
          return;
        }
      }
    }
  }

  private static void compareNow(OsPath defaults, OsPath live, OsPath path, List<Change> changes)
      throws IOException {
    Stat before = Posix.lstat(defaults);
    Stat now = Posix.lstat(live);
    if (before.mode() != now.mode() || before.uid() != now.uid() || before.gid() != now.gid()) {
      changes.add(new Change(Kind.MODIFIED, path));
      if (!before.isDirectory()) {
        addChildren(now, live, path, changes);
        return;
      }
      if (!now.isDirectory()) {
        return;
      }
    } else if (!sameContent(defaults, before, live, now)) {
      changes.add(new Change(Kind.MODIFIED, path));
      return;
    } else if (!sameXattrs(defaults, live)) {
      changes.add(new Change(Kind.ATTRIBUTES, path));
    }
    if (before.isDirectory()) {
      compareDirectories(defaults, live, path, changes);
    }
  }

  private static boolean sameContent(OsPath a, Stat statA, OsPath b, Stat statB)
      throws IOException {
    if (statA.isSymlink()) {
      return Posix.readlink(a).equals(Posix.readlink(b));
    }
    if (!statA.isRegular()) {
      return statA.isDirectory() || statA.rdev() == statB.rdev();
    }
    return statA.size() == statB.size() && sameBytes(a, b, statA.size());
  }

  private static boolean sameBytes(OsPath a, OsPath b, long size) throws IOException {
    int first = Posix.open(a, Posix.O_RDONLY | Posix.O_NOFOLLOW, 0);
    try {
      int second = Posix.open(b, Posix.O_RDONLY | Posix.O_NOFOLLOW, 0);
      try (Arena arena = Arena.ofConfined()) {
        // Most of /etc is small, and what is allocated is cleared. One more finds the end.
        long buffer = Math.min(size + 1, 64 * 1024);
        return sameBytes(first, second, arena.allocate(buffer), arena.allocate(buffer));
      } finally {
        Posix.close(second);
      }
    } finally {
      Posix.close(first);
    }
  }

  private static boolean sameBytes(int a, int b, MemorySegment bufferA, MemorySegment bufferB)
      throws IOException {
    while (true) {
      int n = Posix.read(a, bufferA, bufferA.byteSize());
      for (int at = 0; at < n; ) {
        int m = Posix.read(b, bufferB, n - at);
        if (m <= 0 || bufferA.asSlice(at, m).mismatch(bufferB.asSlice(0, m)) >= 0) {
          return false;
        }
        at += m;
      }
      if (n <= 0) {
        return Posix.read(b, bufferB, 1) <= 0;
      }
    }
  }

  private static boolean sameXattrs(OsPath a, OsPath b) throws UnixException {
    List<OsPath> names = xattrs(a);
    if (!names.equals(xattrs(b))) {
      return false;
    }
    for (OsPath name : names) {
      if (!Arrays.equals(Xattrs.lgetxattr(a, name), Xattrs.lgetxattr(b, name))) {
        return false;
      }
    }
    return true;
  }

  private static List<OsPath> xattrs(OsPath path) throws UnixException {
    return Xattrs.llistxattr(path).stream().filter(n -> !TreeCopy.isLabel(n)).sorted().toList();
  }

  /**
   * The paths that cannot be merged: the new image has a directory where the machine has a changed
   * file. Nothing is written.
   *
   * @param target the new image's {@code usr/etc}, or a fresh copy of it
   */
  public List<OsPath> conflicts(Path target) throws IOException {
    OsPath etc = OsPath.of(target.toAbsolutePath());
    List<OsPath> found = new ArrayList<>();
    for (Change change : changes) {
      if (change.kind() == Kind.REMOVED || change.kind() == Kind.ATTRIBUTES) {
        continue;
      }
      Optional<OsPath> parent = directoryIn(etc, change.path().parent());
      Optional<Stat> now = stat(live.resolve(change.path()));
      if (parent.isEmpty() || now.map(Stat::isDirectory).orElse(true)) {
        continue;
      }
      if (stat(parent.get().resolve(change.path().name())).map(Stat::isDirectory).orElse(false)) {
        found.add(change.path());
      }
    }
    return found;
  }

  /**
   * Fails for the first conflict.
   *
   * @param target as for {@link #conflicts}
   * @throws Problem of kind INPUT that says what to do
   */
  public void refuseConflicts(Path target) throws IOException {
    List<OsPath> conflicts = conflicts(target);
    if (!conflicts.isEmpty()) {
      throw Problem.input(
          conflict(conflicts.getFirst()) + ": rename or remove /etc/" + conflicts.getFirst());
    }
  }

  /** What is wrong with a path that cannot be merged, in ostree's words. */
  public static String conflict(OsPath path) {
    return "Modified config file newly defaults to directory '" + path + "', cannot merge";
  }

  /**
   * The files of which the new image has another version than the old one, which the machine's own
   * version keeps out.
   *
   * @param target as for {@link #conflicts}
   */
  public List<OsPath> overridden(Path target) throws IOException {
    OsPath etc = OsPath.of(target.toAbsolutePath());
    List<OsPath> found = new ArrayList<>();
    for (Change change : changes) {
      OsPath before = defaults.resolve(change.path());
      OsPath fresh = etc.resolve(change.path());
      if (change.kind() == Kind.MODIFIED && !Posix.lstat(before).isDirectory()) {
        List<Change> differences = new ArrayList<>();
        if (directoryIn(etc, change.path().parent()).isPresent() && stat(fresh).isPresent()) {
          compare(before, fresh, change.path(), differences);
        }
        if (differences.stream().anyMatch(d -> d.path().equals(change.path()))) {
          found.add(change.path());
        }
      }
    }
    return found;
  }

  /**
   * Carries the changes over. Not atomic: work on an {@code etc} that nothing uses yet.
   *
   * @param target the new deployment's {@code etc}, a fresh copy of its {@code usr/etc}
   * @return what could not be carried over: sockets, by their paths below {@code /etc}
   * @throws Problem of kind INPUT for the first conflict, before anything is written
   */
  public List<OsPath> apply(Path target) throws IOException {
    refuseConflicts(target);
    OsPath etc = OsPath.of(target.toAbsolutePath());
    List<OsPath> dropped = new ArrayList<>();
    for (Change change : changes) {
      if (change.kind() == Kind.REMOVED) {
        Optional<OsPath> parent = directoryIn(etc, change.path().parent());
        if (parent.isPresent()) {
          Posix.removeTree(parent.get().resolve(change.path().name()));
        }
      }
    }
    Set<OsPath> whole = new HashSet<>();
    for (Kind kind : List.of(Kind.MODIFIED, Kind.ATTRIBUTES, Kind.ADDED)) {
      for (Change change : changes) {
        if (change.kind() == kind && !isBelow(change.path(), whole)) {
          carry(etc, change, whole, dropped);
        }
      }
    }
    return dropped.stream().map(path -> path.substring(live.length() + 1)).toList();
  }

  private static boolean isBelow(OsPath path, Set<OsPath> roots) {
    for (OsPath p = path; !p.isEmpty(); p = p.parent()) {
      if (roots.contains(p)) {
        return true;
      }
    }
    return false;
  }

  private void carry(OsPath etc, Change change, Set<OsPath> whole, List<OsPath> dropped)
      throws IOException {
    for (int attempt = 1; ; attempt++) {
      try {
        carryNow(etc, change, whole, dropped);
        return;
      } catch (UnixException e) {
        if (e.errno() != UnixException.ENOENT || attempt == ATTEMPTS) {
          throw e;
        }
        if (stat(live.resolve(change.path())).isEmpty()) {
          return; // It is gone by now, and so is what the image had there.
        }
      }
    }
  }

  private void carryNow(OsPath etc, Change change, Set<OsPath> whole, List<OsPath> dropped)
      throws IOException {
    OsPath source = live.resolve(change.path());
    Stat now = Posix.lstat(source);
    if (change.kind() == Kind.ATTRIBUTES) {
      carryAttributes(etc, change.path(), source, now);
      return;
    }
    OsPath parent = makeDirectory(etc, change.path().parent(), whole, dropped);
    if (isBelow(change.path(), whole)) {
      return;
    }
    OsPath target = parent.resolve(change.path().name());
    Optional<Stat> there = stat(target);
    if (there.isPresent() && there.get().isDirectory() && now.isDirectory()) {
      setAttributes(change.path(), source, now, target);
      return;
    }
    if (there.isPresent()) {
      Posix.unlink(target);
    }
    TreeCopy.copy(source, target, TreeCopy.LIVE, dropped::add);
    if (now.isDirectory()) {
      whole.add(change.path());
    }
  }

  /** Puts changed attributes onto what the new image has there, when it is of the same type. */
  private void carryAttributes(OsPath etc, OsPath path, OsPath source, Stat now)
      throws IOException {
    Optional<OsPath> parent = directoryIn(etc, path.parent());
    if (parent.isEmpty()) {
      return;
    }
    OsPath target = parent.get().resolve(path.name());
    Optional<Stat> there = stat(target);
    if (there.isPresent() && (there.get().mode() & Stat.S_IFMT) == (now.mode() & Stat.S_IFMT)) {
      carryXattrs(path, source, target);
    }
  }

  private void setAttributes(OsPath path, OsPath source, Stat stat, OsPath target)
      throws UnixException {
    Posix.lchown(target, stat.uid(), stat.gid());
    Posix.chmod(target, stat.permissions());
    carryXattrs(path, source, target);
  }

  /**
   * Does with the extended attributes of what the new image has what the administrator did with
   * those of the default: what is set, changed or removed since. All others are the new image's.
   */
  private void carryXattrs(OsPath path, OsPath source, OsPath target) throws UnixException {
    OsPath before = defaults.resolve(path);
    List<OsPath> there = xattrs(target);
    List<OsPath> now = xattrs(source);
    List<OsPath> old = stat(before).isPresent() ? xattrs(before) : List.of();
    for (OsPath name : old) {
      if (!now.contains(name) && there.contains(name)) {
        Xattrs.lremovexattr(target, name);
      }
    }
    for (OsPath name : now) {
      byte[] value = Xattrs.lgetxattr(source, name);
      boolean isOurs = !old.contains(name) || !Arrays.equals(value, Xattrs.lgetxattr(before, name));
      if (value != null && isOurs) {
        Xattrs.lsetxattr(target, name, value);
      }
    }
  }

  /**
   * The directory for changed children: made when missing, with the live one's owner, mode and
   * attributes either way. Where the new image has something else under that name, or a link that
   * leads out of {@code /etc}, the live directory takes its place as a whole.
   */
  private OsPath makeDirectory(OsPath etc, OsPath path, Set<OsPath> whole, List<OsPath> dropped)
      throws IOException {
    if (path.isEmpty()) {
      return etc;
    }
    OsPath parent = makeDirectory(etc, path.parent(), whole, dropped);
    OsPath source = live.resolve(path);
    Stat stat = Posix.lstat(source);
    if (isBelow(path, whole)) {
      return parent.resolve(path.name());
    }
    Optional<OsPath> existing = directoryIn(etc, path);
    if (existing.isPresent()) {
      setAttributes(path, source, stat, existing.get());
      return existing.get();
    }
    OsPath target = parent.resolve(path.name());
    if (stat(target).isPresent()) {
      Posix.unlink(target);
      TreeCopy.copy(source, target, TreeCopy.LIVE, dropped::add);
      whole.add(path);
    } else {
      Posix.mkdir(target, 0700);
      TreeCopy.copyXattrs(source, target, true);
      Posix.lchown(target, stat.uid(), stat.gid());
      Posix.chmod(target, stat.permissions());
    }
    return target;
  }

  /**
   * Finds a directory below {@code etc}, following links that come back into it; nothing when there
   * is none. Links count from the deployment's root, never from the running one's.
   */
  private static Optional<OsPath> directoryIn(OsPath etc, OsPath path) throws UnixException {
    OsPath root = etc.parent();
    Deque<OsPath> todo = new ArrayDeque<>(path.components());
    todo.push(etc.name());
    Deque<OsPath> above = new ArrayDeque<>();
    OsPath current = root;
    for (int links = 0; !todo.isEmpty(); ) {
      OsPath name = todo.pop();
      if (name.is("..")) {
        current = above.isEmpty() ? root : above.pop();
      } else if (!name.is(".")) {
        OsPath next = current.resolve(name);
        Optional<Stat> stat = stat(next);
        if (stat.isPresent() && stat.get().isSymlink() && ++links <= 40) {
          OsPath link = Posix.readlink(next);
          if (link.isAbsolute()) {
            above.clear();
            current = root;
          }
          link.components().reversed().forEach(todo::push);
        } else if (stat.isPresent() && stat.get().isDirectory()) {
          above.push(current);
          current = next;
        } else {
          return Optional.empty();
        }
      }
    }
    boolean inside = current.equals(etc) || current.startsWith(etc + "/");
    return inside ? Optional.of(current) : Optional.empty();
  }

  private static Optional<Stat> stat(OsPath path) throws UnixException {
    try {
      return Optional.of(Posix.lstat(path));
    } catch (UnixException e) {
      if (e.errno() == UnixException.ENOENT || e.errno() == UnixException.ENOTDIR) {
        return Optional.empty();
      }
      throw e;
    }
  }
}
