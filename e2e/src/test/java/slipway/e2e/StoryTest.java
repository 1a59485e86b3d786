package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.linux.Command;

/** The whole story on real machines: built, booted, upgraded with /etc kept, rolled back. */
@Tag("vm")
@Execution(ExecutionMode.CONCURRENT)
class StoryTest {
  /** What the names of the demonstration's folders begin with. */
  private static final String FOLDER = "slipway-demo-";

  @ParameterizedTest
  @CsvSource({"uefi,ext4", "bios,ext4", "uefi,xfs"})
  void fromAContainerfileToARollback(String firmware, String rootfs) {
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
  }

  @AfterAll
  static void nothingIsLeft() throws Exception {
    assertThat(Files.readString(Path.of("/proc/self/mountinfo"))).doesNotContain(FOLDER);
    assertThat(Command.of("losetup", "--list", "--noheadings").output()).doesNotContain(FOLDER);
  }
}
