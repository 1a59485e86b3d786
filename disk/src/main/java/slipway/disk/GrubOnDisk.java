package slipway.disk;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.disk.bootloader.Bootupd;
import slipway.disk.bootloader.Grub;

/**
 * GRUB as it comes onto a disk, whoever made that: what the image brings for bootupd, signed as it
 * is, or else images made of its modules.
 *
 * @param image that is installed
 * @param deployment its root on the disk
 * @param place where GRUB finds /boot
 * @param work an empty folder
 */
record GrubOnDisk(InstallableImage image, Path deployment, Grub.Boot place, Path work) {
  /**
   * Installs it.
   *
   * @param boot where /boot is mounted
   * @param disk for BIOS
   * @param bios its place there; null for nowhere
   * @param partition the folder for the EFI system partition; null when there is none
   */
  void install(Path boot, @Nullable Path disk, Grub.@Nullable Place bios, @Nullable Path partition)
      throws IOException {
    Optional<Bootupd> brought = Bootupd.in(image.files(), image.architecture());
    if (brought.isPresent()) {
      brought(brought.get(), boot, disk, bios, partition);
      return;
    }
    Grub grub = new Grub(deployment, place, image.architecture(), work);
    grub.configure(boot);
    if (grub.hasBios() && disk != null && bios != null) {
      grub.embedBios(disk, bios);
    }
    if (partition != null) {
      grub.efi(partition);
    }
  }

  private void brought(
      Bootupd bootupd,
      Path boot,
      @Nullable Path disk,
      Grub.@Nullable Place bios,
      @Nullable Path partition)
      throws IOException {
    String id = image.config().skipBootId() ? null : place.id();
    boolean isBios = disk != null && bios != null && bootupd.hasBios();
    boolean isUefi = partition != null && bootupd.hasEfi();
    if (disk != null && bios != null && isBios) {
      new Grub(deployment, place, image.architecture(), work, Bootupd.GRUB_FOLDER)
          .embedBios(disk, bios);
    }
    if (partition != null && isUefi) {
      bootupd.efi(partition, id);
    }
    bootupd.configure(boot, id, isBios, isUefi);
  }
}
