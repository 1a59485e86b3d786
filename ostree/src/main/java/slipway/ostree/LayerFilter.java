package slipway.ostree;

import java.io.IOException;
import java.io.InputStream;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.linux.OsPath;
import slipway.tree.Content;
import slipway.tree.ContentStore;
import slipway.tree.FileTree;
import slipway.tree.Layer;
import slipway.tree.Metadata;
import slipway.tree.Node;

/**
 * Makes the layer of a container image fit for a bootable system, as ostree-ext does: what is below
 * dev, proc, run, sys and tmp is dropped, {@code etc} becomes {@code usr/etc}; what ostree cannot
 * hold is refused. For one layer and one thread.
 */
final class LayerFilter implements ContentStore {
  private static final String[] EMPTIED = {"dev", "proc", "run", "sys", "tmp"};
  private static final OsPath ETC = OsPath.of("etc");
  private static final OsPath USR = OsPath.of("usr");
  private static final OsPath ROOT = OsPath.of("");

  /** Stands for the content of a file that is dropped. */
  private record Dropped(OsPath path, long size) implements Content {
    @Override
    public InputStream open() {
      throw new IllegalStateException(path + " was dropped");
    }
  }

  private final Transaction transaction;
  private final String layer;
  private final Map<String, Integer> dropped = new TreeMap<>();
  private final Map<Node, Node> kept = new IdentityHashMap<>();

  /**
   * @param layer for messages
   */
  LayerFilter(Transaction transaction, String layer) {
    this.transaction = transaction;
    this.layer = layer;
  }

  @Override
  public Content store(OsPath path, Metadata metadata, long size, InputStream in)
      throws IOException {
    if (isDropped(path)) {
      in.skipNBytes(size);
      return new Dropped(path, size);
    }
    return transaction.store(path, metadata, size, in);
  }

  private static boolean isDropped(OsPath path) {
    for (String directory : EMPTIED) {
      if (path.startsWith(directory + "/")) {
        return true;
      }
    }
    return false;
  }

  /** How many entries were dropped, by top level directory. */
  Map<String, Integer> dropped() {
    return dropped;
  }

  Layer apply(Layer raw) throws IOException {
    TreeMap<OsPath, Node> children = new TreeMap<>(raw.root().children());
    for (String name : EMPTIED) {
      if (children.get(OsPath.of(name)) instanceof Node.Directory d && !d.children().isEmpty()) {
        count(name, d);
        children.put(
            OsPath.of(name),
            new Node.Directory(d.metadata(), new TreeMap<>(), d.opaque(), d.implied()));
      }
    }
    Node etc = children.remove(ETC);
    if (etc != null) {
      children.put(USR, withEtc(children.get(USR), etc));
    }
    return new Layer(directory(ROOT, copy(raw.root(), children)));
  }

  private void count(String name, Node.Directory directory) throws IOException {
    int[] entries = {-1};
    new FileTree(directory).walk((path, node) -> entries[0]++);
    dropped.put(name, entries[0]);
  }

  private static Node.Directory copy(Node.Directory original, TreeMap<OsPath, Node> children) {
    return new Node.Directory(original.metadata(), children, original.opaque(), original.implied());
  }

  private Node withEtc(@Nullable Node usr, Node etc) {
    TreeMap<OsPath, Node> children = new TreeMap<>();
    return switch (usr) {
      case null -> {
        children.put(ETC, etc);
        yield new Node.Directory(Metadata.directory(0755), children, false, true);
      }
      case Node.Whiteout w -> {
        children.put(ETC, etc);
        yield new Node.Directory(Metadata.directory(0755), children, true, false);
      }
      case Node.Directory d -> {
        children.putAll(d.children());
        children.merge(ETC, etc, LayerFilter::merge);
        yield copy(d, children);
      }
      default ->
          throw Problem.input(
              layer + ": usr is not a directory, so that etc has no place to go to");
    };
  }

  /** An image should not have both etc and usr/etc; what etc says counts. */
  private static Node merge(Node below, Node above) {
    if (below instanceof Node.Directory b && above instanceof Node.Directory a) {
      TreeMap<OsPath, Node> children = new TreeMap<>(b.children());
      a.children().forEach((name, node) -> children.merge(name, node, LayerFilter::merge));
      return new Node.Directory(
          a.implied() ? b.metadata() : a.metadata(),
          children,
          a.opaque() || b.opaque(),
          a.implied() && b.implied());
    }
    return above;
  }

  // ---- what ostree keeps of each node ----

  private Node.Directory directory(OsPath path, Node.Directory directory) {
    TreeMap<OsPath, Node> children = new TreeMap<>();
    for (Map.Entry<OsPath, Node> child : directory.children().entrySet()) {
      OsPath where = path.resolve(child.getKey());
      if (child.getKey().startsWith(LayerCommits.WHITEOUT)) {
        throw Problem.corrupt(layer + ": \"" + where + "\" has the name of a whiteout");
      }
      Node node = child.getValue();
      Node known = kept.get(node);
      if (known == null) {
        known = keep(where, node);
        kept.put(node, known);
      }
      children.put(child.getKey(), known);
    }
    return new Node.Directory(
        Objects.normalized(directory.metadata()),
        children,
        directory.opaque(),
        directory.implied());
  }

  private Node keep(OsPath path, Node node) {
    return switch (node) {
      case Node.Directory d -> directory(path, d);
      case Node.File f -> {
        if (f.content() instanceof Dropped target) {
          throw Problem.input(
              layer
                  + ": \""
                  + path
                  + "\" is a hard link to \""
                  + target.path
                  + "\", which an import leaves out: make it a copy");
        }
        yield new Node.File(Objects.normalized(f.metadata()), f.content());
      }
      case Node.Symlink s -> new Node.Symlink(Objects.normalized(s.metadata()), s.target());
      case Node.Special s ->
          throw Problem.input(
              layer
                  + ": \""
                  + path
                  + "\" is a device, fifo or socket, which ostree cannot hold: remove it from the"
                  + " image and make it at boot, for example with tmpfiles.d");
      case Node.Whiteout w -> w;
      case Node.LinkBelow l -> new Node.LinkBelow(moved(l.target()), l.metadata());
    };
  }

  private static OsPath moved(OsPath path) {
    return path.equals(ETC) || path.startsWith("etc/") ? USR.resolve(path) : path;
  }
}
