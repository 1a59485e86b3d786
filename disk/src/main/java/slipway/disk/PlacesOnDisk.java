package slipway.disk;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import slipway.disk.config.PartitionContent;
import slipway.disk.config.RootFileSystem;
import slipway.disk.filesystem.FileSystems;
import slipway.disk.plan.DiskPlan;
import slipway.linux.loop.LoopDevice;
import slipway.linux.mount.Mount;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.TreeCopy;
import slipway.linux.posix.UnixException;
import slipway.linux.process.Command;

/**
 * The partitions for other places than root and /boot, by root: each is mounted while one of its
 * places is filled.
 */
final class PlacesOnDisk implements OtherPlaces.Partitions {
  private final Path disk;
  private final DiskPlan plan;
  private final Path rootDevice;
  private final Path mountpoint;

  /**
   * @param rootDevice of the root, which may have subvolumes for other places
   * @param mountpoint an empty folder
   */
  PlacesOnDisk(Path disk, DiskPlan plan, Path rootDevice, Path mountpoint) {
    this.disk = disk;
    this.plan = plan;
    this.rootDevice = rootDevice;
    this.mountpoint = mountpoint;
  }

  /**
   * Makes their file systems, before anything of the disk is mounted: to mkfs.btrfs(8) loop devices
   * of one file are one device, wherever they begin.
   *
   * @param isNew whether the disk holds zeros
   */
  void make(boolean isNew) throws IOException {
    for (DiskPlan.Part part : plan.areas()) {
      boolean isOther =
          part.content().places().stream().noneMatch(PartitionContent.STARTING::contains);
      boolean isForFiles =
          switch (part.content()) {
            case PartitionContent.Files files -> true;
            case PartitionContent.Btrfs volume -> true;
            case PartitionContent.Lvm group -> false;
            case PartitionContent.Bios bios -> false;
            case PartitionContent.Fat fat -> false;
            case PartitionContent.Swap swap -> false;
            case PartitionContent.Nothing nothing -> false;
          };
      if (isOther && isForFiles) {
        try (LoopDevice loop = LoopDevice.attach(disk, part.start(), part.size())) {
          make(loop.device(), part, wanted(plan, part, RootFileSystem.EXT4, isNew), mountpoint);
        }
      }
    }
  }

  /** How the file system of a partition is made. */
  static FileSystems.Wanted wanted(
      DiskPlan plan, DiskPlan.Part part, RootFileSystem rootfs, boolean isNew) {
    String label = part.content() instanceof PartitionContent.Files files ? files.label() : "";
    return new FileSystems.Wanted(
        kind(part, rootfs), label, part.filesystem(), isNew, plan.sector());
  }

  /**
   * The file system of a partition for files.
   *
   * @param rootfs that of the root, where the plan leaves it open
   */
  static RootFileSystem kind(DiskPlan.Part part, RootFileSystem rootfs) {
    return switch (part.content()) {
      case PartitionContent.Files files -> files.kind() == null ? rootfs : files.kind();
      case PartitionContent.Btrfs volume -> RootFileSystem.BTRFS;
      case PartitionContent.Lvm group -> throw new IllegalArgumentException("volumes");
      case PartitionContent.Bios bios -> throw new IllegalArgumentException("no file system");
      case PartitionContent.Fat fat -> throw new IllegalArgumentException("vfat");
      case PartitionContent.Swap swap -> throw new IllegalArgumentException("swap");
      case PartitionContent.Nothing nothing -> throw new IllegalArgumentException("nothing");
    };
  }

  /** The option that a place of a partition is mounted with, or null. */
  static @Nullable String option(DiskPlan.Part part, String place) {
    return part.content() instanceof PartitionContent.Btrfs volume
        ? volume.option(place).orElse(null)
        : null;
  }

  /**
   * What a place is mounted with to be filled, or null. A disk that nobody has yet is not worth a
   * flush at each step of its deployment: cut off, it goes, and whole, it is synced with all of its
   * file. (xfs has no such option any more.)
   *
   * @param isNew whether the disk is such a one
   */
  static @Nullable String filling(
      DiskPlan.Part part, String place, RootFileSystem kind, boolean isNew) {
    String usual = option(part, place);
    String more =
        !isNew
            ? null
            : switch (kind) {
              case EXT4 -> "nobarrier,noauto_da_alloc";
              case BTRFS -> "nobarrier";
              case XFS -> null;
            };
    return usual == null || more == null ? (usual == null ? more : usual) : usual + "," + more;
  }

  /** Makes a partition's file system, and its subvolumes if it has some. */
  static void make(Path device, DiskPlan.Part part, FileSystems.Wanted wanted, Path mountpoint)
      throws IOException {
    FileSystems.make(device, wanted);
    if (part.content() instanceof PartitionContent.Btrfs volume) {
      try (Mount top = mount(device, mountpoint, RootFileSystem.BTRFS, null)) {
        for (PartitionContent.Subvolume each : volume.subvolumes()) {
          Command.of("btrfs", "subvolume", "create", top.target() + "/" + each.name()).run();
        }
      }
    }
  }

  private static Mount mount(
      Path device, Path mountpoint, RootFileSystem kind, @Nullable String option)
      throws IOException {
    return Mount.of(device.toString(), mountpoint, kind.label(), DiskWriter.NOTHING_RUNS, option);
  }

  @Override
  public void fill(OtherPlaces.Place place, Path from) throws IOException {
    DiskPlan.Part part = place.part();
    try {
      if (part.equals(plan.root())) {
        copy(place, rootDevice, from);
        return;
      }
      try (LoopDevice loop = LoopDevice.attach(disk, part.start(), part.size())) {
        copy(place, loop.device(), from);
      }
    } catch (UnixException e) {
      if (e.errno() == UnixException.ENOSPC) {
        throw OtherPlaces.tooSmall(place, e);
      }
      throw e;
    }
  }

  private void copy(OtherPlaces.Place place, Path device, Path from) throws IOException {
    RootFileSystem kind = kind(place.part(), RootFileSystem.EXT4);
    try (Mount mount = mount(device, mountpoint, kind, option(place.part(), place.path()))) {
      OsPath target = OsPath.of(mount.target());
      TreeCopy.copy(OsPath.of(from), target, TreeCopy.FAITHFUL, dropped -> {});
      Posix.syncfs(target);
    }
  }
}
