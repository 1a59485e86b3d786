package slipway.oci.store;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.oci.copy.ImageSink;
import slipway.oci.layout.BlobDirectory;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Reference;

/** Writes into a {@link LocalStore}, which is not pruned before this is closed. */
sealed class StoreSink implements ImageSink permits ArrivalSink {
  private final LocalStore store;
  private final @Nullable Reference name;
  private final LocalStore.Hold hold;
  private final List<String> notes = new CopyOnWriteArrayList<>();

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
  public boolean names(Digest manifest) {
    return name != null && manifest.equals(name.digest());
  }

  /** {@inheritDoc} It is read, so that one that was damaged since is brought anew. */
  @Override
  public boolean hasBlob(Descriptor descriptor) throws IOException {
    if (!store.has(descriptor.digest())) {
      return false;
    }
    boolean intact = store.blobs().isIntact(descriptor);
    if (!intact) {
      notes.add("blob " + descriptor.digest() + " was damaged; it is replaced");
    }
    return intact;
  }

  @Override
  public final void putBlob(Descriptor descriptor, BlobSupplier content) throws IOException {
    try (InputStream in = content.open(0)) {
      write(store.blobs(), descriptor, in);
    }
  }

  /** Takes a blob in that is to have its digest. */
  void write(BlobDirectory blobs, Descriptor descriptor, InputStream in) throws IOException {
    if (MediaTypes.isLayer(descriptor.mediaType())) {
      blobs.writeLayer(descriptor, in);
    } else {
      blobs.write(descriptor, in);
    }
  }

  @Override
  public List<String> notes() {
    return List.copyOf(notes);
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
