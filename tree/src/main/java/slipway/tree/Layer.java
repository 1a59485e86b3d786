package slipway.tree;

import java.io.IOException;
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
  public void countIn(ImageTotals image) throws IOException {
    walk(
        (path, node) -> {
          switch (node) {
            case Node.Whiteout w -> image.inode(path.length());
            case Node.LinkBelow l -> image.inode(path.length() + l.target().length());
            case Node.Symlink s -> image.inode(path.length() + s.target().length() + attributes(s));
            case Node.Directory d -> image.inode(path.length() + attributes(d));
            case Node.File f -> image.inode(path.length() + attributes(f));
            case Node.Special s -> image.inode(path.length() + attributes(s));
          }
        });
  }

  private static long attributes(Node node) {
    return node.metadata().xattrs().stream()
        .mapToLong(x -> x.name().length() + x.value().length)
        .sum();
  }
}
