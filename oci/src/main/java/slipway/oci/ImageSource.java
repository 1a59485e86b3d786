package slipway.oci;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;

/**
 * Somewhere images can be read from: a registry, the local store, a layout, an archive. Safe for
 * use by many threads. What it hands out is not verified; {@link Transfer} and {@link
 * VerifyingInputStream} do that.
 */
public interface ImageSource extends AutoCloseable {
  /**
   * Opens an archive or a folder for reading, of whichever kind: what {@code podman save} writes.
   *
   * @throws Problem of kind NOT_FOUND when there is nothing, CORRUPT when it holds no images
   */
  static ImageSource saved(Path path) throws IOException {
    if (!Files.isDirectory(path)) {
      return archive(TarIndex.open(path));
    }
    if (OciLayout.isOne(path)) {
      return OciLayout.open(path, null);
    }
    if (DirLayout.isOne(path)) {
      return DirLayout.open(path);
    }
    throw Problem.corrupt(
        "the folder "
            + path
            + " holds no images: it has neither index.json of an OCI layout nor manifest.json of a"
            + " docker-dir");
  }

  /** As {@link #saved(Path)}, an archive that comes as a stream. */
  static ImageSource saved(InputStream archive, String name) throws IOException {
    return archive(TarIndex.unpack(archive, name));
  }

  private static ImageSource archive(TarIndex tar) throws IOException {
    try {
      if (tar.has(LayoutIndex.FILE)) {
        return OciArchive.source(tar, null);
      }
      if (tar.has(DockerArchive.MANIFEST)) {
        return new DockerArchiveSource(tar, null);
      }
      throw tar.lacks("index.json of an OCI archive and manifest.json of a docker archive");
    } catch (Problem | IOException e) {
      tar.close();
      throw e;
    }
  }

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
