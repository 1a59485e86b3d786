package slipway.disk;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.base.RawText;
import slipway.disk.bootloader.GrubMkimage;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.RootFileSystem;
import slipway.disk.filesystem.FileSystems;
import slipway.disk.filesystem.Scratch;
import slipway.disk.plan.DiskPlan;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.UnixException;
import slipway.linux.process.Command;
import slipway.system.kargs.KernelArguments;

/**
 * Installs an image onto a whole disk of this machine. Before anything is written it is sure that
 * nobody uses the disk, that it may be erased and that it is large enough; the disk boots once all
 * is written, and not before.
 */
public final class DeviceInstall {
  private static final long MIB = 1L << 20;

  private final Request request;
  private final Progress progress;

  /**
   * What to install, and where.
   *
   * @param image that is installed
   * @param device a block device; with {@code file}, a file that becomes a disk
   * @param file whether a regular file is meant
   * @param wipe whether what the disk holds may be erased
   * @param rootfs file system of the root; null for what the image says, else ext4
   * @param rootSize bytes of the root's partition; 0 for the rest of the disk
   * @param stateroot name of the stateroot
   * @param added kernel arguments at the end
   * @param deleted kernel arguments, or keys of them, that are taken away from the image's
   * @param customizations files that the machine gets beside the image
   */
  public record Request(
      BootableImage image,
      Path device,
      boolean file,
      boolean wipe,
      @Nullable RootFileSystem rootfs,
      long rootSize,
      String stateroot,
      List<String> added,
      List<String> deleted,
      DiskConfig customizations) {
    public Request {
      added = List.copyOf(added);
      deleted = List.copyOf(deleted);
    }
  }

  private DeviceInstall(Request request, Progress progress) {
    this.request = request;
    this.progress = progress;
  }

  /**
   * Installs.
   *
   * @throws Problem of kind INPUT when the disk is not to be used or the image cannot boot, of kind
   *     DENIED without root
   */
  public static void run(Request request, Progress progress) throws IOException {
    if (Posix.geteuid() != 0) {
      throw Problem.denied("installing onto a disk needs root: run it with sudo");
    }
    new DeviceInstall(request, progress).run();
  }

  private void run() throws IOException {
    BootableImage image = request.image();
    image.check();
    GrubMkimage.program();
    int exclusive = claim();
    try {
      long size = size();
      requireEmpty();
      DiskPlan plan =
          DiskPlan.ofDevice(
              request.device().toString(),
              size,
              DiskWriter.rootMinimum(image, request.customizations()),
              request.rootSize(),
              image.architecture(),
              UUID::randomUUID);
      FileSystems.wipe(request.device());
      write(plan);
      Posix.fsync(exclusive);
    } finally {
      Posix.close(exclusive);
    }
    if (!request.file()) {
      readPartitionsAgain();
    }
  }

  /**
   * Opens the disk for this process alone: the kernel refuses that while it or a partition of it is
   * mounted or belongs to a swap, a volume group or a RAID.
   */
  private int claim() throws IOException {
    Path device = request.device();
    try {
      Stat stat = Posix.stat(OsPath.of(device));
      if (request.file() ? !stat.isRegular() : (stat.mode() & Stat.S_IFMT) != Stat.S_IFBLK) {
        throw Problem.input(
            device
                + (request.file()
                    ? " is no regular file; without --via-loopback a disk's device is meant"
                    : " is no block device; give a whole disk such as /dev/vda, or --via-loopback"
                        + " for a file"));
      }
      int flags = Posix.O_RDWR | Posix.O_CLOEXEC | (request.file() ? 0 : Posix.O_EXCL);
      return Posix.open(OsPath.of(device), flags, 0);
    } catch (UnixException e) {
      throw new Problem(
          Problem.Kind.INPUT,
          switch (e.errno()) {
            case UnixException.ENOENT -> "there is no " + device;
            case UnixException.EBUSY ->
                device
                    + " is in use: it or a partition of it is mounted, or swap, LVM or a RAID has"
                    + " it; free it first (lsblk shows by whom)";
            case UnixException.EROFS, UnixException.EACCES, UnixException.EPERM ->
                device + " is write-protected";
            default -> "cannot open " + device + ": " + e.getMessage();
          },
          e);
    }
  }

  private long size() throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(request.device().toFile(), "r")) {
      long size = file.length();
      if (!request.file()) {
        requireWholeDisk();
      }
      return size / MIB * MIB;
    }
  }

  private void requireWholeDisk() throws IOException {
    Path about = Path.of("/sys/class/block").resolve(request.device().toRealPath().getFileName());
    if (Files.exists(about.resolve("partition"))) {
      throw Problem.input(
          request.device() + " is a partition; to-disk takes a whole disk, to-filesystem a part");
    }
    Path sector = about.resolve("queue/logical_block_size");
    if (Files.exists(sector) && !RawText.decode(Files.readAllBytes(sector)).strip().equals("512")) {
      throw Problem.input(
          request.device()
              + " has sectors of "
              + RawText.decode(Files.readAllBytes(sector)).strip()
              + " bytes; disks with sectors of 512 bytes can be installed to");
    }
  }

  private void requireEmpty() {
    String device = request.device().toString();
    if (request.wipe()) {
      return;
    }
    List<String> found =
        Command.of("wipefs", "--noheadings", "--output", "TYPE", device)
            .output()
            .lines()
            .map(String::strip)
            .filter(l -> !l.isEmpty())
            .distinct()
            .toList();
    if (!found.isEmpty()) {
      throw Problem.input(
          device
              + " is not empty, it holds "
              + String.join(", ", found)
              + "; give --wipe to erase all of it");
    }
  }

  private void write(DiskPlan plan) throws IOException {
    DiskWriter.Options options =
        new DiskWriter.Options(
            request.rootfs(),
            request.stateroot(),
            KernelArguments.of("rw"),
            request.customizations().withKernelArguments(request.added().toArray(String[]::new)),
            request.deleted(),
            false);
    DiskSpace space =
        new DiskSpace(
            request.image().source(),
            request.image().manifest(),
            request.device().toAbsolutePath());
    DiskWriter writer = new DiskWriter(request.image(), options, space, progress);
    try (Scratch scratch = Scratch.create(progress)) {
      if (!writer.write(request.device(), plan, scratch)) {
        progress.note(
            "the image wants " + writer.rootfs().label() + " for its root; beginning anew");
        if (!writer.write(request.device(), plan, scratch)) {
          throw new AssertionError("an image that changes what it says");
        }
      }
    }
  }

  /** So that the partitions show; where the kernel cannot now, it does at the next boot. */
  private void readPartitionsAgain() {
    String device = request.device().toString();
    if (Command.of("blockdev", "--rereadpt", device).tryRun().status() != 0) {
      progress.note("the kernel did not read the partitions of " + device + " again");
    }
  }
}
