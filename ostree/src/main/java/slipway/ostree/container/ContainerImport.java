package slipway.ostree.container;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.ImageTotals;
import slipway.base.AfterCommit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.oci.chunked.PartialLayer;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.LayerSpace;
import slipway.oci.copy.Transfer;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.ostree.gvariant.GVariant;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.Commit;
import slipway.ostree.object.CommitSpec;
import slipway.ostree.object.ObjectType;
import slipway.ostree.object.TreeRoot;
import slipway.ostree.repo.FsckReport;
import slipway.ostree.repo.ObjectContent;
import slipway.ostree.repo.Repository;
import slipway.ostree.repo.Transaction;
import slipway.ostree.repo.VerityIndex;
import slipway.tree.FileTree;
import slipway.tree.Layer;

/**
 * Brings a container image into a repository as ostree-ext does: each layer is a commit under
 * {@code ostree/container/blob/}, their merge is a commit under {@code ostree/container/image/}.
 * Layers stream straight from the source, several at once; the merge happens in memory on the
 * trees, no file is written twice.
 */
public final class ContainerImport {
  private static final long MEGABYTE = 1_000_000;

  private final Repository repository;
  private final ImageSource source;
  private final Manifest.Image manifest;
  private final ImageConfig config;
  private final String imgref;
  private final Set<String> displaced;
  private final @Nullable LayerCache cache;
  private final Progress progress;
  private final ImageTotals totals = new ImageTotals("the image's layers");

  private ContainerImport(
      Repository repository,
      ImageSource source,
      Manifest.Image manifest,
      ImageConfig config,
      String imgref,
      Set<String> displaced,
      @Nullable LayerCache cache,
      Progress progress) {
    this.repository = repository;
    this.source = source;
    this.manifest = manifest;
    this.config = config;
    this.imgref = imgref;
    this.displaced = displaced;
    this.cache = cache;
    this.progress = progress;
  }

  /**
   * Imports an image. An image whose manifest or config the repository has under this name already
   * is not imported again. The commit point is the rename of the image's ref, the last of all; a
   * failure before it leaves the old image, and the layers that were complete.
   *
   * @param source where the layers are; what it gives is verified
   * @param config as parsed from the image's config blob
   * @param imgref what names it in the ref, such as {@code docker://quay.io/os/image:tag}
   * @throws Problem when the image is damaged, cannot be held, or does not fit
   */
  public static Imported run(
      Repository repository,
      ImageSource source,
      Manifest.Image manifest,
      ImageConfig config,
      String imgref,
      Progress progress)
      throws IOException {
    return run(repository, source, manifest, config, imgref, Set.of(), progress);
  }

  /**
   * As {@link #run(Repository, ImageSource, Manifest.Image, ImageConfig, String, Progress)}, in the
   * place of other images.
   *
   * @param displaced images of {@link ContainerImages#conflicting}, whose refs go when this image's
   *     is set, and not before
   */
  public static Imported run(
      Repository repository,
      ImageSource source,
      Manifest.Image manifest,
      ImageConfig config,
      String imgref,
      Set<String> displaced,
      Progress progress)
      throws IOException {
    return new ContainerImport(
            repository, source, manifest, config, imgref, displaced, null, progress)
        .run();
  }

  /**
   * As {@link #run(Repository, ImageSource, Manifest.Image, ImageConfig, String, Progress)}, into a
   * new repository.
   *
   * @param cache of layers that other repositories had; null for none
   */
  public static Imported run(
      Repository repository,
      ImageSource source,
      Manifest.Image manifest,
      ImageConfig config,
      String imgref,
      @Nullable LayerCache cache,
      Progress progress)
      throws IOException {
    return new ContainerImport(
            repository, source, manifest, config, imgref, Set.of(), cache, progress)
        .run();
  }

  /** A part of a ref name, escaped as ostree-ext does. */
  public static String escapeRef(String text) {
    return ContainerRefs.escape(text);
  }

