package slipway.disk.bootloader;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import slipway.base.AtomicFile;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.disk.config.GrubConsole;
import slipway.disk.plan.DiskPlan;
import slipway.linux.posix.FdInput;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.RootedFile;
import slipway.linux.posix.UnixException;
import slipway.sysroot.state.BootTrial;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * Makes a disk start by GRUB, in BIOS and UEFI, without grub-install. Kernel and modules are those
 * of the deployed image, taken as data; {@link GrubMkimage} joins them. What comes of it carries an
 * early configuration that finds {@code /boot} and reads {@code grub/grub.cfg} there, which counts
 * the starts of a new deployment and lists boot entries (Boot Loader Specification). So a
 * deployment never touches GRUB.
 */
public final class Grub {
  /** Bytes that the image for UEFI has at most, and a copy of it while it is written. */
  public static final long EFI_BYTES = 4L << 20;

  static final List<String> MODULES =
      List.of(
          "part_gpt",
          "part_msdos",
          "fat",
          "search",
          "search_fs_uuid",
          "configfile",
          "loadenv",
          "normal",
          "linux",
          "serial",
          "terminal",
          "echo",
          "test",
          "ls",
          "cat",
          "reboot",
          "halt",
          "gzio");

  /** Offsets in boot.img and core.img, as grub-bios-setup knows them (GRUB, i386/pc/boot.h). */
  private static final int BOOT_CODE = 440;

  private static final int KERNEL_SECTOR = 0x5c;
  private static final int DRIVE_CHECK = 0x66;
  private static final int BLOCK_LIST = 0x1f4;
  private static final int CORE_SEGMENT = 0x820;

  static final String FOLDER = "usr/lib/grub";
  static final Pattern FILE = Pattern.compile("[A-Za-z0-9_-]+\\.(mod|lst|img)");

  /** Files for one platform; distributions have about 300. */
  private static final int MOST_FILES = 1000;

  private final Path deployment;
  private final Boot boot;
  private final String architecture;
  private final Path work;
  private final String own;

  /**
   * Where GRUB finds {@code /boot}.
   *
   * @param id of its file system
   * @param folder of it there: empty, or {@code /boot} where that is none of its own
   * @param filesystem its kind, as in {@code ext4}
   */
  public record Boot(String id, String folder, String filesystem) {
    /** The module that reads it. */
    private String module() {
      return filesystem.startsWith("ext") ? "ext2" : filesystem;
    }

    /**
     * Whether GRUB can write to a file there: it writes over the blocks that a file has, and in
     * other kinds of file systems these may have checksums or belong to several files.
     */
    private boolean isWritable() {
      return filesystem.startsWith("ext");
    }
  }

  /**
   * Where on a disk the rest of GRUB for BIOS goes.
   *
   * @param start bytes from the beginning of the disk
   * @param size bytes
   */
  public record Place(long start, long size) {}

  /**
   * @param deployment the deployed image's root
   * @param architecture in OCI's names
   * @param work an empty folder to mount and work in
   */
  public Grub(Path deployment, Boot boot, String architecture, Path work) {
    this(deployment, boot, architecture, work, "grub");
  }

  /**
   * The same with another folder of its own.
   *
   * @param own below /boot, where it looks for its configuration
   */
  public Grub(Path deployment, Boot boot, String architecture, Path work, String own) {
    this.own = own;
    this.deployment = deployment;
    this.boot = boot;
    this.architecture = architecture;
    this.work = work;
  }

  /**
   * Refuses, before anything is made of it, an image that lacks files that a boot loader is made
   * of, or has files for them that are no regular ones, too many or too large.
   *
   * @param architecture in OCI's names
   * @throws Problem of kind INPUT that names the first; of kind CORRUPT when they are too large
   */
  public static void require(FileTree image, String architecture, boolean bios, boolean uefi) {
    if (bios && architecture.equals("amd64")) {
      require(image, "i386-pc", List.of("boot.img"));
    }
    if (uefi) {
      require(image, efiPlatform(architecture), List.of());
    }
  }

