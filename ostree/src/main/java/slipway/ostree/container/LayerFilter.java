package slipway.ostree.container;

import java.io.IOException;
import java.io.InputStream;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.Metadata;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Stat;
import slipway.ostree.object.Objects;
import slipway.tree.Content;
import slipway.tree.ContentStore;
import slipway.tree.FileTree;
import slipway.tree.Layer;
import slipway.tree.Node;

/**
 * Makes the layer of a container image fit for a bootable system, as ostree-ext does: what is below
 * dev, proc, run, sys and tmp is dropped, {@code etc} becomes {@code usr/etc}; what ostree cannot
 * hold is refused. The repository that an image derived from an encapsulated commit carries ({@link
 * Encapsulation}) is dropped, too: its files have other names, as hard links. What stays of it is
 * objects that a layer of an image on a commit brings, as one above the commit brings them anew:
 * names in layers above that one may be hard links to them. For one layer and one thread.
 */
final class LayerFilter implements ContentStore {
  private static final String[] EMPTIED = {"dev", "proc", "run", "sys", "tmp"};
  private static final OsPath ETC = OsPath.of("etc");
  private static final OsPath USR = OsPath.of("usr");
  private static final OsPath ROOT = OsPath.of("");
  private static final List<OsPath> OBJECTS = List.of(OsPath.of("repo"), OsPath.of("objects"));

  /** What names of objects with content end with. */
  private static final String OBJECT = ".file";

  /** What those of commits end with. */
  private static final String COMMIT = ".commit";

  /** Stands for the content of a file that is dropped. */
  private record Dropped(OsPath path, long size) implements Content {
    @Override
    public InputStream open() {
      throw new IllegalStateException(path + " was dropped");
    }
  }

  private final ContentStore contents;
  private final String layer;
  private final boolean onCommit;
  private boolean withoutObjects;
  private final Map<String, Integer> dropped = new TreeMap<>();
  private final Map<String, Integer> attributes = new TreeMap<>();
  private final Map<Node, Node> kept = new IdentityHashMap<>();

  /**
   * @param contents takes the content of the files that are kept
   * @param layer for messages
   * @param onCommit whether the image encapsulates a commit, in this layer or in those below it
   */
  LayerFilter(ContentStore contents, String layer, boolean onCommit) {
    this.contents = contents;
    this.layer = layer;
    this.onCommit = onCommit;
  }

  @Override
  public Content store(OsPath path, Metadata metadata, long size, InputStream in)
      throws IOException {
    if (isDropped(path)) {
      in.skipNBytes(size);
      return new Dropped(path, size);
    }
    return contents.store(path, supported(metadata), size, in);
  }

  private static boolean isDropped(OsPath path) {
    for (String directory : EMPTIED) {
      if (path.startsWith(directory + "/")) {
        return true;
      }
    }
    // Content of the repository may have another name, which comes later.
    return path.startsWith(Encapsulation.REPOSITORY + "/") && !path.toString().endsWith(OBJECT);
  }

  /**
   * Without the extended attributes that no Linux could hold: those of other systems' namespaces,
   * and those of users on links (xattr(7)).
   */
  private static Metadata supported(Metadata metadata) {
    boolean link = metadata.type() == Stat.S_IFLNK;
    List<Metadata.Xattr> kept =
        metadata.xattrs().stream().filter(x -> isSupported(x.name(), link)).toList();
    return kept.size() == metadata.xattrs().size() ? metadata : metadata.withXattrs(kept);
  }

  private static boolean isSupported(OsPath name, boolean link) {
    if (name.is("system.posix_acl_access") || name.is("system.posix_acl_default")) {
      return !link;
    }
    return (name.startsWith("user.") && name.length() > "user.".length() && !link)
        || (name.startsWith("trusted.") && name.length() > "trusted.".length())
        || (name.startsWith("security.") && name.length() > "security.".length());
  }

  /** What of a node's metadata is kept; tells what is not. */
  private Metadata kept(Metadata metadata) {
    Metadata supported = supported(metadata);
    if (supported != metadata) {
      for (Metadata.Xattr xattr : metadata.xattrs()) {
        if (!supported.xattrs().contains(xattr)) {
          attributes.merge(Printable.text(xattr.name().toString()), 1, Integer::sum);
        }
      }
    }
    return Objects.normalized(supported);
  }

  /** How many extended attributes were left out, by name. */
  Map<String, Integer> attributes() {
    return attributes;
  }

  /**
   * Whether objects were left out that an image on a commit needs, where names in layers above may
   * be hard links to them.
   */
  boolean isWithoutObjects() {
    return withoutObjects;
  }

  /** How many entries were dropped, by top level directory. */
  Map<String, Integer> dropped() {
    return dropped;
  }