  private Imported run() throws IOException {
    requireLayers(manifest, config, shown());
    Optional<Checksum> before = repository.resolveRef(ContainerRefs.image(imgref));
    boolean readable = before.flatMap(repository::readableCommit).isPresent();
    if (readable) {
      ContainerImages.Stored old = new ContainerImages(repository).read(before.get());
      if (isSame(old)) {
        return new Imported(old.commit().checksum(), manifest.layers().size(), 0, 0);
      }
    }
    requireName();
    byte[] configBytes = Transfer.config(source, manifest);
    try (Transaction transaction = Transaction.begin(repository, true)) {
      before.filter(commit -> !readable).ifPresent(commit -> replace(transaction, commit));
      return run(transaction, configBytes);
    }
  }

  /** A commit that cannot be read is as good as none; one that is written takes its place. */
  private void replace(Transaction transaction, Checksum damaged) {
    if (repository.has(damaged, ObjectType.COMMIT)) {
      transaction.replace(damaged, ObjectType.COMMIT);
      progress.note(
          "the commit " + damaged + " of " + repository.path() + " is damaged" + FsckReport.REPAIR);
    }
  }

  /**
   * Refuses images whose layers nobody could tell.
   *
   * @param shown the image's name for messages
   */
  static void requireLayers(Manifest.Image manifest, ImageConfig config, String shown) {
    if (config.diffIds().size() != manifest.layers().size()) {
      throw Problem.corrupt(
          shown
              + " has "
              + manifest.layers().size()
              + " layers in its manifest and "
              + config.diffIds().size()
              + " in its config");
    }
  }

  /** The image's name for messages. */
  private String shown() {
    return Printable.text(imgref);
  }

  /** Known now, not after the download: refs are files, one cannot lie below another. */
  private void requireName() throws IOException {
    Set<String> others = new ContainerImages(repository).conflicting(imgref);
    others.removeAll(displaced);
    if (!others.isEmpty()) {
      throw Problem.input(
          shown()
              + " cannot be imported beside "
              + Printable.text(String.join(", ", others))
              + ": the ref of one would lie below that of the other; remove it from the repository"
              + " first");
    }
  }

  private boolean isSame(ContainerImages.Stored stored) {
    return stored.manifestDigest().equals(manifest.digest())
        || (stored.manifest().config().digest().equals(manifest.config().digest())
            && ContainerImages.isChecked(stored.commit()));
  }

  // ---- layers ----

  /** The commit that lower layers encapsulate. */
  private record Base(Checksum commit, FileTree tree) {}

  private Imported run(Transaction transaction, byte[] configBytes) throws IOException {
    ImageParts parts = new ImageParts(transaction);
    int ofCommit = Encapsulation.layers(manifest, config);
    List<WantedLayer> missing = takePresent(transaction, ofCommit, parts);
    requireSent(missing);
    long available = transaction.available();
    new LayerSpace(
            source, missing.stream().map(WantedLayer::blob).toList(), repository::contentBytes)
        .require(available, shown(), repository.path());
    int present = parts.count;
    try {
      long bytes = fetch(transaction, missing, parts);
      Base base = ofCommit == 0 ? null : base(transaction, parts);
      Checksum commit = merge(transaction, base, ofCommit, parts, configBytes);
      keepDetached(parts);
      return new Imported(commit, present, missing.size(), bytes);
    } catch (IOException | Problem e) {
      if (MissingLayers.isFull(repository, e)) {
        long needed = Math.max(0, available) + MEGABYTE;
        throw LayerSpace.full(needed, available, shown(), repository.path(), e);
      }
      throw e;
    }
  }

  private @Nullable CachedLayers cached(List<WantedLayer> missing) {
    long bytes = missing.stream().mapToLong(w -> w.blob().size()).sum();
    return cache == null ? null : cache.use(bytes, progress).orElse(null);
  }