  private static void require(FileTree image, String platform, List<String> more) {
    String folder = FOLDER + "/" + platform;
    if (image.find(folder).isEmpty()) {
      throw missing(folder);
    }
    List<String> needed = new ArrayList<>(more);
    needed.addAll(List.of("kernel.img", "moddep.lst"));
    MODULES.forEach(module -> needed.add(module + ".mod"));
    Set<String> files = regular(image.find(folder).get(), folder);
    for (String name : needed) {
      if (!files.contains(name)) {
        throw missing(folder + "/" + name);
      }
    }
    menuModule(platform, files);
  }

  /** The names of GRUB's files in a folder of the image. */
  private static Set<String> regular(Node folder, String path) {
    Set<String> files = new TreeSet<>();
    Found found = new Found(path);
    if (folder instanceof Node.Directory directory) {
      for (Map.Entry<OsPath, Node> child : directory.children().entrySet()) {
        String name = child.getKey().toString();
        if (!FILE.matcher(name).matches()) {
          continue;
        }
        if (!(child.getValue() instanceof Node.File file)) {
          throw Problem.input(
              "the image's /"
                  + path
                  + "/"
                  + name
                  + " is no regular file; put the file itself there");
        }
        found.add(file.content().size());
        files.add(name);
      }
    }
    return files;
  }

  /** How much was found of a platform, bounded as a whole. */
  static final class Found {
    private final String folder;
    private int files;
    private long bytes;

    Found(String folder) {
      this.folder = folder;
    }

    void add(long size) {
      bytes += size;
      Limit.BOOT_LOADER_BYTES.check(bytes, "the image's /" + folder);
      if (++files > MOST_FILES) {
        throw Problem.input(
            "the image's /"
                + folder
                + " has more than "
                + MOST_FILES
                + " files of GRUB's; leave those out that GRUB does not need");
      }
    }
  }

  private static String efiPlatform(String architecture) {
    return switch (architecture) {
      case "amd64" -> "x86_64-efi";
      case "arm64" -> "arm64-efi";
      default -> throw Problem.input("no EFI boot loader is known for " + architecture);
    };
  }

  /** Writes its configuration, {@code grub/grub.cfg}, into the mounted /boot. */
  public void configure(Path mountedBoot, GrubConsole console) throws IOException {
    AtomicFile.write(
        mountedBoot.resolve(own + "/grub.cfg"),
        "set timeout=1\n"
            + console.whole()
            + "search --no-floppy --fs-uuid --set=root "
            + boot.id()
            + "\n"
            + (boot.isWritable() ? counting() : "")
            + menu());
  }

  /**
   * Counts the starts of a new deployment (see {@link BootTrial}): each takes one of its tries, and
   * when none is left the entry behind it starts. GRUB has no arithmetic. Whatever fails here, a
   * block that cannot be read or written too, leaves the first entry the one that starts; so does
   * every menu without such a block.
   */
  private String counting() {
    StringBuilder down = new StringBuilder();
    for (int left = 1; left <= BootTrial.MOST_TRIES; left++) {
      down.append("    elif [ \"$boot_counter\" = ")
          .append(left)
          .append(" ]; then set boot_counter=")
          .append(left - 1)
          .append('\n');
    }
    return """
        set block=($root)%s/loader/grubenv
        if [ -s $block ]; then
          load_env --file=$block boot_success boot_counter
          if [ "$boot_success" = 0 -a -n "$boot_counter" ]; then
            set fallback=1
            if [ "$boot_counter" = 0 -o "$boot_counter" = "-1" ]; then
              echo "The new system did not start well in all its tries. Starting the one before."
              set default=1
              set fallback=0
              set boot_counter="-1"
        %s    fi
            save_env --file=$block boot_counter
          fi
        fi
        """
        .formatted(boot.folder(), down);
  }

