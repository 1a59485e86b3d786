package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.linux.Command;

/** The whole story on real machines: built, booted, upgraded with /etc kept, rolled back. */
@Tag("vm")
class StoryTest {
  @ParameterizedTest
  @CsvSource({"uefi,ext4", "bios,ext4", "uefi,xfs"})
  void fromAContainerfileToARollback(String firmware, String rootfs) throws Exception {
    Set<String> mounts = mounts();
    Command.Result result =
        Cli.withSharedState().run("demo", "--firmware", firmware, "--rootfs", rootfs);
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
    assertThat(mounts()).isEqualTo(mounts);
    assertThat(Command.of("losetup", "--list", "--noheadings").output()).doesNotContain("slipway");
  }

  private static Set<String> mounts() throws Exception {
    return Files.readAllLines(Path.of("/proc/self/mountinfo")).stream()
        .map(line -> line.split(" ")[4])
        .filter(target -> target.contains("slipway"))
        .collect(Collectors.toSet());
  }
}
