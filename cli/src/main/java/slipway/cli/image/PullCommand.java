package slipway.cli.image;

import java.io.IOException;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.cli.command.State;
import slipway.cli.output.TerminalProgress;
import slipway.config.registries.Registries;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Transfer;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.store.LocalStore;

/** {@code slipway pull NAME}: from a registry into the local store; prints the digest. */
@Command(
    name = "pull",
    mixinStandardHelpOptions = true,
    description = "Fetch an image from a registry.",
    footer = "slipway pull registry.example/web:stable")
public final class PullCommand implements Callable<Integer> {
  private static final Set<String> CONFIGS =
      Set.of(MediaTypes.OCI_CONFIG, MediaTypes.DOCKER_CONFIG);

  private static final Pattern OTHER_TRANSPORT =
      Pattern.compile(
          "(oci|oci-archive|docker-archive|dir|containers-storage):(?![0-9]{1,5}(/|$))");

  @Mixin State state = new State();
  @Mixin RegistryAccess access = new RegistryAccess();

  @Option(
      names = "--platform",
      paramLabel = "OS/ARCH",
      description = "another platform than this machine's")
  @Nullable String platform;

  @Option(names = "--all-platforms", description = "all images of an index, and the index itself")
  boolean all;

  @Option(
      names = {"-q", "--quiet"},
      description = "no progress")
  boolean quiet;

  @Parameters(paramLabel = "NAME", description = "HOST/REPOSITORY[:TAG|@DIGEST]")
  String name = "";

  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    Registries registries = access.registries();
    Reference reference = registries.resolve(withoutTransport(name)).orLatest();
    Platform wanted = platform == null ? Platform.host() : Platform.parse(platform);
    Progress progress = TerminalProgress.forStderr(System.err, quiet);
    Manifest manifest;
    Platform other;
    try (LocalStore store = state.store();
        ImageSource registry = registries.source(reference)) {
      manifest =
          Transfer.copy(
              registry,
              reference.selector(),
              store.sink(reference),
              null,
              all ? Transfer.Options.all() : Transfer.Options.of(wanted),
              progress);
      other = all ? null : otherPlatform(store, manifest, wanted);
    } finally {
      TerminalProgress.finish(progress);
    }
    if (other != null) {
      spec.commandLine()
          .getErr()
          .println(
              "warning: image platform ("
                  + Printable.text(other.toString())
                  + ") does not match the expected platform ("
                  + wanted
                  + ")");
    }
    spec.commandLine().getOut().println(manifest.digest());
    return 0;
  }

  /** What an image is for that has no index to choose from, when it is not what was wanted. */
  private static @Nullable Platform otherPlatform(
      LocalStore store, Manifest manifest, Platform wanted) {
    if (!(manifest instanceof Manifest.Image image)
        || !CONFIGS.contains(image.config().mediaType())) {
      return null;
    }
    Platform own;
    try {
      own = store.config(image).platform();
    } catch (Problem e) {
      return null; // The image is there and named; what is wrong with its config shows when used.
    }
    return wanted.accepts(own) ? null : own;
  }

  /**
   * skopeo's users write {@code docker://} in front of a name.
   *
   * @throws Problem of kind USAGE for another transport; {@code dir:5000/web} is of a registry
   */
  static String withoutTransport(String name) {
    if (OTHER_TRANSPORT.matcher(name).lookingAt()) {
      throw Problem.usage(
          "\""
              + Printable.text(name)
              + (name.startsWith("containers-storage:")
                  ? "\" is in no registry; podman push brings it to one, or skopeo copy into an oci:"
                      + " folder, which slipway load reads"
                  : "\" is in no registry; slipway load reads it, slipway save and export write"
                      + " there"));
    }
    return name.startsWith("docker://") ? name.substring("docker://".length()) : name;
  }
}
