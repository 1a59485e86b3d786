package slipway.ostree.container;

import java.io.IOException;
import java.nio.file.Files;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.ImageTotals;
import slipway.base.FullDisk;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.posix.OsPath;
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
import slipway.ostree.repo.Repository;
import slipway.ostree.repo.Transaction;
import slipway.ostree.repo.VerityIndex;
import slipway.system.boot.PrepareRootConfig;
import slipway.system.files.ImageFiles;
import slipway.tree.Content;
import slipway.tree.FileTree;
import slipway.tree.Layer;
import slipway.tree.Node;

/**
 * Brings a container image into a repository as ostree-ext does: each layer is a commit under
 * {@code ostree/container/blob/}, their merge is a commit under {@code ostree/container/image/}.
 * Layers stream straight from the source, several at once; the merge happens in memory on the
 * trees, no file is written twice.
 */
public final class ContainerImport {
  private static final int MAX_PARALLEL = 4;
  private static final long MEGABYTE = 1_000_000;

  /** How many attributes' names one line tells. */
  private static final int MAX_NAMED = 5;

  /** Files that build tools leave empty in an image. */
  private static final List<String> LEFTOVERS = List.of("usr/etc/hostname", "usr/etc/resolv.conf");

  private final Repository repository;
  private final ImageSource source;
  private final Manifest.Image manifest;
  private final ImageConfig config;
  private final String imgref;
  private final Set<String> displaced;
  private final Progress progress;
  private final ImageTotals totals = new ImageTotals("the image's layers");

  private ContainerImport(
      Repository repository,
      ImageSource source,
      Manifest.Image manifest,
      ImageConfig config,
      String imgref,
      Set<String> displaced,
      Progress progress) {
    this.repository = repository;
    this.source = source;
    this.manifest = manifest;
    this.config = config;
    this.imgref = imgref;
    this.displaced = displaced;
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
    return new ContainerImport(repository, source, manifest, config, imgref, displaced, progress)
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
          "the commit "
              + damaged
              + " of "
              + repository.path()
              + " is damaged; bootc fsck --repair mends the versions that need it");
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

  /**
   * A layer of the image.
   *
   * @param objects whether it holds objects of a commit
   */
  private record Wanted(Descriptor blob, Digest diffId, boolean objects) {}

  /**
   * The commit that lower layers encapsulate.
   *
   * @param objects all content that came with it
   */
  private record Base(Checksum commit, FileTree tree, Collection<Node> objects) {}

  /** What of the image is there so far. */
  private static final class Parts {
    /** Layers of files, by blob, and their commits. */
    private final Map<Digest, Layer> layers = new HashMap<>();

    private final Map<Digest, Checksum> commits = new HashMap<>();

    /** Blobs of layers that were there already, and never held to a diff id. */
    private final Set<Digest> unchecked = new HashSet<>();

    private final EncapsulatedBase base = new EncapsulatedBase();
    private final List<Commit> contents = new ArrayList<>();

    /** Files whose fs-verity digests stand in the commits of layers. */
    private final Set<Checksum> verity = new HashSet<>();

    /** What files of layers hold that came in parts, by blob. */
    private final Map<Digest, List<LayerFetch.Known>> known = new HashMap<>();

    /** What attempts in vain wrote. */
    private final List<Content> vain = new ArrayList<>();

    private @Nullable Checksum whole;
    private @Nullable Descriptor wholeLayer;
    private int count;
  }

  private Imported run(Transaction transaction, byte[] configBytes) throws IOException {
    Parts parts = new Parts();
    List<Wanted> missing = new ArrayList<>();
    Map<Digest, Wanted> seen = new HashMap<>();
    KnownLayers known = new KnownLayers(repository, damaged -> replace(transaction, damaged));
    int ofCommit = Encapsulation.layers(manifest, config);
    for (int i = 0; i < manifest.layers().size(); i++) {
      Wanted wanted = new Wanted(manifest.layers().get(i), config.diffIds().get(i), i < ofCommit);
      Wanted before = seen.put(wanted.blob().digest(), wanted);
      if (before != null) {
        requireSame(before, wanted);
        continue;
      }
      Optional<Commit> commit =
          known.find(wanted.blob().digest(), wanted.diffId(), wanted.objects());
      if (commit.isPresent()) {
        take(transaction, wanted, commit.get(), parts);
      } else {
        missing.add(wanted);
      }
    }
    requireSent(missing);
    long available = transaction.available();
    new LayerSpace(source, missing.stream().map(Wanted::blob).toList(), repository::contentBytes)
        .require(available, shown(), repository.path());
    int present = parts.count;
    try {
      long bytes = fetch(transaction, missing, parts);
      Base base = ofCommit == 0 ? null : base(transaction, parts);
      Checksum commit = merge(transaction, base, ofCommit, parts, configBytes);
      keepDetached(parts);
      return new Imported(commit, present, missing.size(), bytes);
    } catch (IOException | Problem e) {
      if (isFull(e)) {
        long needed = Math.max(0, available) + MEGABYTE;
        throw LayerSpace.full(needed, available, shown(), repository.path(), e);
      }
      throw e;
    }
  }

