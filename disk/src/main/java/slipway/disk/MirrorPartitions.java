package slipway.disk;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import slipway.base.FileReason;
import slipway.base.Printable;
import slipway.disk.bootloader.EfiFolder;
import slipway.disk.bootloader.ErasedSystems;
import slipway.disk.config.BootLoader;
import slipway.disk.filesystem.EspFolders;
import slipway.disk.filesystem.FileSystems;

/**
 * The EFI system partitions of further disks under a root or its /boot, as those of a mirror: a
 * machine that lost its first disk is to start from another one, as with bootupd. What cannot be
 * done there is told and ends nothing, for the first partition has all.
 *
 * @param disks with such a partition
 */
record MirrorPartitions(List<BootDisk> disks) {
  /**
   * Finds them.
   *
   * @param below all file systems that the machine starts from
   * @param first the disk whose partition has the loaders anyway, or nothing
   * @param mounted the partition that has them because it is mounted, or nothing
   */
  static MirrorPartitions of(
      Collection<MountedFileSystem> below, Optional<BootDisk> first, Optional<EfiFolder> mounted)
      throws IOException {
    Set<Path> disks = new LinkedHashSet<>();
    for (MountedFileSystem each : below) {
      Set<Path> under = DeviceFolder.disks(each);
      // A disk that has all of it is no mirror of another one, and may be another system's.
      disks.addAll(under.size() > 1 ? under : Set.of());
    }
    first.ifPresent(d -> disks.remove(d.disk()));
    Optional<MountedFileSystem> partition =
        mounted.isEmpty() ? Optional.empty() : MountedFileSystem.at(mounted.get().folder());
    if (partition.isPresent()) {
      disks.removeAll(DeviceFolder.disks(partition.get()));
    }
    return new MirrorPartitions(
        disks.stream().map(BootDisk::of).filter(d -> d.esp() != null).toList());
  }

  /**
   * Puts GRUB there, too. The menu of systemd-boot is kept on one partition alone.
   *
   * @param files a folder, as the partition is to look
   * @param bytes that they take
   * @param erased old systems, whose loaders go
   * @param work a folder for copies
   */
  void write(
      BootLoader loader,
      Path files,
      long bytes,
      ErasedSystems erased,
      Path work,
      Consumer<String> notes)
      throws IOException {
    for (BootDisk disk : disks) {
      BootDisk.Esp esp = disk.esp();
      if (esp == null) {
        continue;
      }
      String reason;
      try {
        EspFolders folders = new EspFolders(disk.disk(), esp.start());
        reason = hindrance(loader, esp, folders, bytes);
        if (reason == null) {
          folders
              .removeLoadersOf(erased, work, notes)
              .forEach(name -> notes.accept(FilesystemInstall.removed(name, disk.disk())));
          List<String> others = folders.vendors();
          if (others.isEmpty()) {
            FileSystems.put(disk.disk(), esp.start(), files);
            FileSystems.sync(disk.disk());
            continue;
          }
          reason = "it has a loader of another system (EFI/" + others.getFirst() + ")";
        }
      } catch (IOException | RuntimeException e) {
        reason = FileReason.why(e);
      }
      notes.accept(
          "the EFI system partition of "
              + Printable.text(disk.disk().toString())
              + " has not got the loader, so the machine does not start from that disk: "
              + Printable.text(reason));
    }
  }

  /** What to tell when they could not be looked at. */
  static String unseen(Exception failure) {
    return "the EFI system partitions of further disks could not be looked at: "
        + Printable.text(FileReason.why(failure));
  }

  private static @Nullable String hindrance(
      BootLoader loader, BootDisk.Esp esp, EspFolders folders, long bytes) throws IOException {
    if (loader != BootLoader.GRUB) {
      return "systemd-boot keeps its menu on one partition alone";
    }
    if (!esp.isFree()) {
      return "it is in use";
    }
    OptionalLong room = folders.room(false);
    if (room.isEmpty()) {
      return "it holds no FAT that can be read";
    }
    return room.getAsLong() < bytes ? "it has too little room" : null;
  }
}