  Layer apply(Layer raw) throws IOException {
    TreeMap<OsPath, Node> children = new TreeMap<>(raw.root().children());
    for (String name : EMPTIED) {
      if (children.get(OsPath.of(name)) instanceof Node.Directory d && !d.children().isEmpty()) {
        dropped.put(name, entries(d));
        children.put(
            OsPath.of(name),
            new Node.Directory(d.metadata(), new TreeMap<>(), d.opaque(), d.implied()));
      }
    }
    if (children.get(LinkedLayers.SYSROOT) instanceof Node.Directory sysroot
        && sysroot.children().get(LinkedLayers.OSTREE) instanceof Node.Directory repository) {
      TreeMap<OsPath, Node> left = new TreeMap<>(sysroot.children());
      left.remove(LinkedLayers.OSTREE);
      // With a commit that is the image's only one come all names of its objects.
      Optional<Node.Directory> objects = objects(repository, 0);
      if (!onCommit && objects.isPresent() && bringsCommit(repository)) {
        objects = Optional.empty();
        withoutObjects = true;
      }
      objects.ifPresent(stay -> left.put(LinkedLayers.OSTREE, stay));
      int all = entries(repository);
      int out = objects.isPresent() ? all - entries(objects.get()) : all;
      if (out > 0) {
        dropped.put(LinkedLayers.SYSROOT + "/" + LinkedLayers.OSTREE, out);
      }
      children.put(LinkedLayers.SYSROOT, copy(sysroot, left));
    }
    Node etc = children.remove(ETC);
    if (etc != null) {
      if (!(etc instanceof Node.Directory || etc instanceof Node.Whiteout)) {
        throw Problem.input(layer + ": etc is no directory, so that a machine would have no /etc");
      }
      children.put(USR, withEtc(children.get(USR), etc));
    }
    return new Layer(directory(ROOT, copy(raw.root(), children)));
  }

  /**
   * The objects with content in a repository, which stay.
   *
   * @param depth of the directory: 0 for the one that holds the repository
   */
  private Optional<Node.Directory> objects(Node.Directory directory, int depth) {
    TreeMap<OsPath, Node> stay = new TreeMap<>();
    for (Map.Entry<OsPath, Node> child : directory.children().entrySet()) {
      String name = child.getKey().toString();
      switch (child.getValue()) {
        case Node.Directory d
            when depth >= OBJECTS.size() || child.getKey().equals(OBJECTS.get(depth)) ->
            objects(d, depth + 1).ifPresent(objects -> stay.put(child.getKey(), objects));
        case Node.File f when depth > OBJECTS.size() && name.endsWith(OBJECT) ->
            stay.put(child.getKey(), f);
        case Node.Symlink s when depth > OBJECTS.size() && name.endsWith(OBJECT) ->
            stay.put(child.getKey(), s);
        default -> {}
      }
    }
    return stay.isEmpty()
        ? Optional.empty()
        : Optional.of(new Node.Directory(directory.metadata(), stay, false, true));
  }

  private static boolean bringsCommit(Node.Directory repository) throws IOException {
    boolean[] found = {false};
    new FileTree(repository)
        .walk(
            (path, node) ->
                found[0] |= node instanceof Node.File && path.toString().endsWith(COMMIT));
    return found[0];
  }

  /** How many entries a directory has, all below it counted. */
  private static int entries(Node.Directory directory) throws IOException {
    int[] entries = {-1};
    new FileTree(directory).walk((path, node) -> entries[0]++);
    return entries[0];
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
    if (below instanceof Node.Directory b && above instanceof Node.Whiteout) {
      // It hides what lower layers have, not what this one brings.
      return new Node.Directory(b.metadata(), new TreeMap<>(b.children()), true, b.implied());
    }
    return above;
  }

  // ---- what ostree keeps of each node ----

  private Node.Directory directory(OsPath path, Node.Directory directory) {
    TreeMap<OsPath, Node> children = new TreeMap<>();
    for (Map.Entry<OsPath, Node> child : directory.children().entrySet()) {
      OsPath where = path.resolve(child.getKey());
      if (child.getKey().startsWith(LayerCommits.WHITEOUT)) {
        throw Problem.corrupt(
            layer + ": \"" + Printable.text(where.toString()) + "\" has the name of a whiteout");
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
        kept(directory.metadata()), children, directory.opaque(), directory.implied());
  }

  private Node keep(OsPath path, Node node) {
    return switch (node) {
      case Node.Directory d -> directory(path, d);
      case Node.File f -> {
        if (f.content() instanceof Dropped target) {
          throw Problem.input(
              layer
                  + ": \""
                  + Printable.text(path.toString())
                  + "\" is a hard link to \""
                  + Printable.text(target.path.toString())
                  + "\", which an import leaves out: make it a copy");
        }
        yield new Node.File(kept(f.metadata()), f.content());
      }
      case Node.Symlink s -> new Node.Symlink(kept(s.metadata()), s.target());
      case Node.Special s ->
          throw Problem.input(
              layer
                  + ": \""
                  + Printable.text(path.toString())
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
