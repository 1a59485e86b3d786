package slipway.disk.plan;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskLayout;
import slipway.disk.config.PartitionContent;
import slipway.disk.config.PartitionTable;
import slipway.disk.config.Passphrase;
import slipway.disk.config.RootFileSystem;
import slipway.disk.luks.LuksVolume;
import slipway.disk.lvm.VolumeGroup;
import slipway.linux.process.Command;

/**
 * How a disk is divided: a table ({@link PartitionTable}) with an EFI system partition, {@code
 * /boot} and the root, each on a whole MiB; the last MiB stays free for the copy of a GPT. A GPT
 * has a BIOS boot partition too; beside the older table GRUB has room before the first partition.
 * For systemd-boot an EFI system partition that holds kernels, and the root. Types are those of the
 * Discoverable Partitions Specification.
 *
 * @param size bytes of the whole disk
 * @param sector bytes of one of its sectors
 * @param diskId of the table
 * @param parts in their order on the disk
 * @param group of logical volumes, which is all that one of the partitions holds; null for none
 */
public record DiskPlan(
    long size,
    int sector,
    PartitionTable table,
    UUID diskId,
    List<Part> parts,
    @Nullable Group group) {
  /** Bytes of a sector as nearly all disks have it, and all that BIOS starts. */
  public static final int SECTOR = DiskLayout.USUAL_SECTOR;

  private static final long MIB = 1L << 20;

  /** As bootc-image-builder: sparse, so it costs nothing. */
  static final long DEFAULT_SIZE = 10L << 30;

  private static final long BIOS_SIZE = MIB;
  // GRUB's image has some 300 kB; shim, a second loader and firmware updates find room.
  private static final long ESP_SIZE = 128 * MIB;
  // FAT32 has 65525 clusters at least, each of a sector at least.
  private static final long ESP_SIZE_4K = 264 * MIB;
  private static final long KERNELS_SIZE = 1024 * MIB;
  private static final String OF_FILES = "its file system";
  private static final String OF_KERNELS = "kernels of some deployments";
  private static final long ROOT_MINIMUM = 1024 * MIB;

  /** Sectors that 32 bits count. */
  private static final long LARGEST_DOS = (1L << 32) * SECTOR;

  private static final int MOST_OF_DOS = 4;

  /** No disk has so many bytes, nor twice as many. */
  private static final long LARGEST = 1L << 61;

  /** UTF-16 units of a name in a GPT. */
  private static final int LONGEST_NAME = 36;

  public static final String BIOS_TYPE = "21686148-6449-6E6F-744E-656564454649";
  public static final String ESP_TYPE = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";
  private static final String DATA_TYPE = "0FC63DAF-8483-4772-8E79-3D69D8477DE4";
  private static final String LVM_TYPE = "E6D6D379-F507-44C2-A23C-238F2A3DF928";
  private static final String SWAP_TYPE = "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F";
  private static final String BOOT_TYPE = "BC13C2FF-59E6-4262-A352-B275FD6F7172";

  /**
   * A partition.
   *
   * @param start bytes from the beginning of the disk
   * @param size bytes
   * @param id of the partition
   * @param filesystem id of the file system in it, or of the LUKS volume
   * @param content what it holds
   * @param passphrase that opens it; null where it is not encrypted
   */
  public record Part(
      String name,
      String type,
      long start,
      long size,
      UUID id,
      UUID filesystem,
      PartitionContent content,
      @Nullable Passphrase passphrase) {
    /** The encrypted volume; only where there is a passphrase. */
    public LuksVolume luks() {
      return new LuksVolume(start, size, filesystem);
    }

    /** What is seen once it is unlocked; itself where it is not encrypted. */
    private Part unlocked() {
      if (passphrase == null) {
        return this;
      }
      LuksVolume luks = luks();
      UUID within = UUID.nameUUIDFromBytes(("within " + filesystem).getBytes(US_ASCII));
      return new Part(name, type, luks.payload(), luks.payloadSize(), id, within, content, null);
    }
  }

  /**
   * A volume group.
   *
   * @param partition its physical volume, whose id is that of the partition's content
   * @param volumes its logical volumes, by where on the disk they lie
   */
  public record Group(String name, UUID id, Part partition, List<Part> volumes) {
    public Group {
      volumes = List.copyOf(volumes);
    }

    /** As LVM describes it. */
    public VolumeGroup described() {
      return new VolumeGroup(
          name,
          id,
          partition.filesystem(),
          partition.size(),
          volumes.stream().map(v -> new VolumeGroup.Volume(v.name(), v.id(), v.size())).toList());
    }
  }

  /**
   * What a partition, or a logical volume, cannot do without.
   *
   * @param least bytes
   * @param reason why, in a few words, or the key of the config that asks for it
   * @param volumes those of a volume group
   */
  public record Demand(
      String name, long least, String reason, PartitionContent content, List<Demand> volumes) {
    public Demand {
      volumes = List.copyOf(volumes);
    }
  }

  /**
   * A partition that has no place yet.
   *
   * @param size bytes, at least
   * @param reason for the size
   * @param id null for any
   * @param volumes those of a volume group
   * @param passphrase null where it is not encrypted
   */
  private record Wanted(
      String name,
      String type,
      long size,
      String reason,
      @Nullable UUID id,
      PartitionContent content,
      List<Wanted> volumes,
      @Nullable Passphrase passphrase) {
    Wanted(String name, String type, long size, String reason, PartitionContent content) {
      this(name, type, size, reason, null, content, List.of(), null);
    }

    /** With what was asked for in its place, if anything was. */
    Wanted as(Optional<DiskLayout.Partition> asked, PartitionContent content) {
      return asked.isEmpty() ? this : as(asked.get(), content);
    }

    private Wanted as(DiskLayout.Partition asked, PartitionContent content) {
      long needed = size + (asked.passphrase() == null ? 0 : LuksVolume.HEADER);
      return new Wanted(
          asked.name() == null ? name : asked.name(),
          asked.type() == null ? type : asked.type(),
          Math.max(needed, roundUp(asked.minimum())),
          roundUp(asked.minimum()) > needed ? asked.at() : reason,
          asked.id(),
          content,
          volumes,
          asked.passphrase());
    }

    /** The root, when it is this or in it. */
    private Wanted root() {
      return volumes.stream()
          .filter(v -> isAt(v.content(), PartitionContent.ROOT))
          .findFirst()
          .orElse(this);
    }

    Demand demand() {
      return new Demand(name, size, reason, content, volumes.stream().map(Wanted::demand).toList());
    }
  }

  public DiskPlan {
    parts = List.copyOf(parts);
  }

  /**
   * What file systems need at least, in bytes.
   *
   * @param boot of what holds the kernels: /boot, or the EFI system partition where systemd-boot
   *     reads them; 0 for the usual size
   * @param reason for that of the root
   */
  public record Least(long root, long boot, String reason) {
    public Least(long root, long boot) {
      this(root, boot, "files of the image, twice");
    }
  }

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
    long start = start(layout);
    long minimum = sizeFor(demands(parts), layout);
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
    return divided(new Extent(start, size), layout, parts, 0, ids);
  }

  /**
   * What the partitions of such a disk cannot do without, in their order.
   *
   * @throws Problem as {@link #of(long, Least, DiskLayout, String, BootLoader, Supplier)}, but for
   *     a disk that is too small
   */
  public static List<Demand> demands(
      Least least, DiskLayout layout, String architecture, BootLoader loader) {
    return demands(wanted(least, layout, architecture, loader));
  }

  private static List<Demand> demands(List<Wanted> parts) {
    return parts.stream().map(Wanted::demand).toList();
  }

  /** The least size of a disk with such partitions. */
  public static long sizeFor(List<Demand> parts, DiskLayout layout) {
    long end = start(layout) + parts.stream().mapToLong(Demand::least).sum() + MIB;
    return Math.max(end, roundUp(layout.minimum()));
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
   * @param least what its partitions need
   * @param layout how it shall be divided
   * @param rootSize bytes of the root's partition; 0 for all that is left
   * @param loader that starts the machine
   * @throws Problem when the disk, or that partition, is too small
   */
  public static DiskPlan ofDevice(
      String name,
      long size,
      Least least,
      DiskLayout layout,
      long rootSize,
      String architecture,
      BootLoader loader,
      Supplier<UUID> ids) {
    List<Wanted> parts = wanted(least, layout, architecture, loader);
    long start = start(layout);
    long minimum = start + sizeFor(parts);
    requireWithin(size, layout.tableOrUsual());
    if (size < minimum) {
      throw Problem.input(
          "%s has %d MiB and is too small for this image, which takes %d MiB or more"
              .formatted(name, size / MIB, minimum / MIB));
    }
    Wanted last = parts.getLast();
    Wanted wantedRoot = last.root();
    boolean isVolume = !last.volumes().isEmpty();
    long root = isVolume ? VolumeGroup.roundUp(rootSize) : rootSize / MIB * MIB;
    long left = size - minimum + last.size();
    long most = isVolume ? VolumeGroup.room(left) - others(last) : left;
    if (root > most) {
      throw Problem.input(
          "--root-size %dM: %s has room for a root of %d MiB"
              .formatted(rootSize / MIB, name, most / MIB));
    }
    if (rootSize != 0 && root < wantedRoot.size()) {
      throw Problem.input(
          "--root-size %dM is too small for this image; give %dM or more"
              .formatted(rootSize / MIB, wantedRoot.size() / MIB));
    }
    return divided(new Extent(start, size), layout, parts, root, ids);
  }

  private static List<Wanted> usual(Least least, String architecture, BootLoader loader) {
    return wanted(least, DiskLayout.USUAL, architecture, loader);
  }

  /** Where the first partition begins. */
  private static long start(DiskLayout layout) {
    return roundUp(Math.max(MIB, layout.offset()));
  }

  /** What a disk has: what starts it, what is asked for, and the root, which takes what is left. */
  private static List<Wanted> wanted(
      Least least, DiskLayout layout, String architecture, BootLoader loader) {
    require(layout, loader);
    List<Wanted> wanted = starting(least, layout, loader);
    Types types = new Types(layout.tableOrUsual(), rootType(architecture));
    for (DiskLayout.Partition asked : layout.partitions()) {
      if (!(asked.content() instanceof PartitionContent.Bios)
          && PartitionContent.STARTING.stream().noneMatch(asked.content().places()::contains)) {
        wanted.add(beside(asked, types, least));
      }
    }
    wanted.add(root(least, layout.at(PartitionContent.ROOT), types));
    if (layout.tableOrUsual() == PartitionTable.DOS && wanted.size() > MOST_OF_DOS) {
      throw Problem.input(
          "a dos partition table has 4 partitions at most, and this disk would have %d: %s; take gpt, or leave out some of them"
              .formatted(wanted.size(), wanted.stream().map(Wanted::name).collect(joining(", "))));
    }
    if (wanted.size() > Gpt.ENTRIES) {
      throw Problem.input(
          "a gpt partition table has %d partitions here, and this disk would have %d; leave out some of them"
              .formatted(Gpt.ENTRIES, wanted.size()));
    }
    sum(wanted);
    return wanted;
  }

  private static Wanted beside(DiskLayout.Partition asked, Types types, Least least) {
    PartitionContent content = asked.content();
    List<Wanted> volumes =
        content instanceof PartitionContent.Lvm group
            ? group.volumes().stream().map(v -> volume(v, least)).toList()
            : List.of();
    return new Wanted(
            usualName(content),
            types.of(content),
            volumes.isEmpty() ? least(content) : sizeOf(volumes),
            volumes.isEmpty() ? OF_FILES : "its volumes",
            null,
            content,
            volumes,
            null)
        .as(Optional.of(asked), content);
  }

  /** The root, or the volume group with it. */
  private static Wanted root(Least least, Optional<DiskLayout.Partition> asked, Types types) {
    if (asked.isPresent() && asked.get().content() instanceof PartitionContent.Lvm) {
      return beside(asked.get(), types, least);
    }
    PartitionContent root = new PartitionContent.Files(PartitionContent.ROOT, null, "root");
    PartitionContent content = asked.map(DiskLayout.Partition::content).orElse(root);
    return new Wanted("root", types.of(content), rootSize(least), reason(least), content)
        .as(asked, labelled(content, "root"));
  }

  private static long rootSize(Least least) {
    return roundUp(Math.max(ROOT_MINIMUM, least.root));
  }

  private static String reason(Least least) {
    return least.root > ROOT_MINIMUM ? least.reason : "the smallest root";
  }

  private static Wanted volume(PartitionContent.Volume asked, Least least) {
    boolean isRoot = isAt(asked.content(), PartitionContent.ROOT);
    long needed = isRoot ? rootSize(least) : least(asked.content());
    String reason = isRoot ? reason(least) : OF_FILES;
    return new Wanted(
        asked.name(),
        "",
        VolumeGroup.roundUp(Math.max(needed, asked.minimum())),
        asked.minimum() > needed ? asked.at() : reason,
        isRoot ? labelled(asked.content(), "root") : asked.content());
  }

  /** Bytes of a partition that holds such volumes. */
  private static long sizeOf(List<Wanted> volumes) {
    return VolumeGroup.FIRST_EXTENT + sum(volumes);
  }

  /** Bytes of all of them, which is no number that does not fit. */
  private static long sum(List<Wanted> all) {
    long sum = 0;
    for (Wanted each : all) {
      sum += each.size();
      if (sum > LARGEST) {
        throw Problem.input(
            "the partitions and volumes that are asked for, from %s on, are larger than any disk"
                .formatted(each.reason()));
      }
    }
    return sum;
  }

  /** Bytes of the volumes beside the root. */
  private static long others(Wanted group) {
    return group.volumes().stream()
        .filter(v -> !isAt(v.content(), PartitionContent.ROOT))
        .mapToLong(Wanted::size)
        .sum();
  }

  /** That the table has what is asked for, and that the loader starts from it. */
  private static void require(DiskLayout layout, BootLoader loader) {
    for (DiskLayout.Partition asked : layout.partitions()) {
      Optional<DiskLayout.Fault> fault = asked.fault(layout.tableOrUsual());
      if (fault.isPresent()) {
        throw Problem.input(fault.get().sentence());
      }
    }
    if (layout.sector() != SECTOR && layout.tableOrUsual() != PartitionTable.GPT) {
      throw Problem.input(
          "a disk with sectors of %d bytes takes a gpt partition table; leave out the dos one"
              .formatted(layout.sector()));
    }
    if (loader == BootLoader.SYSTEMD && layout.tableOrUsual() != PartitionTable.GPT) {
      throw Problem.input(
          "systemd-boot starts from a gpt partition table alone; take that, or GRUB"
              + " (--bootloader grub)");
    }
    Optional<DiskLayout.Partition> boot = layout.at(PartitionContent.BOOT);
    if (loader == BootLoader.SYSTEMD && boot.isPresent()) {
      throw Problem.input(
          boot.get().at()
              + ": systemd-boot reads kernels from the EFI system partition and takes no /boot;"
              + " give the size by mountpoint = \"/boot/efi\"");
    }
  }

  /** Where firmware and loaders look. */
  private static List<Wanted> starting(Least least, DiskLayout layout, BootLoader loader) {
    Types types = new Types(layout.tableOrUsual(), "");
    long kernels = roundUp(Math.max(KERNELS_SIZE, least.boot));
    List<Wanted> wanted = new ArrayList<>();
    boolean isForBios = types.table == PartitionTable.GPT && layout.sector() == SECTOR;
    if (loader != BootLoader.SYSTEMD && isForBios) {
      PartitionContent bios = new PartitionContent.Bios();
      wanted.add(
          new Wanted("bios", BIOS_TYPE, BIOS_SIZE, "GRUB for BIOS", bios).as(biosOf(layout), bios));
    }
    PartitionContent esp = new PartitionContent.Fat(PartitionContent.ESP, "EFI-SYSTEM", false);
    Optional<DiskLayout.Partition> asked = layout.at(PartitionContent.ESP);
    long loaders = layout.sector() == SECTOR ? ESP_SIZE : ESP_SIZE_4K;
    long size = loader == BootLoader.SYSTEMD ? kernels : loaders;
    String reason = loader == BootLoader.SYSTEMD ? OF_KERNELS : "boot loaders";
    wanted.add(
        new Wanted("EFI-SYSTEM", types.of(esp), size, reason, esp)
            .as(
                asked,
                labelled(asked.map(DiskLayout.Partition::content).orElse(esp), "EFI-SYSTEM")));
    if (loader != BootLoader.SYSTEMD) {
      PartitionContent boot =
          new PartitionContent.Files(PartitionContent.BOOT, RootFileSystem.EXT4, "boot");
      asked = layout.at(PartitionContent.BOOT);
      wanted.add(
          new Wanted("boot", types.of(boot), kernels, OF_KERNELS, boot)
              .as(asked, labelled(asked.map(DiskLayout.Partition::content).orElse(boot), "boot")));
    }
    return wanted;
  }

  private static Optional<DiskLayout.Partition> biosOf(DiskLayout layout) {
    return layout.partitions().stream()
        .filter(asked -> asked.content() instanceof PartitionContent.Bios)
        .findFirst();
  }

  /** With the usual label where none is asked for. */
  private static PartitionContent labelled(PartitionContent content, String label) {
    return switch (content) {
      case PartitionContent.Fat fat when fat.label().isEmpty() ->
          new PartitionContent.Fat(fat.place(), label, fat.isAsked());
      case PartitionContent.Files files when files.label().isEmpty() ->
          new PartitionContent.Files(files.place(), files.kind(), label);
      default -> content;
    };
  }

  private static String usualName(PartitionContent content) {
    return switch (content) {
      case PartitionContent.Fat fat -> name(fat.place());
      case PartitionContent.Files files -> name(files.place());
      case PartitionContent.Btrfs volume -> "btrfs";
      case PartitionContent.Swap swap -> "swap";
      case PartitionContent.Lvm group -> "lvm";
      case PartitionContent.Bios bios -> "bios";
      case PartitionContent.Nothing nothing -> "data";
    };
  }

  /** What file systems cannot do without. */
  private static long least(PartitionContent content) {
    return switch (content) {
      case PartitionContent.Files files ->
          switch (files.kind()) {
            case null -> ROOT_MINIMUM;
            case EXT4 -> 32 * MIB;
            case XFS -> 320 * MIB;
            case BTRFS -> 256 * MIB;
          };
      case PartitionContent.Btrfs volume -> 256 * MIB;
      case PartitionContent.Fat fat -> 8 * MIB;
      case PartitionContent.Swap swap -> MIB;
      case PartitionContent.Lvm group -> VolumeGroup.FIRST_EXTENT + VolumeGroup.EXTENT;
      case PartitionContent.Bios bios -> MIB;
      case PartitionContent.Nothing nothing -> MIB;
    };
  }

  /** As much of a place as a GPT keeps. */
  private static String name(String place) {
    String name = place.substring(1).replace('/', '-');
    return name.substring(0, Math.min(name.length(), LONGEST_NAME));
  }

  /**
   * The usual types of partitions.
   *
   * @param root of the architecture, in a GPT
   */
  private record Types(PartitionTable table, String root) {
    String of(PartitionContent content) {
      return switch (table) {
        case GPT -> ofGpt(content);
        case DOS -> ofDos(content);
      };
    }

    private String ofGpt(PartitionContent content) {
      return switch (content) {
        case PartitionContent.Bios bios -> BIOS_TYPE;
        case PartitionContent.Fat fat -> fat.isEsp() ? ESP_TYPE : DATA_TYPE;
        case PartitionContent.Files files -> ofGpt(files.place());
        case PartitionContent.Btrfs volume ->
            volume.places().contains(PartitionContent.ROOT) ? root : DATA_TYPE;
        case PartitionContent.Swap swap -> SWAP_TYPE;
        case PartitionContent.Lvm group -> LVM_TYPE;
        case PartitionContent.Nothing nothing -> DATA_TYPE;
      };
    }

    private String ofGpt(String place) {
      return switch (place) {
        case PartitionContent.ROOT -> root;
        case PartitionContent.BOOT -> BOOT_TYPE;
        default -> DATA_TYPE;
      };
    }

    private static String ofDos(PartitionContent content) {
      return switch (content) {
        case PartitionContent.Bios bios -> throw new IllegalArgumentException("no partition");
        case PartitionContent.Fat fat -> fat.isEsp() ? "ef" : "0c";
        case PartitionContent.Files files -> "83";
        case PartitionContent.Btrfs volume -> "83";
        case PartitionContent.Swap swap -> "82";
        case PartitionContent.Lvm group -> "8e";
        case PartitionContent.Nothing nothing -> "83";
      };
    }
  }

  /**
   * Where partitions lie.
   *
   * @param start bytes before the first
   * @param size of the disk
   */
  private record Extent(long start, long size) {}

  /**
   * @param rootSize of the root's partition, 0 for all that is left
   */
  private static DiskPlan divided(
      Extent extent, DiskLayout layout, List<Wanted> wanted, long rootSize, Supplier<UUID> ids) {
    List<Part> parts = new ArrayList<>();
    long start = extent.start;
    for (Wanted w : wanted.subList(0, wanted.size() - 1)) {
      parts.add(part(w, start, w.size(), ids));
      start += w.size();
    }
    long left = extent.size - MIB - start;
    Wanted last = wanted.getLast();
    boolean isWhole = rootSize == 0 || !last.volumes().isEmpty();
    parts.add(part(last, start, isWhole ? left : rootSize, ids));
    UUID id = ids.get();
    List<Group> groups = new ArrayList<>();
    for (int i = 0; i < parts.size(); i++) {
      if (wanted.get(i).content() instanceof PartitionContent.Lvm group) {
        groups.add(group(group.group(), parts.get(i).unlocked(), wanted.get(i), rootSize, ids));
      }
    }
    return new DiskPlan(
        extent.size,
        layout.sector(),
        layout.tableOrUsual(),
        id,
        parts,
        groups.isEmpty() ? null : groups.getFirst());
  }

  /**
   * @param rootSize of the root's volume, 0 for all that is left of the group
   */
  private static Group group(
      String name, Part partition, Wanted wanted, long rootSize, Supplier<UUID> ids) {
    List<Part> volumes = new ArrayList<>();
    long start = partition.start() + VolumeGroup.FIRST_EXTENT;
    long left = VolumeGroup.room(partition.size()) - others(wanted);
    UUID id = ids.get();
    for (Wanted volume : wanted.volumes()) {
      boolean isRoot = isAt(volume.content(), PartitionContent.ROOT);
      long size = isRoot ? (rootSize == 0 ? left : rootSize) : volume.size();
      volumes.add(part(volume, start, size, ids));
      start += size;
    }
    return new Group(name, id, partition, volumes);
  }

  /**
   * The least size of a disk, whatever starts the machine.
   *
   * @param root bytes that the root needs
   */
  public static long sizeFor(long root) {
    return MIB + sizeFor(usual(new Least(root, 0), "amd64", BootLoader.GRUB));
  }

  /** From the first partition on. */
  private static long sizeFor(List<Wanted> parts) {
    return parts.stream().mapToLong(Wanted::size).sum() + MIB;
  }

  private static Part part(Wanted w, long start, long size, Supplier<UUID> ids) {
    UUID any = ids.get();
    UUID id = w.id() == null ? any : w.id();
    return new Part(w.name(), w.type(), start, size, id, ids.get(), w.content(), w.passphrase());
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

  /** Partitions that are encrypted. */
  public List<Part> encrypted() {
    return parts.stream().filter(p -> p.passphrase() != null).toList();
  }

  /** The areas of a partition: what is in it, or itself. */
  public List<Part> areasIn(Part partition) {
    long end = partition.start() + partition.size();
    return areas().stream().filter(a -> partition.start() <= a.start() && a.start() < end).toList();
  }

  /** Whether an area lies in a partition that is encrypted. */
  public boolean isEncrypted(Part area) {
    return encrypted().stream().anyMatch(p -> areasIn(p).contains(area));
  }

  /** Null where /boot is a folder of the root. */
  public @Nullable Part boot() {
    return find(content -> isAt(content, PartitionContent.BOOT));
  }

  public Part root() {
    return Objects.requireNonNull(find(content -> isAt(content, PartitionContent.ROOT)));
  }

  private static boolean isAt(PartitionContent content, String place) {
    return content.places().contains(place);
  }

  /**
   * What has a content of its own: partitions, what is in encrypted ones, and logical volumes in
   * the place of theirs.
   */
  public List<Part> areas() {
    Group volumes = group;
    return parts.stream()
        .map(Part::unlocked)
        .flatMap(
            p ->
                volumes != null && p.equals(volumes.partition())
                    ? volumes.volumes().stream()
                    : Stream.of(p))
        .toList();
  }

  private @Nullable Part find(Predicate<PartitionContent> wanted) {
    return areas().stream().filter(p -> wanted.test(p.content())).findFirst().orElse(null);
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

  /** Writes the table. Whether the disk is in use was asked before, and by now it is. */
  public void writeTable(Path disk) throws IOException {
    if (sector == SECTOR) {
      Command.of("sfdisk", "--quiet", "--no-tell-kernel", "--no-reread", disk.toString())
          .stdin(script())
          .run();
    } else {
      Gpt.write(disk, this);
    }
  }

  /** The input of sfdisk(8). */
  String script() {
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
      case GPT -> String.format(Locale.ROOT, ", uuid=%s, name=%s", p.id(), quoted(p.name()));
      // There are BIOSes that start no disk without an active partition.
      case DOS -> p.equals(boot()) ? ", bootable" : "";
    };
  }

  private static String quoted(String name) {
    return name.matches("[A-Za-z0-9_-]+") ? name : '"' + name + '"';
  }
}
