package slipway.oci.copy;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import slipway.base.CountedInput;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;

/**
 * Copies an image from anywhere to anywhere: manifests byte for byte, blobs in parallel and only
 * those that the sink lacks, children before parents, the name last. What fails leaves at most
 * blobs that nothing names.
 */
public final class Transfer {
  private static final int MAX_DEPTH = 4;

  private final ImageSource source;
  private final ImageSink sink;
  private final Progress progress;
  private final Map<Digest, Descriptor> blobs = new LinkedHashMap<>();
  private final Map<Digest, Manifest> manifests = new LinkedHashMap<>();
  private long held;
  private final AtomicInteger present = new AtomicInteger();

  private Transfer(ImageSource source, ImageSink sink, Progress progress) {
    this.source = source;
    this.sink = sink;
    this.progress = progress;
  }

  /**
   * What to copy, and how fast.
   *
   * @param platform of an index only this image is copied, without the index; null: all of it
   * @param parallelism blobs in flight, at least 1
   */
  public record Options(@Nullable Platform platform, int parallelism) {
    private static final int DEFAULT_PARALLELISM = 6;

    public Options {
      if (parallelism < 1) {
        throw new IllegalArgumentException("at least one blob at a time");
      }
    }

    /** The image of one platform. */
    public static Options of(Platform platform) {
      return new Options(platform, DEFAULT_PARALLELISM);
    }

    /** All platforms. */
    public static Options all() {
      return new Options(null, DEFAULT_PARALLELISM);
    }
  }

  /**
   * Copies.
   *
   * @param selector what the source understands: a tag, a digest, or null for its only image
   * @param tag the name in the sink, or null for the sink's own default
   * @return the manifest that was copied: an index only when all platforms were. It has the name
   *     now, unless that holds the digest of the index from which it was chosen, which then has it
   * @throws Problem that says what could not be read or written
   */
  public static Manifest copy(
      ImageSource source,
      @Nullable String selector,
      ImageSink sink,
      @Nullable String tag,
      Options options,
      Progress progress)
      throws IOException {
    Transfer transfer = new Transfer(source, sink, progress);
    List<Manifest> path = choose(source, source.manifest(selector), options.platform());
    Manifest root = path.getLast();
    transfer.plan(root, 0);
    transfer.copyBlobs(options.parallelism());
    transfer.manifests.remove(root.digest());
    for (Manifest child : transfer.manifests.values()) {
      sink.putManifest(child, null);
    }
    String name = tag == null ? sink.defaultTag() : tag;
    if (sink.names(path.getFirst().digest())) {
      for (Manifest below : path.subList(1, path.size()).reversed()) {
        sink.putManifest(below, null);
      }
      sink.putManifest(path.getFirst(), name);
    } else {
      sink.putManifest(root, name);
    }
    return root;
  }

  /**
   * The config of an image, as it was published.
   *
   * @throws Problem of kind CORRUPT when it is too large or has another digest
   */
  public static byte[] config(ImageSource source, Manifest.Image image) throws IOException {
    Limit.CONFIG_BYTES.check(image.config().size(), "the config of " + image.digest());
    try (InputStream in =
        new VerifyingInputStream(source.blob(image.config(), 0), image.config())) {
      return in.readAllBytes();
    }
  }

  /**
   * The image of a platform.
   *
   * @param selector as for {@link #copy}
   */
  public static Manifest.Image resolve(
      ImageSource source, @Nullable String selector, Platform platform) throws IOException {
    return (Manifest.Image) way(source, selector, platform).getLast();
  }

  /**
   * As {@link #resolve}, with what leads to the image: the manifest that the selector names first,
   * the image last; one and the same when there is no index.
   */
  public static List<Manifest> way(ImageSource source, @Nullable String selector, Platform platform)
      throws IOException {
    return choose(source, source.manifest(selector), platform);
  }

  /** The way from a manifest to the image for a platform; without a platform only the manifest. */
  private static List<Manifest> choose(
      ImageSource source, Manifest manifest, @Nullable Platform platform) throws IOException {
    List<Manifest> path = new ArrayList<>(List.of(manifest));
    Manifest current = manifest;
    for (int depth = 0; platform != null && current instanceof Manifest.Index index; depth++) {
      if (depth > MAX_DEPTH) {
        throw tooDeep(manifest);
      }
      String name = manifest.digest() + " in " + source.describe();
      current = child(source, index.select(platform, name));
      path.add(current);
    }
    return path;
  }

  private static Manifest child(ImageSource source, Descriptor child) throws IOException {
    Manifest manifest = source.manifest(child.digest().toString());
    child.require(manifest, "an index in " + source.describe());
    return manifest;
  }

