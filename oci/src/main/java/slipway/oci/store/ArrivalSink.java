package slipway.oci.store;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.oci.layout.BlobDirectory;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Manifest;
import slipway.oci.model.Reference;

/**
 * Brings an image into a {@link LocalStore} in two steps. Its blobs come first, each held to its
 * digest; what its layers decompress to is not looked at yet, and nothing names it. {@link #admit}
 * then puts its manifests and its name through the store's door, which reads only those layers that
 * nobody has read and noted meanwhile ({@link LocalStore#note}). Closed without it, it leaves at
 * most blobs that nothing names. Nothing is pruned before it is closed.
 */
public final class ArrivalSink extends StoreSink {
  private final List<Waiting> waiting = new ArrayList<>();

  /** What the store gets when the image is admitted. */
  private record Waiting(Manifest manifest, @Nullable String tag) {}

  ArrivalSink(LocalStore store, @Nullable Reference name) {
    super(store, name);
  }

  @Override
  void write(BlobDirectory blobs, Descriptor descriptor, InputStream in) throws IOException {
    blobs.write(descriptor, in);
  }

  /** {@inheritDoc} It is kept in memory until {@link #admit}. */
  @Override
  public void putManifest(Manifest manifest, @Nullable String tag) {
    waiting.add(new Waiting(manifest, tag));
  }

  /**
   * Takes the image in for good, under its name unless it left that; does nothing the second time.
   *
   * @throws slipway.base.Problem as {@link LocalStore#putManifest}; the image has no name then
   */
  public void admit() {
    for (Waiting next : waiting) {
      super.putManifest(next.manifest(), next.tag());
    }
    waiting.clear();
  }

  /** Has the image admitted without its name, unless that has been done. */
  public void leaveName() {
    waiting.replaceAll(w -> new Waiting(w.manifest(), null));
  }
}
