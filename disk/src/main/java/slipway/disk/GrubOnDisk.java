package slipway.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.disk.bootloader.Bootupd;
import slipway.disk.bootloader.Grub;
import slipway.disk.config.GrubConsole;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Removal;

/**
 * GRUB as it comes onto a disk, whoever made that: what the image brings for bootupd, signed as it
 * is, or else images made of its modules.
 *
 * @param image that is installed
 * @param deployment its root on the disk
 * @param place where GRUB finds /boot
 * @param console where it shows its menu
 * @param work an empty folder
 */
record GrubOnDisk(
    InstallableImage image, Path deployment, Grub.Boot place, GrubConsole console, Path work) {
  /** In /boot: what is written for GRUB until {@link #publish} puts it into its place. */
  static final String STAGED = ".slipway-grub";

  /**
   * Writes what it reads, and its loaders for UEFI.
   *
   * @param boot where /boot is mounted, or {@link #STAGED} in that
   * @param bios where GRUB for BIOS goes; null when BIOS is not to start it
   * @param partition the folder for the EFI system partition; null when there is none
   * @return what BIOS starts, to be embedded when all that it leads to is there
   */
  Optional<Grub.Bios> write(Path boot, Grub.@Nullable Place bios, @Nullable Path partition)
      throws IOException {
    Optional<Bootupd> brought = Bootupd.in(image.files(), image.architecture());
    return brought.isPresent()
        ? write(brought.get(), boot, bios, partition)
        : write(new Grub(deployment, place, image.architecture(), work), boot, bios, partition);
  }

  private Optional<Grub.Bios> write(
      Grub grub, Path boot, Grub.@Nullable Place bios, @Nullable Path partition)
      throws IOException {
    grub.configure(boot, console);
    if (partition != null) {
      grub.efi(partition);
    }
    return bios != null && grub.hasBios() ? Optional.of(grub.bios(bios)) : Optional.empty();
  }

  private Optional<Grub.Bios> write(
      Bootupd bootupd, Path boot, Grub.@Nullable Place bios, @Nullable Path partition)
      throws IOException {
    String id = image.config().skipBootId() ? null : place.id();
    boolean isUefi = partition != null && bootupd.hasEfi();
    boolean isBios = bios != null && bootupd.hasBios();
    if (partition != null && isUefi) {
      bootupd.efi(partition, id);
    }
    bootupd.configure(boot, console, id, isBios, isUefi);
    if (bios == null || !isBios) {
      return Optional.empty();
    }
    return Optional.of(
        new Grub(deployment, place, image.architecture(), work, Bootupd.GRUB_FOLDER).bios(bios));
  }

  /**
   * Puts into /boot what was written to {@link #STAGED} there. The commit point is the rename of
   * the folder with grub.cfg: nothing of a menu is seen before, and all that could fail was done.
   */
  static void publish(Path boot) throws IOException {
    Path staged = boot.resolve(STAGED);
    List<Path> files = new ArrayList<>();
    List<Path> folders = new ArrayList<>();
    try (Stream<Path> all = Files.list(staged)) {
      all.forEach(each -> (Files.isDirectory(each) ? folders : files).add(each));
    }
    for (Path file : files) {
      AtomicFile.rename(file, boot.resolve(String.valueOf(file.getFileName())));
    }
    for (Path folder : folders) {
      // At most an empty one is there: all else was erased.
      Path target = boot.resolve(String.valueOf(folder.getFileName()));
      Removal.tree(OsPath.of(target));
      Files.move(folder, target, StandardCopyOption.ATOMIC_MOVE);
    }
    Files.delete(staged);
    Posix.syncfs(OsPath.of(boot));
  }
}
