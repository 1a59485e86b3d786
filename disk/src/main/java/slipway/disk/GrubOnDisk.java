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
   * Writes what it reads, and its loaders for UEFI. Nothing starts by that yet.
   *
   * @param boot where /boot is mounted
   * @param bios whether BIOS is to start it, too: {@link #embed} follows
   * @param partition the folder for the EFI system partition; null when there is none
   */
  void write(Path boot, boolean bios, @Nullable Path partition) throws IOException {
    Optional<Bootupd> brought = Bootupd.in(image.files(), image.architecture());
    if (brought.isEmpty()) {
      Grub grub = new Grub(deployment, place, image.architecture(), work);
      grub.configure(boot);
      if (partition != null) {
        grub.efi(partition);
      }
      return;
    }
    Bootupd bootupd = brought.get();
    String id = image.config().skipBootId() ? null : place.id();
    boolean isUefi = partition != null && bootupd.hasEfi();
    if (partition != null && isUefi) {
      bootupd.efi(partition, id);
    }
    bootupd.configure(boot, id, bios && bootupd.hasBios(), isUefi);
  }

  /**
   * Lets BIOS start it, where the image has what that takes.
   *
   * @param bios its place on the disk
   */
  void embed(Path disk, Grub.Place bios) throws IOException {
    Optional<Bootupd> brought = Bootupd.in(image.files(), image.architecture());
    if (brought.isEmpty()) {
      Grub grub = new Grub(deployment, place, image.architecture(), work);
      if (grub.hasBios()) {
        grub.embedBios(disk, bios);
      }
    } else if (brought.get().hasBios()) {
      new Grub(deployment, place, image.architecture(), work, Bootupd.GRUB_FOLDER)
          .embedBios(disk, bios);
    }
  }
}
