package slipway.sysroot;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import slipway.linux.Command;
import slipway.linux.OsPath;
import slipway.linux.Posix;

/**
 * Brings what was written to disk before and after a commit point. On a running system {@code
 * /boot} is frozen and thawed besides: only that writes the journal of ext4 and XFS back to where
 * GRUB reads, which knows no journals.
 */
final class Durability {
  private final Path root;
  private final boolean freeze;

  /**
   * @param freeze whether the file system of {@code /boot} may be frozen for a moment
   */
  Durability(Path root, boolean freeze) {
    this.root = root;
    this.freeze = freeze;
  }

  void syncRoot() throws IOException {
    Posix.syncfs(OsPath.of(root.resolve("ostree/repo")));
  }

  void syncBoot() throws IOException {
    Path boot = root.resolve("boot");
    Posix.syncfs(OsPath.of(boot));
    if (freeze && Files.isExecutable(Path.of("/usr/sbin/fsfreeze"))) {
      // One child that freezes and thaws: it cannot be stopped in between by what stops us, and
      // this process, whose own files may be on the frozen file system, only waits. A file system
      // that cannot be frozen was synced above.
      Command.of(
              "/bin/sh",
              "-c",
              "trap '' INT TERM HUP; fsfreeze --freeze \"$0\" && fsfreeze --unfreeze \"$0\"",
              boot.toString())
          .environment("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
          .timeout(Duration.ofMinutes(2))
          .tryRun();
    }
  }
}
