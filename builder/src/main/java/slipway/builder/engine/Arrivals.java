package slipway.builder.engine;

import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import slipway.base.Cleanup;
import slipway.base.Position;
import slipway.base.Problem;
import slipway.oci.copy.ImageSink;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.store.ArrivalSink;
import slipway.oci.store.LocalStore;

/**
 * The images that a build brought. The build uses them at once, but the store admits each when its
 * layers have been unpacked, which tells what they decompress to: so no layer is decompressed
 * twice. What no step unpacked is admitted at the end, also of a build that failed, so that the
 * next one need not bring it again. Safe for use by many threads.
 */
final class Arrivals implements AutoCloseable {
  private final LocalStore store;
  private final Map<String, Arrival> all = new ConcurrentHashMap<>();

  Arrivals(LocalStore store) {
    this.store = store;
  }

  /** Copies an image to a sink, which the caller closes. */
  @FunctionalInterface
  interface Copy {
    Manifest to(ImageSink sink) throws IOException;
  }

  /**
   * The image of a name, brought when this build has not done so yet; one comes at a time. It may
   * not be what it says before it is admitted; what unpacks it checks it.
   *
   * @param at for problems
   * @param reference the name that it gets in the store, or null
   */
  synchronized Manifest.Image image(
      String name, Platform platform, Position at, @Nullable Reference reference, Copy copy)
      throws IOException {
    String key = name + " " + platform;
    Arrival known = all.get(key);
    if (known != null) {
      return known.image;
    }
    ArrivalSink sink = store.arrival(reference);
    try {
      // Of one platform, so it is no index.
      Manifest.Image image = (Manifest.Image) copy.to(sink);
      all.put(key, new Arrival(image, at, sink));
      return image;
    } catch (Problem e) {
      sink.close();
      throw new Problem(e.kind(), at + ": " + e.getMessage(), e);
    } catch (IOException | RuntimeException e) {
      sink.close();
      throw e;
    }
  }

  /**
   * Admits the images whose layers are all among those that were unpacked.
   *
   * @throws Problem of kind CORRUPT when one is not what it says
   */
  void unpacked(List<LayerRef> layers) {
    Set<Digest> blobs = new HashSet<>();
    layers.stream()
        .map(LayerRef::blob)
        .filter(Objects::nonNull)
        .forEach(b -> blobs.add(b.descriptor().digest()));
    for (Arrival arrival : all.values()) {
      if (arrival.image.layers().stream().map(Descriptor::digest).allMatch(blobs::contains)) {
        arrival.admit();
      }
    }
  }

  /**
   * Admits all.
   *
   * @throws Problem of kind CORRUPT when one is not what it says
   */
  void admit() {
    for (Arrival arrival : all.values()) {
      try {
        arrival.admit();
      } catch (Problem e) {
        throw new Problem(e.kind(), arrival.at + ": " + e.getMessage(), e);
      }
    }
  }

  /** Admits what is left, unless the process shall end. */
  @Override
  public void close() {
    for (Arrival arrival : all.values()) {
      try (ArrivalSink sink = arrival.sink) {
        if (!Cleanup.isStopped()) {
          arrival.admit();
        }
      } catch (Problem e) {
        // Left here only when the build has failed, and has told why.
      }
    }
  }

  /** An image whose blobs are in the store. */
  private static final class Arrival {
    private final Manifest.Image image;
    private final Position at;
    private final ArrivalSink sink;

    Arrival(Manifest.Image image, Position at, ArrivalSink sink) {
      this.image = image;
      this.at = at;
      this.sink = sink;
    }

    /** One thread admits it; others that used it wait until it is known to be good. */
    synchronized void admit() {
      sink.admit();
    }
  }
}
