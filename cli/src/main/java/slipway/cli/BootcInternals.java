package slipway.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.cli.machine.Bootc;
import slipway.cli.machine.OstreeContainer;
import slipway.cli.output.ConsoleProgress;
import slipway.host.health.BootHealth;
import slipway.host.install.MediumInstall;
import slipway.host.install.OldSystem;
import slipway.host.system.HostEnvironment;
import slipway.host.system.PrivateMounts;
import slipway.host.update.Host;

/** {@code bootc internals}: what units call. */
@Command(
    name = "internals",
    hidden = true,
    mixinStandardHelpOptions = true,
    subcommands = OstreeContainer.class)
final class BootcInternals implements Callable<Integer> {
  @Spec CommandSpec spec;

  @Override
  public Integer call() {
    throw Problem.usage("which internal command? bootc internals --help lists them");
  }

  /** Does what verbs do, so that the AOT cache holds what they need. */
  @Command(name = "aot-training", description = "run verbs for the JVM's AOT cache")
  int aotTraining(@Parameters(paramLabel = "quick|run") InternalsCommand.Commands verbs)
      throws IOException {
    InternalsCommand.train(verbs);
    return 0;
  }

  /** Called when the machine shuts down. */
  @Command(name = "finalize-staged", description = "finish what is staged; the shutdown calls this")
  int finalizeStaged() throws Exception {
    return Bootc.change(spec, false, Host::finalizeStaged);
  }

  /** Called early in a start that the boot loader does not count. */
  @Command(
      name = "boot-attempt",
      description = "count the start of a new deployment; a unit calls this")
  int bootAttempt() throws Exception {
    return Bootc.changeBy(spec, false, host -> new BootHealth(host).attempt());
  }

  /** Called at each start and after each change of the deployments. */
  @Command(
      name = "boot-menu",
      description = "copy the boot menu to the EFI system partition; a unit calls this")
  int bootMenu() throws Exception {
    return Bootc.change(spec, false, Host::mirrorBootMenu);
  }

  /** Called when the system has started; its output goes to the journal line by line. */
  @Command(
      name = "check-health",
      description = "run the checks of this system's health; a unit calls this")
  int checkHealth() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    new BootHealth(
            HostEnvironment.thisMachine(
                System.getenv(),
                line -> {
                  out.println(Printable.lines(line));
                  out.flush();
                },
                Progress.NONE))
        .check();
    return 0;
  }

  /** Called when all that a start waits for went well. */
  @Command(name = "healthy", description = "end the trial of a new deployment; a unit calls this")
  int healthy() throws Exception {
    return Bootc.changeBy(spec, false, host -> new BootHealth(host).healthy());
  }

  /** Called when something that a start waits for did not go well. */
  @Command(
      name = "unhealthy",
      description = "try a new deployment again, or go back to the one before; a unit calls this")
  int unhealthy() throws Exception {
    return Bootc.changeBy(spec, false, host -> new BootHealth(host).unhealthy());
  }

  /** Called when a machine was started from an installer medium; on its console. */
  @Command(
      name = "install-from-medium",
      description = "install from the medium that this machine was started from; a unit calls this")
  int installFromMedium() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    var typed = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try (ConsoleProgress progress = new ConsoleProgress(System.err)) {
      new MediumInstall(
              HostEnvironment.thisMachine(
                  System.getenv(),
                  text -> {
                    out.println(Printable.lines(text));
                    out.flush();
                  },
                  progress),
              () -> {
                try {
                  return typed.readLine();
                } catch (IOException e) {
                  return null;
                }
              })
          .run();
    }
    return 0;
  }

  /** Called at the first boot after {@code bootc install to-existing-root --cleanup}. */
  @Command(
      name = "remove-old-system",
      description = "remove the system that an installation replaced; the first boot calls this")
  int removeOldSystem() throws Exception {
    HostEnvironment host = HostEnvironment.thisMachine(System.getenv(), line -> {}, Progress.NONE);
    host.requireHost();
    return PrivateMounts.run(
        host,
        () -> {
          OldSystem.remove(host.root().resolve("sysroot"));
          return 0;
        });
  }
}
