package slipway.cli.image;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.cli.command.State;
import slipway.cli.output.Table;
import slipway.cli.output.TerminalProgress;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.oci.store.LocalStore;

/**
 * {@code slipway history IMAGE}: the steps that made it, newest first, with the size of each layer.
 */
@Command(
    name = "history",
    mixinStandardHelpOptions = true,
    description = "Show how an image was built, newest step first.",
    footer = "slipway history localhost/web:1")
public final class HistoryCommand implements Callable<Integer> {
  private static final int SHOWN = 60;

  @Mixin State state = new State();

  @Option(names = "--json", description = "print a JSON array, oldest step first")
  boolean json;

  @Option(names = "--no-trunc", description = "do not shorten the steps")
  boolean whole;

  @Parameters(paramLabel = "IMAGE", description = "name or id")
  String image = "";

  @Spec CommandSpec spec;

  /**
   * A step and what it made.
   *
   * @param size of its layer as it is stored, 0 when there is none
   */
  public record Step(ImageConfig.History line, long size) {}

  private static List<Step> steps(Manifest.Image image, ImageConfig config) {
    List<Step> steps = new ArrayList<>();
    var layers = image.layers().iterator();
    for (ImageConfig.History line : config.history()) {
      boolean none = line.emptyLayer() || !layers.hasNext();
      steps.add(new Step(line, none ? 0 : layers.next().size()));
    }
    return steps;
  }

  @Override
  public Integer call() {
    Manifest.Image manifest;
    ImageConfig config;
    try (LocalStore store = state.storeWith(image)) {
      manifest = store.image(image, Platform.host());
      config = store.config(manifest);
    }
    var out = spec.commandLine().getOut();
    List<Step> steps = steps(manifest, config);
    if (json) {
      out.println(ImageJson.history(steps));
      return 0;
    }
    Table table = new Table("CREATED", "CREATED BY", "SIZE");
    for (Step step : steps.reversed()) {
      ImageConfig.History line = step.line();
      String text = line.createdBy() == null ? "" : line.createdBy().replace('\n', ' ');
      table.row(
          line.created() == null ? "" : line.created(),
          whole || text.length() <= SHOWN ? text : text.substring(0, SHOWN - 1) + "…",
          TerminalProgress.bytes(step.size()));
    }
    out.print(table);
    out.flush();
    return 0;
  }
}
