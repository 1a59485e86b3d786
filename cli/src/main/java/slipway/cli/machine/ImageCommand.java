package slipway.cli.machine;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.cli.output.Table;
import slipway.host.status.KnownImage;

/** {@code bootc image}. */
@Command(
    name = "image",
    mixinStandardHelpOptions = true,
    description = "List the images that the machine has.",
    subcommands = ImageCommand.ListImages.class)
public final class ImageCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    throw Problem.usage("image needs to know what to do: list");
  }

  /** How the list is written. */
  enum Format {
    TABLE,
    JSON
  }

  /** {@code bootc image list}. */
  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      description = "List operating systems in the repository, and images bound to what runs.",
      footer = {"bootc image list", "bootc image list --type logical --format json"})
  static final class ListImages implements Callable<Integer> {
    @Option(
        names = "--type",
        paramLabel = "all|logical|host",
        description = "host: operating systems; logical: bound to what runs; default: all")
    KnownImage.Type type = KnownImage.Type.ALL;

    @Option(names = "--format", paramLabel = "table|json", description = "default: table")
    Format format = Format.TABLE;

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      List<KnownImage> images = KnownImage.list(Bootc.environment(spec, true, Progress.NONE), type);
      var out = spec.commandLine().getOut();
      if (format == Format.JSON) {
        out.println(Printable.json(KnownImage.json(images)));
      } else {
        Table table = new Table("REPOSITORY", "TYPE");
        images.forEach(i -> table.row(Printable.text(i.image()), i.type().word()));
        out.print(table);
      }
      out.flush();
      return 0;
    }
  }
}
