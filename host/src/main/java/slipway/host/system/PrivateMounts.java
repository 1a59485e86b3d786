package slipway.host.system;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import slipway.base.Problem;
import slipway.linux.mount.Mounts;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.UnixException;
import slipway.linux.process.Command;

/**
 * A private view of the mounts, in which {@code /sysroot} and {@code /boot} are writable while they
 * stay read-only for everybody else. A namespace belongs to a thread and a JVM has many, so it has
 * to be there before the JVM: the script {@code bootc} and the finalizer's unit see to that and
 * tell it by {@code _ostree_unshared}, the variable that ostree and bootc use. Whoever was started
 * otherwise starts itself anew below unshare(1).
 */
public final class PrivateMounts {
  public static final String MARK = "_ostree_unshared";

  /**
   * The variable that tells a process started anew who did it: what that one holds open beyond
   * stdin, stdout and stderr is not inherited.
   */
  public static final String STARTER = "_slipway_started_by";

  private static final long MS_RELATIME = 1L << 21;

  private PrivateMounts() {}

  /**
   * Runs {@code work} in a namespace of its own and returns the exit code.
   *
   * @throws Problem of kind ENVIRONMENT when the process cannot start itself anew
   */
  public static int run(HostEnvironment host, Callable<Integer> work) throws Exception {
    if (host.variables().containsKey(MARK)) {
      makeWritable(host.root().resolve("sysroot"));
      makeWritable(host.root().resolve("boot"));
      return work.call();
    }
    Process child =
        Command.of(again())
            .environment(MARK, "1")
            .environment(STARTER, Long.toString(ProcessHandle.current().pid()))
            .environment("HOME", home(host))
            .startInherited();
    return child.waitFor();
  }

  private static String home(HostEnvironment host) {
    return host.variables().getOrDefault("HOME", "/root");
  }

  private static List<String> again() {
    ProcessHandle.Info self = ProcessHandle.current().info();
    // Slave: what systemd mounts on demand meanwhile, as a /boot that was idle, appears here, too.
    List<String> command =
        new ArrayList<>(List.of("unshare", "--mount", "--propagation", "slave", "--"));
    command.add(
        self.command()
            .orElseThrow(() -> Problem.environment("/proc does not tell this process' command")));
    command.addAll(
        List.of(
            self.arguments()
                .orElseThrow(
                    () -> Problem.environment("/proc does not tell this process' arguments"))));
    return command;
  }

  private static void makeWritable(Path path) throws IOException {
    OsPath target = OsPath.of(path);
    if (Files.isDirectory(path) && Mounts.isReadOnly(target)) {
      try {
        Mounts.mount(path.toString(), target, null, Mounts.MS_REMOUNT | MS_RELATIME, "");
      } catch (UnixException e) {
        throw new Problem(
            Problem.Kind.ENVIRONMENT,
            path
                + switch (e.errno()) {
                  case UnixException.EINVAL ->
                      " is read-only and nothing is mounted there: mount its file system first";
                  case UnixException.EACCES, UnixException.EROFS ->
                      " cannot be made writable: its disk is write-protected, or errors made it"
                          + " read-only (dmesg tells); nothing was changed";
                  default -> " cannot be made writable: " + e.text();
                },
            e);
      }
    }
  }
}
