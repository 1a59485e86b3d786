package slipway.tree;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import slipway.archive.tar.Metadata;
import slipway.linux.posix.OsPath;

/** Compares trees. */
public final class FileTrees {
  private FileTrees() {}

  /** What a comparison may look away from. */
  public enum Ignore {
    /** Modification times of all. */
    MTIME,
    /** Modification times of directories, which change when a name is added. */
    DIRECTORY_MTIME,
    /** The metadata of the root directory. */
    ROOT,
    OWNER,
    XATTRS,
    CONTENT,
    /** Which names share an inode. */
    HARD_LINKS
  }

  /**
   * One difference.
   *
   * @param path from the root without a leading slash
   * @param what in words, the left side first
   */
  public record Difference(OsPath path, String what) {
    @Override
    public String toString() {
      return "/" + path + ": " + what;
    }
  }

  /** All differences in the order of paths; none when the trees are equal. */
  public static List<Difference> diff(FileTree left, FileTree right, Ignore... ignore)
      throws IOException {
    Set<Ignore> ignored = EnumSet.noneOf(Ignore.class);
    ignored.addAll(List.of(ignore));
    Comparison comparison = new Comparison(ignored);
    comparison.compare(OsPath.of(""), left.root(), right.root());
    if (!ignored.contains(Ignore.HARD_LINKS)) {
      comparison.compareLinks(left, right);
    }
    return comparison.found;
  }

  private record Comparison(Set<Ignore> ignored, List<Difference> found) {
    Comparison(Set<Ignore> ignored) {
      this(ignored, new ArrayList<>());
    }

    void note(OsPath path, String what) {
      found.add(new Difference(path, what));
    }

    void compare(OsPath path, Node left, Node right) throws IOException {
      if (left.getClass() != right.getClass()) {
        note(path, describe(left) + " became " + describe(right));
        return;
      }
      if (left == right) {
        return;
      }
      if (!path.isEmpty() || !ignored.contains(Ignore.ROOT)) {
        compareMetadata(path, left.metadata(), right.metadata(), left instanceof Node.Directory);
      }
      switch (left) {
        case Node.Directory d -> compareChildren(path, d, (Node.Directory) right);
        case Node.File f -> compareContent(path, f.content(), ((Node.File) right).content());
        case Node.Symlink s -> same(path, "target", s.target(), ((Node.Symlink) right).target());
        case Node.Special s -> same(path, "device", s.rdev(), ((Node.Special) right).rdev());
        case Node.Whiteout w -> {}
        case Node.LinkBelow l ->
            same(path, "link target", l.target(), ((Node.LinkBelow) right).target());
      }
    }

    void compareMetadata(OsPath path, Metadata left, Metadata right, boolean directory) {
      same(path, "mode", Integer.toOctalString(left.mode()), Integer.toOctalString(right.mode()));
      if (!ignored.contains(Ignore.OWNER)) {
        same(path, "owner", left.uid() + ":" + left.gid(), right.uid() + ":" + right.gid());
      }
      boolean times =
          !ignored.contains(Ignore.MTIME)
              && !(directory && ignored.contains(Ignore.DIRECTORY_MTIME));
      if (times) {
        same(path, "mtime", time(left), time(right));
      }
      if (!ignored.contains(Ignore.XATTRS) && !left.xattrs().equals(right.xattrs())) {
        note(path, "xattrs " + xattrs(left) + " became " + xattrs(right));
      }
    }

    private static String time(Metadata m) {
      return m.mtimeSeconds() + " s " + m.mtimeNanos() + " ns";
    }

    private static String xattrs(Metadata m) {
      Map<String, String> text = new TreeMap<>();
      m.xattrs()
          .forEach(
              x -> text.put(x.name().toString(), java.util.HexFormat.of().formatHex(x.value())));
      return text.toString();
    }

    void same(OsPath path, String what, Object left, Object right) {
      if (!left.equals(right)) {
        note(path, what + " " + left + " became " + right);
      }
    }

    void compareChildren(OsPath path, Node.Directory left, Node.Directory right)
        throws IOException {
      same(path, "opaque", left.opaque(), right.opaque());
      same(path, "implied", left.implied(), right.implied());
      Set<OsPath> names = new TreeSet<>(left.children().keySet());
      names.addAll(right.children().keySet());
      for (OsPath name : names) {
        Node a = left.children().get(name);
        Node b = right.children().get(name);
        if (a == null && b != null) {
          note(path.resolve(name), "added, " + describe(b));
        } else if (b == null && a != null) {
          note(path.resolve(name), "removed, " + describe(a));
        } else if (a != null && b != null) {
          compare(path.resolve(name), a, b);
        }
      }
    }

    void compareContent(OsPath path, Content left, Content right) throws IOException {
      if (left == right || ignored.contains(Ignore.CONTENT)) {
        return;
      }
      same(path, "size", left.size(), right.size());
      if (left.size() == right.size()) {
        long at = mismatch(left, right);
        if (at >= 0) {
          note(path, "content differs at byte " + at);
        }
      }
    }

    /** Two names are one inode on the left exactly when they are on the right. */
    void compareLinks(FileTree left, FileTree right) throws IOException {
      Map<OsPath, OsPath> a = firstNames(left);
      Map<OsPath, OsPath> b = firstNames(right);
      a.forEach(
          (path, first) -> {
            OsPath other = b.get(path);
            if (other != null && !other.equals(first)) {
              note(path, "same inode as /" + first + " became same inode as /" + other);
            }
          });
    }
  }

  private static Map<OsPath, OsPath> firstNames(FileTree tree) throws IOException {
    Map<Node, OsPath> seen = new IdentityHashMap<>();
    Map<OsPath, OsPath> first = new TreeMap<>();
    tree.walk(
        (path, node) -> {
          boolean inode =
              node instanceof Node.File
                  || node instanceof Node.Symlink
                  || node instanceof Node.Special;
          if (inode) {
            OsPath before = seen.putIfAbsent(node, path);
            first.put(path, before == null ? path : before);
          }
        });
    return first;
  }

  private static String describe(Node node) {
    return switch (node) {
      case Node.Directory d -> "a directory";
      case Node.File f -> "a file";
      case Node.Symlink s -> "a symbolic link";
      case Node.Special s -> "a special file";
      case Node.Whiteout w -> "a whiteout";
      case Node.LinkBelow l -> "a link into a lower layer";
    };
  }

  /** Offset of the first byte that differs, or -1. */
  private static long mismatch(Content left, Content right) throws IOException {
    byte[] a = new byte[64 * 1024];
    byte[] b = new byte[64 * 1024];
    try (InputStream x = left.open();
        InputStream y = right.open()) {
      for (long at = 0; ; ) {
        int n = x.readNBytes(a, 0, a.length);
        int m = y.readNBytes(b, 0, b.length);
        int differs = java.util.Arrays.mismatch(a, 0, n, b, 0, m);
        if (differs >= 0) {
          return at + differs;
        }
        if (n == 0) {
          return -1;
        }
        at += n;
      }
    }
  }
}
