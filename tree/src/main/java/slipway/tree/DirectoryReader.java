package slipway.tree;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.Metadata;
import slipway.archive.tar.Metadata.Xattr;
import slipway.archive.tar.Totals;
import slipway.base.Problem;
import slipway.linux.mount.MountTable;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.UnixException;
import slipway.linux.posix.Xattrs;

/**
 * Reads a directory with all that is in it: modes, owners, times, extended attributes, hard links
 * by inode. File content stays on disk and is opened when it is streamed. Symbolic links are not
 * followed; mounts below the directory are read as what they show. The directory is left alone by
 * others meanwhile. All files are readable by the caller, so bulk use needs root.
 */
public final class DirectoryReader {
  static final OsPath OVERLAY = OsPath.of("trusted.overlay.");
  static final OsPath ESCAPED_OVERLAY = OsPath.of("trusted.overlay.overlay.");
  private static final OsPath OPAQUE = OsPath.of("trusted.overlay.opaque");
  private static final OsPath WHITEOUT = OsPath.of("trusted.overlay.whiteout");
  private static final OsPath REDIRECT = OsPath.of("trusted.overlay.redirect");
  private static final OsPath METACOPY = OsPath.of("trusted.overlay.metacopy");
  private static final byte[] YES = {'y'};

  private record Inode(long device, long number) {}

  private final boolean overlay;
  private final Predicate<OsPath> include;
  private final String where;
  private final Totals totals;
  private final Map<Inode, Node> linked = new HashMap<>();

  private DirectoryReader(boolean overlay, Predicate<OsPath> include, String where) {
    this.overlay = overlay;
    this.include = include;
    this.where = where;
    this.totals = new Totals(where);
  }

  /** Reads all of a directory. */
  public static FileTree read(Path root) throws IOException {
    return read(root, path -> true);
  }

  /**
   * Reads a directory except for what is not included.
   *
   * @param include told each path from the root without a leading slash; what it refuses is left
   *     out with all that is in it
   */
  public static FileTree read(Path root, Predicate<OsPath> include) throws IOException {
    return new FileTree(new DirectoryReader(false, include, root.toString()).root(root));
  }

  /**
   * Reads a directory without what is mounted below it: the folder of a mount is empty, a file that
   * another is mounted over is left out, because nobody can see it.
   */
  public static FileTree readWithoutMounts(Path root) throws IOException {
    return readWithoutMounts(root, Set.of(), path -> true);
  }

  /**
   * As {@link #readWithoutMounts(Path)}, except for what is not included.
   *
   * @param own mounts that belong to the tree, and are read as what they show
   * @param include as in {@link #read(Path, Predicate)}
   */
  public static FileTree readWithoutMounts(Path root, Set<OsPath> own, Predicate<OsPath> include)
      throws IOException {
    OsPath top = OsPath.of(root.toRealPath());
    String prefix = top.is("/") ? "/" : top + "/";
    Set<OsPath> mounts = new HashSet<>();
    for (OsPath point : MountTable.points()) {
      if (point.startsWith(prefix) && point.length() > prefix.length()) {
        mounts.add(point.substring(OsPath.of(prefix).length()));
      }
    }
    mounts.removeAll(own);
    return read(
        root.toRealPath(),
        path ->
            include.test(path)
                && (mounts.contains(path)
                    ? Files.isDirectory(top.resolve(path).toPath())
                    : !mounts.contains(path.parent())));
  }

  /**
   * Reads the upper directory of an overlay mount, or a layer's "diff" directory, as a layer
   * (Linux, Documentation/filesystems/overlayfs.rst): character devices 0:0 are whiteouts, {@code
   * trusted.overlay.opaque=y} marks opaque directories, attributes that the mount escaped get their
   * names back, all other attributes of overlayfs are dropped.
   *
   * @throws Problem of kind ENVIRONMENT when the mount stored moved directories or metadata apart
   *     from the content; mount it with {@code redirect_dir=off,metacopy=off}
   */
  public static Layer readOverlayUpper(Path upper) throws IOException {
    return readOverlayUpper(upper, upper.toString());
  }

  /**
   * As {@link #readOverlayUpper(Path)}.
   *
   * @param where what the directory is to a reader of messages
   */
  public static Layer readOverlayUpper(Path upper, String where) throws IOException {
    return new Layer(new DirectoryReader(true, path -> true, where).root(upper));
  }

  private Node.Directory root(Path root) throws IOException {
    OsPath path = OsPath.of(root.toAbsolutePath().normalize());
    Stat stat = Posix.stat(path);
    if (!stat.isDirectory()) {
      throw Problem.input(root + " is not a directory");
    }
    try {
      return directory(path, OsPath.of(""), stat, 0);
    } catch (UnixException e) {
      if (e.errno() != UnixException.ENAMETOOLONG) {
        throw e;
      }
      throw new Problem(
          Problem.Kind.CORRUPT,
          where
              + ": directories lie so deep that a path has more than 4095 bytes, counted from this"
              + " machine's root; make fewer levels or shorter names",
          e);
    }
  }

