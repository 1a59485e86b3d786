package slipway.oci.copy;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;

/**
 * Somewhere images can be written to. Safe for use by many threads. A blob or manifest appears
 * whole or not at all.
 */
public interface ImageSink extends AutoCloseable {
  String describe();

  /** Whether several blobs may come at once; a stream such as a tar takes one at a time. */
  default boolean concurrent() {
    return true;
  }

  /** Whether the blob is there already. */
  boolean hasBlob(Descriptor descriptor) throws IOException;

  /** Whether a blob that is there was put there through this very sink. */
  default boolean wrote(Digest blob) {
    return false;
  }

  /**
   * Takes a blob over from where the source has it, without moving its bytes, if that can be done:
   * between two repositories of one registry.
   */
  default boolean takeBlob(Descriptor descriptor, ImageSource from) throws IOException {
    return false;
  }

  /** Supplies the bytes of a blob; may be called again for a retry. */
  interface BlobSupplier {
    InputStream open(long offset) throws IOException;
  }

  /** Stores a blob after checking it against its digest and size. */
  void putBlob(Descriptor descriptor, BlobSupplier content) throws IOException;

  /** Something failed: an archive that is written as a whole appears not at all when closed. */
  default void abandon() {}

  /** What the sink found out on the way and people should know, in sentences. */
  default List<String> notes() {
    return List.of();
  }

  /** The name that the copied image gets when the caller gives none, or null. */
  default @Nullable String defaultTag() {
    return null;
  }

  /**
   * Whether the name that the copied image gets here holds this digest. It then belongs to what has
   * the digest, be it the index from which the image is chosen.
   */
  default boolean names(Digest manifest) {
    return false;
  }

  /**
   * Stores a manifest; its blobs and sub-manifests are there already.
   *
   * @param tag a name for it, or null to store it by digest only
   */
  void putManifest(Manifest manifest, @Nullable String tag) throws IOException;

  @Override
  default void close() throws IOException {}
}
