package slipway.sysroot.write;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Cleanup;
import slipway.base.Problem;
import slipway.linux.process.Command;

/** A boot partition that is frozen thaws, whoever dies meanwhile. */
class DurabilityTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  @TempDir Path dir;
  private Path boot;

  @BeforeEach
  void mount() throws IOException {
    Path image = dir.resolve("boot.img");
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(16L << 20);
    }
    Command.of("mkfs.ext4", "-q", image.toString()).run();
    boot = Files.createDirectories(dir.resolve("boot"));
    Command.of("mount", "-o", "loop", image.toString(), boot.toString()).run();
  }

  @AfterEach
  void unmount() {
    Command.of("fsfreeze", "--unfreeze", boot.toString()).tryRun();
    Command.of("umount", boot.toString()).run();
  }

  private void assertThawed() {
    Command.of("touch", boot.resolve("file").toString()).timeout(LONG).run();
    Command.Result again = Command.of("fsfreeze", "--unfreeze", boot.toString()).tryRun();
    assertThat(again.stderr()).contains("Invalid argument");
  }

  @Test
  void freezesAndThaws() throws IOException {
    Path log = dir.resolve("log");
    Path programs = program("#!/bin/sh\necho $1 >>" + log + "\nexec /usr/sbin/fsfreeze \"$@\"\n");
    new Durability(dir, true, programs + ":/usr/bin:/bin", LONG).syncBoot();
    assertThat(log).content().startsWith("--freeze\n--unfreeze\n");
    assertThawed();
  }

  @Test
  @Tag("slow")
  void thawsWhatAKilledFreezeLeaves() throws Exception {
    // Freezes and then hangs, telling its own process and the shell that waits for it.
    Path pids = dir.resolve("pids");
    Command.of("mkfifo", pids.toString()).run();
    Path programs =
        program(
            """
            #!/bin/sh
            /usr/sbin/fsfreeze "$@" || exit
            [ "$1" = --freeze ] || exit 0
            echo $$ $PPID >%s
            exec sleep 1000
            """
                .formatted(pids));
    Durability durability =
        new Durability(dir, true, programs + ":/usr/bin:/bin", Duration.ofSeconds(1));
    Process reader = Command.of("cat", pids.toString()).start();
    assertThatThrownBy(durability::syncBoot)
        .isInstanceOf(Problem.class)
        .hasMessageContaining(boot + " could not be frozen and thawed within 1 s");
    String line = new String(reader.getInputStream().readAllBytes(), US_ASCII);
    List<Long> frozen = List.of(line.strip().split(" ")).stream().map(Long::valueOf).toList();
    // Nobody was killed by the time-out; now both halves of the freezer are.
    assertThat(ProcessHandle.of(frozen.getFirst())).isPresent();
    for (long pid : frozen.reversed()) {
      Command.of("kill", "-9", Long.toString(pid)).run();
    }
    assertThawed();
  }

  /** Syncs a frozen boot partition until it is told to end, as a command on a terminal is. */
  static final class Stopped {
    private Stopped() {}

    public static void main(String[] args) throws Exception {
      Durability durability = new Durability(Path.of(args[0]), true, args[1], LONG);
      Thread worker =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      durability.syncBoot();
                    } catch (IOException | Problem e) {
                      System.out.println(e.getMessage());
                    }
                  });
      Files.readString(Path.of(args[2])); // Frozen.
      Cleanup.stop(
          "SIGTERM",
          worker,
          limit -> {
            try {
              return worker.join(limit);
            } catch (InterruptedException e) {
              return false;
            }
          },
          Duration.ofSeconds(1),
          System.out::println);
      Runtime.getRuntime().halt(143);
    }
  }

  @Test
  void aProcessThatIsStoppedMeanwhileLeavesTheFreezeToEnd() throws Exception {
    Path frozen = dir.resolve("frozen");
    Path goOn = dir.resolve("go-on");
    Command.of("mkfifo", frozen.toString(), goOn.toString()).run();
    Path programs =
        program(
            """
            #!/bin/sh
            /usr/sbin/fsfreeze "$@" || exit
            [ "$1" = --freeze ] || exit 0
            echo >%s
            read -r line <%s
            """
                .formatted(frozen, goOn));
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Stopped.class.getName(),
                dir.toString(),
                programs + ":/usr/bin:/bin",
                frozen.toString())
            .redirectErrorStream(true)
            .start();
    try {
      String said = new String(process.getInputStream().readAllBytes(), US_ASCII);
      assertThat(process.waitFor()).as(said).isEqualTo(143);
      assertThat(said).contains("the sync of " + boot + " was interrupted");
      // The slow freeze is still there, and now it is done.
      Command.of("sh", "-c", "echo >\"$0\"", goOn.toString()).timeout(Duration.ofSeconds(10)).run();
      assertThawed();
    } finally {
      Command.kill(process);
    }
  }

  private Path program(String text) throws IOException {
    Path programs = Files.createDirectories(dir.resolve("bin"));
    Path file = Files.writeString(programs.resolve("fsfreeze"), text);
    Files.setPosixFilePermissions(
        file, java.nio.file.attribute.PosixFilePermissions.fromString("rwxr-xr-x"));
    return programs;
  }
}
