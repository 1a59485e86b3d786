package slipway.cli;

import java.io.IOException;
import java.nio.file.Files;
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
import slipway.oci.ImageSink;
import slipway.oci.ImageSource;
import slipway.oci.LocalStore;
import slipway.oci.Manifest;
import slipway.oci.Reference;
import slipway.oci.Transfer;

/** {@code slipway load}: the images of an archive into the local store, under their names. */
@Command(
    name = "load",
    mixinStandardHelpOptions = true,
    description = "Read images from an archive of slipway, podman, docker or skopeo.")
final class LoadCommand implements Callable<Integer> {
  @Mixin State state = new State();

  @Option(
      names = {"-i", "--input"},
      required = true,
      paramLabel = "FILE",
      description =
          "an oci-archive or docker-archive; may be compressed with gzip, bzip2, xz or zstd")
  Path input = Path.of("");

  @Option(
      names = {"-q", "--quiet"},
      description = "no progress")
  boolean quiet;

  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    if (Files.isDirectory(input)) {
      throw Problem.usage("--input " + input + " is a folder; load reads an archive, a file");
    }
    var out = spec.commandLine().getOut();
    Progress progress = TerminalProgress.forStderr(System.err, quiet);
    try (LocalStore store = state.store();
        ImageSource archive = ImageSource.archive(input)) {
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
