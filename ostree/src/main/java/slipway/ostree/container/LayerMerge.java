package slipway.ostree.container;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.linux.posix.OsPath;
import slipway.oci.model.Digest;
import slipway.ostree.gvariant.GVariant;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.ObjectType;
import slipway.ostree.repo.ObjectContent;
import slipway.ostree.repo.Transaction;
import slipway.ostree.repo.VerityIndex;
import slipway.system.files.ImageFiles;
import slipway.system.selinux.FileLabels;
import slipway.tree.FileTree;
import slipway.tree.Layer;
import slipway.tree.Layers;
import slipway.tree.Node;

/**
 * Lays the layers of an image over each other, above the commit that others of its layers
 * encapsulate, and labels what layers of files brought by the SELinux policy that comes out. What
 * the commit brought keeps its labels, unless a layer above changes the policy. The commits of the
 * layers are written anew with the labels, so that they share their objects with the image. For one
 * thread.
 */
final class LayerMerge {
  private static final OsPath ROOT = OsPath.of("");
  private static final OsPath POLICY = OsPath.of("usr/etc/selinux");

  private final Transaction transaction;
  private final @Nullable FileTree base;
  private final List<Part> parts = new ArrayList<>();

  /** The commit's files with the labels that they have in the image. */
  private @Nullable FileTree below;

  private @Nullable Relabelling relabelling;

  /** Layers whose commits were written anew, by blob. */
  private final Set<Digest> relabelled = new HashSet<>();

  private record Part(Digest blob, @Nullable Digest diffId, Layer layer) {}

  /**
   * @param base of the encapsulated commit, or null
   */
  LayerMerge(Transaction transaction, @Nullable FileTree base) {
    this.transaction = transaction;
    this.base = base;
    this.below = base;
  }

  /**
   * Adds a layer of files on top.
   *
   * @param diffId as it was checked; null when it never was
   */
  void add(Digest blob, @Nullable Digest diffId, Layer layer) {
    parts.add(new Part(blob, diffId, base == null ? layer : linked(layer, base)));
  }

  /** Merges, and sets the refs of layers that got labels. */
  FileTree run() throws IOException {
    List<Layer> order = new ArrayList<>(parts.stream().map(Part::layer).toList());
    FileTree tree = merge(base, order);
    Optional<FileLabels> labels =
        parts.isEmpty() ? Optional.empty() : FileLabels.of(new ImageFiles(tree));
    if (labels.isEmpty()) {
      return tree;
    }
    Relabelling work = new Relabelling(transaction, labels.get());
    relabelling = work;
    if (base != null && !policy(base).equals(policy(tree))) {
      below = new FileTree(work.directory(ROOT, base.root()));
    }
    boolean same = below == base;
    Map<Digest, Layer> done = new HashMap<>();
    for (int i = 0; i < order.size(); i++) {
      Part part = parts.get(i);
      Layer made = done.get(part.blob());
      if (made == null) {
        made = new Layer(work.directory(ROOT, part.layer().root()));
        done.put(part.blob(), made);
        if (made.root() != part.layer().root()) {
          transaction.setRef(
              ContainerRefs.layer(part.blob()),
              LayerCommits.write(transaction, made, part.diffId()));
          relabelled.add(part.blob());
          same = false;
        }
      }
      order.set(i, made);
    }
    return same ? tree : merge(below, order);
  }

  private static FileTree merge(@Nullable FileTree base, List<Layer> layers) {
    List<Layer> order = new ArrayList<>(layers);
    if (base != null) {
      order.addFirst(new Layer(base.root()));
    }
    return ContainerImport.withoutLeftovers(Layers.merge(order));
  }

  /** The files of the policy; what no layer touched is the same node. */
  private static Map<OsPath, Node> policy(FileTree tree) throws IOException {
    Map<OsPath, Node> files = new HashMap<>();
    if (tree.find(POLICY).orElse(null) instanceof Node.Directory directory) {
      new FileTree(directory)
          .walk(
              (path, node) -> {
                if (!(node instanceof Node.Directory)) {
                  files.put(path, node);
                }
              });
    }
    return files;
  }

  /**
   * With files of the commit in the place of hard links to its objects, of which the layer itself
   * has none.
   */
  static Layer linked(Layer layer, FileTree base) {
    return new Layer(linked(layer.root(), base, new HashMap<>()));
  }

  private static Node.Directory linked(
      Node.Directory directory, FileTree base, Map<Checksum, Node> objects) {
    TreeMap<OsPath, Node> children = new TreeMap<>();
    boolean same = true;
    for (Map.Entry<OsPath, Node> child : directory.children().entrySet()) {
      Node node =
          switch (child.getValue()) {
            case Node.Directory d -> linked(d, base, objects);
            case Node.LinkBelow link ->
                Encapsulation.name(link.target())
                    .map(name -> objects(base, objects).getOrDefault(name.checksum(), link))
                    .orElse(link);
            case Node other -> other;
          };
      same = same && node == child.getValue();
      children.put(child.getKey(), node);
    }
    return same
        ? directory
        : new Node.Directory(
            directory.metadata(), children, directory.opaque(), directory.implied());
  }

  /** The commit's files by their objects, worked out when the first one is asked for. */
  private static Map<Checksum, Node> objects(FileTree base, Map<Checksum, Node> known) {
    if (known.isEmpty()) {
      collect(base.root(), known);
    }
    return known;
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

  /**
   * The fs-verity digests of the commit's files, as they are in the image, that no layer's commit
   * has.
   *
   * @param covered the files of layers whose commits have them
   */
  GVariant verityTable(Set<Checksum> covered) throws IOException {
    Map<Checksum, byte[]> digests = new HashMap<>();
    java.util.Objects.requireNonNull(below)
        .walk(
            (path, node) -> {
              if (node instanceof Node.File f
                  && f.content() instanceof ObjectContent object
                  && object.size() > 0
                  && !covered.contains(object.checksum())) {
                digests.put(object.checksum(), object.verityDigest());
              }
            });
    return VerityIndex.table(digests);
  }

  /**
   * Takes back what labelled objects stand in for.
   *
   * @param needed content that is to stay as it is
   * @param commits of the layers as they were fetched, by blob
   */
  void discard(Collection<Node> needed, Map<Digest, Checksum> commits) throws IOException {
    Relabelling work = relabelling;
    if (work == null) {
      return;
    }
    for (Node node : needed) {
      if (node instanceof Node.File f) {
        work.keep(f.content());
      }
    }
    Set<Checksum> old = new HashSet<>();
    relabelled.forEach(blob -> Optional.ofNullable(commits.get(blob)).ifPresent(old::add));
    transaction.discard(ObjectType.COMMIT, old);
    transaction.discard(ObjectType.FILE, work.replaced());
  }
}
