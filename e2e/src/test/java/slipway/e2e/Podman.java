package slipway.e2e;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import slipway.linux.process.Command;

/** Debian's podman with a store of its own, so that nothing of the machine's is seen or changed. */
final class Podman implements AutoCloseable {
  private final Path root;
  private final Path run;

  /**
   * @param directory for its files; podman wants a short path, 44 characters at most
   */
  Podman(Path directory) {
    root = directory.resolve("root");
    run = directory.resolve("run");
  }

  private Command command(List<String> arguments) {
    List<String> argv =
        new ArrayList<>(
            List.of(
                "podman",
                "--root",
                root.toString(),
                "--runroot",
                run.toString(),
                "--storage-driver",
                "overlay",
                "--cgroup-manager",
                "cgroupfs",
                "--events-backend",
                "none",
                "--runtime",
                "/usr/sbin/runc"));
    argv.addAll(arguments);
    return Command.of(argv).idleLimit(Cli.IDLE_LIMIT);
  }

  /** Runs a podman command and returns its output without white space around it. */
  String must(String... arguments) {
    return command(List.of(arguments)).output();
  }

  /** What an image's own command prints, run without a network. */
  String runImage(String image, String... arguments) {
    List<String> argv =
        new ArrayList<>(
            List.of(
                "run",
                "--rm",
                "--pull",
                "never",
                "--network",
                "none",
                // Not every machine lets root raise its limits, and podman's defaults do that.
                "--ulimit",
                "nofile=4096:4096",
                "--ulimit",
                "nproc=1024:1024",
                image));
    argv.addAll(List.of(arguments));
    return command(argv).output();
  }

  @Override
  public void close() {
    // The overlay of a store is mounted on itself and would be in the way of who removes it.
    command(List.of("system", "reset", "--force")).tryRun();
    Command.of("umount", "--quiet", root.resolve("overlay").toString()).tryRun();
  }
}