  /** Brings the layers that the repository lacks; gives the bytes that came from the source. */
  private long fetch(Transaction transaction, List<WantedLayer> missing, ImageParts parts)
      throws IOException {
    ContentIndex contents = contents(transaction, missing, parts);
    try (CachedLayers cached = cached(missing)) {
      long bytes =
          new MissingLayers(repository, transaction, source, totals, progress, parts, cached)
              .fetch(missing, contents);
      if (cached != null) {
        parts.vainCommits.addAll(cached.vainCommits());
        cached.keep();
      }
      return bytes;
    }
  }

  /**
   * Takes the layers that the repository has.
   *
   * @param ofCommit how many of the layers hold objects of a commit
   * @return the others
   */
  private List<WantedLayer> takePresent(Transaction transaction, int ofCommit, ImageParts parts)
      throws IOException {
    List<WantedLayer> missing = new ArrayList<>();
    Map<Digest, WantedLayer> seen = new HashMap<>();
    KnownLayers known = new KnownLayers(repository, damaged -> replace(transaction, damaged));
    for (int i = 0; i < manifest.layers().size(); i++) {
      WantedLayer wanted =
          new WantedLayer(
              manifest.layers().get(i), config.diffIds().get(i), i < ofCommit, ofCommit > 0);
      WantedLayer before = seen.put(wanted.blob().digest(), wanted);
      if (before != null) {
        requireSame(before, wanted);
        continue;
      }
      Optional<Commit> commit = known.find(wanted);
      if (commit.isPresent()) {
        parts.addPresent(repository, wanted, commit.get(), totals);
      } else {
        missing.add(wanted);
      }
    }
    return missing;
  }

  /** Refuses a layer that is listed twice as two different ones. */
  private void requireSame(WantedLayer before, WantedLayer again) {
    if (before.objects() != again.objects()) {
      throw Problem.corrupt(shown() + " has a layer of its commit once more above it");
    }
    if (!before.diffId().equals(again.diffId())) {
      throw Problem.corrupt(
          shown()
              + " has the layer "
              + again.blob().digest()
              + " twice, and its config says that it holds "
              + before.diffId()
              + " and "
              + again.diffId());
    }
  }

  /** What is exported for machines that have another version leaves out what that has. */
  private void requireSent(List<WantedLayer> missing) throws IOException {
    for (WantedLayer w : missing) {
      if (source.lacks(w.blob())) {
        throw Problem.notFound(
            "the layer "
                + w.blob().digest()
                + " of "
                + shown()
                + " is neither in "
                + Printable.text(source.describe())
                + " nor on this machine, which lacks the version that it was exported from; export"
                + " it from one that bootc status shows here (--delta-from), or whole");
      }
    }
  }

  /**
   * What of the missing layers may be there already: in layers that the image lacks, most of all
   * those of the version before.
   *
   * @return null when no layer tells what is in it
   */
  private @Nullable ContentIndex contents(
      Transaction transaction, List<WantedLayer> missing, ImageParts parts) throws IOException {
    long packed =
        missing.stream()
            .filter(w -> !w.objects())
            .map(WantedLayer::blob)
            .filter(PartialLayer::isOffered)
            .mapToLong(Descriptor::size)
            .sum();
    if (packed == 0) {
      return null;
    }
    Map<String, Checksum> others = new TreeMap<>(repository.refs(ContainerRefs.LAYERS));
    parts.layers.keySet().forEach(blob -> others.remove(ContainerRefs.layer(blob)));
    return new ContentIndex(
        repository,
        Set.copyOf(others.values()),
        packed,
        damaged -> transaction.replace(damaged, ObjectType.FILE),
        progress);
  }

  // ---- the merge ----

  /** Puts the commit together that the lower layers hold, unless the repository has it. */
  private Base base(Transaction transaction, ImageParts parts) throws IOException {
    Checksum whole = parts.whole;
    if (whole != null) {
      FileTree tree = repository.readTree(repository.readCommit(whole), imageOn(whole));
      new Layer(tree.root()).countIn(totals);
      return new Base(whole, tree);
    }
    for (Commit content : parts.contents) {
      parts.base.add(EncapsulatedLayer.read(repository, content));
    }
    parts.base.requireUnmarked();
    FileTree tree = parts.base.tree(totals);
    Checksum commit = parts.base.write(transaction, tree);
    Descriptor layer = java.util.Objects.requireNonNull(parts.wholeLayer);
    transaction.setRef(ContainerRefs.layer(layer.digest()), commit);
    return new Base(commit, tree);
  }

