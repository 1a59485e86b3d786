package slipway.cli.image;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.cli.command.State;
import slipway.cli.output.Terminal;
import slipway.cli.output.TerminalProgress;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Transfer;
import slipway.oci.model.Manifest;
import slipway.oci.model.Reference;
import slipway.oci.store.LocalStore;
import slipway.oci.transport.SavedImages;

/** {@code slipway load}: the images of an archive or a folder into the store, under their names. */
@Command(
    name = "load",
    mixinStandardHelpOptions = true,
    description = "Read images that slipway, podman, docker or skopeo saved.",
    footer = "slipway load -i web.tar")
public final class LoadCommand implements Callable<Integer> {
  private static final String STDIN = "-";

  @Mixin State state = new State();

  @Option(
      names = {"-i", "--input"},
      paramLabel = "FILE|DIR",
      defaultValue = STDIN,
      description =
          "an oci-archive or docker-archive, which may be compressed with gzip, bzip2, xz or zstd,"
              + " or a folder of oci-dir or docker-dir; - for standard input"
              + " (default: ${DEFAULT-VALUE})")
  Path input = Path.of(STDIN);

  @Option(
      names = {"-q", "--quiet"},
      description = "no progress")
  boolean quiet;

  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    if (fromStdin() && Terminal.stdinIsTerminal()) {
      throw Problem.usage(
          "an archive does not come from a terminal; redirect standard input or give --input");
    }
    var out = spec.commandLine().getOut();
    Progress progress = TerminalProgress.forStderr(System.err, quiet);
    try (LocalStore store = state.store();
        ImageSource archive = open()) {
      requireNames(archive);
      for (ImageSource.Held image : archive.images()) {
        List<Reference> names = image.names().stream().map(LocalStore::localName).toList();
        Manifest manifest;
        try (ImageSink sink = store.sink(null)) {
          manifest =
              Transfer.copy(
                  archive, image.selector(), sink, null, Transfer.Options.all(), progress);
          store.tag(names, manifest.digest());
        }
        if (names.isEmpty()) {
          out.println("Loaded image: " + manifest.digest());
        }
        names.forEach(name -> out.println("Loaded image: " + name));
      }
    } finally {
      TerminalProgress.finish(progress);
    }
    return 0;
  }

  private boolean fromStdin() {
    return input.toString().equals(STDIN);
  }

  private ImageSource open() throws IOException {
    return fromStdin()
        ? SavedImages.open(
            // Of a channel, because a read of it ends when the command shall end.
            Channels.newInputStream(new FileInputStream(FileDescriptor.in).getChannel()),
            "standard input")
        : SavedImages.open(input);
  }

  /** Before anything is loaded: an archive's word does not make a manifest that of a digest. */
  private static void requireNames(ImageSource archive) throws IOException {
    for (ImageSource.Held image : archive.images()) {
      for (String text : image.names()) {
        Reference name = LocalStore.localName(text);
        if (name.digest() != null) {
          name.requireDigest(archive.manifest(image.selector()).digest());
        }
      }
    }
  }
}
