package slipway.cli;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.oci.Descriptor;
import slipway.oci.ImageConfig;
import slipway.oci.LocalStore;
import slipway.oci.Manifest;
import slipway.oci.Platform;

/**
 * {@code slipway history IMAGE}: the steps that made it, newest first, with the size of each layer.
 */
@Command(
    name = "history",
    mixinStandardHelpOptions = true,
    description = "Show how an image was built, newest step first.")
final class HistoryCommand implements Callable<Integer> {
  private static final int SHOWN = 60;

  @Mixin State state = new State();

  @Option(names = "--json", description = "print a JSON array, oldest step first")
  boolean json;

  @Option(names = "--no-trunc", description = "do not shorten the steps")
  boolean whole;

  @Parameters(paramLabel = "IMAGE", description = "name or id")
  String image = "";

  @Spec CommandSpec spec;

  @Override
  public Integer call() {
    Manifest.Image manifest;
    ImageConfig config;
    try (LocalStore store = state.storeWith(image)) {
      manifest = store.image(image, Platform.host());
      config = store.config(manifest);
    }
    var out = spec.commandLine().getOut();
    if (json) {
      out.println(JsonText.history(config.history()));
      return 0;
    }
    List<String[]> rows = new ArrayList<>();
    var layers = manifest.layers().iterator();
    for (ImageConfig.History line : config.history()) {
      Descriptor layer = line.emptyLayer() || !layers.hasNext() ? null : layers.next();
      String step = line.createdBy() == null ? "" : line.createdBy().replace('\n', ' ');
      rows.add(
          new String[] {
            line.created() == null ? "" : line.created(),
            whole || step.length() <= SHOWN ? step : step.substring(0, SHOWN - 1) + "…",
            layer == null ? "0 B" : TerminalProgress.bytes(layer.size())
          });
    }
    Collections.reverse(rows);
    Table table = new Table("CREATED", "CREATED BY", "SIZE");
    rows.forEach(table::row);
    out.print(table);
    out.flush();
    return 0;
  }
}
