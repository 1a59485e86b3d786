package slipway.disk.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskLayout;
import slipway.disk.config.PartitionContent;
import slipway.disk.config.PartitionTable;
import slipway.disk.config.RootFileSystem;

/**
 * How a disk is divided: a table ({@link PartitionTable}) with an EFI system partition, {@code
 * /boot} and the root, each on a whole MiB; the last MiB stays free for the copy of a GPT. A GPT
 * has a BIOS boot partition too; beside the older table GRUB has room before the first partition.
 * For systemd-boot an EFI system partition that holds kernels, and the root. Types are those of the
 * Discoverable Partitions Specification.
 *
 * @param size bytes of the whole disk
 * @param diskId of the table
 * @param parts in their order on the disk
 */
public record DiskPlan(long size, PartitionTable table, UUID diskId, List<Part> parts) {
  public static final int SECTOR = 512;
  private static final long MIB = 1L << 20;

  /** As bootc-image-builder: sparse, so it costs nothing. */
  static final long DEFAULT_SIZE = 10L << 30;

  private static final long BIOS_SIZE = MIB;
  // GRUB's image has some 300 kB; shim, a second loader and firmware updates find room.
  private static final long ESP_SIZE = 128 * MIB;
  private static final long KERNELS_SIZE = 1024 * MIB;
  private static final long ROOT_MINIMUM = 1024 * MIB;

  /** Sectors that 32 bits count. */
  private static final long LARGEST_DOS = (1L << 32) * SECTOR;

  private static final String ROOT_PLACE = "/";
  private static final String BOOT_PLACE = "/boot";

  public static final String BIOS_TYPE = "21686148-6449-6E6F-744E-656564454649";
  public static final String ESP_TYPE = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";
  private static final String LINUX_OF_DOS = "83";
  private static final String BOOT_TYPE = "BC13C2FF-59E6-4262-A352-B275FD6F7172";

  /**
   * A partition.
   *
   * @param start bytes from the beginning of the disk
   * @param size bytes
   * @param id of the partition
   * @param filesystem id of the file system in it
   * @param content what it holds
   */
  public record Part(
      String name,
      String type,
      long start,
      long size,
      UUID id,
      UUID filesystem,
      PartitionContent content) {}

  /**
   * A partition that has no place yet.
   *
   * @param size bytes, at least
   */
  private record Wanted(String name, String type, long size, PartitionContent content) {}

  public DiskPlan {
    parts = List.copyOf(parts);
  }

  /**
   * What file systems need at least, in bytes.
   *
   * @param boot of what holds the kernels: /boot, or the EFI system partition where systemd-boot
   *     reads them; 0 for the usual size
   */
  public record Least(long root, long boot) {}

  /** With a usual /boot. */
  static DiskPlan of(
      long wanted, long rootMinimum, String architecture, BootLoader loader, Supplier<UUID> ids) {
    return of(wanted, new Least(rootMinimum, 0), DiskLayout.USUAL, architecture, loader, ids);
  }

  /**
   * @param wanted bytes of the disk; 0 for the default
   * @param least that its file systems need
   * @param layout how it shall be divided
   * @param architecture in OCI's names
   * @param loader that starts the machine
   * @throws Problem when the disk is too small, or the loader does not start from it
   */
  public static DiskPlan of(
      long wanted,
      Least least,
      DiskLayout layout,
      String architecture,
      BootLoader loader,
      Supplier<UUID> ids) {
    List<Wanted> parts = wanted(least, layout, architecture, loader);
    long minimum = Math.max(sizeFor(parts), roundUp(layout.minimum()));
    if (wanted != 0 && wanted < minimum) {
      throw Problem.input(
          "a disk of "
              + wanted / MIB
              + " MiB is too small for this image; give --size "
              + minimum / MIB
              + "M or more");
    }
    long size = wanted == 0 ? Math.max(DEFAULT_SIZE, minimum) : wanted / MIB * MIB;
    requireWithin(size, layout.tableOrUsual());
    return divided(size, layout.tableOrUsual(), parts, 0, ids);
  }

