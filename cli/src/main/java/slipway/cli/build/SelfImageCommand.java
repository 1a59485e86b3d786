package slipway.cli.build;

import java.io.IOException;
import java.net.URI;
import java.time.InstantSource;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import slipway.base.Progress;
import slipway.cli.command.Product;
import slipway.cli.command.State;
import slipway.cli.command.Version;
import slipway.cli.image.ImagesCommand;
import slipway.cli.output.TerminalProgress;
import slipway.distro.SelfImage;
import slipway.oci.model.Manifest;
import slipway.oci.store.LocalStore;

/** {@code slipway self-image}: the product as an image. */
@Command(
    name = "self-image",
    mixinStandardHelpOptions = true,
    description =
        "Build an image of Slipway, to run as that of bootc-image-builder; needs root, and"
            + " installs Debian packages. What follows its name in podman run is the command line"
            + " of that tool.",
    footer = {
      "slipway self-image -t registry.example/slipway:1",
      "slipway self-image --mirror http://mirror.example/debian -t slipway:1"
    })
public final class SelfImageCommand implements Callable<Integer> {
  @Mixin State state = new State();

  @Option(
      names = {"-t", "--tag"},
      paramLabel = "NAME",
      defaultValue = "localhost/slipway:latest",
      description = "name of the image (default: ${DEFAULT-VALUE})")
  String tag = "localhost/slipway:latest";

  @Option(
      names = "--mirror",
      paramLabel = "URI",
      description = "Debian mirror (default: the one this machine's apt uses)")
  @Nullable URI mirror;

  @Option(
      names = {"-q", "--quiet"},
      description = "print the image's digest only")
  boolean quiet;

  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    long start = System.nanoTime();
    SelfImage.requireRoot();
    Progress progress = TerminalProgress.forStderr(System.err, quiet);
    try (LocalStore store = state.store()) {
      SelfImage.Request request =
          new SelfImage.Request(
              LocalStore.newName(tag),
              mirror,
              Product.jars(),
              Version.text(),
              store,
              state.directory(),
              Epoch.ofEnvironment());
      Manifest.Image image = SelfImage.build(request, progress, InstantSource.system());
      TerminalProgress.finish(progress);
      spec.commandLine()
          .getOut()
          .println(
              quiet
                  ? image.digest()
                  : String.format(
                      Locale.ROOT,
                      "%s  %s  %s, %.1f s",
                      request.tag(),
                      image.digest(),
                      TerminalProgress.bytes(ImagesCommand.size(image)),
                      (System.nanoTime() - start) / 1e9));
    } finally {
      TerminalProgress.finish(progress);
    }
    return 0;
  }
}
