package slipway.host.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.linux.mount.MountTable;
import slipway.linux.posix.OsPath;
import slipway.linux.process.Command;

/** With a process in the place of systemd that sees mounts of its own, an ostree among them. */
class NextRootTest {
  @TempDir Path run;

  private Process machine;
  private Path told;

  @BeforeEach
  void start() throws IOException {
    told = run.resolve("told");
    Files.createDirectories(run.resolve("nextroot"));
    Files.createDirectories(run.resolve("ostree"));
    Path ostree = run.resolve("ostree.sh");
    Files.writeString(
        ostree,
        """
        #!/bin/sh
        echo "$@" >> RUN/told
        test ! -e RUN/fails || { echo "no new root" >&2; exit 1; }
        mount -t tmpfs next RUN/nextroot
        mkdir RUN/nextroot/etc
        mount -t tmpfs etc RUN/nextroot/etc
        : > RUN/ostree/nextroot-booted
        """
            .replace("RUN", run.toString()));
    Files.setPosixFilePermissions(
        ostree, java.nio.file.attribute.PosixFilePermissions.fromString("rwxr-xr-x"));
    machine =
        new ProcessBuilder(
                "unshare",
                "--mount",
                "--propagation",
                "private",
                "sh",
                "-c",
                "mount --bind " + ostree + " \"$(command -v ostree)\" && echo ready && exec cat")
            .start();
    assertThat(machine.inputReader().readLine()).isEqualTo("ready");
  }

  @AfterEach
  void stop() throws Exception {
    machine.destroy();
    machine.waitFor(1, TimeUnit.MINUTES);
  }

  private NextRoot root() {
    return new NextRoot(machine.pid(), run);
  }

  private long mounts() throws IOException {
    OsPath next = OsPath.of(run.resolve("nextroot"));
    return MountTable.points(machine.pid()).stream().filter(next::equals).count();
  }

  @Test
  void isSeenByTheProcessThatStartsIt() throws IOException {
    root().prepare(0);
    assertThat(told).hasContent("admin prepare-soft-reboot 0");
    assertThat(mounts()).isEqualTo(1);
    assertThat(MountTable.points()).doesNotContain(OsPath.of(run.resolve("nextroot")));
    // Another one in its place, not over it.
    root().prepare(1);
    assertThat(mounts()).isEqualTo(1);
    root().reset();
    assertThat(mounts()).isZero();
    assertThat(run.resolve("ostree/nextroot-booted")).doesNotExist();
    root().reset();
    assertThat(told).hasContent("admin prepare-soft-reboot 0\nadmin prepare-soft-reboot 1");
  }

  @Test
  void isTakenAwayWhateverIsMountedThere() throws IOException {
    String next = run.resolve("nextroot").toString();
    for (int i = 0; i < 2; i++) {
      Command.of("nsenter", "--target", Long.toString(machine.pid()), "--mount", "--")
          .with("mount", "-t", "tmpfs", "next", next)
          .run();
    }
    assertThat(mounts()).isEqualTo(2);
    root().reset();
    assertThat(mounts()).isZero();
  }

  /** By the manual, not by the help that the product reads. */
  @Test
  void isKnownToAnOstreeThatIsNewEnough() {
    assertThat(Command.of("ostree", "admin", "no-verb", "--help").tryRun().status())
        .as("the help of a verb tells nothing")
        .isZero();
    Matcher version =
        Pattern.compile("Version: '?([0-9]+)\\.([0-9]+)")
            .matcher(Command.of("ostree", "--version").output());
    assertThat(version.find()).isTrue();
    int number = Integer.parseInt(version.group(1)) * 1000 + Integer.parseInt(version.group(2));
    assertThat(NextRoot.isKnownToOstree()).isEqualTo(number >= 2025_003);
  }

  @Test
  void tellsWhatOstreeSays() throws IOException {
    Files.createFile(run.resolve("fails"));
    assertThatThrownBy(() -> root().prepare(0))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("no new root");
    assertThat(mounts()).isZero();
  }
}
