package slipway.builder.cache;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import slipway.archive.compress.Compression;
import slipway.archive.tar.TarOptions;
import slipway.base.CountedOutput;
import slipway.oci.layout.BlobWriter;
import slipway.oci.model.Digest;
import slipway.oci.model.MediaTypes;
import slipway.oci.store.LocalStore;
import slipway.tree.DirectoryReader;
import slipway.tree.Layer;
import slipway.tree.TarWriter;

/**
 * Makes blobs of snapshots, beside the steps that follow. Nothing enters the store before {@link
 * #finish}: a build that fails leaves it as it was.
 */
public final class LayerExporter implements AutoCloseable {
  private final LocalStore store;
  private final Snapshots snapshots;
  private final StepCache cache;
  private final Compression compression;
  private final @Nullable Long epoch;
  private final ExecutorService executor =
      Executors.newSingleThreadExecutor(
          Thread.ofPlatform().name("layer-exporter").daemon().factory());
  private final Map<String, Future<Exported>> running = new LinkedHashMap<>();
  private final List<BlobWriter> open = new ArrayList<>();

  /** A blob that is written but for its name, or was known before. */
  private record Exported(LayerRef.@Nullable Blob known, @Nullable Written written) {}

  /** A new blob, and what it decompresses to. */
  private record Written(BlobWriter writer, Digest diffId, long plainSize) {}

  public LayerExporter(
      LocalStore store,
      Snapshots snapshots,
      StepCache cache,
      Compression compression,
      @Nullable Long epoch) {
    this.store = store;
    this.snapshots = snapshots;
    this.cache = cache;
    this.compression = compression;
    this.epoch = epoch;
    // Its thread is born here: born in a step it would have the mounts of that step alone.
    executor.execute(() -> {});
  }

  /** The blob of a snapshot if an earlier build made it and the store still has it. */
  public Optional<LayerRef.Blob> known(String snapshot) throws IOException {
    return cache.blob(snapshot, compression, epoch).filter(b -> store.has(b.descriptor().digest()));
  }

  /**
   * Begins with a layer that the image will have; does nothing when that has begun already.
   *
   * @param where what made the layer, for messages
   */
  public synchronized void begin(LayerRef layer, String where) {
    if (layer.blob() == null && !running.containsKey(layer.snapshot())) {
      running.put(layer.snapshot(), executor.submit(() -> export(layer.snapshot(), where)));
    }
  }

  private Exported export(String snapshot, String where) throws IOException {
    Optional<LayerRef.Blob> known = known(snapshot);
    if (known.isPresent()) {
      return new Exported(known.get(), null);
    }
    Layer layer = DirectoryReader.readOverlayUpper(snapshots.path(snapshot), where);
    MessageDigest plain = Digest.Algorithm.SHA256.newMessageDigest();
    BlobWriter writer = store.newBlob();
    synchronized (this) {
      open.add(writer);
    }
    OutputStream buffered = new BufferedOutputStream(writer, 256 * 1024);
    OutputStream compressed = compression.compress(buffered, Compression.DEFAULT_LEVEL);
    CountedOutput tar = new CountedOutput(new DigestOutputStream(compressed, plain));
    try (tar) {
      TarWriter.write(tar, layer, new TarOptions(epoch, true));
    }
    buffered.flush();
    Digest diffId = Digest.of(Digest.Algorithm.SHA256, plain.digest());
    return new Exported(null, new Written(writer, diffId, tar.bytes()));
  }

  /** Waits for a layer's blob and puts it into the store: the commit point of the layer. */
  public LayerRef.Blob finish(LayerRef layer) throws IOException, InterruptedException {
    if (layer.blob() != null) {
      return layer.blob();
    }
    begin(layer, "the layer");
    Exported exported = result(layer);
    if (exported.known() != null) {
      return exported.known();
    }
    Written written = java.util.Objects.requireNonNull(exported.written());
    Digest diffId = written.diffId();
    LayerRef.Blob blob =
        new LayerRef.Blob(
            written.writer().commit(MediaTypes.layer(compression), diffId, written.plainSize()),
            diffId);
    cache.putBlob(layer.snapshot(), compression, epoch, blob);
    return blob;
  }

  private Exported result(LayerRef layer) throws IOException, InterruptedException {
    Future<Exported> future;
    synchronized (this) {
      future = java.util.Objects.requireNonNull(running.get(layer.snapshot()));
    }
    try {
      return future.get();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException io -> throw io;
        case RuntimeException r -> throw r;
        case null, default -> throw new IllegalStateException(e);
      }
    }
  }

  @Override
  public void close() throws IOException {
    executor.shutdownNow();
    executor.close();
    for (BlobWriter writer : open) {
      writer.close();
    }
  }
}
