package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.media.Firmware;
import slipway.media.VmSpec;

/** A machine whose disk has sectors of 4096 bytes. */
@Tag("vm")
class LargeSectorsTest {
  private static final String CONFIG =
      """
      [[customizations.user]]
      name = "root"
      key = "%s"
      [customizations.kernel]
      append = "mitigations=off quiet"
      [customizations.disk]
      sector_size = 4096
      [[customizations.disk.partitions]]
      mountpoint = "/var/home"
      minsize = "64 MiB"
      """;

  @TempDir Path dir;

  @ParameterizedTest
  @ValueSource(strings = {"grub", "systemd"})
  @Tag("soak")
  void starts(String loader) throws Exception {
    try (Releases releases = Releases.start(dir)) {
      Path key = UpgradingMachine.key(dir);
      Path config =
          Files.writeString(
              dir.resolve("config.toml"), CONFIG.formatted(UpgradingMachine.publicKey(key)));
      VmSpec spec =
          UpgradingMachine.spec(releases.disk(0, config, dir, "--bootloader", loader), key)
              .withFirmware(Firmware.UEFI);
      try (UpgradingMachine machine = UpgradingMachine.start(spec)) {
        assertThat(machine.must("cat /sys/block/vda/queue/logical_block_size").strip())
            .isEqualTo("4096");
        machine.must("findmnt -n /sysroot && findmnt -n /var/home && sfdisk --verify /dev/vda");
        machine.mustRunWell();
      }
    }
  }
}
