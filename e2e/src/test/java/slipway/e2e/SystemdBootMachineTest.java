package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.process.Command;
import slipway.media.Firmware;

/**
 * A machine with UEFI that systemd-boot starts: it is upgraded, comes back by itself from a release
 * that is not well, and follows what ostree's own tools decide.
 */
@Tag("vm")
class SystemdBootMachineTest {
  private static final long ESP = 1L << 20;

  /** What systemd-boot tells of itself (Boot Loader Interface). */
  private static final String LOADER =
      "/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";

  private static final String ASSESSED =
      """
      RUN mkdir -p /usr/lib/bootc/health.d \\
       && printf '#!/bin/sh\\nexit %d\\n' > /usr/lib/bootc/health.d/10-web \\
       && chmod 755 /usr/lib/bootc/health.d/10-web
      """;

  @TempDir Path dir;

  @Test
  @Tag("soak")
  void upgradesAndComesBackByItself() throws Exception {
    try (Releases releases = Releases.start(dir);
        UpgradingMachine machine =
            UpgradingMachine.start(releases, dir, Firmware.UEFI, "--bootloader", "systemd")) {
      assertThat(machine.must("tr -d '\\0' < " + LOADER)).contains("systemd-boot");
      assertThat(machine.must("findmnt -n -o FSTYPE /boot/efi").strip()).isEqualTo("vfat");
      machine.change();
      staysWithOneThatIsWell(releases, machine);
      comesBackFromACheckThatFails(releases, machine);
      followsOstree(machine);
    }
  }

  /** The names of the entries on the EFI system partition, read from outside. */
  private static List<String> entries(UpgradingMachine machine) {
    return Command.of("mdir", "-b", "-i", machine.disk() + "@@" + ESP, "::/loader/entries/")
        .run()
        .text()
        .lines()
        .map(line -> line.substring(line.lastIndexOf('/') + 1))
        .filter(name -> name.endsWith(".conf"))
        .sorted()
        .toList();
  }

  /** The set that is in force. */
  private static String set(UpgradingMachine machine) {
    return Command.of("mtype", "-i", machine.disk() + "@@" + ESP, "::/loader/loader.conf")
        .run()
        .text()
        .replaceFirst("(?s)default ostree-([ab])-.*", "$1");
  }

  private void upgrade(Releases releases, UpgradingMachine machine, int release, int status)
      throws Exception {
    releases.publishWith(release, ASSESSED.formatted(status));
    machine.upgrade();
    machine.goDown();
    assertThat(entries(machine)).contains("ostree-" + set(machine) + "-2+3.conf");
  }

  private void staysWithOneThatIsWell(Releases releases, UpgradingMachine machine)
      throws Exception {
    upgrade(releases, machine, 1, 0);
    machine.boot();
    UpgradingMachine.Probe probe = machine.probe();
    assertThat(probe.release()).isEqualTo(1);
    assertThat(probe.failedUnits()).isEmpty();
    assertThat(probe.motd()).isEqualTo("mine");
    assertThat(machine.must("journalctl -q -b -o cat MESSAGE_ID=875f12ef4572419e9d32fd94dffa6e26"))
        .contains("The new deployment is healthy: ");
    assertThat(machine.must("journalctl -q -b -o cat -u slipway-boot-attempt"))
        .contains("counted by the boot loader");
    assertThat(machine.must("ls /boot/efi/loader/entries")).doesNotContain("+");
    assertThat(machine.must("bootc fsck 2>&1")).contains("no errors");
  }

  private void comesBackFromACheckThatFails(Releases releases, UpgradingMachine machine)
      throws Exception {
    upgrade(releases, machine, 2, 1);
    for (String left : List.of("+2-1", "+1-2")) {
      machine.bootUntilItRestarts();
      assertThat(entries(machine)).contains("ostree-" + set(machine) + "-2" + left + ".conf");
    }
    machine.bootUntilItRestarts();
    machine.boot();
    UpgradingMachine.Probe probe = machine.probe();
    assertThat(probe.release()).isEqualTo(1);
    assertThat(probe.failedUnits()).isEmpty();
    String bad = probe.status().at("/status/rollback/image/imageDigest").asString();
    assertThat(probe.status().at("/metadata/annotations/slipway.rolled-back").asString())
        .startsWith(bad + " at ")
        .endsWith(": /usr/lib/bootc/health.d/10-web ended with status 1");
    assertThat(machine.must("bootc status --format humanreadable")).contains("Rolled back: " + bad);
    assertThat(machine.must("ls /boot/efi/loader/entries")).doesNotContain("+");
  }

  /** ostree knows /boot alone; the copy follows by itself. */
  private static void followsOstree(UpgradingMachine machine) throws Exception {
    String before = machine.must("head -n 1 /boot/efi/loader/loader.conf");
    machine.must("unshare -m sh -c 'mount -o remount,rw /sysroot; ostree admin undeploy 1'");
    machine.must(
        "for i in $(seq 120); do [ \"$(head -n 1 /boot/efi/loader/loader.conf)\" = '"
            + before.strip()
            + "' ] || exit 0; sleep 1; done; exit 1");
    machine.goDown();
    assertThat(entries(machine)).containsExactly("ostree-" + set(machine) + "-1.conf");
    machine.boot();
    assertThat(machine.probe().release()).isEqualTo(1);
  }
}
