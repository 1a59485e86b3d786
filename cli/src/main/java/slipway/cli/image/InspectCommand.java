package slipway.cli.image;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.base.Printable;
import slipway.base.Progress;
import slipway.cli.command.State;
import slipway.cli.output.Terminal;
import slipway.oci.model.Manifest;
import slipway.oci.store.LocalStore;

/** {@code slipway inspect IMAGE}: manifest and config as JSON. */
@Command(
    name = "inspect",
    mixinStandardHelpOptions = true,
    description = "Show an image's manifest and config as JSON.",
    footer = "slipway inspect localhost/web:1")
public final class InspectCommand implements Callable<Integer> {
  @Mixin State state = new State();

  @Option(names = "--raw", description = "print the manifest's own bytes")
  boolean raw;

  @Option(names = "--config", description = "print the config's own bytes")
  boolean configOnly;

  @Option(names = "--check", description = "read all of it first: digests, sizes, config")
  boolean check;

  @Parameters(paramLabel = "IMAGE", description = "name or id")
  String image = "";

  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    var out = spec.commandLine().getOut();
    try (LocalStore store = state.storeWith(image)) {
      Manifest manifest = State.require(store, image);
      if (check) {
        store.validate(manifest, Progress.NONE);
        spec.commandLine()
            .getErr()
            .println("checked " + manifest.digest() + ": digests, sizes and layers are right");
      }
      byte[] config = null;
      if (manifest instanceof Manifest.Image i) {
        config = store.configBytes(i);
      }
      if (raw) {
        out.println(shown(manifest.bytes()));
      } else if (configOnly && config != null) {
        out.println(shown(config));
      } else {
        out.println(ImageJson.inspect(image, manifest, config));
      }
    }
    return 0;
  }

  /** The bytes as they are, but what a terminal would obey, which it shows. */
  private static String shown(byte[] json) {
    String text = new String(json, StandardCharsets.UTF_8);
    return Terminal.stdoutIsTerminal() ? Printable.lines(text) : text;
  }
}
