package slipway.oci;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.linux.Command;
import slipway.linux.OsPath;
import slipway.linux.Posix;

/**
 * An image of podman's store. How that store lies on disk is podman's own matter, so skopeo copies
 * the image into a temporary layout, with layers uncompressed as they are there.
 */
final class PodmanSource implements ImageSource {
  private static final Pattern FAILURE =
      Pattern.compile(
          "time=\\S+ level=(?:fatal|error) msg=(?:\"((?:[^\"\\\\]|\\\\.)*+)\"|(\\S+))(?: .*)?");

  private final TransportRef.Podman reference;
  private final Path directory;
  private final OciLayout layout;

  private PodmanSource(TransportRef.Podman reference, Path directory, OciLayout layout) {
    this.reference = reference;
    this.directory = directory;
    this.layout = layout;
  }

  static PodmanSource open(TransportRef.Podman reference) throws IOException {
    Path large = Path.of("/var/tmp");
    Path directory =
        Files.isWritable(large)
            ? Files.createTempDirectory(large, "slipway-")
            : Files.createTempDirectory("slipway-");
    boolean good = false;
    try {
      Command.Result copy =
          Command.of(
                  "skopeo",
                  "copy",
                  "--quiet",
                  "--dest-oci-accept-uncompressed-layers",
                  reference.toString(),
                  "oci:" + directory + ":image")
              .tryRun();
      if (copy.status() != 0) {
        throw Problem.notFound(
            "cannot read " + reference + " from podman's store: " + cause(copy.stderr()));
      }
      PodmanSource source =
          new PodmanSource(reference, directory, OciLayout.open(directory, "image"));
      good = true;
      return source;
    } finally {
      if (!good) {
        Posix.removeTree(OsPath.of(directory));
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
    return reference.toString();
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
    try (layout) {
      Posix.removeTree(OsPath.of(directory));
    }
  }
}
