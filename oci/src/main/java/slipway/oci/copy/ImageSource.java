package slipway.oci.copy;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Manifest;

/**
 * Somewhere images can be read from: a registry, the local store, a layout, an archive. Safe for
 * use by many threads. What it hands out is not verified; {@link Transfer} and {@link
 * VerifyingInputStream} do that.
 */
public interface ImageSource extends AutoCloseable {
  /** For messages: {@code registry 127.0.0.1:5000}, {@code /path/to/layout}. */
  String describe();

  /**
   * The manifest or index that {@code selector} names.
   *
   * @param selector a tag, a digest in text form, or null for the only (or default) image of the
   *     source
   * @throws Problem of kind NOT_FOUND, DENIED or UNAVAILABLE
   */
  Manifest manifest(@Nullable String selector) throws IOException;

  /**
   * Opens a blob.
   *
   * @param offset bytes to leave out at the beginning; a source that cannot seek reads over them
   */
  InputStream blob(Descriptor descriptor, long offset) throws IOException;

  /**
   * Whether a source that holds parts of images knows that a blob is in none of them. Of others
   * this is found out when the blob is opened.
   */
  default boolean lacks(Descriptor descriptor) throws IOException {
    return false;
  }

  /**
   * Opens parts of a blob without what lies between them, for whom that spares a transfer.
   *
   * @param spans in ascending order, none of them touching another
   * @param fetched is told the bytes that come, those too that are passed over
   * @return the bytes of all parts, one after the other; empty where only whole blobs can be had
   */
  default Optional<InputStream> parts(Descriptor descriptor, List<Span> spans, LongConsumer fetched)
      throws IOException {
    return Optional.empty();
  }

  /**
   * An image that a source holds.
   *
   * @param selector for {@link #manifest}
   * @param names as whoever wrote them said, perhaps none
   */
  record Held(String selector, List<String> names) {
    public Held {
      names = List.copyOf(names);
    }
  }

  /** The images it holds, each once; empty where nobody knows. */
  default List<Held> images() throws IOException {
    return List.of();
  }

  @Override
  default void close() throws IOException {}
}
