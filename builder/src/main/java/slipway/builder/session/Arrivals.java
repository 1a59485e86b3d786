package slipway.builder.session;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import slipway.base.Cleanup;
import slipway.base.Position;
import slipway.base.Problem;
import slipway.builder.cache.LayerRef;
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
 * next one need not bring it again. Of several images of one name, brought for several platforms,
 * that of the build's own platform has the name in the end. Safe for use by many threads.
 */
public final class Arrivals implements AutoCloseable {
  private final LocalStore store;
  private final Comparator<Arrival> precedence;

  /** Guarded by itself: who asks for all must not wait until one has come. */
  private final List<Arrival> all = new ArrayList<>();

  /**
   * @param own the platform that is built for
   */
  Arrivals(LocalStore store, Platform own) {
    this.store = store;
    this.precedence =
        Comparator.comparing((Arrival a) -> !a.platform.equals(own))
            .thenComparing(a -> a.platform.toString());
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
    for (Arrival known : known()) {
      if (known.name.equals(name) && known.platform.equals(platform)) {
        return known.image;
      }
    }
    ArrivalSink sink = store.arrival(reference);
    try {
      // Of one platform, so it is no index.
      Manifest.Image image = (Manifest.Image) copy.to(sink);
      add(new Arrival(name, platform, image, at, sink));
      return image;
    } catch (Problem e) {
      sink.close();
      throw new Problem(e.kind(), at + ": " + e.getMessage(), e);
    } catch (IOException | RuntimeException e) {
      sink.close();
      throw e;
    }
  }

  private List<Arrival> known() {
    synchronized (all) {
      return List.copyOf(all);
    }
  }

  /** Leaves the name to one of those that came under it, whatever the order in which they did. */
  private void add(Arrival fresh) {
    for (Arrival other : known()) {
      if (other.name.equals(fresh.name)) {
        (precedence.compare(fresh, other) < 0 ? other : fresh).leaveName();
      }
    }
    synchronized (all) {
      all.add(fresh);
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
    for (Arrival arrival : known()) {
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
  public void admit() {
    for (Arrival arrival : known()) {
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
    for (Arrival arrival : known()) {
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
    private final String name;
    private final Platform platform;
    private final Manifest.Image image;
    private final Position at;
    private final ArrivalSink sink;

    Arrival(String name, Platform platform, Manifest.Image image, Position at, ArrivalSink sink) {
      this.name = name;
      this.platform = platform;
      this.image = image;
      this.at = at;
      this.sink = sink;
    }

    /** One thread admits it; others that used it wait until it is known to be good. */
    synchronized void admit() {
      sink.admit();
    }

    /** Another has the name; if this one has it already, that one takes it when it is admitted. */
    synchronized void leaveName() {
      sink.leaveName();
    }
  }
}
