package slipway.tree;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import slipway.archive.tar.Metadata;
import slipway.linux.posix.FdInput;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;

/**
 * Takes the files of a layer while it streams by and writes them where they will most likely stay:
 * under their own names. Until the layer is known to its end the target holds nothing but regular
 * files and directories of mode 0700, so no name leads anywhere else. A file that another one
 * displaces waits in a side directory, whose name no layer can contain; {@link #settle} then puts
 * everything right.
 */
final class UnpackStore implements ContentStore, AutoCloseable {
  /** Names with this beginning never come out of a {@link LayerReader}. */
  private static final OsPath SIDE = OsPath.of(".wh..wh.slipway");

  private static final OsPath IN_SIDE = SIDE.concat(OsPath.of("/"));
  private static final int DIRECTORY = Posix.O_PATH | Posix.O_DIRECTORY | Posix.O_NOFOLLOW;

  /** A file on disk; {@code where} is its path in the target. */
  final class Stored implements Content {
    private final long size;
    private OsPath where;

    Stored(OsPath where, long size) {
      this.where = where;
      this.size = size;
    }

    OsPath where() {
      return where;
    }

    @Override
    public long size() {
      return size;
    }

    @Override
    public InputStream open() throws IOException {
      return FdInput.open(target.resolve(where));
    }
  }

  private final OsPath target;
  private final int root;
  private final InodeWriter inodes = new InodeWriter(true);
  private final Set<OsPath> directories = new HashSet<>();
  private final Map<OsPath, Stored> files = new HashMap<>();
  private int side = -1;
  private long displaced;

  /** The way from the target to the directory that was written to last, each step held open. */
  private final Deque<Step> way = new ArrayDeque<>();

  private record Step(OsPath name, OsPath path, int fd) {}

  /**
   * @param target absolute
   * @param root the target, open
   */
  UnpackStore(OsPath target, int root) {
    this.target = target;
    this.root = root;
  }

  InodeWriter inodes() {
    return inodes;
  }

  @Override
  public Content store(OsPath path, Metadata metadata, long size, InputStream in)
      throws IOException {
    int parent = openParent(path.parent());
    Stored there = files.get(path);
    if (there != null) {
      displace(there);
    }
    Stored stored;
    if (directories.contains(path)) {
      stored = new Stored(sideName(), size);
      inodes.file(side, stored.where.name(), metadata, size, in);
    } else {
      stored = new Stored(path, size);
      inodes.file(parent, path.name(), metadata, size, in);
    }
    files.put(stored.where, stored);
    return stored;
  }

  /**
   * Goes on from what the last way and this one have in common: members of an archive mostly stand
   * beside each other, and a walk from the root for each is what deep trees are made to waste.
   */
  private int openParent(OsPath path) throws IOException {
    List<OsPath> names = path.components();
    int common = 0;
    for (Iterator<Step> steps = way.descendingIterator();
        steps.hasNext() && common < names.size() && steps.next().name.equals(names.get(common)); ) {
      common++;
    }
    leave(common);
    for (OsPath name : names.subList(common, names.size())) {
      enter(name);
    }
    return here();
  }

  private int here() {
    return way.isEmpty() ? root : way.peek().fd;
  }

  private void enter(OsPath name) throws IOException {
    OsPath path = way.isEmpty() ? name : way.peek().path.resolve(name);
    if (!directories.contains(path)) {
      Stored there = files.get(path);
      if (there != null) {
        displace(there);
      }
      Posix.mkdirat(here(), name, 0700);
      directories.add(path);
    }
    way.push(new Step(name, path, Posix.openat(here(), name, DIRECTORY, 0)));
  }

  /** Closes all but so many steps of the way. */
  private void leave(int steps) throws IOException {
    while (way.size() > steps) {
      Posix.close(way.pop().fd);
    }
  }

  private OsPath sideName() throws IOException {
    if (side < 0) {
      side = InodeWriter.makeDirectory(root, SIDE);
    }
    return SIDE.resolve(Long.toString(displaced++));
  }

  /** Moves a file out of the way of another thing of its name. */
  private void displace(Stored file) throws IOException {
    OsPath to = sideName();
    Posix.renameat(root, file.where, side, to.name(), Posix.RENAME_NOREPLACE);
    files.remove(file.where);
    file.where = to;
    files.put(to, file);
  }

  /** Removes what the finished layer does not hold and moves aside what it holds elsewhere. */
  void settle(Layer layer) throws IOException {
    leave(0);
    Set<Content> kept = new HashSet<>();
    Set<Content> inPlace = new HashSet<>();
    Set<OsPath> wanted = new HashSet<>();
    layer.walk(
        (path, node) -> {
          if (node instanceof Node.Directory) {
            wanted.add(path);
          } else if (node instanceof Node.File f && f.content() instanceof Stored s) {
            kept.add(s);
            if (s.where.equals(path)) {
              inPlace.add(s);
            }
          }
        });
    for (Stored file : List.copyOf(files.values())) {
      if (!kept.contains(file)) {
        Posix.unlinkat(root, file.where, false);
        files.remove(file.where);
      } else if (!inPlace.contains(file) && !file.where.startsWith(IN_SIDE)) {
        displace(file);
      }
    }
    for (OsPath directory : new TreeSet<>(directories).descendingSet()) {
      if (!wanted.contains(directory)) {
        Posix.unlinkat(root, directory, true);
      }
    }
    directories.retainAll(wanted);
  }

  /** Whether {@link #settle} left a directory at this path. */
  boolean hasDirectory(OsPath path) {
    return directories.contains(path);
  }

  /** Gives a file of the layer a name: its first, or another one by a hard link. */
  void place(int dir, OsPath name, OsPath path, Stored file) throws IOException {
    if (file.where.equals(path)) {
      return;
    }
    if (file.where.startsWith(IN_SIDE)) {
      Posix.renameat(root, file.where, dir, name, Posix.RENAME_NOREPLACE);
      file.where = path;
    } else {
      Posix.linkat(root, file.where, dir, name);
    }
  }

  /** Removes the side directory, which is empty by now. */
  void finish() throws IOException {
    if (side >= 0) {
      Posix.close(side);
      side = -1;
      Posix.unlinkat(root, SIDE, true);
    }
  }

  @Override
  public void close() throws IOException {
    leave(0);
    if (side >= 0) {
      Posix.close(side);
      side = -1;
    }
  }
}
