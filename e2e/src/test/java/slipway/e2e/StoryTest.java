package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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
  @CsvSource({"uefi,ext4", "bios,xfs"})
  void fromAContainerfileToARollback(String firmware, String rootfs) {
    tell(firmware, rootfs);
  }

  @ParameterizedTest
  @Tag("soak")
  @CsvSource({"bios,ext4", "uefi,xfs"})
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
            Command.of("losetup", "--list", "--noheadings", "--output", "NAME,BACK-FILE")
                .run()
                .text()
                .lines())
        .filter(line -> line.contains("slipway"))
        .collect(Collectors.toSet());
  }
}
