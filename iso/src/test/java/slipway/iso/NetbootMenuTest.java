package slipway.iso;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.process.Command;

class NetbootMenuTest {
  private static final NetbootMenu MENU =
      new NetbootMenu("Debian 13", IsoRequest.Mode.CONFIRM, "console=ttyS0 inst.ks=http://x/a.ks");

  @TempDir Path dir;

  /** Every file that a menu names is made, and each entry gives the kernel the config's words. */
  @Test
  void menusNameFilesThatAreThere() {
    String both = MENU.grub() + MENU.ipxe();
    for (String name : new String[] {"vmlinuz", "initrd.img", "rootfs.img", "install.img"}) {
      assertThat(both).contains(name);
      assertThat(NetbootMenu.FILES).contains(name);
      assertThat(MENU.readme("web:1")).contains(name);
    }
    assertThat(MENU.grub().lines().filter(l -> l.contains("linux ")))
        .hasSize(4)
        .allMatch(l -> l.contains("slipway.live=initramfs") && l.contains("inst.ks=http://x/a.ks"));
    assertThat(MENU.ipxe().lines().filter(l -> l.startsWith("kernel ")))
        .hasSize(4)
        .allMatch(l -> l.contains("slipway.live=initramfs") && l.contains("inst.ks=http://x/a.ks"));
  }

  @Test
  void onlyAnInstallationLoadsTheImageTwice() {
    assertThat(MENU.grub().split("menuentry ")[1]).doesNotContain("install.img");
    assertThat(MENU.grub().split("menuentry ")[3])
        .contains("newc:install.img:$cmdpath/install.img")
        .contains("slipway.installer=confirm");
  }

  @Test
  void nobodyChoosesForAnUnattendedInstallation() {
    NetbootMenu unattended = new NetbootMenu("x", IsoRequest.Mode.UNATTENDED, "");
    assertThat(unattended.grub()).contains("set default=2");
    assertThat(unattended.ipxe()).contains("choose --default install ");
    assertThat(MENU.grub()).contains("set default=0");
    assertThat(MENU.ipxe()).contains("choose --default run ");
  }

  @Test
  void grubTakesItsMenu() throws IOException {
    Path menu = Files.writeString(dir.resolve("grub.cfg"), MENU.grub());
    Command.of("grub-script-check", menu.toString()).run();
  }
}
