package slipway.tree;

import java.io.IOException;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import slipway.archive.tar.Metadata;
import slipway.linux.posix.OsPath;

/**
 * The merged file system of an image: an immutable tree of inodes. Every writer (ostree, composefs,
 * tar, a directory) takes one; content is streamed, never held.
 *
 * @param root the root directory; holds no whiteouts and no links into lower layers
 */
public record FileTree(Node.Directory root) {
  /** Is told every node, parents first, siblings in byte order. */
  @FunctionalInterface
  public interface Visitor {
    /**
     * @param path from the root without a leading slash; empty for the root
     */
    void visit(OsPath path, Node node) throws IOException;
  }

  /** Finds a node by its path from the root; links are not followed, a leading slash is ignored. */
  public Optional<Node> find(OsPath path) {
    Node node = root;
    for (OsPath name : path.components()) {
      if (!(node instanceof Node.Directory d)) {
        return Optional.empty();
      }
      Node child = d.children().get(name);
      if (child == null) {
        return Optional.empty();
      }
      node = child;
    }
    return Optional.of(node);
  }

  public Optional<Node> find(String path) {
    return find(OsPath.of(path));
  }

  /** Visits every node. */
  public void walk(Visitor visitor) throws IOException {
    walk(OsPath.of(""), root, visitor);
  }

  static void walk(OsPath path, Node node, Visitor visitor) throws IOException {
    visitor.visit(path, node);
    if (node instanceof Node.Directory d) {
      for (var child : d.children().entrySet()) {
        walk(path.resolve(child.getKey()), child.getValue(), visitor);
      }
    }
  }

  /**
   * The same tree with some of its extended attributes alone; names of one inode stay so.
   *
   * @param keep tells by the attribute's name
   */
  public FileTree withXattrs(Predicate<OsPath> keep) {
    return new FileTree(withXattrs(root, keep, new IdentityHashMap<>()));
  }

  private static Node.Directory withXattrs(
      Node.Directory directory, Predicate<OsPath> keep, Map<Node, Node> known) {
    TreeMap<OsPath, Node> children = new TreeMap<>();
    directory
        .children()
        .forEach(
            (name, node) ->
                children.put(
                    name,
                    node instanceof Node.Directory d
                        ? withXattrs(d, keep, known)
                        : known.computeIfAbsent(node, n -> leafWithXattrs(n, keep))));
    return new Node.Directory(
        kept(directory.metadata(), keep), children, directory.opaque(), directory.implied());
  }

  private static Node leafWithXattrs(Node node, Predicate<OsPath> keep) {
    return switch (node) {
      case Node.File f -> new Node.File(kept(f.metadata(), keep), f.content());
      case Node.Symlink s -> new Node.Symlink(kept(s.metadata(), keep), s.target());
      case Node.Special s -> new Node.Special(kept(s.metadata(), keep), s.rdev());
      case Node.Directory d -> throw new AssertionError("handled before");
      case Node.Whiteout w -> w;
      case Node.LinkBelow l -> l;
    };
  }

  private static Metadata kept(Metadata metadata, Predicate<OsPath> keep) {
    return metadata.withXattrs(
        metadata.xattrs().stream().filter(x -> keep.test(x.name())).toList());
  }
}
