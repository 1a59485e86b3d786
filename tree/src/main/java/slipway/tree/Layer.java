package slipway.tree;

import java.io.IOException;

/**
 * One layer of an image as a tree of changes: may hold whiteouts, opaque directories, implied
 * directories and links into lower layers. {@link LayerReader} makes one from a tar, {@link
 * Layers#merge} lays several over each other.
 */
public record Layer(Node.Directory root) {
  /** Visits every node of the layer, whiteouts too. */
  public void walk(FileTree.Visitor visitor) throws IOException {
    FileTree.walk(slipway.linux.OsPath.of(""), root, visitor);
  }
}
