package slipway.host.changes;

import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import slipway.linux.posix.OsPath;
import slipway.ostree.object.Checksum;
import slipway.ostree.repo.ObjectContent;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * Which names of one tree are not, or not the same, in another: both are trees of commits, so files
 * are compared by their objects' names and none is read.
 */
final class TreeDiff {
  private final SortedMap<OsPath, Alteration> changes = new TreeMap<>();

  private TreeDiff() {}

  static SortedMap<OsPath, Alteration> of(FileTree from, FileTree to) {
    TreeDiff diff = new TreeDiff();
    diff.compare(OsPath.of(""), from.root(), to.root());
    return diff.changes;
  }

  private void compare(OsPath path, Node.Directory from, Node.Directory to) {
    if (from == to) {
      return;
    }
    for (Map.Entry<OsPath, Node> child : from.children().entrySet()) {
      OsPath where = path.resolve(child.getKey());
      Node before = child.getValue();
      Node after = to.children().get(child.getKey());
      if (before instanceof Node.Directory a && after instanceof Node.Directory b) {
        if (!a.metadata().equals(b.metadata())) {
          changes.put(where, Alteration.CHANGED);
        }
        compare(where, a, b);
      } else if (after == null) {
        all(where, before, Alteration.REMOVED);
      } else if (before instanceof Node.Directory || after instanceof Node.Directory) {
        all(where, before, Alteration.REMOVED);
        all(where, after, Alteration.ADDED);
        changes.put(where, Alteration.CHANGED);
      } else if (!same(before, after)) {
        changes.put(where, Alteration.CHANGED);
      }
    }
    for (Map.Entry<OsPath, Node> child : to.children().entrySet()) {
      if (!from.children().containsKey(child.getKey())) {
        all(path.resolve(child.getKey()), child.getValue(), Alteration.ADDED);
      }
    }
  }

  private void all(OsPath path, Node node, Alteration change) {
    changes.put(path, change);
    if (node instanceof Node.Directory directory) {
      directory.children().forEach((name, child) -> all(path.resolve(name), child, change));
    }
  }

  /** An object's name is of content, owner, mode and attributes. */
  private static boolean same(Node a, Node b) {
    return switch (a) {
      case Node.File x when b instanceof Node.File y -> object(x).equals(object(y));
      case Node.Symlink x when b instanceof Node.Symlink y ->
          x.target().equals(y.target()) && x.metadata().equals(y.metadata());
      default -> false;
    };
  }

  private static Checksum object(Node.File file) {
    return ((ObjectContent) file.content()).checksum();
  }
}
