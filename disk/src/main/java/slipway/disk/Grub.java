package slipway.disk;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.linux.Command;
import slipway.linux.Mount;
import slipway.linux.Mounts;

/**
 * Makes a disk start by GRUB, in BIOS and UEFI, without grub-install. The images come from the
 * deployed image's own GRUB and carry an early configuration that finds {@code /boot} and reads
 * {@code grub/grub.cfg} there, which only lists boot entries (Boot Loader Specification). So a
 * deployment never touches GRUB.
 */
final class Grub {
  private static final List<String> MODULES =
      List.of(
          "part_gpt",
          "ext2",
          "fat",
          "search",
          "search_fs_uuid",
          "configfile",
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

  private final Path deployment;
  private final UUID boot;
  private final String architecture;

  /**
   * @param deployment the deployed image's root
   * @param boot id of the file system of /boot
   * @param architecture in OCI's names
   */
  Grub(Path deployment, UUID boot, String architecture) {
    this.deployment = deployment;
    this.boot = boot;
    this.architecture = architecture;
  }

  /** Writes {@code grub/grub.cfg} into the mounted /boot. */
  void configure(Path mountedBoot) throws IOException {
    AtomicFile.write(
        mountedBoot.resolve("grub/grub.cfg"),
        """
        set timeout=1
        serial --unit=0 --speed=115200
        terminal_input serial console
        terminal_output serial console
        search --no-floppy --fs-uuid --set=root %s
        blscfg
        """
            .formatted(boot));
  }

  /** The image for UEFI, and the name that firmware looks for in {@code EFI/BOOT}. */
  record Efi(String name, byte[] image) {}

  Efi efi() throws IOException {
    return switch (architecture) {
      case "amd64" -> new Efi("BOOTX64.EFI", image("x86_64-efi", "/grub", List.of("efi_gop")));
      case "arm64" -> new Efi("BOOTAA64.EFI", image("arm64-efi", "/grub", List.of("efi_gop")));
      default -> throw Problem.input("no EFI boot loader is known for " + architecture);
    };
  }

  /** Whether this architecture has a BIOS. */
  boolean hasBios() {
    return architecture.equals("amd64");
  }

  /**
   * Writes GRUB's first sector over the boot code of the disk, beside the partition table, and the
   * rest into the BIOS boot partition.
   */
  void embedBios(Path disk, DiskPlan.Part bios) throws IOException {
    byte[] first = Files.readAllBytes(file("usr/lib/grub/i386-pc/boot.img"));
    byte[] core = image("i386-pc", "(hd0,gpt3)/grub", List.of("biosdisk"));
    embed(disk, bios, first, core);
  }

  static void embed(Path disk, DiskPlan.Part bios, byte[] boot, byte[] core) throws IOException {
    if (boot.length != DiskPlan.SECTOR || core.length < DiskPlan.SECTOR) {
      throw Problem.input(
          "the image's GRUB for BIOS is damaged: boot.img or core.img is too short");
    }
    int sectors = (core.length + DiskPlan.SECTOR - 1) / DiskPlan.SECTOR;
    if ((long) sectors * DiskPlan.SECTOR > bios.size()) {
      throw Problem.input(
          "the image's GRUB for BIOS has " + core.length + " bytes and does not fit its partition");
    }
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
   * Runs the image's own grub-mkimage in its tree, as nobody, with a /tmp in memory that goes
   * afterwards. It needs a file to write to: it fails when it cannot sync its output.
   */
  private byte[] image(String platform, String prefix, List<String> more) throws IOException {
    Path modules = directory("usr/lib/grub/" + platform);
    file("usr/bin/grub-mkimage");
    Path tmp = directory("tmp");
    String early =
        """
        search --no-floppy --fs-uuid --set=root %s
        set prefix=($root)/grub
        configfile ($root)/grub/grub.cfg
        """
            .formatted(boot);
    try (Mount scratch =
        Mount.of("tmpfs", tmp, "tmpfs", Mounts.MS_NOSUID | Mounts.MS_NODEV, "mode=1777,size=32m")) {
      Files.writeString(scratch.target().resolve("early.cfg"), early);
      Command.of("chroot", "--userspec=65534:65534", deployment.toString())
          .with("/usr/bin/grub-mkimage", "-O", platform, "-c", "/tmp/early.cfg")
          .with("-p", prefix, "-o", "/tmp/image")
          .with(MODULES.toArray(String[]::new))
          .with(more.toArray(String[]::new))
          .with(menuModule(modules))
          .run();
      Path image = scratch.target().resolve("image");
      if (!Files.isRegularFile(image, LinkOption.NOFOLLOW_LINKS)) {
        throw Problem.input("the image's grub-mkimage made no image for " + platform);
      }
      return Files.readAllBytes(image);
    }
  }

  /** The module that reads boot entries: GRUB 2.14 has it in blsuki, Fedora's in blscfg. */
  private static String menuModule(Path modules) {
    for (String name : List.of("blsuki", "blscfg")) {
      if (Files.isRegularFile(modules.resolve(name + ".mod"), LinkOption.NOFOLLOW_LINKS)) {
        return name;
      }
    }
    throw Problem.input(
        "the image's GRUB cannot read boot entries: "
            + modules.getFileName()
            + " has neither blsuki.mod nor blscfg.mod; build on a base made by slipway base build");
  }

  private Path directory(String path) {
    Path found = deployment.resolve(path);
    if (!Files.isDirectory(found, LinkOption.NOFOLLOW_LINKS)) {
      throw missing(path);
    }
    return found;
  }

  private Path file(String path) {
    Path found = deployment.resolve(path);
    if (!Files.isRegularFile(found, LinkOption.NOFOLLOW_LINKS)) {
      throw missing(path);
    }
    return found;
  }

  private static Problem missing(String path) {
    return Problem.input(
        "the image has no boot loader: /"
            + path
            + " is missing; install grub-common,"
            + " grub-pc-bin and grub-efi-amd64-bin in it, or build on a base made by slipway base build");
  }
}