  /** The older table counts sectors in 32 bits. */
  private static void requireWithin(long size, PartitionTable table) {
    if (table == PartitionTable.DOS && size > LARGEST_DOS) {
      throw Problem.input(
          "a disk of %d MiB is too large for a dos partition table, which reaches 2 TiB; take gpt"
              .formatted(size / MIB));
    }
  }

  /**
   * Of a disk that is there.
   *
   * @param name of it, for messages
   * @param size bytes of the disk, whole MiB
   * @param rootSize bytes of the root's partition; 0 for all that is left
   * @param loader that starts the machine
   * @throws Problem when the disk, or that partition, is too small
   */
  public static DiskPlan ofDevice(
      String name,
      long size,
      long rootMinimum,
      long rootSize,
      String architecture,
      BootLoader loader,
      Supplier<UUID> ids) {
    List<Wanted> parts = usual(new Least(rootMinimum, 0), architecture, loader);
    long minimum = sizeFor(parts);
    if (size < minimum) {
      throw Problem.input(
          "%s has %d MiB and is too small for this image, which takes %d MiB or more"
              .formatted(name, size / MIB, minimum / MIB));
    }
    long root = rootSize / MIB * MIB;
    long most = size - sizeFor(parts) + parts.getLast().size();
    if (root > most) {
      throw Problem.input(
          "--root-size %dM: %s has room for a root of %d MiB"
              .formatted(rootSize / MIB, name, most / MIB));
    }
    if (rootSize != 0 && root < parts.getLast().size()) {
      throw Problem.input(
          "--root-size %dM is too small for this image; give %dM or more"
              .formatted(rootSize / MIB, parts.getLast().size() / MIB));
    }
    return divided(size, PartitionTable.GPT, parts, root, ids);
  }

  private static List<Wanted> usual(Least least, String architecture, BootLoader loader) {
    return wanted(least, DiskLayout.USUAL, architecture, loader);
  }

  /** What a disk has, the root last. */
  private static List<Wanted> wanted(
      Least least, DiskLayout layout, String architecture, BootLoader loader) {
    PartitionTable table = layout.tableOrUsual();
    boolean isGpt = table == PartitionTable.GPT;
    if (loader == BootLoader.SYSTEMD && !isGpt) {
      throw Problem.input(
          "systemd-boot starts from a gpt partition table alone; take that, or GRUB"
              + " (--bootloader grub)");
    }
    long kernels = roundUp(Math.max(KERNELS_SIZE, least.boot));
    PartitionContent esp = new PartitionContent.Fat(PartitionContent.ESP, "EFI-SYSTEM");
    String espType = isGpt ? ESP_TYPE : "ef";
    List<Wanted> wanted = new ArrayList<>();
    if (loader == BootLoader.SYSTEMD) {
      wanted.add(new Wanted("EFI-SYSTEM", espType, kernels, esp));
    } else {
      if (isGpt) {
        wanted.add(new Wanted("bios", BIOS_TYPE, BIOS_SIZE, new PartitionContent.Bios()));
      }
      wanted.add(new Wanted("EFI-SYSTEM", espType, ESP_SIZE, esp));
      PartitionContent boot = new PartitionContent.Files(BOOT_PLACE, RootFileSystem.EXT4, "boot");
      wanted.add(new Wanted("boot", isGpt ? BOOT_TYPE : LINUX_OF_DOS, kernels, boot));
    }
    String rootType = rootType(architecture);
    wanted.add(
        new Wanted(
            "root",
            isGpt ? rootType : LINUX_OF_DOS,
            roundUp(Math.max(ROOT_MINIMUM, least.root)),
            new PartitionContent.Files(ROOT_PLACE, null, "root")));
    return wanted;
  }

