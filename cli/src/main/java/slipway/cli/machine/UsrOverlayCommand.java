package slipway.cli.machine;

import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import slipway.base.Progress;
import slipway.host.deployment.UsrOverlay;

/** {@code bootc usr-overlay}. Not in private mounts, as others are: everybody shall see it. */
@Command(
    name = "usr-overlay",
    mixinStandardHelpOptions = true,
    description = "Let /usr be written to until the next reboot.",
    footer = {"bootc usr-overlay", "bootc usr-overlay --read-only"})
public final class UsrOverlayCommand implements Callable<Integer> {
  @Option(
      names = "--read-only",
      description = "prepare it only: a process with mounts of its own can make it writable")
  boolean readOnly;

  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    new UsrOverlay(Bootc.environment(spec, false, Progress.NONE)).mount(readOnly);
    spec.commandLine().getOut().flush();
    return 0;
  }
}
