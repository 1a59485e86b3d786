package slipway.oci;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Somewhere images can be read from: a registry, the local store, a layout, an archive. Safe for
 * use by many threads. What it hands out is not verified; {@link Transfer} and {@link
 * VerifyingInputStream} do that.
 */
public interface ImageSource extends AutoCloseable {
  /**
   * Opens an archive for reading, whichever kind it is.
   *
   * @throws slipway.base.Problem when it is neither an OCI nor a docker archive
   */
  static ImageSource archive(Path file) throws IOException {
    return OciArchive.is(file) ? OciArchive.source(file, null) : DockerArchive.source(file, null);
  }

  /** For messages: {@code registry 127.0.0.1:5000}, {@code /path/to/layout}. */
  String describe();

  /**
   * The manifest or index that {@code selector} names.
   *
   * @param selector a tag, a digest in text form, or null for the only (or default) image of the
   *     source
   * @throws slipway.base.Problem of kind NOT_FOUND, DENIED or UNAVAILABLE
   */
  Manifest manifest(@Nullable String selector) throws IOException;

  /**
   * Opens a blob.
   *
   * @param offset bytes to leave out at the beginning; a source that cannot seek reads over them
   */
  InputStream blob(Descriptor descriptor, long offset) throws IOException;

  /** The names of the images it holds, as whoever wrote them said; empty where nobody knows. */
  default List<String> names() throws IOException {
    return List.of();
  }

  @Override
  default void close() throws IOException {}
}
