package slipway.cli.build;

import java.io.IOException;
import java.net.URI;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.cli.command.Product;
import slipway.cli.command.State;
import slipway.cli.image.ImagesCommand;
import slipway.cli.output.TerminalProgress;
import slipway.distro.BaseImage;
import slipway.distro.BaseRequest;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.oci.store.LocalStore;

/** {@code slipway base}: bootable base images. */
@Command(
    name = "base",
    mixinStandardHelpOptions = true,
    description = "Build a bootable base image from packages.",
    subcommands = BaseCommand.Build.class)
public final class BaseCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    throw Problem.usage("which base command? there is: slipway base build");
  }

  /** {@code slipway base build}. */
  @Command(
      name = "build",
      mixinStandardHelpOptions = true,
      description = "Build a base image from Debian packages; needs root.",
      footer = {
        "slipway base build --suite trixie -t localhost/debian-bootc:trixie",
        "slipway base build --package vim --package htop -t localhost/base",
        "slipway base build --arch arm64 --no-agent -t localhost/base:arm64"
      })
  static final class Build implements Callable<Integer> {
    @Mixin State state = new State();

    @Option(
        names = "--suite",
        paramLabel = "SUITE",
        defaultValue = "trixie",
        description = "Debian suite (default: ${DEFAULT-VALUE})")
    String suite = "trixie";

    @Option(
        names = "--arch",
        paramLabel = "ARCH",
        description =
            "amd64 or arm64 (default: this computer's); for another one its programs must run here,"
                + " as qemu-user-static lets them, and --no-agent is needed")
    @Nullable String arch;

    @Option(
        names = {"-t", "--tag"},
        paramLabel = "NAME",
        description =
            "name of the image (default: localhost/debian-bootc:SUITE, and with another"
                + " architecture SUITE-ARCH)")
    @Nullable String tag;

    @Option(
        names = "--mirror",
        paramLabel = "URI",
        description = "Debian mirror (default: the one this machine's apt uses)")
    @Nullable URI mirror;

    @Option(
        names = "--kernel",
        paramLabel = "PACKAGE",
        description = "kernel package (default: the cloud kernel of this architecture)")
    @Nullable String kernel;

    @Option(
        names = "--package",
        paramLabel = "NAME",
        description = "another package to install; may be repeated")
    List<String> packages = List.of();

    @Option(
        names = "--writable-opt",
        description =
            "make /opt and /usr/local links into /var, where a machine may write and no upgrade"
                + " changes anything (default: folders of the image)")
    boolean writableOpt;

    @Option(
        names = "--if-changed",
        description =
            "build only when the image is missing or holds another agent than this product's")
    boolean ifChanged;

    @Option(names = "--no-agent", description = "leave the host agent out")
    boolean noAgent;

    @Option(
        names = {"-q", "--quiet"},
        description = "print the image's digest only")
    boolean quiet;

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      long start = System.nanoTime();
      var out = spec.commandLine().getOut();
      if (!ifChanged) { // What is there and has not changed is found by anyone.
        BaseImage.requireRoot();
      }
      Progress progress = TerminalProgress.forStderr(System.err, quiet);
      try (LocalStore store = state.store()) {
        BaseRequest request = request(store);
        Manifest.Image image =
            ifChanged
                ? BaseImage.ensure(request, progress, InstantSource.system()).image()
                : BaseImage.build(request, progress, InstantSource.system());
        TerminalProgress.finish(progress);
        out.println(quiet ? image.digest() : summary(request, image, start));
      } finally {
        TerminalProgress.finish(progress);
      }
      return 0;
    }

    private BaseRequest request(LocalStore store) {
      Platform platform = platform();
      return new BaseRequest(
          suite,
          platform,
          LocalStore.newName(tag == null ? usualName(platform) : tag),
          mirror,
          kernel == null ? BaseImage.defaultKernel(platform) : kernel,
          packages,
          writableOpt,
          noAgent ? null : Product.jars(),
          store,
          state.directory(),
          Epoch.ofEnvironment());
    }

    private Platform platform() {
      if (arch == null) {
        return Platform.host();
      }
      Platform platform = Platform.ofLinux(arch);
      if (!BaseImage.ARCHITECTURES.contains(platform.architecture())) {
        throw Problem.usage(
            "--arch \"" + arch + "\" is none that base images are for; there are amd64 and arm64");
      }
      return platform;
    }

    /** One for another architecture leaves this computer's own in its place. */
    private String usualName(Platform platform) {
      String name = "localhost/debian-bootc:" + suite;
      return Platform.host().accepts(platform) ? name : name + "-" + platform.architecture();
    }

    private static String summary(BaseRequest request, Manifest.Image image, long start) {
      return String.format(
          Locale.ROOT,
          "%s  %s  %s in %d layers, %.1f s",
          request.tag(),
          image.digest(),
          TerminalProgress.bytes(ImagesCommand.size(image)),
          image.layers().size(),
          (System.nanoTime() - start) / 1e9);
    }
  }
}
