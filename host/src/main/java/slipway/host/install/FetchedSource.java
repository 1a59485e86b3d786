package slipway.host.install;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.base.TemporaryFiles;
import slipway.linux.lock.ScratchFolder;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Transfer;
import slipway.oci.layout.OciLayout;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;

/**
 * An image in a registry that is read twice: once to know it, and once more when everything is
 * erased for it. It is fetched when the first blob is asked for and kept where temporary files have
 * room, so that it comes over the network once and no cut of that can end an installation half way.
 */
final class FetchedSource implements ImageSource {
  private static final String PREFIX = "slipway-install-";

  /** Beside the layers. */
  private static final long MARGIN = 64 << 20;

  private final ImageSource registry;
  private final Manifest.Image image;
  private final Progress progress;
  private @Nullable ScratchFolder folder;
  private @Nullable ImageSource from;

  /**
   * @param registry stays open, and is closed by others
   */
  FetchedSource(ImageSource registry, Manifest.Image image, Progress progress) {
    this.registry = registry;
    this.image = image;
    this.progress = progress;
  }

  @Override
  public String describe() {
    return registry.describe();
  }

  @Override
  public Manifest manifest(@Nullable String selector) throws IOException {
    return registry.manifest(selector);
  }

  @Override
  public InputStream blob(Descriptor descriptor, long offset) throws IOException {
    return from().blob(descriptor, offset);
  }

  private synchronized ImageSource from() throws IOException {
    ImageSource known = from;
    if (known == null) {
      known = hasRoom() ? fetch() : registry;
      from = known;
    }
    return known;
  }

  /** Where temporary files are in memory, as much must be left for all else. */
  private boolean hasRoom() {
    long bytes = MARGIN + image.layers().stream().mapToLong(Descriptor::size).sum();
    boolean room = TemporaryFiles.largeFolder().toFile().getUsableSpace() / 2 >= bytes;
    if (!room) {
      progress.note(
          TemporaryFiles.largeFolder()
              + " has no room to keep the image, so it is fetched twice; TMPDIR names another"
              + " folder");
    }
    return room;
  }

  private ImageSource fetch() throws IOException {
    ScratchFolder made = ScratchFolder.large(PREFIX, progress::note);
    folder = made;
    // Not the folder itself, which is locked as long as this process lives.
    Path layout = made.path().resolve("image");
    try {
      Transfer.copy(
          registry,
          image.digest().toString(),
          OciLayout.create(layout, null),
          null,
          Transfer.Options.of(Platform.host()),
          progress);
    } catch (Problem e) {
      throw e.kind() == Problem.Kind.FULL
          ? new Problem(e.kind(), e.sentence() + "; TMPDIR names another folder for it", e)
          : e;
    }
    return OciLayout.open(layout, null);
  }

  @Override
  public synchronized void close() throws IOException {
    ScratchFolder made = folder;
    folder = null;
    if (made != null) {
      made.close();
    }
  }
}
