package slipway.builder.cache;

import org.jspecify.annotations.Nullable;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;

/**
 * A layer of an image under way: what it changes lies in a snapshot, or in a blob, or in both.
 *
 * @param snapshot the name of the unpacked layer
 * @param blob of a layer that came with a base image; null for one that this builder made
 */
public record LayerRef(String snapshot, @Nullable Blob blob) {
  /**
   * A layer as a blob of the store.
   *
   * @param diffId digest of the uncompressed tar
   */
  public record Blob(Descriptor descriptor, Digest diffId) {}
}
