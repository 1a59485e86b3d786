package slipway.disk.plan;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
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
import slipway.disk.luks.LuksVolume;
import slipway.disk.lvm.VolumeGroup;
import slipway.linux.process.Command;

/**
 * How a disk is divided: a table ({@link PartitionTable}) with an EFI system partition, {@code
 * /boot} and the root, each on a whole MiB; the last MiB stays free for the copy of a GPT. A GPT
 * has a BIOS boot partition too; beside the older table GRUB has room before the first partition.
 * For systemd-boot an EFI system partition that holds kernels, and the root. Which partitions there
 * are says {@code WantedPartitions}, where they lie {@code Division}.
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

  /** Of the partition with the rest of GRUB for BIOS, in a GPT. */
  public static final String BIOS_TYPE = PartitionTypes.BIOS;

  /** Of the EFI system partition, in a GPT. */
  public static final String ESP_TYPE = PartitionTypes.ESP;

  static final long MIB = 1L << 20;

  /** As bootc-image-builder: sparse, so it costs nothing. */
  static final long DEFAULT_SIZE = 10L << 30;

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
    Part unlocked() {
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
    return Division.of(least, layout, architecture, loader, ids).ofNew(wanted);
  }

  /**
   * What the partitions of such a disk cannot do without, in their order.
   *
   * @throws Problem as {@link #of(long, Least, DiskLayout, String, BootLoader, Supplier)}, but for
   *     a disk that is too small
   */
  public static List<Demand> demands(
      Least least, DiskLayout layout, String architecture, BootLoader loader) {
    return WantedPartitions.of(least, layout, architecture, loader).stream()
        .map(WantedPartition::demand)
        .toList();
  }

  /** The least size of a disk with such partitions. */
  public static long sizeFor(List<Demand> parts, DiskLayout layout) {
    return Math.max(Division.end(parts, layout), roundUp(layout.minimum()));
  }

  /**
   * The least size of a disk, whatever starts the machine.
   *
   * @param root bytes that the root needs
   */
  public static long sizeFor(long root) {
    DiskLayout usual = DiskLayout.USUAL;
    return sizeFor(demands(new Least(root, 0), usual, "amd64", BootLoader.GRUB), usual);
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
    return Division.of(least, layout, architecture, loader, ids).ofDevice(name, size, rootSize);
  }

  /** To whole MiB. */
  static long roundUp(long bytes) {
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
    return find(content -> content.isAt(PartitionContent.BOOT));
  }

  public Part root() {
    return Objects.requireNonNull(find(content -> content.isAt(PartitionContent.ROOT)));
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
