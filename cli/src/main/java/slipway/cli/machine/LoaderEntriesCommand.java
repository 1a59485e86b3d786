package slipway.cli.machine;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import slipway.base.Problem;
import slipway.host.deployment.MachineArguments;

/** {@code bootc loader-entries}. */
@Command(
    name = "loader-entries",
    mixinStandardHelpOptions = true,
    description = "Change the entries of the boot menu for other tools.",
    subcommands = LoaderEntriesCommand.SetOptions.class)
public final class LoaderEntriesCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    throw Problem.usage("loader-entries needs to know what to do: set-options-for-source");
  }

  /** {@code bootc loader-entries set-options-for-source}. */
  @Command(
      name = "set-options-for-source",
      mixinStandardHelpOptions = true,
      description = "Set the kernel arguments that a tool owns, in place of those it set before.",
      footer = {
        "bootc loader-entries set-options-for-source --source tuned --options nohz=on",
        "bootc loader-entries set-options-for-source --source tuned"
      })
  public static final class SetOptions implements Callable<Integer> {
    @Option(
        names = "--source",
        paramLabel = "NAME",
        required = true,
        description = "the tool's name")
    String source = "";

    @Option(
        names = "--options",
        paramLabel = "ARGS",
        description = "its kernel arguments, blanks between (default: none any more)")
    String options = "";

    @Option(names = "--json", description = "tell as JSON what was done")
    boolean json;

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      return Bootc.work(
          spec,
          json,
          host ->
              KargsCommand.json(new MachineArguments(host).setOptionsForSource(source, options)));
    }
  }
}
