package slipway.cli.machine;

import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import slipway.base.Progress;
import slipway.cli.output.JsonText;
import slipway.host.deployment.UsrOverlay;
import slipway.host.system.HostEnvironment;
import tools.jackson.databind.node.JsonNodeFactory;

/** {@code bootc usr-overlay}. Not in private mounts, as others are: everybody shall see it. */
@Command(
    name = "usr-overlay",
    mixinStandardHelpOptions = true,
    description = "Let /usr be written to until the next reboot.",
    footer = {"bootc usr-overlay", "bootc usr-overlay --read-only --json"})
public final class UsrOverlayCommand implements Callable<Integer> {
  @Option(
      names = "--read-only",
      description = "prepare it only: a process with mounts of its own can make it writable")
  boolean readOnly;

  @Option(names = "--json", description = "tell as JSON what was done")
  boolean json;

  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    HostEnvironment host =
        json
            ? HostEnvironment.thisMachine(System.getenv(), text -> {}, Progress.NONE)
            : Bootc.environment(spec, false, Progress.NONE);
    new UsrOverlay(host).mount(readOnly);
    if (json) {
      spec.commandLine()
          .getOut()
          .println(
              JsonText.pretty(
                  JsonNodeFactory.instance
                      .objectNode()
                      .put("accessMode", readOnly ? "readOnly" : "readWrite")
                      .put("persistence", "transient")));
    }
    spec.commandLine().getOut().flush();
    return 0;
  }
}
