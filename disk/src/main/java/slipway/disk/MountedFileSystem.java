package slipway.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.mount.MountTable;
import slipway.linux.mount.Mounts;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;

/**
 * A file system that somebody else made and mounted.
 *
 * @param point where
 * @param type its kind, as in {@code ext4}
 * @param inside which folder of it is seen there, {@code /} for all of it
 * @param device what it lies on, such as {@code /dev/vda3}
 */
record MountedFileSystem(Path point, String type, String inside, Path device) {
  /** What is mounted on a folder itself; nothing when that is no mount point. */
  static Optional<MountedFileSystem> at(Path folder) throws IOException {
    if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
      return Optional.empty();
    }
    Path point = folder.toRealPath();
    Optional<MountTable.Entry> entry = MountTable.at(OsPath.of(point));
    return entry.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new MountedFileSystem(
                point,
                entry.get().type(),
                entry.get().inside(),
                device(point, entry.get().source())));
  }

  /** By its number: what was mounted may have had another name, such as {@code /dev/root}. */
  private static Path device(Path point, String source) throws IOException {
    long number = Posix.stat(OsPath.of(point)).device();
    Path about = DeviceFolder.of(number);
    // btrfs gives numbers of its own.
    return Files.exists(about) ? DeviceFolder.node(about) : Path.of(source);
  }

  /**
   * The id that kernel, fstab and GRUB find it by.
   *
   * @throws Problem of kind INPUT when it has none
   */
  String id() {
    return knownId()
        .orElseThrow(
            () ->
                Problem.input(
                    "blkid finds no UUID of the file system on "
                        + Printable.text(device.toString())
                        + ", which is mounted on "
                        + point
                        + "; is /dev the machine's own here? (for a container: podman run -v"
                        + " /dev:/dev)"));
  }

  /** That id, for who can do without. */
  Optional<String> knownId() {
    Command.Result result =
        Command.of("blkid", "-p", "-o", "value", "-s", "UUID", device.toString()).tryRun();
    return Optional.of(result.text().strip())
        .filter(id -> result.status() == 0 && id.matches("[0-9A-Za-z-]+"));
  }

  /** Whether all of it is seen there, and no other subvolume stays when that goes. */
  boolean isWhole() {
    return inside.equals("/");
  }

  /**
   * @throws Problem of kind INPUT when nothing can be written to it
   */
  void requireWritable() throws IOException {
    if (Mounts.isReadOnly(OsPath.of(point))) {
      throw Problem.input(
          point
              + " is mounted read-only; mount it writable first (mount -o remount,rw "
              + point
              + ")");
    }
  }
}
