package slipway.disk.filesystem;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.disk.config.RootFileSystem;
import slipway.disk.plan.DiskPlan;
import slipway.linux.loop.LoopDevice;
import slipway.linux.process.Command;

/**
 * Makes file systems in the partitions of a disk. They are made through loop devices, which write
 * zeros to a disk where mkfs discards what it held; so nothing is discarded there, and {@link
 * #discard} tells the disk itself.
 */
public final class FileSystems {
  private static final Pattern VERSION = Pattern.compile("mke2fs (\\d+)\\.(\\d+)");

  private static final int FIRST = 1 << 20;

  /** Sectors of a partition that gets FAT32, which has 65525 clusters at least. */
  private static final long LEAST_FAT32 = (64 << 20) / DiskPlan.SECTOR;

  private static final long LEAST_FAT32_4K = (260 << 20) / 4096;
  private static final String LAZY = "lazy_itable_init=1,lazy_journal_init=1";

  private FileSystems() {}

  /**
   * How one is made.
   *
   * @param label or empty
   * @param isNew whether the disk holds zeros
   * @param sector bytes of one of the disk, which its file does not tell
   */
  public record Wanted(RootFileSystem type, String label, UUID id, boolean isNew, int sector) {
    /** Options for what is not usual. */
    private String[] ofSector(String option, String value) {
      return sector == DiskPlan.SECTOR ? new String[0] : new String[] {option, value + sector};
    }
  }

  /** The root, or one for another place of the machine. */
  public static void make(Path device, Wanted wanted) {
    // With fs-verity, so that objects can be sealed later.
    make(device, wanted, "verity");
  }

  private static void make(Path device, Wanted wanted, String featuresOfExt4) {
    switch (wanted.type) {
      case EXT4 -> ext4(device, wanted, featuresOfExt4);
      case XFS ->
          Command.of("mkfs.xfs", "-q", "-f", "-K", "-L", wanted.label, "-m", "uuid=" + wanted.id)
              .with(wanted.ofSector("-s", "size="))
              .with(device.toString())
              .run();
      case BTRFS ->
          Command.of("mkfs.btrfs", "-q", "-f", "-K", "-L", wanted.label, "-U", wanted.id.toString())
              .with(device.toString())
              .run();
    }
  }

  /**
   * Refuses to begin what cannot be ended on this machine.
   *
   * @param root the file system of the root, or null when that is not known yet
   * @throws Problem of kind ENVIRONMENT that names the tool that is missing
   */
  public static void requireTools(@Nullable RootFileSystem root) {
    requireTools(
        List.of(
            "blkdiscard",
            "fallocate",
            "sfdisk",
            "wipefs",
            "losetup",
            "mformat",
            "mmd",
            "mcopy",
            "mkfs.ext4",
            "mkfs." + (root == null ? RootFileSystem.EXT4 : root).label()));
  }

  /**
   * @throws Problem of kind ENVIRONMENT that names the first that is missing
   */
  public static void requireTools(List<String> tools) {
    requireTools(tools, System.getenv().getOrDefault("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"));
  }

  /**
   * @param path where they are looked for, as PATH
   * @throws Problem as {@link #requireTools(List)}
   */
  public static void requireTools(List<String> tools, String path) {
    for (String tool : tools) {
      if (Stream.of(path.split(":")).noneMatch(f -> Files.isExecutable(Path.of(f, tool)))) {
        throw Problem.environment(
            "there is no " + tool + " here, which an installation takes; install it first");
      }
    }
  }

  /**
   * Takes away what lay where a plan puts partitions and logical volumes: their first MiB and the
   * signatures of file systems and their like. It must not be taken for what lies there next.
   */
  public static void wipe(Path disk, DiskPlan plan) throws IOException {
    Set<DiskPlan.Part> all = new LinkedHashSet<>(plan.parts());
    all.addAll(plan.areas());
    for (DiskPlan.Part part : all) {
      try (RandomAccessFile out = new RandomAccessFile(disk.toFile(), "rw")) {
        out.seek(part.start());
        out.write(new byte[FIRST]);
      }
      try (LoopDevice loop = LoopDevice.attach(disk, part.start(), part.size())) {
        wipe(loop.device());
      }
    }
  }

  /** Tells a disk, where it can hear it, that nothing of what it holds counts any more. */
  public static void discard(Path disk) throws IOException {
    Command telling =
        Files.isRegularFile(disk)
            ? Command.of("fallocate", "--punch-hole", "--offset", "0")
                .with("--length", Long.toString(Math.max(1, Files.size(disk))))
            // The disk is claimed already, by this process.
            : Command.of("blkdiscard", "--force");
    telling.with(disk.toString()).tryRun();
  }

