package slipway.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.oci.DirLayout;
import slipway.oci.DockerArchive;
import slipway.oci.ImageSink;
import slipway.oci.LocalStore;
import slipway.oci.Manifest;
import slipway.oci.OciArchive;
import slipway.oci.OciLayout;
import slipway.oci.Reference;
import slipway.oci.Transfer;

/** {@code slipway save}: an image to a file or folder that podman, docker and skopeo read. */
@Command(
    name = "save",
    mixinStandardHelpOptions = true,
    description = "Write an image to an archive.")
final class SaveCommand implements Callable<Integer> {
  /** The formats of podman save. */
  enum Format {
    OCI_ARCHIVE,
    OCI_DIR,
    DOCKER_ARCHIVE,
    DOCKER_DIR
  }

  @Mixin State state = new State();

  @Option(
      names = {"-o", "--output"},
      required = true,
      paramLabel = "FILE",
      description = "where to")
  Path output = Path.of("");

  @Option(
      names = "--format",
      paramLabel = "oci-archive|oci-dir|docker-archive|docker-dir",
      defaultValue = "oci-archive",
      description = "default: ${DEFAULT-VALUE}")
  String format = "";

  @Option(
      names = {"-q", "--quiet"},
      description = "no progress")
  boolean quiet;

  @Parameters(paramLabel = "IMAGE", description = "name or id")
  String image = "";

  @Override
  public Integer call() throws IOException {
    Format wanted = format(format);
    Progress progress = TerminalProgress.forStderr(System.err, quiet);
    try (LocalStore store = state.store()) {
      Manifest manifest = State.require(store, image);
      Reference name = LocalStore.localName(image).orLatest();
      try (ImageSink sink = sink(wanted, name)) {
        Transfer.copy(
            store.source(),
            manifest.digest().toString(),
            sink,
            null,
            Transfer.Options.all(),
            progress);
      }
    } finally {
      TerminalProgress.finish(progress);
    }
    return 0;
  }

  private static Format format(String text) {
    for (Format f : Format.values()) {
      if (f.name().toLowerCase(Locale.ROOT).replace('_', '-').equals(text)) {
        return f;
      }
    }
    throw Problem.usage(
        "unknown format \""
            + text
            + "\"; there are oci-archive, oci-dir, docker-archive and docker-dir");
  }

  private ImageSink sink(Format wanted, Reference name) throws IOException {
    return switch (wanted) {
      case OCI_ARCHIVE -> OciArchive.sink(output, name.toString());
      case OCI_DIR -> OciLayout.create(output, name.toString());
      case DOCKER_ARCHIVE -> DockerArchive.sink(output, name);
      case DOCKER_DIR -> DirLayout.create(output);
    };
  }
}