  /** Where entries are in a folder, GRUB 2.14 takes an option, and Fedora's a variable. */
  private String menu() {
    return boot.folder().isEmpty()
        ? "blscfg\n"
        : """
          set blsdir=%s/loader/entries
          if blscfg --path $blsdir; then set found=1; else blscfg; fi
          """
            .formatted(boot.folder());
  }

  /**
   * Writes the image for UEFI to where firmware looks for one.
   *
   * @param partition a folder, as the EFI system partition is to look
   */
  public void efi(Path partition) throws IOException {
    String platform = efiPlatform(architecture);
    String name = architecture.equals("amd64") ? "BOOTX64.EFI" : "BOOTAA64.EFI";
    Path folder = Files.createDirectories(partition.resolve("EFI/BOOT"));
    Files.write(folder.resolve(name), image(platform, "", List.of("efi_gop")));
  }

  /** Whether this architecture has a BIOS. */
  public boolean hasBios() {
    return architecture.equals("amd64");
  }

  /**
   * Makes what BIOS starts; {@link Bios#embed} writes it.
   *
   * @throws Problem of kind INPUT for what does not fit its place
   */
  public Bios bios(Place place) throws IOException {
    byte[] first = files("i386-pc").get("boot.img");
    if (first == null) {
      throw missing(FOLDER + "/i386-pc/boot.img");
    }
    return new Bios(place, first, image("i386-pc", "(hd0,gpt3)", List.of("biosdisk")));
  }

  /**
   * GRUB for BIOS.
   *
   * @param place of the rest
   * @param boot the first sector
   * @param core the rest
   */
  public record Bios(Place place, byte[] boot, byte[] core) {
    public Bios {
      if (boot.length != DiskPlan.SECTOR || core.length < DiskPlan.SECTOR) {
        throw Problem.input(
            "the image's GRUB for BIOS is damaged: boot.img or core.img is too short");
      }
      if ((long) sectors(core) * DiskPlan.SECTOR > place.size()) {
        throw Problem.input(
            "the image's GRUB for BIOS has " + core.length + " bytes and does not fit its place");
      }
    }

    private static int sectors(byte[] core) {
      return (core.length + DiskPlan.SECTOR - 1) / DiskPlan.SECTOR;
    }

    /**
     * Writes the first sector over the boot code of the disk, beside the partition table, and the
     * rest where it has room: into the BIOS boot partition, or before the first partition.
     */
    public void embed(Path disk) throws IOException {
      Grub.embed(disk, this, sectors(core));
    }
  }

  private static void embed(Path disk, Bios made, int sectors) throws IOException {
    byte[] boot = made.boot();
    byte[] core = made.core();
    Place bios = made.place();
    long lba = bios.start() / DiskPlan.SECTOR;
    ByteBuffer first = ByteBuffer.wrap(boot.clone()).order(ByteOrder.LITTLE_ENDIAN);
    first.putLong(KERNEL_SECTOR, lba);
    // For hard disks the check of the boot drive's number becomes two NOPs.
    first.putShort(DRIVE_CHECK, (short) 0x9090);
    ByteBuffer rest = ByteBuffer.wrap(core.clone()).order(ByteOrder.LITTLE_ENDIAN);
    rest.putLong(BLOCK_LIST, lba + 1);
    rest.putShort(BLOCK_LIST + 8, (short) (sectors - 1));
    rest.putShort(BLOCK_LIST + 10, (short) CORE_SEGMENT);
    try (RandomAccessFile out = new RandomAccessFile(disk.toFile(), "rw")) {
      out.write(first.array(), 0, BOOT_CODE);
      out.seek(bios.start());
      out.write(rest.array());
      out.getFD().sync();
    }
  }