  /** Takes the signatures of file systems and their like from a device. */
  public static void wipe(Path device) {
    Command.of("wipefs", "--all", "--force", "--quiet", device.toString()).run();
  }

  /** /boot, which every GRUB can read: some know no separate seed of the checksums. */
  public static void boot(Path device, Wanted wanted) {
    make(device, wanted, "^metadata_csum_seed");
  }

  private static void ext4(Path device, Wanted wanted, String features) {
    String extended = "nodiscard," + (wanted.isNew ? initialized() : LAZY);
    Command.of("mkfs.ext4", "-q", "-F", "-L", wanted.label, "-U", wanted.id.toString())
        .with(wanted.ofSector("-b", ""))
        .with("-E", extended, "-O", features, device.toString())
        .run();
  }

  /**
   * The inode tables of a new sparse file are zero already. Where mke2fs can be told (1.47), the
   * machine does not write them all at its first boot.
   */
  private static String initialized() {
    Matcher m = VERSION.matcher(Command.of("mke2fs", "-V").run().stderr());
    boolean knows =
        m.find() && Integer.parseInt(m.group(1)) * 1000 + Integer.parseInt(m.group(2)) >= 1047;
    return knows ? "assume_storage_prezeroed=1" : LAZY;
  }

  /**
   * FAT by mtools, because not every kernel reads it: FAT32, as firmware wants it, where that has
   * room.
   *
   * @param sector bytes of one of the disk
   * @param label or empty
   * @param time when it is made; null takes the clock's
   */
  public static void fat(
      Path disk, int sector, DiskPlan.Part part, String label, @Nullable Instant time) {
    long sectors = part.size() / sector;
    boolean isLarge = sectors >= (sector == DiskPlan.SECTOR ? LEAST_FAT32 : LEAST_FAT32_4K);
    // Its size is 128, doubled so many times.
    int code = Integer.numberOfTrailingZeros(sector) - 7;
    mtools(time, "mformat", "-i", image(disk, part.start()), "-h", "64", "-s", "32")
        .with(sector == DiskPlan.SECTOR ? new String[0] : new String[] {"-S", "" + code})
        .with(isLarge ? new String[] {"-F"} : new String[0])
        .with(label.isEmpty() ? new String[0] : new String[] {"-v", label})
        .with("-T", Long.toString(sectors))
        .with("-N", serial(part.filesystem()), "::")
        .run();
  }

  /**
   * Puts loaders and what they read into an EFI system partition that is not mounted.
   *
   * @param start bytes from the beginning of the disk
   * @param files a folder, as the partition is to look
   */
  public static void put(Path disk, long start, Path files) throws IOException {
    put(disk, start, files, null);
  }

  /**
   * The same.
   *
   * @param time of all that is put there; null takes the clock's
   */
  public static void put(Path disk, long start, Path files, @Nullable Instant time)
      throws IOException {
    String image = image(disk, start);
    try (Stream<Path> all = Files.walk(files)) {
      for (Path each : (Iterable<Path>) all.sorted()::iterator) {
        String there = "::/" + files.relativize(each);
        if (Files.isRegularFile(each)) {
          mtools(time, "mcopy", "-o", "-i", image, each.toString(), there).run();
        } else if (!each.equals(files)
            && Command.of("mdir", "-b", "-i", image, there).tryRun().status() != 0) {
          mtools(time, "mmd", "-i", image, there).run();
        }
      }
    }
  }

  /** FAT has the time of whatever clock was on the wall. */
  private static Command mtools(@Nullable Instant time, String... words) {
    return time == null
        ? Command.of(words)
        : Command.of(words)
            .environment("SOURCE_DATE_EPOCH", Long.toString(time.getEpochSecond()))
            .environment("TZ", "UTC");
  }

  /** Brings to a disk what tools have written to it, which sync nothing. */
  public static void sync(Path disk) throws IOException {
    try (FileChannel written = FileChannel.open(disk, StandardOpenOption.WRITE)) {
      written.force(true);
    }
  }

  /** As mtools take a file system within a disk. */
  private static String image(Path disk, long start) {
    return disk + "@@" + start;
  }

  /** What fstab finds a file system of {@link #fat} by. */
  public static String espId(UUID id) {
    String serial = serial(id).toUpperCase(Locale.ROOT);
    return serial.substring(0, 4) + "-" + serial.substring(4);
  }

  /** A FAT volume id: 8 hex digits. */
  static String serial(UUID id) {
    return String.format(Locale.ROOT, "%08x", (int) (id.getMostSignificantBits() >>> 32));
  }
}
