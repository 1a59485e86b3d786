package slipway.ostree.container;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
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
import slipway.tree.TreeBuilder;

/**
 * Lays the layers of an image over each other, above the commit that others of its layers
 * encapsulate, and labels what layers of files brought by the SELinux policy that comes out. What
 * the commit brought keeps its labels, unless a layer above changes the policy. The commits of the
 * layers are written anew with the labels, so that they share their objects with the image. For one
 * thread.
 */
final class LayerMerge {
  private static final OsPath POLICY = OsPath.of("usr/etc/selinux");

  /** Files that build tools leave empty in an image. */
  private static final List<String> LEFTOVERS = List.of("usr/etc/hostname", "usr/etc/resolv.conf");

  private final Transaction transaction;
  private final @Nullable FileTree base;
  private final LinkedLayers linked;
  private final List<Part> parts = new ArrayList<>();

  /** The commit's files with the labels that they have in the image. */
  private @Nullable FileTree below;

  private @Nullable Relabelling relabelling;

  /** The commits of layers that were written anew, by blob. */
  private final Map<Digest, Checksum> relabelled = new HashMap<>();

  /** The layers as their commits have them, by blob. */
  private final Map<Digest, Layer> done = new HashMap<>();

  /** The layers as the image has them. */
  private List<Layer> placed = List.of();

  /**
   * @param stored with hard links as they are, which lead elsewhere above other layers
   * @param layer with files in their place
   */
  private record Part(
      Digest blob, @Nullable Digest diffId, boolean withoutObjects, Layer stored, Layer layer) {}

  /**
   * @param base of the encapsulated commit, or null
   */
  LayerMerge(Transaction transaction, @Nullable FileTree base) {
    this.transaction = transaction;
    this.base = base;
    this.linked = new LinkedLayers(base);
    this.below = base;
  }

  /**
   * Adds a layer of files on top.
   *
   * @param diffId as it was checked; null when it never was
   * @param withoutObjects see {@link LayerFilter#isWithoutObjects}
   */
  void add(Digest blob, @Nullable Digest diffId, boolean withoutObjects, Layer layer) {
    parts.add(new Part(blob, diffId, withoutObjects, layer, linked.add(layer)));
  }

  /** Merges, and sets the refs of layers that got labels. */
  FileTree run() throws IOException {
    List<Layer> order = new ArrayList<>(parts.stream().map(Part::layer).toList());
    FileTree tree = merge(base, order);
    if (parts.isEmpty()) {
      return tree;
    }
    FileLabels labels = FileLabels.of(new ImageFiles(tree)).orElse(null);
    Relabelling work = new Relabelling(transaction, labels);
    relabelling = work;
    if (base != null && labels != null && !policy(base).equals(policy(tree))) {
      below = new FileTree(work.tree(base.root(), false));
    }
    boolean same = below == base;
    for (int i = 0; i < order.size(); i++) {
      Part part = parts.get(i);
      Layer stored = done.get(part.blob());
      if (stored == null) {
        stored = stored(work, part);
        done.put(part.blob(), stored);
      }
      Layer made =
          part.layer() == part.stored() ? stored : new Layer(work.tree(part.layer().root(), true));
      same = same && made.root() == part.layer().root();
      order.set(i, made);
    }
    placed = order;
    return same ? tree : merge(below, order);
  }

  /** A layer with labels, for the next image that has it. */
  private Layer stored(Relabelling work, Part part) throws IOException {
    Layer made = new Layer(work.tree(part.stored().root(), true));
    if (made.root() != part.stored().root()) {
      Checksum commit = LayerCommits.write(transaction, made, part.diffId(), part.withoutObjects());
      transaction.setRef(ContainerRefs.layer(part.blob()), commit);
      relabelled.put(part.blob(), commit);
    }
    return made;
  }

  private static FileTree merge(@Nullable FileTree base, List<Layer> layers) {
    List<Layer> order = new ArrayList<>(layers);
    if (base != null) {
      order.addFirst(new Layer(base.root()));
    }
    return withoutLeftovers(Layers.merge(order));
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
   * Notes what a layer holds, for the next version of it.
   *
   * @param commit of the layer as it was fetched
   * @param known contents of its files
   */
  void note(Digest blob, Checksum commit, List<LayerFetch.Known> known) throws IOException {
    Relabelling work = relabelling;
    List<ContentIndex.Entry> entries = new ArrayList<>();
    for (LayerFetch.Known each : known) {
      List<Checksum> objects =
          work == null ? List.of(each.object().checksum()) : work.objects(each.object());
      objects.forEach(object -> entries.add(new ContentIndex.Entry(each.content(), object)));
    }
    ContentIndex.write(transaction.repository(), relabelled.getOrDefault(blob, commit), entries);
  }

  /**
   * Takes back what nothing needs any more: what labelled objects stand in for, and what attempts
   * in vain wrote.
   *
   * @param needed content that is to stay as it is
   * @param commits of the layers as they were fetched, by blob
   * @param vain objects that attempts wrote
   * @param vainCommits likewise commits
   */
  void discard(
      Collection<Node> needed,
      Map<Digest, Checksum> commits,
      Set<Checksum> vain,
      Set<Checksum> vainCommits)
      throws IOException {
    Set<Checksum> files = new HashSet<>(vain);
    Relabelling work = relabelling;
    if (work != null) {
      files.addAll(work.replaced());
    }
    if (!files.isEmpty()) {
      needed.forEach(node -> retain(node, files));
      for (Node.Directory root : roots()) {
        new FileTree(root).walk((path, node) -> retain(node, files));
      }
    }
    Set<Checksum> old = new HashSet<>(vainCommits);
    relabelled.keySet().forEach(blob -> Optional.ofNullable(commits.get(blob)).ifPresent(old::add));
    transaction.discard(ObjectType.COMMIT, old);
    transaction.discard(ObjectType.FILE, files);
  }

  /** All that commits are made of here, each directory once. */
  private Set<Node.Directory> roots() {
    Set<Node.Directory> roots = Collections.newSetFromMap(new IdentityHashMap<>());
    if (below != null) {
      roots.add(below.root());
    }
    done.values().forEach(layer -> roots.add(layer.root()));
    placed.forEach(layer -> roots.add(layer.root()));
    return roots;
  }

  private static void retain(Node node, Set<Checksum> files) {
    if (node instanceof Node.File f && f.content() instanceof ObjectContent object) {
      files.remove(object.checksum());
    }
  }

  /** The same tree without files that build tools leave empty. */
  static FileTree withoutLeftovers(FileTree tree) {
    TreeBuilder builder = new TreeBuilder(tree);
    for (String path : LEFTOVERS) {
      Node node = tree.find(OsPath.of(path)).orElse(null);
      if (node instanceof Node.File f && f.content().size() == 0) {
        builder.remove(path);
      }
    }
    return builder.build();
  }
}
