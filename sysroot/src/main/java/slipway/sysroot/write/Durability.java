package slipway.sysroot.write;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;

/**
 * Brings what was written to disk before and after a commit point. On a running system {@code
 * /boot} is frozen and thawed besides: only that writes the journal of ext4 and XFS back to where
 * GRUB reads, which knows no journals.
 */
public final class Durability {
  private static final Path FSFREEZE = Path.of("/usr/sbin/fsfreeze");

  /**
   * Starts {@link #DETACH} and ends when that and {@link #CYCLE} have, for they hold the pipe. This
   * part may be killed at any time.
   */
  private static final String START =
      """
      /bin/sh -c 'exec setsid --fork /bin/sh -c "$1" "$0" "$$" "$2"' "$0" "$1" "$2" | cat >/dev/null
      """;

  /**
   * Waits until its parent is gone, so that what it starts is below no process of ours: whoever
   * ends all that this process started does not meet the freeze.
   */
  private static final String DETACH =
      """
      exec </dev/null 3>&1 >/dev/null 2>&1
      while read -r pid name state parent rest </proc/$$/stat && [ "$parent" = "$1" ]; do
        sleep 0.01
      done
      exec setsid --fork /bin/sh -c "$2" "$0"
      """;

  /**
   * Freezes and thaws, in a session of its own and deaf to what stops us. The second half waits for
   * the end of the first, however it ends, and thaws whatever it left frozen: to thaw what is not
   * frozen does nothing. So neither our death nor that of one of these processes leaves {@code
   * /boot} frozen, and nobody has to end them: a freeze that takes long is thawed when it is done.
   */
  private static final String CYCLE =
      """
      trap '' INT TERM HUP QUIT
      { fsfreeze --freeze "$0" && fsfreeze --unfreeze "$0"; } | { cat; fsfreeze --unfreeze "$0"; }
      """;

  private final Path root;
  private final boolean freeze;
  private final String programs;
  private final Duration patience;

  /**
   * @param freeze whether the file system of {@code /boot} may be frozen for a moment
   */
  public Durability(Path root, boolean freeze) {
    this(
        root,
        freeze && Files.isExecutable(FSFREEZE),
        "/usr/sbin:/usr/bin:/sbin:/bin",
        Duration.ofMinutes(2));
  }

  /**
   * @param programs the PATH with fsfreeze(8)
   * @param patience how long to wait for the freeze and the thaw
   */
  Durability(Path root, boolean freeze, String programs, Duration patience) {
    this.root = root;
    this.freeze = freeze;
    this.programs = programs;
    this.patience = patience;
  }

  public void syncRoot() throws IOException {
    Posix.syncfs(OsPath.of(root.resolve("ostree/repo")));
  }

  void syncBoot() throws IOException {
    syncWhole(root.resolve("boot"));
  }

  /**
   * Brings a whole file system to where boot loaders read it.
   *
   * @param boot where it is mounted
   */
  public void syncWhole(Path boot) throws IOException {
    Posix.syncfs(OsPath.of(boot));
    if (freeze) {
      // This process, whose own files may be on the frozen file system, only waits. A file system
      // that cannot be frozen was synced above.
      Process waiter =
          Command.of("/bin/sh", "-c", START, boot.toString(), DETACH, CYCLE)
              .environment("PATH", programs)
              .startInherited();
      await(waiter, boot);
    }
  }

  private void await(Process waiter, Path boot) {
    try {
      if (!waiter.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
        throw Problem.environment(
            boot
                + " could not be frozen and thawed within "
                + patience.toSeconds()
                + " s; it thaws by itself as soon as its disk answers");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Problem(Problem.Kind.ENVIRONMENT, "the sync of " + boot + " was interrupted", e);
    } finally {
      Command.kill(waiter);
    }
  }
}
