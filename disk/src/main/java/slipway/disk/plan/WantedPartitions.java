package slipway.disk.plan;

import static java.util.stream.Collectors.joining;
import static slipway.disk.plan.DiskPlan.MIB;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import slipway.base.Problem;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskLayout;
import slipway.disk.config.PartitionContent;
import slipway.disk.config.PartitionTable;
import slipway.disk.config.RootFileSystem;
import slipway.disk.lvm.VolumeGroup;

/**
 * Which partitions a disk shall have, in their order, and how large each is at least: those that
 * start the machine, what its user asks for, and the root. Where they lie says {@link Division}.
 *
 * @param least what file systems need
 * @param layout what the user asks for
 */
record WantedPartitions(
    DiskPlan.Least least, DiskLayout layout, BootLoader loader, PartitionTypes types) {
  private static final long BIOS_SIZE = MIB;
  // GRUB's image has some 300 kB; shim, a second loader and firmware updates find room.
  private static final long ESP_SIZE = 128 * MIB;
  // FAT32 has 65525 clusters at least, each of a sector at least.
  private static final long ESP_SIZE_4K = 264 * MIB;
  private static final long KERNELS_SIZE = 1024 * MIB;
  private static final String OF_FILES = "its file system";
  private static final String OF_KERNELS = "kernels of some deployments";
  private static final long ROOT_MINIMUM = 1024 * MIB;

  private static final int MOST_OF_DOS = 4;

  /** No disk has so many bytes, nor twice as many. */
  private static final long LARGEST = 1L << 61;

  /** UTF-16 units of a name in a GPT. */
  private static final int LONGEST_NAME = 36;

  /**
   * What a disk has: what starts it, what is asked for, and the root, which takes what is left.
   *
   * @throws Problem when no disk has that, or the loader does not start from it
   */
  static List<WantedPartition> of(
      DiskPlan.Least least, DiskLayout layout, String architecture, BootLoader loader) {
    require(layout, loader);
    PartitionTypes types = PartitionTypes.of(layout.tableOrUsual(), architecture);
    return new WantedPartitions(least, layout, loader, types).all();
  }

  private List<WantedPartition> all() {
    List<WantedPartition> wanted = starting();
    for (DiskLayout.Partition asked : layout.partitions()) {
      if (!(asked.content() instanceof PartitionContent.Bios)
          && PartitionContent.STARTING.stream().noneMatch(asked.content().places()::contains)) {
        wanted.add(beside(asked));
      }
    }
    wanted.add(root(layout.at(PartitionContent.ROOT)));
    requireWithin(layout.tableOrUsual(), wanted);
    sum(wanted);
    return wanted;
  }

  private static void requireWithin(PartitionTable table, List<WantedPartition> wanted) {
    if (table == PartitionTable.DOS && wanted.size() > MOST_OF_DOS) {
      throw Problem.input(
          "a dos partition table has 4 partitions at most, and this disk would have %d: %s; take gpt, or leave out some of them"
              .formatted(
                  wanted.size(),
                  wanted.stream().map(WantedPartition::name).collect(joining(", "))));
    }
    if (wanted.size() > Gpt.ENTRIES) {
      throw Problem.input(
          "a gpt partition table has %d partitions here, and this disk would have %d; leave out some of them"
              .formatted(Gpt.ENTRIES, wanted.size()));
    }
  }

  private WantedPartition beside(DiskLayout.Partition asked) {
    PartitionContent content = asked.content();
    List<WantedPartition> volumes =
        content instanceof PartitionContent.Lvm group
            ? group.volumes().stream().map(this::volume).toList()
            : List.of();
    return new WantedPartition(
            usualName(content),
            types.of(content),
            volumes.isEmpty() ? leastOf(content) : sizeOf(volumes),
            volumes.isEmpty() ? OF_FILES : "its volumes",
            null,
            content,
            volumes,
            null)
        .as(Optional.of(asked), content);
  }

  /** The root, or the volume group with it. */
  private WantedPartition root(Optional<DiskLayout.Partition> asked) {
    if (asked.isPresent() && asked.get().content() instanceof PartitionContent.Lvm) {
      return beside(asked.get());
    }
    PartitionContent root = new PartitionContent.Files(PartitionContent.ROOT, null, "root");
    PartitionContent content = asked.map(DiskLayout.Partition::content).orElse(root);
    return new WantedPartition("root", types.of(content), rootSize(), rootReason(), content)
        .as(asked, labelled(content, "root"));
  }

  private long rootSize() {
    return DiskPlan.roundUp(Math.max(ROOT_MINIMUM, least.root()));
  }

  private String rootReason() {
    return least.root() > ROOT_MINIMUM ? least.reason() : "the smallest root";
  }

  private WantedPartition volume(PartitionContent.Volume asked) {
    boolean isRoot = asked.content().isAt(PartitionContent.ROOT);
    long needed = isRoot ? rootSize() : leastOf(asked.content());
    String reason = isRoot ? rootReason() : OF_FILES;
    return new WantedPartition(
        asked.name(),
        "",
        VolumeGroup.roundUp(Math.max(needed, asked.minimum())),
        asked.minimum() > needed ? asked.at() : reason,
        isRoot ? labelled(asked.content(), "root") : asked.content());
  }

  /** Bytes of a partition that holds such volumes. */
  private static long sizeOf(List<WantedPartition> volumes) {
    return VolumeGroup.FIRST_EXTENT + sum(volumes);
  }

  /** Bytes of all of them, which is no number that does not fit. */
  private static long sum(List<WantedPartition> all) {
    long sum = 0;
    for (WantedPartition each : all) {
      sum += each.size();
      if (sum > LARGEST) {
        throw Problem.input(
            "the partitions and volumes that are asked for, from %s on, are larger than any disk"
                .formatted(each.reason()));
      }
    }
    return sum;
  }

  /** That the table has what is asked for, and that the loader starts from it. */
  private static void require(DiskLayout layout, BootLoader loader) {
    for (DiskLayout.Partition asked : layout.partitions()) {
      Optional<DiskLayout.Fault> fault = asked.fault(layout.tableOrUsual());
      if (fault.isPresent()) {
        throw Problem.input(fault.get().sentence());
      }
    }
    if (layout.sector() != DiskPlan.SECTOR && layout.tableOrUsual() != PartitionTable.GPT) {
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
  private List<WantedPartition> starting() {
    List<WantedPartition> wanted = new ArrayList<>();
    boolean isForBios =
        layout.tableOrUsual() == PartitionTable.GPT && layout.sector() == DiskPlan.SECTOR;
    if (loader != BootLoader.SYSTEMD && isForBios) {
      wanted.add(bios());
    }
    wanted.add(esp());
    if (loader != BootLoader.SYSTEMD) {
      wanted.add(boot());
    }
    return wanted;
  }

  private WantedPartition bios() {
    PartitionContent bios = new PartitionContent.Bios();
    Optional<DiskLayout.Partition> asked =
        layout.partitions().stream()
            .filter(p -> p.content() instanceof PartitionContent.Bios)
            .findFirst();
    return new WantedPartition("bios", types.of(bios), BIOS_SIZE, "GRUB for BIOS", bios)
        .as(asked, bios);
  }

  private WantedPartition esp() {
    PartitionContent esp = new PartitionContent.Fat(PartitionContent.ESP, "EFI-SYSTEM", false);
    boolean hasKernels = loader == BootLoader.SYSTEMD;
    long loaders = layout.sector() == DiskPlan.SECTOR ? ESP_SIZE : ESP_SIZE_4K;
    long size = hasKernels ? kernelsSize() : loaders;
    String reason = hasKernels ? OF_KERNELS : "boot loaders";
    return starting(PartitionContent.ESP, size, reason, esp, "EFI-SYSTEM");
  }

  private WantedPartition boot() {
    PartitionContent boot =
        new PartitionContent.Files(PartitionContent.BOOT, RootFileSystem.EXT4, "boot");
    return starting(PartitionContent.BOOT, kernelsSize(), OF_KERNELS, boot, "boot");
  }

  /**
   * @param name of the partition, and the label of its file system, unless others are asked for
   */
  private WantedPartition starting(
      String place, long size, String reason, PartitionContent usual, String name) {
    Optional<DiskLayout.Partition> asked = layout.at(place);
    PartitionContent content = asked.map(DiskLayout.Partition::content).orElse(usual);
    return new WantedPartition(name, types.of(usual), size, reason, usual)
        .as(asked, labelled(content, name));
  }

  private long kernelsSize() {
    return DiskPlan.roundUp(Math.max(KERNELS_SIZE, least.boot()));
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
  private static long leastOf(PartitionContent content) {
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
}