  /**
   * An image that stands on a commit, or the commit itself: digests of its files are known there.
   */
  private Commit imageOn(Checksum commit) throws IOException {
    for (Checksum image : new ContainerImages(repository).list().values()) {
      Optional<Commit> read = repository.readableCommit(image);
      Checksum parent = read.map(Commit::parent).orElse(null);
      if (parent != null && parent.equals(commit)) {
        return read.get();
      }
    }
    return repository.readCommit(commit);
  }

  /** Signatures of the commit, which is there without them, too. */
  private void keepDetached(ImageParts parts) {
    if (parts.wholeLayer == null || parts.base.detached().isEmpty()) {
      return;
    }
    new AfterCommit(progress::note)
        .attempt(
            "the signatures of the image's commit could not be kept",
            () -> repository.addDetachedMetadata(parts.base.checksum(), parts.base.detached()));
  }

  private Checksum merge(
      Transaction transaction,
      @Nullable Base base,
      int ofCommit,
      ImageParts parts,
      byte[] configBytes)
      throws IOException {
    ImageCommit described = new ImageCommit(manifest, config, configBytes, shown(), progress);
    LayerMerge merge = new LayerMerge(transaction, base == null ? null : base.tree());
    for (int i = ofCommit; i < manifest.layers().size(); i++) {
      Digest blob = manifest.layers().get(i).digest();
      merge.add(
          blob,
          parts.unchecked.contains(blob) ? null : config.diffIds().get(i),
          parts.withoutObjects.contains(blob),
          java.util.Objects.requireNonNull(parts.layers.get(blob)));
    }
    FileTree tree = merge.run();
    TreeRoot root = transaction.writeTree(tree);
    requireReplaced(transaction, tree);
    // A commit has no diff id, so that of its layer is checked only when it comes.
    boolean unchecked = base != null || !parts.unchecked.isEmpty();
    Map<String, GVariant> metadata = described.metadata(tree, unchecked);
    if (base != null) {
      metadata.put(VerityIndex.KEY, merge.verityTable(parts.verity));
    }
    Checksum commit =
        transaction.writeCommit(
            new CommitSpec(
                metadata,
                base == null ? null : base.commit(),
                "",
                "",
                described.timestamp(),
                root));
    displaced.forEach(other -> transaction.setRef(ContainerRefs.image(other), null));
    transaction.setRef(ContainerRefs.image(imgref), commit);
    merge.discard(parts.base.contents(), parts.commits, parts.vain, parts.vainCommits);
    transaction.commit();
    repository.remember(commit, tree);
    noteContents(merge, parts);
    return commit;
  }

  /** An object that was found damaged is in no new image, unless its file came with this one. */
  private void requireReplaced(Transaction transaction, FileTree tree) throws IOException {
    tree.walk(
        (path, node) -> {
          Checksum object = ObjectContent.linked(node).orElse(null);
          if (object != null && transaction.isUnreplaced(object, ObjectType.FILE)) {
            throw Problem.corrupt(
                "the image's /"
                    + Printable.text(path.toString())
                    + " is the object "
                    + object
                    + " of "
                    + repository.path()
                    + ", which is damaged and did not come with it"
                    + FsckReport.REPAIR);
          }
        });
  }

  /** A note that is missing is made again by reading the layer. */
  private void noteContents(LayerMerge merge, ImageParts parts) {
    AfterCommit after = new AfterCommit(progress::note);
    parts.known.forEach(
        (blob, known) -> {
          Checksum commit = java.util.Objects.requireNonNull(parts.commits.get(blob));
          after.attempt(
              "what a layer holds is not noted for the next one",
              () -> merge.note(blob, commit, known));
        });
  }
}
