package slipway.disk;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.base.RawText;
import slipway.linux.lock.Flock;
import slipway.linux.loop.LoopDevice;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.UnixException;
import slipway.linux.process.Command;

/**
 * A disk that nobody else uses as far as can be told: neither it nor a partition of it is mounted,
 * swap, or a part of a volume group or RAID (the kernel refuses {@code O_EXCL} then), no loop
 * device lies over it, and neither a virtual machine nor another installation has it open. Somebody
 * who opens a device without a word to the kernel is not seen.
 */
public final class ClaimedDisk implements AutoCloseable {
  private static final long MIB = 1L << 20;

  /** Bytes of a sector, as the kernel writes them, of disks that are divided. */
  private static final List<String> SECTORS = List.of("512", "4096");

  /** The bytes by which QEMU tells others that it uses an image (QEMU, block/file-posix.c). */
  private static final long QEMU_LOCKS = 100;

  private static final long QEMU_LOCKS_LENGTH = 200;

  private final Path device;
  private final int descriptor;
  private boolean closed;
  private final @Nullable RandomAccessFile file;
  private final @Nullable Flock lock;

  private ClaimedDisk(
      Path device, int descriptor, @Nullable RandomAccessFile file, @Nullable Flock lock) {
    this.device = device;
    this.descriptor = descriptor;
    this.file = file;
    this.lock = lock;
  }

  /**
   * Claims a whole disk.
   *
   * @param isFile whether a regular file is meant, not a block device
   * @throws Problem of kind INPUT when it is none, in use, or cannot be written
   */
  public static ClaimedDisk of(Path device, boolean isFile) throws IOException {
    int descriptor = open(device, isFile);
    boolean good = false;
    RandomAccessFile file = null;
    Flock lock = null;
    try {
      // Of a device udev, too, takes the lock for a moment; there O_EXCL is what counts.
      lock = Flock.tryExisting(device);
      if (isFile) {
        if (lock == null) {
          throw busy(device);
        }
        file = new RandomAccessFile(device.toFile(), "rw");
        FileLock machines = file.getChannel().tryLock(QEMU_LOCKS, QEMU_LOCKS_LENGTH, false);
        if (machines == null) {
          throw Problem.input(device + " is in use by a virtual machine; shut that down first");
        }
      } else {
        requireWholeDisk(device, descriptor);
      }
      requireNoLoop(device);
      // The file systems are made through them.
      LoopDevice.require();
      ClaimedDisk disk = new ClaimedDisk(device, descriptor, file, lock);
      good = true;
      return disk;
    } finally {
      if (!good) {
        if (file != null) {
          file.close();
        }
        if (lock != null) {
          lock.close();
        }
        Posix.close(descriptor);
      }
    }
  }

  private static int open(Path device, boolean isFile) throws IOException {
    try {
      Stat stat = Posix.stat(OsPath.of(device));
      if (isFile ? !stat.isRegular() : (stat.mode() & Stat.S_IFMT) != Stat.S_IFBLK) {
        throw Problem.input(
            device
                + (isFile
                    ? " is no regular file; without --via-loopback a disk's device is meant"
                    : " is no block device; give a whole disk such as /dev/vda, or --via-loopback"
                        + " for a file"));
      }
      int flags = Posix.O_RDWR | Posix.O_CLOEXEC | (isFile ? 0 : Posix.O_EXCL);
      return Posix.open(OsPath.of(device), flags, 0);
    } catch (UnixException e) {
      if (e.errno() == UnixException.EBUSY && isLocked(device)) {
        throw busy(device);
      }
      throw new Problem(
          Problem.Kind.INPUT,
          switch (e.errno()) {
            case UnixException.ENOENT ->
                "there is no "
                    + device
                    + (isFile
                        ? "; make it first, such as by truncate -s 10G"
                        : "; lsblk lists the disks");
            case UnixException.EBUSY ->
                device
                    + " is in use: it or a partition of it is mounted, or swap, LVM or a RAID has"
                    + " it; free it first (lsblk shows by whom)";
            case UnixException.EROFS -> device + " is write-protected";
            case UnixException.EACCES, UnixException.EPERM ->
                device
                    + " cannot be opened for writing: it is write-protected, or this container may"
                    + " not; run that privileged";
            default -> "cannot open " + device + ": " + e.text();
          },
          e);
    }
  }

  /** Whether another installation has it, or udev for a moment. */
  private static boolean isLocked(Path device) {
    try (Flock lock = Flock.tryExisting(device)) {
      return lock == null;
    } catch (IOException e) {
      return false;
    }
  }

  private static Problem busy(Path device) {
    return Problem.unavailable(
        device + " is in use: another installation writes to it; wait for its end", null);
  }

  private static void requireWholeDisk(Path device, int descriptor) throws IOException {
    long number = Posix.fstat(descriptor).rdev();
    Path about =
        Path.of("/sys/dev/block/%d:%d".formatted(Posix.major(number), Posix.minor(number)));
    Path sector = about.resolve("queue/logical_block_size");
    if (Files.exists(about.resolve("partition"))) {
      throw Problem.input(device + " is a partition; give the whole disk");
    }
    if (!Files.exists(sector)) {
      throw Problem.input(
          "the kernel does not tell what "
              + device
              + " is ("
              + about
              + " is missing); is /sys mounted?");
    }
    // A descriptor for writing is had of it all the same.
    if (line(about.resolve("ro")).equals("1")) {
      throw Problem.input(device + " is write-protected");
    }
    String bytes = line(sector);
    if (!SECTORS.contains(bytes)) {
      throw Problem.input(
          device
              + " has sectors of "
              + bytes
              + " bytes; disks with 512 or 4096 can be installed to");
    }
  }

  private static String line(Path file) throws IOException {
    return RawText.decode(Files.readAllBytes(file)).strip();
  }

  private static void requireNoLoop(Path device) {
    List<String> loops =
        lines(
            Command.of("losetup", "--noheadings", "--output", "NAME")
                .with("--associated", device.toString()));
    if (!loops.isEmpty()) {
      throw Problem.input(
          device
              + " is in use by "
              + String.join(", ", loops)
              + "; detach that (losetup -d) first");
    }
  }

  private static List<String> lines(Command command) {
    return command
        .output()
        .lines()
        .map(String::strip)
        .filter(l -> !l.isEmpty())
        .distinct()
        .toList();
  }

  /** Bytes, whole MiB. */
  public long size() throws IOException {
    try (RandomAccessFile in = new RandomAccessFile(device.toFile(), "r")) {
      return in.length() / MIB * MIB;
    }
  }

  /** Bytes of a sector; 0 of a file, which may be a disk of any. */
  int sector() {
    return file == null
        ? Integer.parseInt(Command.of("blockdev", "--getss", device.toString()).output())
        : 0;
  }

  /**
   * @throws Problem of kind INPUT when there is anything on it that tools know
   */
  void requireEmpty() {
    List<String> found =
        lines(Command.of("wipefs", "--noheadings", "--output", "TYPE", device.toString()));
    if (!found.isEmpty()) {
      throw Problem.input(
          device
              + " is not empty, it holds "
              + String.join(", ", found)
              + "; give --wipe to erase all of it");
    }
  }

  /** Waits until all that was written is on the disk. */
  public void sync() throws IOException {
    Posix.fsync(descriptor);
  }

  @Override
  public void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    try (file;
        lock) {
      Posix.close(descriptor);
    }
  }
}
