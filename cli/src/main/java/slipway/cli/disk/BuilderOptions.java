package slipway.cli.disk;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.cli.command.State;
import slipway.cli.image.RegistryAccess;
import slipway.disk.DiskRequest;
import slipway.disk.FileAccess;
import slipway.oci.model.Platform;

/** bootc-image-builder's options of both its verbs, beside those of every disk: a mix-in. */
final class BuilderOptions {
  private static final List<String> LEVELS = List.of("debug", "info", "error");

  @Mixin DiskOptions disk = new DiskOptions();

  @Option(
      names = "--target-arch",
      paramLabel = "ARCH",
      description = "of the image, such as amd64 or arm64 (default: this machine's)")
  @Nullable String targetArch;

  @Option(
      names = "--seed",
      paramLabel = "NUMBER",
      description = "make the disk's ids of this number (default: others each time)")
  @Nullable Long seed;

  @Option(
      names = "--no-default-kernel-args",
      description = "leave rw, console=tty0 and console=ttyS0,115200 out of the kernel's arguments")
  boolean noDefaultArguments;

  @Option(
      names = "--log-level",
      paramLabel = "debug|info|error",
      defaultValue = "error",
      description = "info and debug tell what --verbose does (default: ${DEFAULT-VALUE})")
  String logLevel = "error";

  @Option(
      names = {"-v", "--verbose"},
      description = "tell each step in a line, as --progress verbose does")
  boolean verbose;

  @Option(
      names = "--installer-payload-ref",
      paramLabel = "IMAGE",
      description = "not here: an installer installs the image that it is made of")
  @Nullable String payload;

  @Option(
      names = "--build-container",
      paramLabel = "IMAGE",
      description = "not needed: nothing of an image is run to make a disk of it")
  @Nullable String buildContainer;

  @Option(
      names = "--rpmmd",
      paramLabel = "DIR",
      defaultValue = "/rpmmd",
      hidden = true,
      description = "taken, and changes nothing: no package is fetched")
  Path rpmmd = Path.of("/rpmmd");

  @Option(
      names = "--use-librepo",
      paramLabel = "true|false",
      arity = "0..1",
      defaultValue = "true",
      fallbackValue = "true",
      hidden = true,
      description = "taken, and changes nothing: no package is fetched")
  boolean librepo = true;

  @Option(
      names = "--local",
      paramLabel = "true|false",
      arity = "0..1",
      fallbackValue = "true",
      hidden = true,
      description = "deprecated: images are those of this machine always")
  @Nullable Boolean local;

  @Option(
      names = "--tls-verify",
      paramLabel = "true|false",
      arity = "0..1",
      fallbackValue = "true",
      hidden = true,
      description = "deprecated: for a container that has to fetch the image")
  @Nullable Boolean tlsVerify;

  @Spec(Spec.Target.MIXEE)
  CommandSpec spec = CommandSpec.create();

  /** Refuses what cannot be, and warns of what does nothing. */
  void check() {
    if (!LEVELS.contains(logLevel)) {
      throw Problem.usage("--log-level takes debug, info or error, not \"" + logLevel + "\"");
    }
    if (disk.isLive() && (seed != null || noDefaultArguments)) {
      throw Problem.usage(
          (seed != null ? "--seed" : "--no-default-kernel-args")
              + " does not go with --type "
              + disk.types.getFirst()
              + ": the disk is made where it is installed");
    }
    if (Boolean.FALSE.equals(local)) {
      throw Problem.usage(
          "--local=false is no longer supported, remove the flag and make sure to pull the"
              + " container image before: sudo podman pull IMAGE");
    }
    if (payload != null) {
      throw Problem.usage(
          "--installer-payload-ref belongs to --type bootc-installer, which installs IMAGE itself"
              + " here: leave it out, and name the image that is to be installed");
    }
    if (local != null) {
      warn("--local is deprecated and now the default; make sure to pull the image before");
    }
    if (tlsVerify != null) {
      warn(
          "--tls-verify is deprecated: it is for containers without podman's store, which fetch the"
              + " image");
    }
    if (buildContainer != null) {
      warn("--build-container does nothing: nothing of an image is run to make a disk of it");
    }
  }

  private void warn(String sentence) {
    spec.commandLine().getErr().println("warning: " + sentence);
  }

  boolean isVerbose() {
    return verbose || !logLevel.equals("error");
  }

  /** The image of that name, which a container without podman's store fetches. */
  BuilderImage open(String image, State state, BuilderContainer container, Progress progress)
      throws IOException {
    BuilderImage.Fetching fetching =
        container.isHere()
            ? new BuilderImage.Fetching(RegistryAccess.ofUser(tlsVerify), progress)
            : null;
    return BuilderImage.open(image, platform(), state, fetching);
  }

  /** What the image must be for. */
  Platform platform() {
    return targetArch == null ? Platform.host() : platform(targetArch);
  }

  /**
   * An architecture in the words of OCI or of the kernel.
   *
   * @throws Problem of kind USAGE
   */
  static Platform platform(String arch) {
    String name =
        switch (arch) {
          case "x86_64" -> "amd64";
          case "aarch64" -> "arm64";
          default -> arch;
        };
    if (Stream.of("amd64", "arm64", "ppc64le", "s390x", "riscv64").noneMatch(name::equals)) {
      throw Problem.usage(
          "--target-arch \""
              + arch
              + "\" is no architecture of bootable images; there are amd64, arm64, ppc64le, s390x"
              + " and riscv64");
    }
    return new Platform("linux", name, null);
  }

  /** The disk that they want of an image. */
  DiskRequest wanted(
      BuilderImage image, DiskOptions.Wanted wanted, FileAccess access, Path output) {
    return wanted
        .disk(image.source(), image.manifest(), image.config(), image.name(), access, output)
        .with(!noDefaultArguments, seed)
        .withForeign(targetArch != null);
  }
}
