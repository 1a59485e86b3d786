package slipway.oci.transport;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Reference;

/**
 * The tar of {@code docker save} and {@code podman save} (moby, image/spec/v1.2, "Combined Image
 * JSON + Filesystem Changeset Format"): {@code manifest.json} lists images with their names, the
 * file of the config, and the files of the layers, which are usually not compressed.
 */
public final class DockerArchive {
  public static final String MANIFEST = "manifest.json";

  private DockerArchive() {}

  /**
   * Opens one for reading. The images get OCI manifests, made here, over the bytes as they are.
   *
   * @param name of the image that is meant when a caller names none, {@code @N} for the image of
   *     that number, or null for the only one
   */
  public static ImageSource source(Path file, @Nullable String name) throws IOException {
    return DockerArchiveSource.open(file, name);
  }

  /**
   * Writes a new one, the layers of its images uncompressed; closing the sink after an image is
   * there is the commit point.
   *
   * @param name that an image gets for which the caller has none, or null for none
   */
  public static ImageSink sink(Path file, @Nullable Reference name) throws IOException {
    return DockerArchiveSink.create(file, name);
  }

  /**
   * The same to a stream, such as standard output, which stays open.
   *
   * @param staging where layers are collected for a while
   */
  public static ImageSink sink(OutputStream out, Path staging) throws IOException {
    return DockerArchiveSink.create(out, staging);
  }
}
