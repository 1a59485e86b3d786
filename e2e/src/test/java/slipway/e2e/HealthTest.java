package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import slipway.linux.mount.Mounts;
import slipway.media.Firmware;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Releases that are not well, and a machine that comes back from them by itself. */
class HealthTest {
  private static final long LOOK = Mounts.MS_RDONLY;

  private static final String FAILS =
      """
      RUN mkdir -p /usr/lib/bootc/health.d \\
       && printf '#!/bin/sh\\necho the page is missing\\nexit 1\\n' > /usr/lib/bootc/health.d/10-web \\
       && chmod 755 /usr/lib/bootc/health.d/10-web
      """;

  /** A kernel without its initramfs: it finds no root, and restarts after a second. */
  private static final String PANICS =
      """
      RUN echo 'kargs = ["rdinit=/none", "panic=1"]' > /usr/lib/bootc/kargs.d/60-panic.toml
      """;

  private static final String PASSES =
      """
      RUN mkdir -p /usr/lib/greenboot/check/required.d /usr/lib/greenboot/check/wanted.d \\
          /usr/lib/greenboot/green.d \\
       && echo 'grep -q version /usr/share/web/index.html && echo the page is there' \\
          > /usr/lib/greenboot/check/required.d/01_page.sh \\
       && echo 'exit 1' > /usr/lib/greenboot/check/wanted.d/02_news.sh \\
       && echo 'touch /run/green' > /usr/lib/greenboot/green.d/03_mark.sh
      """;

  @TempDir Path dir;

  @ParameterizedTest
  @Tag("soak")
  @EnumSource
  void comesBackByItself(Firmware firmware) throws Exception {
    try (Releases releases = Releases.start(dir);
        UpgradingMachine machine =
            UpgradingMachine.start(releases, 0, dir, spec -> spec.withFirmware(firmware))) {
      machine.change();
      comesBackFromACheckThatFails(releases, machine);
      comesBackFromAKernelThatPanics(releases, machine);
      staysWithOneThatIsWell(releases, machine);
      machine.goDown();
      assertThat(DiskCheck.ofCopy(machine.disk(), dir).rubbish()).isEmpty();
    }
  }

  private void upgrade(UpgradingMachine machine) throws Exception {
    machine.upgrade();
    machine.goDown();
    assertThat(block(machine)).contains("boot_success=0\n", "boot_counter=3\n");
  }

  private void comesBackFromACheckThatFails(Releases releases, UpgradingMachine machine)
      throws Exception {
    releases.publishWith(1, FAILS);
    upgrade(machine);
    for (int left = 2; left >= 1; left--) {
      machine.bootUntilItRestarts();
      assertThat(block(machine)).contains("boot_counter=" + left + "\n", "slipway_seen=" + left);
    }
    machine.bootUntilItRestarts();
    assertThat(block(machine)).as("rolled back").isEmpty();

    machine.boot();
    UpgradingMachine.Probe probe = machine.probe();
    assertThat(probe.release()).isZero();
    assertThat(probe.failedUnits()).isEmpty();
    assertThat(probe.motd()).isEqualTo("mine");
    String reason = "/usr/lib/bootc/health.d/10-web ended with status 1: the page is missing";
    String bad = probe.status().at("/status/rollback/image/imageDigest").asString();
    assertThat(probe.status().at("/metadata/annotations/slipway.rolled-back").asString())
        .startsWith(bad + " at ")
        .endsWith(": " + reason);
    assertThat(probe.status().at("/metadata/annotations/slipway.held").asString()).isEqualTo(bad);
    assertThat(machine.must("bootc status --format humanreadable"))
        .contains("Rolled back: " + bad)
        .contains(reason);
    assertThat(machine.must("journalctl -q -o cat MESSAGE_ID=d7bad8a95164433dac9708d4f0081831"))
        .contains("Went back from " + bad)
        .contains(reason);
    assertThat(machine.must("bootc health")).contains("State: healthy", "Rolled back: from " + bad);
    machine.sound();
    assertThat(machine.must("SLIPWAY_UNATTENDED=1 bootc upgrade --quiet"))
        .contains("Update held back");
  }

  private void comesBackFromAKernelThatPanics(Releases releases, UpgradingMachine machine)
      throws Exception {
    releases.publishWith(2, PANICS);
    upgrade(machine);
    for (int left = 2; left >= 0; left--) {
      machine.bootUntilItRestarts();
      assertThat(block(machine)).contains("boot_counter=" + left + "\n", "slipway_seen=3");
    }
    // The fourth start is the old one's, by GRUB alone.
    machine.boot();
    UpgradingMachine.Probe probe = machine.probe();
    assertThat(probe.release()).isZero();
    assertThat(probe.status().at("/spec/bootOrder").asString()).isEqualTo("default");
    assertThat(probe.status().at("/metadata/annotations/slipway.rolled-back").asString())
        .startsWith(probe.status().at("/status/rollback/image/imageDigest").asString() + " at ")
        .endsWith(": it did not start well in all its tries");
    machine.sound();
    assertThat(machine.must("ls /boot/loader/").strip()).isEqualTo("entries");
  }

  private void staysWithOneThatIsWell(Releases releases, UpgradingMachine machine)
      throws Exception {
    releases.publishWith(3, PASSES);
    upgrade(machine);
    machine.boot();
    UpgradingMachine.Probe probe = machine.probe();
    assertThat(probe.release()).isEqualTo(3);
    assertThat(probe.failedUnits()).isEmpty();
    assertThat(probe.status().at("/metadata/annotations").isMissingNode()).isTrue();
    assertThat(machine.must("ls /boot/loader/").strip()).isEqualTo("entries");
    JsonNode health = JsonMapper.shared().readTree(machine.must("bootc health --json"));
    assertThat(health.path("state").asString()).isEqualTo("healthy");
    assertThat(health.at("/checks/0/message").asString()).isEqualTo("the page is there");
    assertThat(health.at("/checks/1/result").asString()).isEqualTo("failed");
    assertThat(health.at("/checks/1/kind").asString()).isEqualTo("wanted");
    assertThat(health.path("trial").isNull()).isTrue();
    machine.must("test -e /run/green");
    machine.sound();
    assertThat(machine.must("journalctl -q -b -o cat MESSAGE_ID=875f12ef4572419e9d32fd94dffa6e26"))
        .contains("The new deployment is healthy: ");
  }

  /** The environment block of the machine's boot menu, empty for none. */
  private String block(UpgradingMachine machine) throws IOException {
    Path copy = dir.resolve("look.raw");
    UpgradingMachine.copy(machine.disk(), copy);
    return MountedDisk.ask(
        Disk.read(copy),
        dir,
        LOOK,
        sysroot -> {
          Path file = sysroot.root().resolve("boot/loader/grubenv");
          return Files.exists(file) ? Files.readString(file) : "";
        });
  }
}
