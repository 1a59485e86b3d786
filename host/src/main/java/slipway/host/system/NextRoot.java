package slipway.host.system;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import slipway.base.Problem;
import slipway.linux.mount.MountTable;
import slipway.linux.posix.OsPath;
import slipway.linux.process.Command;

/**
 * The root that systemd starts next when the kernel stays, {@code /run/nextroot}. systemd looks for
 * it where process 1 sees mounts, and takes it for any reboot that is asked of {@code systemctl}.
 * Our own commands see mounts of their own (see {@link PrivateMounts}), in which nothing of it is
 * mounted or unmounted for others.
 */
final class NextRoot {
  private static final String VERB = "prepare-soft-reboot";
  private static final Duration LIMIT = Duration.ofMinutes(2);

  private final long pid;
  private final Path run;

  /**
   * One that a process sees.
   *
   * @param pid of that process, usually 1
   * @param run usually {@code /run}
   */
  NextRoot(long pid, Path run) {
    this.pid = pid;
    this.run = run;
  }

  static NextRoot ofMachine() {
    return new NextRoot(1, Path.of("/run"));
  }

  /**
   * Whether the ostree command can mount one: version 2025.3 began to, where it is built with new
   * enough a C library. It ends well for the help of any verb, so its list of verbs has to tell.
   */
  static boolean isKnownToOstree() {
    try {
      return Command.of("ostree", "admin", "--help").timeout(LIMIT).output().contains(" " + VERB);
    } catch (Problem e) {
      return false;
    }
  }

  private Path path() {
    return run.resolve("nextroot");
  }

  /** Mounts a deployment there, and nothing over another one. */
  void prepare(int index) throws IOException {
    reset();
    inside("ostree", "admin", VERB, Integer.toString(index)).run();
  }

  /**
   * Unmounts what is there, and forgets it as ostree does; no reason to fail when there is nothing.
   * {@code ostree admin prepare-soft-reboot --reset} takes the lock of the deployments, which the
   * change holds that this goes with, and leaves the mounts of a deployment that is gone.
   */
  void reset() throws IOException {
    OsPath path = OsPath.of(path());
    while (MountTable.points(pid).contains(path)) {
      inside("umount", "--recursive", "--lazy", path().toString()).run();
    }
    Files.deleteIfExists(run.resolve("ostree/nextroot-booted"));
  }

  private Command inside(String... command) {
    return Command.of("nsenter", "--target", Long.toString(pid), "--mount", "--")
        .with(command)
        .environment(PrivateMounts.MARK, null)
        .timeout(LIMIT);
  }
}
