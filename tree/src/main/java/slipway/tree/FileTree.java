package slipway.tree;

import java.io.IOException;
import java.util.Optional;
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
}
