package slipway.tree;

import java.io.IOException;
import java.util.Map;
import slipway.archive.tar.ImageTotals;
import slipway.base.Limit;
import slipway.linux.posix.OsPath;

/**
 * One layer of an image as a tree of changes: may hold whiteouts, opaque directories, implied
 * directories and links into lower layers. {@link LayerReader} makes one from a tar, {@link
 * Layers#merge} lays several over each other.
 */
public record Layer(Node.Directory root) {
  /** Visits every node of the layer, whiteouts too. */
  public void walk(FileTree.Visitor visitor) throws IOException {
    FileTree.walk(OsPath.of(""), root, visitor);
  }

  /**
   * Counts a layer that was read before and is in memory now among what its image costs.
   *
   * @throws slipway.base.Problem (CORRUPT) when the trees are larger than {@link Limit#TREE_BYTES}
   */
  public void countIn(ImageTotals image) {
    count(0, root, image);
  }

  /**
   * @param length of the node's path, which nobody needs otherwise
   */
  private static void count(int length, Node node, ImageTotals image) {
    switch (node) {
      case Node.Whiteout w -> image.inode(length);
      case Node.LinkBelow l -> image.inode(length + l.target().length());
      case Node.Symlink s -> image.inode(length + s.target().length() + attributes(s));
      case Node.Directory d -> {
        image.inode(length + attributes(d));
        int prefix = length == 0 ? 0 : length + 1;
        for (Map.Entry<OsPath, Node> child : d.children().entrySet()) {
          count(prefix + child.getKey().length(), child.getValue(), image);
        }
      }
      case Node.File f -> image.inode(length + attributes(f));
      case Node.Special s -> image.inode(length + attributes(s));
    }
  }

  private static long attributes(Node node) {
    return ImageTotals.attributes(node.metadata().xattrs());
  }
}
