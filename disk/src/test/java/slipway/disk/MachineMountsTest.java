package slipway.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.disk.MachineMounts.Entry;

class MachineMountsTest {
  private static final Entry BOOT =
      new Entry("UUID=1-2", "/boot", "auto", "ro,subvol=/my boot\\x", 0);

  @Test
  void aNameWithABlankIsOneFieldOfFstab() {
    MachineMounts mounts = new MachineMounts(List.of(BOOT), false);
    assertThat(mounts.fstab())
        .containsExactly("UUID=1-2 /boot auto ro,subvol=/my\\040boot\\134x 0 0");
    assertThat(mounts.arguments()).isEmpty();
  }

  @Test
  void aTransientEtcIsAnsweredByAnArgument() {
    Entry esp = new Entry("UUID=AB-CD", "/boot/efi", "vfat", "umask=0077,nofail", 2);
    Entry plain = new Entry("LABEL=boot", "/boot", "ext4", "defaults", 2);
    MachineMounts mounts = new MachineMounts(List.of(plain, esp), true);
    assertThat(mounts.fstab()).isEmpty();
    assertThat(mounts.arguments())
        .containsExactly(
            "systemd.gpt_auto=0",
            "systemd.mount-extra=LABEL=boot:/boot:ext4:defaults,nofail",
            "systemd.mount-extra=UUID=AB-CD:/boot/efi:vfat:umask=0077,nofail");
  }

  @Test
  void roomForSwappingIsMountedNowhere() {
    List<Entry> swap = List.of(MachineMounts.swap("UUID=1-2"));
    assertThat(new MachineMounts(swap, false).fstab())
        .containsExactly("UUID=1-2 none swap defaults 0 0");
    assertThat(new MachineMounts(swap, true).arguments())
        .containsExactly("systemd.gpt_auto=0", "systemd.swap-extra=UUID=1-2");
  }

  @Test
  void whatCannotStandInAnArgumentIsRefused() {
    for (Entry bad :
        List.of(BOOT, new Entry("/dev/disk/by-path/pci-0000:00:07.0", "/boot", "auto", "ro", 0))) {
      assertThatThrownBy(() -> new MachineMounts(List.of(bad), true).arguments())
          .isInstanceOf(Problem.class)
          .hasMessageContaining("so /boot is mounted by a kernel argument")
          .hasMessageContaining("cannot stand in one");
    }
  }
}
