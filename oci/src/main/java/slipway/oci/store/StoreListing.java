package slipway.oci.store;

import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.oci.layout.LayoutIndex;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;

/** Lists what a store holds at one moment. */
final class StoreListing {
  private final LocalStore store;
  private final LayoutIndex index;

  /**
   * @param index the names of that moment
   */
  StoreListing(LocalStore store, LayoutIndex index) {
    this.store = store;
    this.index = index;
  }

  /** All names with their images, those that can be read and the others. */
  LocalStore.Listing all() {
    List<LocalStore.Named> images = new ArrayList<>();
    List<LocalStore.Damaged> damaged = new ArrayList<>();
    index.broken().forEach(b -> damaged.add(new LocalStore.Damaged(b.name(), b.why())));
    for (LayoutIndex.Entry e : index.entries()) {
      if (e.name() != null) {
        try {
          Reference name = Reference.parse(e.name());
          name.requireDigest(e.descriptor().digest());
          Manifest manifest = store.manifest(e.descriptor().digest());
          images.add(new LocalStore.Named(name, manifest, created(store, manifest)));
        } catch (Problem p) {
          damaged.add(new LocalStore.Damaged(e.name(), String.valueOf(p.getMessage())));
        }
      }
    }
    return new LocalStore.Listing(images, damaged);
  }

  /** All names, without a look at their images. */
  List<LocalStore.Name> names() {
    List<LocalStore.Name> list = new ArrayList<>();
    for (LayoutIndex.Entry e : index.entries()) {
      if (e.name() != null) {
        list.add(new LocalStore.Name(e.name(), e.descriptor().digest()));
      }
    }
    index.broken().forEach(b -> list.add(new LocalStore.Name(b.name(), null)));
    return list;
  }

  /** Manifests without a name, in the order of the index. */
  List<Manifest> unnamed() {
    List<Manifest> list = new ArrayList<>();
    for (LayoutIndex.Entry e : index.entries()) {
      if (e.name() == null && store.readable(e.descriptor()).isPresent()) {
        list.add(store.manifest(e.descriptor().digest()));
      }
    }
    return list;
  }

  /** When an image's config says that it was made, if it says so. */
  static @Nullable Instant created(LocalStore store, Manifest manifest) {
    try {
      ImageConfig config =
          store.config(store.image(manifest, manifest.digest().toString(), Platform.host()));
      String created = config.created();
      return created == null ? null : OffsetDateTime.parse(created).toInstant();
    } catch (Problem | DateTimeParseException e) {
      return null; // Only for show; an artifact has no config of this kind.
    }
  }
}
