package slipway.tree;

import java.io.IOException;
import java.io.InputStream;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import slipway.linux.FdInput;
import slipway.linux.OsPath;
import slipway.linux.Posix;

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
  private static final long INSIDE = Posix.RESOLVE_BENEATH | Posix.RESOLVE_NO_SYMLINKS;

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
  private OsPath parent = OsPath.of("");
  private int parentFd;

  /**
   * @param target absolute
   * @param root the target, open
   */
  UnpackStore(OsPath target, int root) {
    this.target = target;
    this.root = root;
    this.parentFd = root;
  }

  InodeWriter inodes() {
    return inodes;
  }

  @Override
  public Content store(OsPath path, Metadata metadata, long size, InputStream in)
      throws IOException {
    openParent(path.parent());
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
      inodes.file(parentFd, path.name(), metadata, size, in);
    }
    files.put(stored.where, stored);
    return stored;
  }

  private void openParent(OsPath path) throws IOException {
    if (path.equals(parent)) {
      return;
    }
    closeParent();
    makeDirectories(path);
    if (!path.isEmpty()) {
      parentFd = Posix.openat2(root, path, Posix.O_PATH | Posix.O_DIRECTORY, 0, INSIDE);
    }
    parent = path;
  }

  private void closeParent() throws IOException {
    int fd = parentFd;
    parentFd = root;
    parent = OsPath.of("");
    if (fd != root) {
      Posix.close(fd);
    }
  }

  private void makeDirectories(OsPath path) throws IOException {
    if (path.isEmpty() || directories.contains(path)) {
      return;
    }
    makeDirectories(path.parent());
    Stored there = files.get(path);
    if (there != null) {
      displace(there);
    }
    Posix.mkdirat(root, path, 0700);
    directories.add(path);
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
    closeParent();
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
    closeParent();
    if (side >= 0) {
      Posix.close(side);
      side = -1;
    }
  }
}
