package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.media.Firmware;

/** Machines whose disks are divided otherwise than nearly all. */
@Tag("vm")
class DividedDiskTest {
  private static final String COMMON =
      """
      [[customizations.user]]
      name = "root"
      key = "%s"
      [customizations.kernel]
      append = "mitigations=off quiet"
      """;

  private static final String OLD_TABLE =
      """
      [customizations.disk]
      type = "dos"
      [[customizations.disk.partitions]]
      mountpoint = "/var/home"
      minsize = "64 MiB"
      """;

  private static final String SUBVOLUMES =
      """
      [[customizations.disk.partitions]]
      type = "btrfs"
      minsize = "3 GiB"
      [[customizations.disk.partitions.subvolumes]]
      name = "os"
      mountpoint = "/"
      [[customizations.disk.partitions.subvolumes]]
      name = "homes"
      mountpoint = "/var/home"
      """;

  @TempDir Path dir;

  @Test
  @Tag("soak")
  void startsFromAnOldTable() throws Exception {
    starts(
        Firmware.BIOS,
        OLD_TABLE,
        machine -> {
          assertThat(machine.must("lsblk -dno PTTYPE /dev/vda").strip()).isEqualTo("dos");
          machine.must("findmnt -n -t ext4 /sysroot && findmnt -n -t ext4 /var/home");
        });
  }

  @Test
  @Tag("soak")
  void startsFromASubvolume() throws Exception {
    starts(
        Firmware.UEFI,
        SUBVOLUMES,
        machine -> {
          assertThat(machine.must("findmnt -n -o FSROOT,FSTYPE /sysroot | tr -s ' '").strip())
              .isEqualTo("/os btrfs");
          assertThat(machine.must("findmnt -n -o FSROOT,FSTYPE /var/home | tr -s ' '").strip())
              .isEqualTo("/homes btrfs");
        });
  }

  /** Looks at a machine that has started. */
  private interface Look {
    void at(UpgradingMachine machine) throws Exception;
  }

  private void starts(Firmware firmware, String divided, Look look) throws Exception {
    try (Releases releases = Releases.start(dir)) {
      Path key = UpgradingMachine.key(dir);
      String text = COMMON.formatted(UpgradingMachine.publicKey(key)) + divided;
      Path config = Files.writeString(dir.resolve("config.toml"), text);
      Path disk = releases.disk(0, config, dir);
      try (UpgradingMachine machine =
          UpgradingMachine.start(UpgradingMachine.spec(disk, key).withFirmware(firmware))) {
        look.at(machine);
        machine.must("findmnt /boot && ls /boot/loader/entries");
        machine.mustRunWell();
      }
    }
  }
}
