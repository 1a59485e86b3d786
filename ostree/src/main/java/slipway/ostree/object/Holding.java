package slipway.ostree.object;

import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.tree.Node;

/** What ostree can hold of a tree. */
public final class Holding {
  private Holding() {}

  /**
   * Refuses a node of a merged tree that no object can be made of.
   *
   * @param path where it is
   * @throws Problem of kind INPUT that names the path of a device, fifo or socket, or of a name
   *     that is not UTF-8
   */
  public static void require(OsPath path, Node node) {
    if (!path.name().isUtf8()) {
      throw Problem.input(
          "the name of \""
              + Printable.text(path.toString())
              + "\" is not UTF-8, which ostree cannot hold: rename the file");
    }
    switch (node) {
      case Node.Directory d -> {}
      case Node.File f -> {}
      case Node.Symlink s -> {
        if (!s.target().isUtf8()) {
          throw Problem.input(
              "the target of the link \""
                  + Printable.text(path.toString())
                  + "\" is not UTF-8, which ostree cannot hold: make another link");
        }
      }
      case Node.Special s ->
          throw Problem.input(
              "\""
                  + Printable.text(path.toString())
                  + "\" is a device, fifo or socket, which ostree cannot hold: make it at boot,"
                  + " for example with tmpfiles.d");
      case Node.Whiteout w -> throw inLayerOnly(path);
      case Node.LinkBelow l -> throw inLayerOnly(path);
    }
  }

  private static IllegalArgumentException inLayerOnly(OsPath path) {
    return new IllegalArgumentException(path + " belongs in a layer, not in a merged tree");
  }
}
