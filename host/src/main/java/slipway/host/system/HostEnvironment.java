package slipway.host.system;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Map;
import java.util.function.Consumer;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.posix.Posix;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.RunState;

/**
 * Where a command runs and what it may do there.
 *
 * @param root of the running system, usually {@code /}
 * @param run usually {@code /run}
 * @param variables of the process
 * @param out takes lines for standard output
 * @param progress shows long work; hears nothing with {@code --quiet}
 * @param images where images come from
 * @param system starts units, reboots, writes to the journal
 */
public record HostEnvironment(
    Path root,
    Path run,
    Map<String, String> variables,
    Consumer<String> out,
    Progress progress,
    ImageSources images,
    SystemActions system,
    InstantSource clock) {
  private static final String UNATTENDED = "SLIPWAY_UNATTENDED";

  public HostEnvironment {
    variables = Map.copyOf(variables);
  }

  /** This machine. */
  public static HostEnvironment thisMachine(
      Map<String, String> variables, Consumer<String> out, Progress progress) {
    Path root = Path.of("/");
    return new HostEnvironment(
        root,
        Path.of("/run"),
        variables,
        out,
        progress,
        new MachineImages(root, variables),
        SystemActions.systemd(),
        InstantSource.system());
  }

  /** Whether a timer runs this and not a person; the unit of automatic updates says so. */
  public boolean unattended() {
    return "1".equals(variables.get(UNATTENDED));
  }

  public RunState runState() throws IOException {
    return RunState.read(run, root);
  }

  public Sysroot sysroot() throws IOException {
    return Sysroot.open(root, runState(), progress::note);
  }

  /** A deployment runs that no entry of the boot menu leads to. */
  public static Problem notInMenu() {
    return Problem.environment(
        "the running system is not in the boot menu: is the boot file system mounted on /boot?");
  }

  /** Refuses to go on where nothing can be changed. */
  public void requireHost() throws IOException {
    if (Files.exists(run.resolve(".containerenv")) || Files.exists(root.resolve(".dockerenv"))) {
      throw Problem.environment("Detected container; this command requires a booted host system.");
    }
    if (Posix.geteuid() != 0) {
      throw Problem.denied("This command must be executed as the root user");
    }
    if (!runState().booted()) {
      throw Problem.environment("System is not deployed via bootc.");
    }
  }
}