  /**
   * @param device of the folder with GRUB's files; empty for the one that the image came from. Only
   *     until the early configuration has found /boot.
   */
  private byte[] image(String platform, String device, List<String> more) throws IOException {
    Map<String, byte[]> files = files(platform);
    for (String needed : List.of("kernel.img", "moddep.lst")) {
      if (!files.containsKey(needed)) {
        throw missing(FOLDER + "/" + platform + "/" + needed);
      }
    }
    List<String> modules = new ArrayList<>(MODULES);
    modules.add(boot.module());
    modules.addAll(more);
    modules.add(menuModule(platform, files.keySet()));
    String early =
        """
        search --no-floppy --fs-uuid --set=root %s
        set prefix=($root)%s/%s
        configfile $prefix/grub.cfg
        """
            .formatted(boot.id(), boot.folder(), own);
    String prefix = device + boot.folder() + "/" + own;
    return new GrubMkimage(work).make(platform, prefix, early, modules, files);
  }

  /**
   * What the image has of GRUB for a platform, as data: the regular files among modules, lists of
   * modules and images, by name. No link is followed on the way.
   */
  private Map<String, byte[]> files(String platform) throws IOException {
    String folder = FOLDER + "/" + platform;
    Map<String, byte[]> files = new TreeMap<>();
    Found found = new Found(folder);
    int tree = Posix.open(OsPath.of(deployment), Posix.O_PATH | Posix.O_DIRECTORY, 0);
    try {
      int directory = directory(tree, folder);
      try {
        for (OsPath name : Posix.list(OsPath.of("/proc/self/fd/" + directory))) {
          if (!FILE.matcher(name.toString()).matches()) {
            continue;
          }
          String where = "the image's /" + folder + "/" + name;
          try (FdInput in =
              RootedFile.openat(directory, name, RootedFile.Links.BENEATH, where)
                  .orElseThrow(() -> missing(folder + "/" + name))) {
            found.add(in.stat().size());
            files.put(name.toString(), Limit.BOOT_LOADER_BYTES.read(in, where));
          }
        }
      } finally {
        Posix.close(directory);
      }
    } finally {
      Posix.close(tree);
    }
    return files;
  }

  private static int directory(int tree, String folder) throws IOException {
    try {
      return Posix.openat2(
          tree,
          OsPath.of(folder),
          Posix.O_RDONLY | Posix.O_DIRECTORY,
          0,
          Posix.RESOLVE_BENEATH | Posix.RESOLVE_NO_SYMLINKS);
    } catch (UnixException e) {
      switch (e.errno()) {
        case UnixException.ENOENT -> throw missing(folder);
        case UnixException.ENOTDIR, UnixException.ELOOP, UnixException.EXDEV ->
            throw Problem.input(
                "the image's /"
                    + folder
                    + " is reached by a link or is no directory;"
                    + " put GRUB's files themselves there");
        default -> throw e;
      }
    }
  }

  /** The module that reads boot entries: GRUB 2.14 has it in blsuki, Fedora's in blscfg. */
  private static String menuModule(String platform, Set<String> files) {
    for (String name : List.of("blsuki", "blscfg")) {
      if (files.contains(name + ".mod")) {
        return name;
      }
    }
    throw Problem.input(
        "the image's GRUB cannot read boot entries: "
            + platform
            + " has neither blsuki.mod nor blscfg.mod; build on a base made by slipway base build");
  }

  private static Problem missing(String path) {
    return Problem.input(
        "the image has no boot loader: /" + path + " is missing; " + whatToInstall(path));
  }

  /**
   * What brings a file of GRUB into an image.
   *
   * @param path of the file; its platform tells the architecture
   */
  static String whatToInstall(String path) {
    return "install %s in it, or build on a base made by slipway base build"
        .formatted(
            path.contains("/arm64-efi")
                ? "grub-efi-arm64-bin"
                : "grub-pc-bin and grub-efi-amd64-bin");
  }
}
