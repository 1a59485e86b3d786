package slipway.cli.image;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.base.TemporaryFiles;
import slipway.cli.command.State;
import slipway.cli.output.OutputFile;
import slipway.cli.output.StandardOutput;
import slipway.cli.output.Terminal;
import slipway.cli.output.TerminalProgress;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.Transfer;
import slipway.oci.layout.OciLayout;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.Reference;
import slipway.oci.store.LocalStore;
import slipway.oci.transport.DirLayout;
import slipway.oci.transport.DockerArchive;
import slipway.oci.transport.OciArchive;

/** {@code slipway save}: an image to a file or folder that podman, docker and skopeo read. */
@Command(
    name = "save",
    mixinStandardHelpOptions = true,
    description = "Write images to an archive.",
    footer = {
      "slipway save -o web.tar localhost/web:1",
      "slipway save --format docker-archive localhost/web:1 | docker load"
    })
public final class SaveCommand implements Callable<Integer> {
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
      paramLabel = "FILE",
      defaultValue = "-",
      description = "where to, - for standard output (default: ${DEFAULT-VALUE})")
  Path output = Path.of("-");

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

  @Parameters(
      arity = "1..*",
      paramLabel = "IMAGE",
      description = "names or ids; a folder of docker-dir holds one only")
  List<String> images = List.of();

  @Override
  public Integer call() throws IOException {
    Format wanted = format(format);
    Progress progress = TerminalProgress.forStderr(System.err, quiet);
    if (wanted == Format.DOCKER_DIR && images.size() > 1) {
      throw Problem.usage("a folder of docker-dir holds one image only; save the others elsewhere");
    }
    checkOutput(wanted);
    try (LocalStore store = state.storeWith(images.getFirst())) {
      Map<Digest, Set<String>> names = new LinkedHashMap<>();
      for (String image : images) {
        Manifest manifest = State.require(store, image);
        Set<String> own = names.computeIfAbsent(manifest.digest(), d -> new LinkedHashSet<>());
        name(store, image, manifest).ifPresent(n -> own.add(n.toString()));
      }
      if (wanted == Format.OCI_DIR && names.values().stream().filter(Set::isEmpty).count() > 1) {
        throw Problem.usage("a folder of oci-dir holds one image without a name; save by names");
      }
      try (ImageSink sink = sink(wanted)) {
        save(store, names, sink, progress);
      }
    } finally {
      TerminalProgress.finish(progress);
    }
    return 0;
  }

  /** The name that an image has in the archive: none when it was meant by its id. */
  private static Optional<Reference> name(LocalStore store, String image, Manifest manifest) {
    Reference name;
    try {
      name = LocalStore.stored(LocalStore.localName(image));
    } catch (Problem e) {
      return Optional.empty();
    }
    Reference hub = LocalStore.stored(Reference.parse(image));
    return Stream.of(name, hub)
        .filter(
            candidate ->
                store.names().stream()
                    .anyMatch(
                        n ->
                            n.text().equals(candidate.toString())
                                && manifest.digest().equals(n.manifest())))
        .findFirst();
  }

  private static void save(
      LocalStore store, Map<Digest, Set<String>> images, ImageSink sink, Progress progress)
      throws IOException {
    boolean good = false;
    try {
      for (Map.Entry<Digest, Set<String>> image : images.entrySet()) {
        save(store, image.getKey(), List.copyOf(image.getValue()), sink, progress);
      }
      good = true;
    } finally {
      if (!good) {
        sink.abandon();
      }
    }
  }

  private static void save(
      LocalStore store, Digest image, List<String> names, ImageSink sink, Progress progress)
      throws IOException {
    String first = names.isEmpty() ? "" : names.getFirst();
    Manifest copied =
        Transfer.copy(
            store.source(), image.toString(), sink, first, Transfer.Options.all(), progress);
    for (String more : names.subList(Math.min(1, names.size()), names.size())) {
      sink.putManifest(copied, more);
    }
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

  private boolean toStdout() {
    return output.toString().equals("-");
  }

  private void checkOutput(Format wanted) throws IOException {
    boolean folder = wanted == Format.OCI_DIR || wanted == Format.DOCKER_DIR;
    if (folder && toStdout()) {
      throw Problem.usage("a folder cannot go to standard output; name it with --output");
    }
    if (folder) {
      output = OutputFile.checkFolder(output, "--output");
    } else if (!toStdout()) {
      output = OutputFile.check(output, "--output");
    } else if (Terminal.stdoutIsTerminal()) {
      throw Problem.usage("an archive is nothing for a terminal; give --output or redirect");
    }
  }

  private ImageSink sink(Format wanted) throws IOException {
    if (toStdout()) {
      OutputStream out = StandardOutput.bytesOfProcess();
      return wanted == Format.OCI_ARCHIVE
          ? OciArchive.sink(out)
          : DockerArchive.sink(out, TemporaryFiles.largeFolder());
    }
    return switch (wanted) {
      case OCI_ARCHIVE -> OciArchive.sink(output, null);
      case OCI_DIR -> OciLayout.create(output, null);
      case DOCKER_ARCHIVE -> DockerArchive.sink(output, null);
      case DOCKER_DIR -> DirLayout.create(output);
    };
  }
}