  /**
   * @param rootSize of the root's partition, 0 for all that is left
   */
  private static DiskPlan divided(
      long size, PartitionTable table, List<Wanted> wanted, long rootSize, Supplier<UUID> ids) {
    List<Part> parts = new ArrayList<>();
    long start = MIB;
    for (Wanted w : wanted.subList(0, wanted.size() - 1)) {
      parts.add(part(w, start, w.size(), ids));
      start += w.size();
    }
    long left = size - MIB - start;
    parts.add(part(wanted.getLast(), start, rootSize == 0 ? left : rootSize, ids));
    return new DiskPlan(size, table, ids.get(), parts);
  }

  /**
   * The least size of a disk, whatever starts the machine.
   *
   * @param root bytes that the root needs
   */
  public static long sizeFor(long root) {
    return sizeFor(usual(new Least(root, 0), "amd64", BootLoader.GRUB));
  }

  private static long sizeFor(List<Wanted> parts) {
    return MIB + parts.stream().mapToLong(Wanted::size).sum() + MIB;
  }

  private static Part part(Wanted w, long start, long size, Supplier<UUID> ids) {
    return new Part(w.name(), w.type(), start, size, ids.get(), ids.get(), w.content());
  }

  private static String rootType(String architecture) {
    return switch (architecture) {
      case "amd64" -> "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709";
      case "arm64" -> "B921B045-1DF0-41C3-AF44-4C6F280D3FAE";
      default ->
          throw Problem.input(
              "disks are made for amd64 and arm64, this image is for " + architecture);
    };
  }

  private static long roundUp(long bytes) {
    return (bytes + MIB - 1) / MIB * MIB;
  }

  /** GRUB's for BIOS; null where it has none. */
  public @Nullable Part bios() {
    return find(content -> content instanceof PartitionContent.Bios);
  }

  /** The EFI system partition. */
  public Part esp() {
    return Objects.requireNonNull(
        find(content -> content instanceof PartitionContent.Fat fat && fat.isEsp()));
  }

  /** Null where /boot is a folder of the root. */
  public @Nullable Part boot() {
    return find(content -> isAt(content, BOOT_PLACE));
  }

  public Part root() {
    return Objects.requireNonNull(find(content -> isAt(content, ROOT_PLACE)));
  }

  private static boolean isAt(PartitionContent content, String place) {
    return content instanceof PartitionContent.Files files && files.place().equals(place);
  }

  private @Nullable Part find(Predicate<PartitionContent> wanted) {
    return parts.stream().filter(p -> wanted.test(p.content())).findFirst().orElse(null);
  }

  /** Bytes that are free between the older table and the first partition. */
  public long gap() {
    return parts.getFirst().start() - SECTOR;
  }

  /** The disk's id as its table has it. */
  public String tableId() {
    return switch (table) {
      case GPT -> diskId.toString();
      case DOS -> String.format(Locale.ROOT, "0x%08x", dosId());
    };
  }

  /** A partition's id as its table has it, or as Linux makes one up. */
  public String idOf(Part part) {
    return switch (table) {
      case GPT -> part.id().toString();
      case DOS -> String.format(Locale.ROOT, "%08x-%02x", dosId(), parts.indexOf(part) + 1);
    };
  }

  /** Zero would stand for none. */
  private int dosId() {
    int id = (int) (diskId.getMostSignificantBits() >>> 32);
    return id == 0 ? 1 : id;
  }

  /** The input of sfdisk(8). */
  public String script() {
    StringBuilder script = new StringBuilder();
    script.append("label: ").append(table.label()).append("\nlabel-id: ").append(tableId());
    script.append("\nunit: sectors\n");
    for (Part p : parts) {
      script.append(
          String.format(
              Locale.ROOT,
              "start=%d, size=%d, type=%s%s%n",
              p.start() / SECTOR,
              p.size() / SECTOR,
              p.type(),
              more(p)));
    }
    return script.toString();
  }

  private String more(Part p) {
    return switch (table) {
      case GPT -> String.format(Locale.ROOT, ", uuid=%s, name=%s", p.id(), p.name());
      // There are BIOSes that start no disk without an active partition.
      case DOS -> p.equals(boot()) ? ", bootable" : "";
    };
  }
}
