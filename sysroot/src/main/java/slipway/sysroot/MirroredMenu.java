package slipway.sysroot;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import slipway.base.AfterCommit;
import slipway.linux.lock.Flock;
import slipway.sysroot.state.EspMenu;
import slipway.sysroot.state.SysrootState;
import slipway.sysroot.write.EspWriter;

/**
 * The copy of a sysroot's boot menu on the EFI system partition, where systemd-boot starts the
 * machine: how it begins, and how it catches up with what did not write it.
 */
public final class MirroredMenu {
  private final Sysroot sysroot;

  public MirroredMenu(Sysroot sysroot) {
    this.sysroot = sysroot;
  }

  /**
   * Makes it a sysroot that systemd-boot starts: from now on each change of the boot menu is copied
   * to its EFI system partition.
   *
   * @param partition where that is seen now, or a folder whose content goes to it
   */
  public void begin(Path partition) throws IOException {
    try (Flock lock = sysroot.lock()) {
      sysroot.reload();
      sysroot.repository().writeConfig(EspMenu.wanted(sysroot.repository().config()));
      EspMenu menu = new EspMenu(partition);
      menu.create();
      Path boot = sysroot.root().resolve("boot");
      new EspWriter(menu, boot)
          .mirror(
              SysrootState.entries(boot.resolve("loader/entries")),
              Optional.empty(),
              new AfterCommit(line -> {}));
    }
  }

  /**
   * Brings it up to date after another tool or a power cut left it behind; does nothing on machines
   * that another boot loader starts.
   *
   * @return whether something was written
   * @throws slipway.base.Problem of kind ENVIRONMENT when the partition is not there
   */
  public boolean update() throws IOException {
    try (Flock lock = sysroot.lock()) {
      sysroot.reload();
      return sysroot.change().mirror();
    }
  }
}
