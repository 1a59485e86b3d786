package slipway.disk.config;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;

/**
 * How a user wants a disk to be divided: {@code [customizations.disk]} of the config.
 *
 * @param table null when nothing is said of it
 * @param sector bytes of a sector of the disk
 * @param minimum bytes that the disk has at least
 * @param offset bytes before the first partition, at least
 * @param partitions in their order; what a disk needs beside them is added
 */
public record DiskLayout(
    @Nullable PartitionTable table,
    int sector,
    long minimum,
    long offset,
    List<Partition> partitions) {
  /** Bytes of a sector of nearly all disks. */
  public static final int USUAL_SECTOR = 512;

  /** As disks usually are. */
  public static final DiskLayout USUAL = new DiskLayout(null, 0, 0, List.of());

  private static final Pattern GUID =
      Pattern.compile("[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}");

  private static final Pattern DOS_TYPE = Pattern.compile("[0-9a-fA-F]{2}");

  /** In a gpt table the type of an entry that is free, and no partition's id. */
  private static final UUID ZERO = new UUID(0, 0);

  /**
   * Types of a dos table by which nothing finds a partition with content: what is free, what holds
   * further partitions, and what stands before a gpt table, for which Linux passes over the whole.
   */
  private static final Map<Integer, String> NO_DOS_TYPES =
      Map.of(
          0x00, "is that of no partition",
          0x05, "is that of an extended partition",
          0x0f, "is that of an extended partition",
          0x85, "is that of an extended partition",
          0xee, "makes the table one that stands before a gpt table");

  /**
   * A partition that is asked for.
   *
   * @param at its key, for messages
   * @param minimum bytes that it has at least
   * @param type as the table has it; null for the usual one
   * @param name that the table has of it; null for the usual one
   * @param id null for any
   * @param passphrase that opens it; null where it is not encrypted
   */
  public record Partition(
      String at,
      long minimum,
      @Nullable String type,
      @Nullable String name,
      @Nullable UUID id,
      PartitionContent content,
      @Nullable Passphrase passphrase) {
    /** One that is not encrypted. */
    public Partition(
        String at,
        long minimum,
        @Nullable String type,
        @Nullable String name,
        @Nullable UUID id,
        PartitionContent content) {
      this(at, minimum, type, name, id, content, null);
    }

    /** With another content. */
    Partition with(PartitionContent other) {
      return new Partition(at, minimum, type, name, id, other, passphrase);
    }

    /** What a table of that kind cannot have, if anything. */
    public Optional<Fault> fault(PartitionTable table) {
      return switch (table) {
        case GPT -> faultOfGpt();
        case DOS -> faultOfDos();
      };
    }

    private Optional<Fault> faultOfGpt() {
      if (type != null && !GUID.matcher(type).matches()) {
        return fault(
            "part_type",
            "invalid partition part_type \"%s\" for partition table type \"gpt\" (must be a valid UUID)"
                .formatted(type));
      }
      if (type != null && UUID.fromString(type).equals(ZERO)) {
        return fault("part_type", "part_type \"%s\" is that of no partition".formatted(type));
      }
      return ZERO.equals(id)
          ? fault("part_uuid", "part_uuid is what tells partitions apart, and none may be zero")
          : Optional.empty();
    }

    private Optional<Fault> faultOfDos() {
      if (type != null && !DOS_TYPE.matcher(type).matches()) {
        return fault(
            "part_type",
            "invalid partition part_type \"%s\" for partition table type \"dos\" (must be a 2-digit hex number)"
                .formatted(type));
      }
      String reason = type == null ? null : NO_DOS_TYPES.get(Integer.parseInt(type, 16));
      if (reason != null) {
        return fault("part_type", "part_type \"%s\" %s".formatted(type, reason));
      }
      if (id != null) {
        return fault("part_uuid", "part_uuid is not supported for dos partition tables");
      }
      return name == null
          ? Optional.empty()
          : fault("part_label", "part_label is not supported for dos partition tables");
    }

    private Optional<Fault> fault(String key, String reason) {
      return Optional.of(new Fault(at + "." + key, reason));
    }
  }

  /**
   * What is wrong.
   *
   * @param at the key
   */
  public record Fault(String at, String reason) {
    /** Both as a sentence. */
    public String sentence() {
      return at + ": " + reason;
    }
  }

  public DiskLayout {
    partitions = List.copyOf(partitions);
  }

  /** With usual sectors. */
  public DiskLayout(
      @Nullable PartitionTable table, long minimum, long offset, List<Partition> partitions) {
    this(table, USUAL_SECTOR, minimum, offset, partitions);
  }

  /** The table that the disk gets. */
  public PartitionTable tableOrUsual() {
    return table == null ? PartitionTable.GPT : table;
  }

  /**
   * That nothing is encrypted by a passphrase, where that cannot be done.
   *
   * @throws Problem of kind INPUT
   */
  void requireNoPassphrase() {
    for (Partition partition : partitions) {
      if (partition.passphrase() != null) {
        throw Problem.input(
            partition.at()
                + ".luks: partitions are encrypted in disk images alone; leave luks out where"
                + " something is installed to a disk, or give --block-setup tpm2-luks");
      }
    }
  }

  /** What is asked for at a place of the machine. */
  public Optional<Partition> at(String place) {
    return partitions.stream().filter(p -> p.content().isAt(place)).findFirst();
  }

  /** The file system of the root, when it is asked for. */
  public @Nullable RootFileSystem rootfs() {
    return rootfs(at(PartitionContent.ROOT).map(Partition::content).orElse(null));
  }

  private static @Nullable RootFileSystem rootfs(@Nullable PartitionContent root) {
    return switch (root) {
      case PartitionContent.Lvm group ->
          rootfs(
              group.at(PartitionContent.ROOT).map(PartitionContent.Volume::content).orElse(null));
      case PartitionContent.Files files -> files.kind();
      case PartitionContent.Btrfs volume -> RootFileSystem.BTRFS;
      case null, default -> null;
    };
  }

  /**
   * The file system of the root, when it is asked for in one way or the other.
   *
   * @param option as {@code --rootfs} has it, or null
   * @param ofImage whether the layout is the image's, which the user may not know
   * @throws Problem of kind USAGE when both say something else
   */
  public @Nullable RootFileSystem rootfs(@Nullable RootFileSystem option, boolean ofImage) {
    RootFileSystem own = rootfs();
    if (option != null && own != null && option != own) {
      throw Problem.usage(
          "--rootfs %s is another file system than fs_type = \"%s\" of %s"
              .formatted(
                  option.label(),
                  own.label(),
                  ofImage
                      ? "the image's own customizations.disk; leave the option out, or give a config"
                          + " with another disk"
                      : "customizations.disk; leave one of them out"));
    }
    return own == null ? option : own;
  }

  /**
   * On a device, whose sectors are what they are.
   *
   * @throws Problem of kind INPUT when others are asked for
   */
  public DiskLayout onDevice(String name, int actual) {
    if (sector != USUAL_SECTOR && sector != actual) {
      throw Problem.input(
          "customizations.disk.sector_size = %d: %s has sectors of %d bytes; leave it out"
              .formatted(sector, name, actual));
    }
    return new DiskLayout(table, actual, minimum, offset, partitions);
  }

  /**
   * With the table that was asked for beside the config.
   *
   * @throws Problem of kind USAGE when the config names another
   */
  DiskLayout with(PartitionTable wanted) {
    if (table != null && table != wanted) {
      throw Problem.usage(
          "--partition-table says another table than customizations.disk.type = \"%s\" of the config; leave one of them out"
              .formatted(table.label()));
    }
    return new DiskLayout(wanted, sector, minimum, offset, partitions);
  }
}
