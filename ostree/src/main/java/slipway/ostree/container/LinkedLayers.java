package slipway.ostree.container;

import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.linux.posix.OsPath;
import slipway.ostree.object.Checksum;
import slipway.ostree.repo.ObjectContent;
import slipway.tree.FileTree;
import slipway.tree.Layer;
import slipway.tree.Node;

/**
 * The layers of an image with files in the place of hard links to the objects of its commit. Such
 * an object is the one that a layer below brought anew last (builders that keep hard links together
 * change it with its names), else the commit's own. For one thread.
 */
final class LinkedLayers {
  /** Where the repository of an image lies. */
  static final OsPath SYSROOT = OsPath.of("sysroot");

  static final OsPath OSTREE = OsPath.of("ostree");

  private final @Nullable FileTree base;
  private final Map<Checksum, Node> changed = new HashMap<>();

  /** The commit's files by their objects; null until the first one is asked for. */
  private @Nullable Map<Checksum, Node> objects;

  /**
   * @param base of the encapsulated commit; null when there is none
   */
  LinkedLayers(@Nullable FileTree base) {
    this.base = base;
  }

  /**
   * The next layer, from the bottom up, without objects of its own.
   *
   * @return the very same object when there is nothing to change
   */
  Layer add(Layer layer) {
    Node.Directory linked = linked(layer.root());
    if (!(linked.children().get(SYSROOT) instanceof Node.Directory sysroot)
        || !(sysroot.children().get(OSTREE) instanceof Node.Directory own)) {
      return linked == layer.root() ? layer : new Layer(linked);
    }
    collect(SYSROOT.resolve(OSTREE), own);
    TreeMap<OsPath, Node> left = new TreeMap<>(sysroot.children());
    left.remove(OSTREE);
    TreeMap<OsPath, Node> children = new TreeMap<>(linked.children());
    children.put(SYSROOT, with(sysroot, left));
    return new Layer(with(linked, children));
  }

  private Node.Directory linked(Node.Directory directory) {
    TreeMap<OsPath, Node> children = new TreeMap<>();
    boolean same = true;
    for (Map.Entry<OsPath, Node> child : directory.children().entrySet()) {
      Node node =
          switch (child.getValue()) {
            case Node.Directory d -> linked(d);
            case Node.LinkBelow link ->
                Encapsulation.name(link.target()).map(o -> object(o.checksum(), link)).orElse(link);
            case Node other -> other;
          };
      same = same && node == child.getValue();
      children.put(child.getKey(), node);
    }
    return same ? directory : with(directory, children);
  }

  private static Node.Directory with(Node.Directory original, TreeMap<OsPath, Node> children) {
    return new Node.Directory(original.metadata(), children, original.opaque(), original.implied());
  }

  private Node object(Checksum object, Node link) {
    Node above = changed.get(object);
    if (above != null || base == null) {
      return above == null ? link : above;
    }
    Map<Checksum, Node> known = objects;
    if (known == null) {
      known = new HashMap<>();
      collect(base.root(), known);
      objects = known;
    }
    return known.getOrDefault(object, link);
  }

  private static void collect(Node.Directory directory, Map<Checksum, Node> into) {
    for (Node node : directory.children().values()) {
      if (node instanceof Node.Directory d) {
        collect(d, into);
      } else {
        ObjectContent.linked(node).ifPresent(object -> into.put(object, node));
      }
    }
  }

  /** Notes a layer's own objects by the names that they have had since the commit. */
  private void collect(OsPath path, Node.Directory directory) {
    directory
        .children()
        .forEach(
            (name, node) -> {
              OsPath where = path.resolve(name);
              if (node instanceof Node.Directory d) {
                collect(where, d);
              } else {
                Encapsulation.name(where).ifPresent(object -> changed.put(object.checksum(), node));
              }
            });
  }
}
