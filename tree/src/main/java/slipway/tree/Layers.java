package slipway.tree;

import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.Metadata;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;

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

  /** A layer with nothing below; shares all that is of no layer only. */
  static FileTree alone(Layer layer) {
    FileTree nothing = merge(List.of());
    return new FileTree(new Layers(nothing).merge(null, layer.root()));
  }

  private Node.Directory merge(Node.@Nullable Directory lower, Node.Directory upper) {
    if (lower == null || upper.opaque()) {
      NavigableMap<OsPath, Node> children = alone(upper.children());
      boolean same = children == upper.children() && !upper.opaque() && !upper.implied();
      return same ? upper : new Node.Directory(metadata(lower, upper), children);
    }
    NavigableMap<OsPath, Node> children = new TreeMap<>(lower.children());
    for (Map.Entry<OsPath, Node> entry : upper.children().entrySet()) {
      Node merged = merge(children.get(entry.getKey()), entry.getValue());
      if (merged == null) {
        children.remove(entry.getKey());
      } else {
        children.put(entry.getKey(), merged);
      }
    }
    return new Node.Directory(metadata(lower, upper), children);
  }

  private static Metadata metadata(Node.@Nullable Directory lower, Node.Directory upper) {
    return upper.implied() && lower != null ? lower.metadata() : upper.metadata();
  }

  /** Children with nothing below them; the same map when nothing in it is of a layer only. */
  private NavigableMap<OsPath, Node> alone(NavigableMap<OsPath, Node> upper) {
    NavigableMap<OsPath, Node> changed = null;
    for (Map.Entry<OsPath, Node> entry : upper.entrySet()) {
      Node merged = merge(null, entry.getValue());
      if (merged == entry.getValue()) {
        continue;
      }
      if (changed == null) {
        changed = new TreeMap<>(upper);
      }
      if (merged == null) {
        changed.remove(entry.getKey());
      } else {
        changed.put(entry.getKey(), merged);
      }
    }
    return changed == null ? upper : changed;
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
