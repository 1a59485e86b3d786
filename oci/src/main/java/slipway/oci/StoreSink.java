package slipway.oci;

import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;

/** Writes into a {@link LocalStore}, which is not pruned before this is closed. */
final class StoreSink implements ImageSink {
  private final LocalStore store;
  private final @Nullable Reference name;
  private final LocalStore.Hold hold;

  StoreSink(LocalStore store, @Nullable Reference name) {
    this.store = store;
    this.name = name;
    this.hold = store.hold();
  }

  @Override
  public String describe() {
    return "store " + store.root();
  }

  @Override
  public @Nullable String defaultTag() {
    return name == null ? null : name.orLatest().toString();
  }

  @Override
  public boolean hasBlob(Descriptor descriptor) {
    return store.has(descriptor.digest());
  }

  @Override
  public void putBlob(Descriptor descriptor, BlobSupplier content) throws IOException {
    try (InputStream in = content.open(0)) {
      store.blobs().write(descriptor, in);
    }
  }

  /**
   * @param tag a tag for this sink's name, or a whole reference
   */
  @Override
  public void putManifest(Manifest manifest, @Nullable String tag) {
    store.putManifest(manifest, tag == null ? null : reference(tag));
  }

  private Reference reference(String tag) {
    if (tag.contains("/")) {
      return Reference.parse(tag);
    }
    if (name == null) {
      throw Problem.usage("the tag " + tag + " needs a name to belong to");
    }
    return name.withTag(tag);
  }

  @Override
  public void close() {
    hold.close();
  }
}