  /** Refuses a layer that is listed twice as two different ones. */
  private void requireSame(Wanted before, Wanted again) {
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
  private void requireSent(List<Wanted> missing) throws IOException {
    for (Wanted w : missing) {
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
      Transaction transaction, List<Wanted> missing, Parts parts) throws IOException {
    long packed =
        missing.stream()
            .filter(w -> !w.objects())
            .map(Wanted::blob)
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

  /** Takes a layer that the repository has. */
  private void take(Transaction transaction, Wanted wanted, Commit commit, Parts parts)
      throws IOException {
    Digest blob = wanted.blob().digest();
    if (LayerCommits.diffId(commit).isEmpty()) {
      parts.unchecked.add(blob);
    }
    if (!wanted.objects()) {
      Layer layer = LayerCommits.read(repository, commit.checksum());
      layer.countIn(totals);
      parts.layers.put(blob, layer);
    } else if (EncapsulatedLayer.isContent(repository, commit)) {
      parts.contents.add(commit);
    } else {
      parts.whole = commit.checksum();
    }
    parts.verity.addAll(VerityIndex.recorded(commit));
    transaction.setRef(ContainerRefs.layer(blob), commit.checksum());
    parts.count++;
  }

  /** Not when inodes or room for attributes ran out, which the sentence at hand tells better. */
  private boolean isFull(Throwable failure) throws IOException {
    return (failure instanceof Problem p && p.kind() == Problem.Kind.FULL)
        || (FullDisk.isCauseOf(failure)
            && Files.getFileStore(repository.path()).getUsableSpace() < MEGABYTE);
  }

  /** What a layer became. */
  private sealed interface Arrived {
    record Files(LayerFetch.Fetched fetched) implements Arrived {}

    /**
     * @param commit of a layer of content alone
     */
    record Objects(EncapsulatedLayer layer, Optional<Checksum> commit) implements Arrived {}
  }

  private Arrived fetch(Transaction transaction, Wanted wanted, @Nullable ContentIndex contents)
      throws IOException {
    if (!wanted.objects()) {
      return new Arrived.Files(
          new LayerFetch(source, totals, progress, contents)
              .run(transaction, wanted.blob(), wanted.diffId()));
    }
    EncapsulatedLayer layer =
        EncapsulatedLayer.read(
            transaction, source, wanted.blob(), wanted.diffId(), totals, progress);
    return new Arrived.Objects(
        layer,
        layer.commit().isPresent() ? Optional.empty() : Optional.of(layer.write(wanted.diffId())));
  }

  private static void take(
      Transaction transaction, Wanted wanted, LayerFetch.Fetched fetched, Parts parts) {
    Digest blob = wanted.blob().digest();
    parts.layers.put(blob, fetched.layer());
    parts.commits.put(blob, fetched.commit());
    if (!fetched.known().isEmpty()) {
      parts.known.put(blob, fetched.known());
    }
    parts.vain.addAll(fetched.vain());
    transaction.setRef(ContainerRefs.layer(blob), fetched.commit());
    parts.count++;
  }

  private static void take(
      Transaction transaction, Wanted wanted, Arrived.Objects arrived, Parts parts) {
    parts.base.add(arrived.layer());
    if (arrived.commit().isPresent()) {
      parts.verity.addAll(arrived.layer().contents().keySet());
      transaction.setRef(ContainerRefs.layer(wanted.blob().digest()), arrived.commit().get());
      parts.count++;
    } else {
      parts.wholeLayer = wanted.blob();
    }
  }

  /** Returns how many bytes came. */
  private long fetch(Transaction transaction, List<Wanted> missing, Parts parts)
      throws IOException {
    if (missing.isEmpty()) {
      return 0;
    }
    ContentIndex contents = contents(transaction, missing, parts);
    long bytes = 0;
    // The largest first, so that none of them is left to the end.
    List<Wanted> order = new ArrayList<>(missing);
    order.sort(Comparator.comparingLong((Wanted w) -> w.blob().size()).reversed());
    Map<String, Integer> dropped = new TreeMap<>();
    Map<String, Integer> attributes = new TreeMap<>();
    ExecutorService threads =
        Executors.newFixedThreadPool(
            Math.min(MAX_PARALLEL, order.size()),
            Thread.ofPlatform().daemon().name("layer-", 0).factory());
    try (threads) {
      Map<Wanted, Future<Arrived>> running = new LinkedHashMap<>();
      for (Wanted w : order) {
        running.put(w, threads.submit(() -> fetch(transaction, w, contents)));
      }
      Throwable failure = null;
      for (Map.Entry<Wanted, Future<Arrived>> entry : running.entrySet()) {
        try {
          switch (entry.getValue().get()) {
            case Arrived.Files files -> {
              take(transaction, entry.getKey(), files.fetched(), parts);
              bytes += files.fetched().bytes();
              files
                  .fetched()
                  .dropped()
                  .forEach((name, count) -> dropped.merge(name, count, Integer::sum));
              files
                  .fetched()
                  .attributes()
                  .forEach((name, count) -> attributes.merge(name, count, Integer::sum));
            }
            case Arrived.Objects objects -> {
              take(transaction, entry.getKey(), objects, parts);
              bytes += entry.getKey().blob().size();
            }
          }
        } catch (ExecutionException e) {
          failure = failure == null ? e.getCause() : failure;
          stop(threads);
        } catch (CancellationException e) {
          // It had not begun when another one failed.
        } catch (InterruptedException e) {
          stop(threads);
          Thread.currentThread().interrupt();
          throw new Problem(Problem.Kind.ENVIRONMENT, "the import was interrupted", e);
        }
      }
      if (failure != null) {
        if (!isFull(failure)) {
          keepComplete(transaction, parts.count);
        }
        rethrow(failure);
      }
    }
    reportDropped(dropped);
    reportAttributes(attributes);
    return bytes;
  }

  /** Interrupts what runs, and cancels what has not begun: nobody else would ever end that. */
  private static void stop(ExecutorService threads) {
    threads.shutdownNow().forEach(task -> ((Future<?>) task).cancel(false));
  }

  /** After a failure: publishes the layers that are complete, so that they need not come again. */
  private void keepComplete(Transaction transaction, int complete) {
    if (complete == 0) {
      return;
    }
    try {
      transaction.commit();
    } catch (IOException | Problem e) {
      // The failure that led here is the one to report; nothing that was there is lost.
      progress.note("the layers that were complete could not be kept: " + e.getMessage());
    }
  }

  private static void rethrow(Throwable failure) throws IOException {
    switch (failure) {
      case Problem p -> throw p;
      case IOException e -> throw e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new IllegalStateException(failure);
    }
  }

  private void reportDropped(Map<String, Integer> dropped) {
    if (!dropped.isEmpty()) {
      StringBuilder line = new StringBuilder("left out, because a running system makes its own:");
      String separator = " ";
      for (Map.Entry<String, Integer> entry : dropped.entrySet()) {
        line.append(separator).append(entry.getValue()).append(" below /").append(entry.getKey());
        separator = ", ";
      }
      progress.note(line.toString());
    }
  }

  private void reportAttributes(Map<String, Integer> attributes) {
    if (attributes.isEmpty()) {
      return;
    }
    List<String> parts = new ArrayList<>();
    for (Map.Entry<String, Integer> entry : attributes.entrySet()) {
      if (parts.size() == MAX_NAMED) {
        parts.add("and " + (attributes.size() - MAX_NAMED) + " more");
        break;
      }
      parts.add(entry.getKey() + " (" + entry.getValue() + ")");
    }
    progress.note(
        "left out, because Linux has no such extended attributes: " + String.join(", ", parts));
  }

  // ---- the merge ----

  /** Puts the commit together that the lower layers hold, unless the repository has it. */
  private Base base(Transaction transaction, Parts parts) throws IOException {
    Checksum whole = parts.whole;
    if (whole != null) {
      FileTree tree = repository.readTree(repository.readCommit(whole), imageOn(whole));
      new Layer(tree.root()).countIn(totals);
      return new Base(whole, tree, List.of());
    }
    for (Commit content : parts.contents) {
      parts.base.add(EncapsulatedLayer.read(repository, content));
    }
    parts.base.requireUnmarked();
    FileTree tree = parts.base.tree();
    Checksum commit = parts.base.write(transaction, tree);
    Descriptor layer = java.util.Objects.requireNonNull(parts.wholeLayer);
    transaction.setRef(ContainerRefs.layer(layer.digest()), commit);
    return new Base(commit, tree, parts.base.contents());
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
  private void keepDetached(Parts parts) {
    if (parts.wholeLayer == null || parts.base.detached().isEmpty()) {
      return;
    }
    try {
      repository.addDetachedMetadata(parts.base.checksum(), parts.base.detached());
    } catch (IOException | Problem e) {
      progress.note("the signatures of the image's commit could not be kept: " + e.getMessage());
    }
  }

  private Checksum merge(
      Transaction transaction, @Nullable Base base, int ofCommit, Parts parts, byte[] configBytes)
      throws IOException {
    LayerMerge merge = new LayerMerge(transaction, base == null ? null : base.tree());
    for (int i = ofCommit; i < manifest.layers().size(); i++) {
      Digest blob = manifest.layers().get(i).digest();
      merge.add(
          blob,
          parts.unchecked.contains(blob) ? null : config.diffIds().get(i),
          java.util.Objects.requireNonNull(parts.layers.get(blob)));
    }
    FileTree tree = merge.run();
    TreeRoot root = transaction.writeTree(tree);
    Map<String, GVariant> metadata = new LinkedHashMap<>();
    metadata.put(ContainerImages.MANIFEST_DIGEST, GVariant.string(manifest.digest().toString()));
    metadata.put(ContainerImages.MANIFEST, GVariant.string(manifest.bytes()));
    metadata.put(ContainerImages.CONFIG, GVariant.string(configBytes));
    metadata.put(LayerCommits.IMPORTER, GVariant.string(LayerCommits.IMPORTER_VERSION));
    // A commit has no diff id, so that of its layer is checked only when it comes.
    if (base != null || !parts.unchecked.isEmpty()) {
      metadata.put(ContainerImages.UNCHECKED, GVariant.bool(true));
    }
    String version = version();
    if (version != null) {
      metadata.put("version", GVariant.string(version));
    }
    if (isChecked(tree)) {
      metadata.put("ostree.composefs.digest.v0", GVariant.bytes(Composefs.deploymentDigest(tree)));
    }
    if (base != null) {
      metadata.put(VerityIndex.KEY, merge.verityTable(parts.verity));
    }
    Checksum commit =
        transaction.writeCommit(
            new CommitSpec(
                metadata, base == null ? null : base.commit(), "", "", timestamp(), root));
    displaced.forEach(other -> transaction.setRef(ContainerRefs.image(other), null));
    transaction.setRef(ContainerRefs.image(imgref), commit);
    Collection<Node> needed = base == null ? List.of() : base.objects();
    merge.discard(needed, parts.commits);
    merge.discardVain(needed, parts.vain);
    transaction.commit();
    repository.remember(commit, tree);
    noteContents(merge, parts);
    return commit;
  }

  /** A note that is missing is made again by reading the layer. */
  private void noteContents(LayerMerge merge, Parts parts) {
    try {
      for (Map.Entry<Digest, List<LayerFetch.Known>> layer : parts.known.entrySet()) {
        Checksum commit = java.util.Objects.requireNonNull(parts.commits.get(layer.getKey()));
        merge.note(layer.getKey(), commit, layer.getValue());
      }
    } catch (IOException e) {
      progress.note("what a layer holds is not noted for the next one: " + e.getMessage());
    }
  }

  /** Whether machines of the image check files by their digests, for all that can be known. */
  private static boolean isChecked(FileTree tree) throws IOException {
    try {
      return PrepareRootConfig.read(new ImageFiles(tree)).composefs().checked();
    } catch (Problem e) {
      return true; // Who deploys the image says what is wrong with it.
    }
  }

  static FileTree withoutLeftovers(FileTree tree) {
    slipway.tree.TreeBuilder builder = new slipway.tree.TreeBuilder(tree);
    for (String path : LEFTOVERS) {
      Node node = tree.find(OsPath.of(path)).orElse(null);
      if (node instanceof Node.File f && f.content().size() == 0) {
        builder.remove(path);
      }
    }
    return builder.build();
  }

  private @Nullable String version() {
    for (String label : List.of("org.opencontainers.image.version", "version")) {
      String value = config.labels().get(label);
      if (value != null && !value.isEmpty() && value.indexOf('\0') < 0) {
        return value;
      }
    }
    return null;
  }

  /** Seconds since the epoch; 0 when the image does not say when it was made. */
  private long timestamp() {
    String created = manifest.annotations().get("org.opencontainers.image.created");
    String text = created == null ? config.created() : created;
    if (text == null) {
      return 0;
    }
    try {
      return Math.max(0, OffsetDateTime.parse(text).toEpochSecond());
    } catch (DateTimeParseException e) {
      progress.note(
          "the creation time \""
              + Printable.text(text)
              + "\" of "
              + shown()
              + " is not RFC 3339 and is left out");
      return 0;
    }
  }
}
