package slipway.oci.transport;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import slipway.archive.tar.TarIndex;
import slipway.base.Problem;
import slipway.oci.copy.ImageSource;
import slipway.oci.layout.LayoutIndex;
import slipway.oci.layout.OciLayout;

/** What {@code save} wrote, whichever form it has: told by what is inside. */
public final class SavedImages {
  private SavedImages() {}

  /**
   * Opens an archive or a folder for reading, of whichever kind: what {@code podman save} writes.
   *
   * @throws Problem of kind NOT_FOUND when there is nothing, CORRUPT when it holds no images
   */
  public static ImageSource open(Path path) throws IOException {
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

  /** As {@link #open(Path)}, an archive that comes as a stream. */
  public static ImageSource open(InputStream archive, String name) throws IOException {
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
}
