package slipway.distro;

import java.io.IOException;
import java.io.OutputStream;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.UnaryOperator;
import slipway.archive.compress.Compression;
import slipway.archive.tar.TarOptions;
import slipway.base.CountedOutput;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.oci.layout.BlobWriter;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.ImageConfigBuilder;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.store.LocalStore;
import slipway.tree.FileTree;
import slipway.tree.TarWriter;

/**
 * Writes an image of packages to the store: layers side by side, then config, manifest and name.
 *
 * @param platform that the image is for
 * @param created the image's time of creation
 */
record BaseWriter(
    LocalStore store, Platform platform, Reference tag, Progress progress, Instant created) {
  /** Smaller than the usual level by a tenth and made once; reading costs the same. */
  private static final int LEVEL = 9;

  /**
   * The time of every file. A deployment has no other, and a layer whose files did not change keeps
   * its digest.
   */
  private static final TarOptions TIMES = new TarOptions(0L, true);

  /** One finished layer. */
  private record Written(String name, Descriptor descriptor, Digest diffId, long size) {}

  /**
   * Writes it.
   *
   * @param parts by name, bottom layer first
   * @param config adds to a config with the usual PATH
   */
  Manifest.Image write(Map<String, FileTree> parts, UnaryOperator<ImageConfigBuilder> config)
      throws IOException {
    List<Written> layers = layers(parts);
    List<ImageConfig.History> history =
        layers.stream()
            .map(l -> new ImageConfig.History(created.toString(), l.name(), null, false))
            .toList();
    ImageConfigBuilder draft =
        ImageConfig.draft(platform)
            .created(created.toString())
            .env(List.of("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"))
            .diffIds(layers.stream().map(Written::diffId).toList())
            .history(history);
    Descriptor stored = store.putBlob(MediaTypes.OCI_CONFIG, config.apply(draft).build().toJson());
    Manifest.Image image =
        Manifest.Image.of(stored, layers.stream().map(Written::descriptor).toList(), Map.of());
    store.putManifest(image, tag);
    return image;
  }

  private List<Written> layers(Map<String, FileTree> parts) throws IOException {
    int processors = Runtime.getRuntime().availableProcessors();
    try (ExecutorService workers = Executors.newFixedThreadPool(processors)) {
      List<Future<Written>> running = new ArrayList<>();
      parts.forEach((name, part) -> running.add(workers.submit(() -> layer(name, part))));
      List<Written> layers = new ArrayList<>();
      for (Future<Written> layer : running) {
        layers.add(layer.get());
      }
      for (Written layer : layers) {
        progress.note(
            String.format(
                Locale.ROOT,
                "layer %-10s %6.1f MB, compressed %5.1f MB",
                layer.name(),
                layer.size() / 1e6,
                layer.descriptor().size() / 1e6));
      }
      return layers;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Problem(Problem.Kind.ENVIRONMENT, "writing the image was interrupted", e);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException io -> throw io;
        case RuntimeException r -> throw r;
        case null, default -> throw new IllegalStateException(e);
      }
    }
  }

  private Written layer(String name, FileTree part) throws IOException {
    MessageDigest digest = Digest.Algorithm.SHA256.newMessageDigest();
    Compression compression = Compression.ZSTD;
    try (BlobWriter blob = store.newBlob()) {
      CountedOutput counter;
      try (OutputStream compressed = compression.compress(blob, LEVEL);
          DigestOutputStream hashed = new DigestOutputStream(compressed, digest);
          CountedOutput counted = new CountedOutput(hashed)) {
        counter = counted;
        TarWriter.write(counted, part, TIMES);
      }
      Digest diffId = Digest.of(Digest.Algorithm.SHA256, digest.digest());
      long size = counter.bytes();
      return new Written(
          name, blob.commit(MediaTypes.layer(compression), diffId, size), diffId, size);
    }
  }
}