  private Node.Directory directory(OsPath where, OsPath path, Stat stat, int depth)
      throws IOException {
    totals.depth(depth);
    List<Xattr> raw = xattrs(where);
    NavigableMap<OsPath, Node> children = new TreeMap<>();
    for (OsPath name : Posix.list(where)) {
      OsPath child = path.resolve(name);
      Node node = include.test(child) ? node(where.resolve(name), child, depth + 1) : null;
      if (node != null) {
        children.put(name, node);
      }
    }
    boolean opaque = overlay && isYes(value(raw, OPAQUE));
    Metadata metadata = metadata(where, stat, raw);
    totals.entry(metadata, path.length());
    return new Node.Directory(metadata, children, opaque, false);
  }

  /**
   * Null for a name that is no file: an overlay mount lists whiteouts of directories that are in
   * one layer only, and does not know them otherwise.
   */
  private @Nullable Node node(OsPath where, OsPath path, int depth) throws IOException {
    Stat stat = OverlayStack.lstat(where);
    if (stat == null) {
      return null;
    }
    if (stat.isDirectory()) {
      return directory(where, path, stat, depth);
    }
    if (overlay && isWhiteout(stat)) {
      return Node.Whiteout.INSTANCE;
    }
    if (stat.nlink() < 2) {
      return leaf(where, stat);
    }
    Inode inode = new Inode(stat.device(), stat.inode());
    Node known = linked.get(inode);
    if (known == null) {
      known = leaf(where, stat);
      linked.put(inode, known);
    }
    return known;
  }

  private Node leaf(OsPath where, Stat stat) throws IOException {
    List<Xattr> raw = xattrs(where);
    if (overlay && stat.isRegular() && stat.size() == 0 && value(raw, WHITEOUT) != null) {
      return Node.Whiteout.INSTANCE;
    }
    Metadata metadata = metadata(where, stat, raw);
    totals.entry(metadata, where.length());
    return switch (stat.mode() & Stat.S_IFMT) {
      case Stat.S_IFREG -> {
        totals.holes(stat.size());
        yield new Node.File(metadata, new DiskContent(where, stat.size()));
      }
      case Stat.S_IFLNK -> new Node.Symlink(metadata, Posix.readlink(where));
      default -> new Node.Special(metadata, stat.rdev());
    };
  }

  static boolean isWhiteout(Stat stat) {
    return (stat.mode() & Stat.S_IFMT) == Stat.S_IFCHR && stat.rdev() == 0;
  }

  private Metadata metadata(OsPath where, Stat stat, List<Xattr> raw) {
    return new Metadata(
        stat.mode(),
        stat.uid(),
        stat.gid(),
        stat.mtimeSeconds(),
        stat.mtimeNanos(),
        overlay ? withoutOverlay(where, raw) : raw);
  }

  private static List<Xattr> withoutOverlay(OsPath where, List<Xattr> raw) {
    List<Xattr> kept = new ArrayList<>(raw.size());
    for (Xattr xattr : raw) {
      OsPath name = xattr.name();
      if (name.equals(REDIRECT) || name.equals(METACOPY)) {
        throw Problem.environment(
            where
                + " has "
                + name
                + "; mount the overlay with redirect_dir=off,metacopy=off to read its upper layer");
      }
      if (name.startsWith(ESCAPED_OVERLAY)) {
        OsPath rest = name.substring(ESCAPED_OVERLAY.length());
        kept.add(new Xattr(OVERLAY.concat(rest), xattr.value()));
      } else if (!name.startsWith(OVERLAY)) {
        kept.add(xattr);
      }
    }
    return kept;
  }

  /** The metadata of one inode of an overlay's layer, attributes of overlayfs dropped. */
  static Metadata overlayMetadata(OsPath where, Stat stat) throws IOException {
    return new DirectoryReader(true, path -> true, where.toString())
        .metadata(where, stat, xattrs(where));
  }

  /** One inode other than a directory of an overlay's layer. */
  static Node overlayLeaf(OsPath where, Stat stat) throws IOException {
    return new DirectoryReader(true, path -> true, where.toString()).leaf(where, stat);
  }

  static boolean isOpaque(OsPath directory) throws IOException {
    return isYes(Xattrs.lgetxattr(directory, OPAQUE));
  }

  private static boolean isYes(byte @Nullable [] value) {
    return value != null && java.util.Arrays.equals(value, YES);
  }

  private static byte @Nullable [] value(List<Xattr> xattrs, OsPath name) {
    for (Xattr xattr : xattrs) {
      if (xattr.name().equals(name)) {
        return xattr.value();
      }
    }
    return null;
  }

  private static List<Xattr> xattrs(OsPath where) throws UnixException {
    List<OsPath> names = Xattrs.llistxattr(where);
    if (names.isEmpty()) {
      return List.of();
    }
    List<Xattr> xattrs = new ArrayList<>(names.size());
    for (OsPath name : names) {
      byte[] value = Xattrs.lgetxattr(where, name);
      if (value != null) {
        xattrs.add(new Xattr(name, value));
      }
    }
    return xattrs;
  }
}
