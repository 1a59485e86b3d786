package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import slipway.media.Firmware;

/**
 * A machine whose root is a logical volume: LVM2 in its initramfs finds what was written without
 * it, and takes the group for its own.
 */
@Tag("vm")
class LogicalVolumesTest {
  private static final String CONFIG =
      """
      [[customizations.user]]
      name = "root"
      key = "%s"
      [customizations.kernel]
      append = "mitigations=off quiet"
      [[customizations.disk.partitions]]
      type = "lvm"
      minsize = "1 GiB"
      [[customizations.disk.partitions.logical_volumes]]
      mountpoint = "/"
      fs_type = "xfs"
      minsize = "2 GiB"
      [[customizations.disk.partitions.logical_volumes]]
      mountpoint = "/var/home"
      minsize = "64 MiB"
      [[customizations.disk.partitions.logical_volumes]]
      fs_type = "swap"
      minsize = "64 MiB"
      """;

  @TempDir Path dir;

  @ParameterizedTest
  @EnumSource
  @Tag("soak")
  void startsFromAVolumeAgainAndAgain(Firmware firmware) throws Exception {
    try (Releases releases = Releases.start(dir)) {
      Path key = UpgradingMachine.key(dir);
      Path config =
          Files.writeString(
              dir.resolve("config.toml"), CONFIG.formatted(UpgradingMachine.publicKey(key)));
      Path disk = releases.diskWith(0, Releases.packages("lvm2"), config, dir);
      try (UpgradingMachine machine =
          UpgradingMachine.start(UpgradingMachine.spec(disk, key).withFirmware(firmware))) {
        judge(machine);
        // LVM2 writes its description behind that of the disk's maker.
        machine.must("vgchange -qq --addtag seen vg00 && vgck vg00");
        machine.goDown();
        machine.boot();
        judge(machine);
        assertThat(machine.must("vgs --noheadings -o tags vg00").strip()).isEqualTo("seen");
      }
    }
  }

  private static void judge(UpgradingMachine machine) {
    assertThat(machine.must("findmnt -n -o SOURCE,FSTYPE /sysroot | tr -s ' '").strip())
        .isEqualTo("/dev/mapper/vg00-rootlv xfs");
    assertThat(machine.must("findmnt -n -o SOURCE,FSTYPE /var/home | tr -s ' '").strip())
        .isEqualTo("/dev/mapper/vg00-var_homelv ext4");
    assertThat(machine.must("lvs --noheadings -o lv_name,segtype,lv_active | tr -s ' '"))
        .contains(" rootlv linear active", " swaplv linear active");
    machine.must("findmnt /boot && ls /boot/loader/entries");
    machine.mustRunWell();
  }
}
