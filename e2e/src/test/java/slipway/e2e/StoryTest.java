package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.linux.lock.Flock;
import slipway.linux.process.Command;

/** The whole story on real machines: built, booted, upgraded with /etc kept, rolled back. */
@Execution(ExecutionMode.CONCURRENT)
class StoryTest {
  private static final Duration LIMIT = Duration.ofMinutes(1);
  private static Set<String> before = Set.of();

  @BeforeAll
  static void look() throws Exception {
    before = held();
  }

  @ParameterizedTest
  @Tag("vm")
  @CsvSource("uefi,ext4")
  void fromAContainerfileToARollback(String firmware, String rootfs) {
    tell(firmware, rootfs);
  }

  @ParameterizedTest
  @Tag("soak")
  @CsvSource({"bios,xfs", "bios,ext4", "uefi,xfs"})
  void theOtherPairs(String firmware, String rootfs) {
    tell(firmware, rootfs);
  }

  private static void tell(String firmware, String rootfs) {
    List<String> images = webImages();
    Command.Result result =
        BaseImages.trixie().run("demo", "--firmware", firmware, "--rootfs", rootfs);
    System.out.println(result.text());
    assertThat(result.status()).as(result.stderr()).isZero();
    assertThat(result.text())
        .containsSubsequence(
            "fetch its page",
            "Slipway web, version 1",
            "Slipway web, version 2",
            "/etc/motd and /var kept",
            "Slipway web, version 1",
            "STEP");
    assertThat(webImages()).as("images of the user").isEqualTo(images);
  }

  /** While its disk is mounted: there is most to be undone. */
  @Test
  @Tag("vm")
  void oneThatIsStoppedLeavesNothing() throws Exception {
    stop("make a qcow2 disk", () -> loops().anyMatch(loop -> loop.contains("/demo/run-")));
  }

  @ParameterizedTest
  @Tag("soak")
  @ValueSource(strings = {"build examples/web", "boot it", "bootc upgrade"})
  void atOtherMomentsToo(String step) throws Exception {
    stop(step, () -> true);
  }

  /** Stops a demo in a step, at a moment of it. */
  private static void stop(String step, Callable<Boolean> moment) throws Exception {
    Cli cli = BaseImages.trixie();
    Process demo = cli.command("demo").start();
    List<ProcessHandle> started;
    List<Path> folders;
    try (BufferedReader out = demo.inputReader(StandardCharsets.UTF_8)) {
      String line = "";
      while (!line.contains(step)) {
        line = out.readLine();
        assertThat(line).as("the line of \"" + step + "\"").isNotNull();
      }
      while (demo.isAlive() && !moment.call()) {
        Thread.onSpinWait();
      }
      started = demo.descendants().toList();
      folders = runs(cli);
      demo.destroy();
      assertThat(demo.waitFor()).isEqualTo(128 + 15);
    }
    assertThat(started).noneMatch(ProcessHandle::isAlive);
    for (Path folder : folders) {
      try (Flock dead = Flock.tryDirectory(folder)) {
        assertThat(dead).as(folder + " of a process that has ended").isNull();
      }
    }
  }

  private static List<Path> runs(Cli cli) throws Exception {
    try (Stream<Path> folders = Files.list(cli.state().resolve("demo"))) {
      return folders.toList();
    }
  }

  /** Names and ids of what the user may have called as the demo calls its own. */
  private static List<String> webImages() {
    return BaseImages.trixie()
        .run("images")
        .text()
        .lines()
        .filter(line -> line.startsWith("localhost/web "))
        .map(line -> line.replaceFirst("(\\S+\\s+\\S+\\s+\\S+).*", "$1"))
        .sorted()
        .toList();
  }

  /** Waits, because what another test holds goes away with it and what was left behind does not. */
  @AfterAll
  static void nothingIsLeft() {
    await().atMost(LIMIT).untilAsserted(() -> assertThat(before).containsAll(held()));
  }

  /** Mounts and loop devices of the product. */
  private static Set<String> held() throws Exception {
    return Stream.concat(
            Files.readAllLines(Path.of("/proc/self/mountinfo")).stream()
                .map(line -> line.split(" ")[4]),
            loops())
        .filter(line -> line.contains("slipway"))
        .collect(Collectors.toSet());
  }

  private static Stream<String> loops() {
    return Command.of("losetup", "--list", "--noheadings", "--output", "NAME,BACK-FILE")
        .output()
        .lines();
  }
}
