package slipway.tree;

import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.linux.OsPath;

/** Lays layers over each other (OCI image-spec, layer.md, "Applying Changesets"). */
public final class Layers {
  /** What lies below the layer that is being laid on. */
  private final FileTree below;

  private Layers(FileTree below) {
    this.below = below;
  }

  /**
   * Merges, bottom first. Nodes that no upper layer touches are shared, not copied. Without any
   * entry for the root it is {@code root:root 0755}.
   *
   * @throws Problem of kind CORRUPT for a hard link to what no layer below holds
   */
  public static FileTree merge(List<Layer> layers) {
    FileTree tree = new FileTree(new Node.Directory(Metadata.directory(0755), new TreeMap<>()));
    for (Layer layer : layers) {
      tree = apply(tree, layer);
    }
    return tree;
  }

  /** Lays one layer over a tree. */
  public static FileTree apply(FileTree below, Layer layer) {
    return new FileTree(new Layers(below).merge(below.root(), layer.root()));
  }

  private Node.Directory merge(Node.@Nullable Directory lower, Node.Directory upper) {
    NavigableMap<OsPath, Node> children = new TreeMap<>();
    if (lower != null && !upper.opaque()) {
      children.putAll(lower.children());
    }
    boolean same = lower == null && !upper.opaque() && !upper.implied();
    for (Map.Entry<OsPath, Node> entry : upper.children().entrySet()) {
      Node merged = merge(children.get(entry.getKey()), entry.getValue());
      same &= merged == entry.getValue();
      if (merged == null) {
        children.remove(entry.getKey());
      } else {
        children.put(entry.getKey(), merged);
      }
    }
    Metadata metadata = upper.implied() && lower != null ? lower.metadata() : upper.metadata();
    return same ? upper : new Node.Directory(metadata, children);
  }

  /** Null where nothing is left. */
  private @Nullable Node merge(@Nullable Node lower, Node upper) {
    return switch (upper) {
      case Node.Whiteout w -> null;
      case Node.LinkBelow link -> resolve(link);
      case Node.Directory d -> merge(lower instanceof Node.Directory l ? l : null, d);
      case Node.File f -> f;
      case Node.Symlink s -> s;
      case Node.Special s -> s;
    };
  }

  private Node resolve(Node.LinkBelow link) {
    Node target = below.find(link.target()).orElse(null);
    if (target == null) {
      throw Problem.corrupt(
          "a hard link leads to \"" + link.target() + "\", which no layer below holds");
    }
    if (target instanceof Node.Directory) {
      throw Problem.corrupt("a hard link leads to the directory \"" + link.target() + "\"");
    }
    return target;
  }
}
