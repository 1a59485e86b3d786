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
  private final LinkedLayers linked;
  private final List<Part> parts = new ArrayList<>();

  /** The commit's files with the labels that they have in the image. */
  private @Nullable FileTree below;

  private @Nullable Relabelling relabelling;

  /** Layers whose commits were written anew, by blob. */
  private final Set<Digest> relabelled = new HashSet<>();

  /**
   * @param stored with hard links as they are, which lead elsewhere above other layers
   * @param layer with files in their place
   */
  private record Part(Digest blob, @Nullable Digest diffId, Layer stored, Layer layer) {}

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
   */
  void add(Digest blob, @Nullable Digest diffId, Layer layer) {
    parts.add(new Part(blob, diffId, layer, linked.add(layer)));
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
      Layer stored = done.get(part.blob());
      if (stored == null) {
        stored = stored(work, part);
        done.put(part.blob(), stored);
      }
      Layer made =
          part.layer() == part.stored()
              ? stored
              : new Layer(work.directory(ROOT, part.layer().root()));
      same = same && made.root() == part.layer().root();
      order.set(i, made);
    }
    return same ? tree : merge(below, order);
  }

  /** A layer with labels, for the next image that has it. */
  private Layer stored(Relabelling work, Part part) throws IOException {
    Layer made = new Layer(work.directory(ROOT, part.stored().root()));
    if (made.root() != part.stored().root()) {
      transaction.setRef(
          ContainerRefs.layer(part.blob()), LayerCommits.write(transaction, made, part.diffId()));
      relabelled.add(part.blob());
    }
    return made;
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
