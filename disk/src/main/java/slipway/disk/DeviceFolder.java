package slipway.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.RawText;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.UnixException;

/** What the kernel tells of block devices: their folders below /sys (sysfs(5)). */
final class DeviceFolder {
  /** Of mappings: several ways to one disk, and firmware's RAID. */
  private static final Pattern SHOWN = Pattern.compile("(mpath|DMRAID)-");

  /** Of a partition's mapping, as kpartx(8) makes it over any device. */
  private static final Pattern PART = Pattern.compile("part[0-9]+-");

  /** Forms of RAID 1 that stand at the end, so that each member looks as the whole. */
  private static final List<String> AT_END = List.of("0.90", "1.0");

  private DeviceFolder() {}

  /** The folder of a device by its number; it exists when that is a block device's. */
  static Path of(long number) {
    return Path.of("/sys/dev/block/%d:%d".formatted(Posix.major(number), Posix.minor(number)));
  }

  /**
   * The folder of a device by its file.
   *
   * @throws Problem of kind INPUT when there is none, as in a container without the machine's
   */
  private static Path ofNode(Path device) throws IOException {
    try {
      return of(Posix.stat(OsPath.of(device)).rdev());
    } catch (UnixException e) {
      if (e.errno() != UnixException.ENOENT) {
        throw e;
      }
      throw new Problem(
          Problem.Kind.INPUT,
          "a file system is on "
              + Printable.text(device.toString())
              + ", which does not exist; is /dev the machine's own here? (for a container: podman"
              + " run -v /dev:/dev)",
          e);
    }
  }

  /** The device's file. */
  static Path node(Path folder) throws IOException {
    // A slash in its name cannot stand in that of the folder.
    return Path.of("/dev", String.valueOf(folder.toRealPath().getFileName()).replace('!', '/'));
  }

  /**
   * The disk below a device: that of a partition, of a mapping over one, or the file that a loop
   * device shows a part of.
   *
   * @return nothing when there are several, as of a RAID
   */
  static Optional<Path> disk(Path device) throws IOException {
    Path folder = ofNode(device);
    return Files.exists(folder) ? diskOf(folder.toRealPath()) : Optional.empty();
  }

  /** All disks below a file system: those of a mirror, and of all devices of btrfs. */
  static Set<Path> disks(MountedFileSystem mounted) throws IOException {
    Set<Path> disks = new TreeSet<>();
    List<Path> devices = new ArrayList<>();
    Path folder = ofNode(mounted.device());
    if (Files.exists(folder)) {
      devices.add(folder);
    }
    if (mounted.type().equals("btrfs")) {
      devices.addAll(children(Path.of("/sys/fs/btrfs", mounted.id(), "devices")));
    }
    for (Path device : devices) {
      addDisks(device.toRealPath(), disks);
    }
    return disks;
  }

  private static void addDisks(Path folder, Set<Path> disks) throws IOException {
    Optional<Path> one = diskOf(folder);
    if (one.isPresent()) {
      disks.add(one.get());
      return;
    }
    for (Path below : children(folder.resolve("slaves"))) {
      addDisks(below.toRealPath(), disks);
    }
  }

  /**
   * What a device is made of that only Linux puts together, which GRUB's core image does not read:
   * firmware shows it disks alone, and perhaps those of its own RAID.
   *
   * @return a name for a message; nothing for a disk, a partition, or what firmware shows as one
   */
  static Optional<String> made(Path device) throws IOException {
    Path folder = ofNode(device);
    return Files.exists(folder) ? madeOf(folder.toRealPath()) : Optional.empty();
  }

  static Optional<String> madeOf(Path device) throws IOException {
    boolean isPart = Files.exists(device.resolve("partition"));
    Path folder = isPart ? device.resolve("..").normalize() : device;
    Path mapping = folder.resolve("dm/uuid");
    if (Files.exists(mapping)) {
      String id = text(mapping);
      List<Path> below = children(folder.resolve("slaves"));
      if (PART.matcher(id).lookingAt() && below.size() == 1) {
        return madeOf(below.getFirst().toRealPath());
      }
      if (SHOWN.matcher(id).lookingAt()) {
        return Optional.empty();
      }
      return Optional.of(
          id.startsWith("LVM-")
              ? "a volume of LVM"
              : id.startsWith("CRYPT-") ? "an encrypted device" : "a device that is mapped");
    }
    Path raid = folder.resolve("md/metadata_version");
    return Files.exists(raid) && !isReadAsDisk(folder.resolve("md"), text(raid))
        ? Optional.of("a RAID of Linux")
        : Optional.empty();
  }

  /** Whether firmware or one member shows the RAID's content as it is (md(4)). */
  private static boolean isReadAsDisk(Path raid, String form) throws IOException {
    return form.startsWith("external:")
        || (AT_END.contains(form) && text(raid.resolve("level")).equals("raid1"));
  }

  private static Optional<Path> diskOf(Path folder) throws IOException {
    if (Files.exists(folder.resolve("partition"))) {
      return Optional.of(node(folder.resolve("..")));
    }
    Path file = folder.resolve("loop/backing_file");
    if (Files.exists(file)) {
      boolean isPart = !text(folder.resolve("loop/offset")).equals("0");
      return Optional.of(isPart ? Path.of(text(file)) : node(folder));
    }
    List<Path> below = children(folder.resolve("slaves"));
    return switch (below.size()) {
      case 0 -> Optional.of(node(folder));
      case 1 -> diskOf(below.getFirst().toRealPath());
      default -> Optional.empty();
    };
  }

  private static List<Path> children(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> all = Files.list(folder)) {
      return all.toList();
    }
  }

  private static String text(Path file) throws IOException {
    return RawText.decode(Files.readAllBytes(file)).strip();
  }
}