  private static Problem tooDeep(Manifest manifest) {
    return Problem.corrupt("the index " + manifest.digest() + " is nested too deeply");
  }

  /** Lists blobs and manifests, children first, each once. */
  private void plan(Manifest manifest, int depth) throws IOException {
    if (depth > MAX_DEPTH) {
      throw tooDeep(manifest);
    }
    switch (manifest) {
      case Manifest.Image image -> {
        blobs.putIfAbsent(image.config().digest(), image.config());
        image.layers().forEach(l -> blobs.putIfAbsent(l.digest(), l));
      }
      case Manifest.Index index -> {
        Set<Descriptor> children = new LinkedHashSet<>(index.manifests());
        for (Descriptor child : children) {
          planChild(child, depth);
        }
      }
    }
    hold(manifest);
  }

  /** Manifests wait in memory until their blobs are there. */
  private void hold(Manifest manifest) {
    if (manifests.putIfAbsent(manifest.digest(), manifest) == null) {
      held += manifest.bytes().length;
      Limit.MANIFESTS_BYTES.check(held, "the index in " + source.describe());
    }
  }

  private void planChild(Descriptor child, int depth) throws IOException {
    boolean manifest =
        MediaTypes.isIndex(child.mediaType()) || MediaTypes.isImageManifest(child.mediaType());
    if (!manifest) {
      blobs.putIfAbsent(child.digest(), child);
    } else if (!manifests.containsKey(child.digest())) {
      Limit.INDEX_MANIFESTS.check(manifests.size() + 1L, "the index in " + source.describe());
      plan(child(source, child), depth + 1);
    }
  }

  private void copyBlobs(int parallelism) throws IOException {
    Semaphore limit = new Semaphore(sink.concurrent() ? parallelism : 1, true);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      CompletionService<Void> done = new ExecutorCompletionService<>(threads);
      int submitted = 0;
      try {
        for (Descriptor blob : blobs.values()) {
          limit.acquire(); // Here, so that blobs begin in the manifest's order.
          submitted++;
          done.submit(
              () -> {
                try {
                  copyBlob(blob);
                } finally {
                  limit.release();
                }
                return null;
              });
          for (var ended = done.poll(); ended != null; ended = done.poll()) {
            ended.get();
            submitted--;
          }
        }
        for (; submitted > 0; submitted--) {
          done.take().get();
        }
      } catch (ExecutionException e) {
        threads.shutdownNow();
        throw rethrow(e.getCause());
      } catch (InterruptedException e) {
        threads.shutdownNow();
        Thread.currentThread().interrupt();
        throw new Problem(Problem.Kind.UNAVAILABLE, "the copy was interrupted", e);
      }
    }
    if (present.get() > 0) {
      progress.note("blobs already present: " + present.get());
    }
    sink.notes().forEach(progress::note);
  }

  private static IOException rethrow(@Nullable Throwable cause) {
    return switch (cause) {
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case IOException e -> e;
      case null -> throw new AssertionError("a failure has a cause");
      default -> throw new AssertionError(cause);
    };
  }

  private void copyBlob(Descriptor blob) throws IOException {
    if (sink.hasBlob(blob)) {
      present.addAndGet(sink.wrote(blob.digest()) ? 0 : 1);
      return;
    }
    try (Progress.Task task = progress.start(name(blob), blob.size())) {
      if (sink.takeBlob(blob, source)) {
        task.advance(blob.size());
        return;
      }
      Meter meter = new Meter(task);
      sink.putBlob(blob, offset -> meter.count(source.blob(blob, offset), offset));
    } catch (Problem e) {
      if (e.kind() == Problem.Kind.NOT_FOUND && MediaTypes.isForeign(blob.mediaType())) {
        return; // By design such a layer need not lie beside the manifest.
      }
      throw e;
    }
  }

  private static String name(Descriptor blob) {
    boolean config =
        blob.mediaType().equals(MediaTypes.OCI_CONFIG)
            || blob.mediaType().equals(MediaTypes.DOCKER_CONFIG);
    return (config ? "config " : "layer ") + blob.digest().brief();
  }

  /** Tells the task how far the blob is, also when it is opened again from elsewhere. */
  private static final class Meter {
    private final Progress.Task task;
    private long position;

    Meter(Progress.Task task) {
      this.task = task;
    }

    InputStream count(InputStream in, long offset) {
      move(offset - position);
      return new CountedInput(in, this::move);
    }

    private void move(long n) {
      position += n;
      if (n != 0) {
        task.advance(n);
      }
    }
  }
}
