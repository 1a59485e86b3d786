package slipway.oci.podman;

import java.io.IOException;
import java.io.InputStream;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.linux.lock.ScratchFolder;
import slipway.linux.process.Command;
import slipway.oci.copy.ImageSource;
import slipway.oci.layout.OciLayout;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Manifest;

/**
 * An image of podman's store that only its own tools can read: the driver is a rare one, or layers
 * came in parts and never were a tar. skopeo copies it into a temporary layout, with layers
 * uncompressed as they are there.
 */
final class SkopeoCopy implements ImageSource {
  private static final Pattern FAILURE =
      Pattern.compile(
          "time=\\S+ level=(?:fatal|error) msg=(?:\"((?:[^\"\\\\]|\\\\.)*+)\"|(\\S+))(?: .*)?");

  private final String reference;
  private final ScratchFolder folder;
  private final OciLayout layout;

  private SkopeoCopy(String reference, ScratchFolder folder, OciLayout layout) {
    this.reference = reference;
    this.folder = folder;
    this.layout = layout;
  }

  static SkopeoCopy open(String reference) throws IOException {
    return open(reference, ScratchFolder.large("slipway-podman-", note -> {}));
  }

  private static SkopeoCopy open(String reference, ScratchFolder folder) throws IOException {
    boolean good = false;
    try {
      Command.Result copy =
          Command.of(
                  "skopeo",
                  "copy",
                  "--quiet",
                  "--dest-oci-accept-uncompressed-layers",
                  reference,
                  "oci:" + folder.path() + ":image")
              .tryRun();
      if (copy.status() != 0) {
        throw Problem.notFound(
            "cannot read " + reference + " from podman's store: " + cause(copy.stderr()));
      }
      SkopeoCopy source = new SkopeoCopy(reference, folder, OciLayout.open(folder.path(), "image"));
      good = true;
      return source;
    } finally {
      if (!good) {
        folder.close();
      }
    }
  }

  /**
   * What went wrong, out of the lines of skopeo's log (logrus: {@code time="…" level=fatal
   * msg="…"}); what it tells beside that is of no use.
   */
  static String cause(String log) {
    String cause = log.strip();
    for (String line : log.lines().toList()) {
      Matcher m = FAILURE.matcher(line);
      if (m.matches()) {
        cause = m.group(1) == null ? m.group(2) : m.group(1).replaceAll("\\\\(.)", "$1");
      }
    }
    return cause;
  }

  @Override
  public String describe() {
    return reference;
  }

  @Override
  public Manifest manifest(@Nullable String selector) throws IOException {
    return layout.manifest(selector);
  }

  @Override
  public InputStream blob(Descriptor descriptor, long offset) throws IOException {
    return layout.blob(descriptor, offset);
  }

  @Override
  public void close() throws IOException {
    try (folder;
        layout) {
      // Both go.
    }
  }
}
