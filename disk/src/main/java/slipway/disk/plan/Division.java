package slipway.disk.plan;

import static slipway.disk.plan.DiskPlan.MIB;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Supplier;
import slipway.base.Problem;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskLayout;
import slipway.disk.config.PartitionContent;
import slipway.disk.config.PartitionTable;
import slipway.disk.lvm.VolumeGroup;

/**
 * Gives each partition that is wanted its place on a disk, and each volume of a group: one behind
 * the other, and the root, or the group with it, takes what is left. Refuses disks that are too
 * small, or too large for their table.
 *
 * @param layout of the disk
 * @param wanted in their order, at least one
 * @param ids that are given to what has none
 */
record Division(DiskLayout layout, List<WantedPartition> wanted, Supplier<UUID> ids) {
  /** Sectors that 32 bits count. */
  private static final long LARGEST_DOS = (1L << 32) * DiskPlan.SECTOR;

  static Division of(
      DiskPlan.Least least,
      DiskLayout layout,
      String architecture,
      BootLoader loader,
      Supplier<UUID> ids) {
    return new Division(layout, WantedPartitions.of(least, layout, architecture, loader), ids);
  }

  /** Bytes up to the end of the table's copy, with partitions of their least sizes. */
  static long end(List<DiskPlan.Demand> parts, DiskLayout layout) {
    return start(layout) + parts.stream().mapToLong(DiskPlan.Demand::least).sum() + MIB;
  }

  /** Where the first partition begins. */
  private static long start(DiskLayout layout) {
    return DiskPlan.roundUp(Math.max(MIB, layout.offset()));
  }

  private List<DiskPlan.Demand> demands() {
    return wanted.stream().map(WantedPartition::demand).toList();
  }

  /** As {@link DiskPlan#of(long, DiskPlan.Least, DiskLayout, String, BootLoader, Supplier)}. */
  DiskPlan ofNew(long asked) {
    long minimum = DiskPlan.sizeFor(demands(), layout);
    if (asked != 0 && asked < minimum) {
      throw Problem.input(
          "a disk of "
              + asked / MIB
              + " MiB is too small for this image; give --size "
              + minimum / MIB
              + "M or more");
    }
    long size = asked == 0 ? Math.max(DiskPlan.DEFAULT_SIZE, minimum) : asked / MIB * MIB;
    requireWithin(size, layout.tableOrUsual());
    return divided(size, 0);
  }

  /** As {@link DiskPlan#ofDevice}. */
  DiskPlan ofDevice(String name, long size, long rootSize) {
    long minimum = end(demands(), layout);
    requireWithin(size, layout.tableOrUsual());
    if (size < minimum) {
      throw Problem.input(
          "%s has %d MiB and is too small for this image, which takes %d MiB or more"
              .formatted(name, size / MIB, minimum / MIB));
    }
    WantedPartition last = wanted.getLast();
    return divided(size, rootSize(name, size - minimum + last.size(), rootSize));
  }

  /**
   * Of the root's partition, or its volume, in whole MiB or extents.
   *
   * @param name of the disk
   * @param left bytes that the last partition may have
   * @param asked bytes; 0 for all that is left
   */
  private long rootSize(String name, long left, long asked) {
    WantedPartition last = wanted.getLast();
    boolean isVolume = !last.volumes().isEmpty();
    long root = isVolume ? VolumeGroup.roundUp(asked) : asked / MIB * MIB;
    long most = isVolume ? VolumeGroup.room(left) - last.others() : left;
    if (root > most) {
      throw Problem.input(
          "--root-size %dM: %s has room for a root of %d MiB"
              .formatted(asked / MIB, name, most / MIB));
    }
    long least = last.root().size();
    if (asked != 0 && root < least) {
      throw Problem.input(
          "--root-size %dM is too small for this image; give %dM or more"
              .formatted(asked / MIB, least / MIB));
    }
    return root;
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
   * @param size of the disk
   * @param rootSize of the root's partition, or its volume; 0 for all that is left
   */
  private DiskPlan divided(long size, long rootSize) {
    List<DiskPlan.Part> parts = new ArrayList<>();
    long start = start(layout);
    for (WantedPartition w : wanted.subList(0, wanted.size() - 1)) {
      parts.add(part(w, start, w.size()));
      start += w.size();
    }
    long left = size - MIB - start;
    WantedPartition last = wanted.getLast();
    boolean isWhole = rootSize == 0 || !last.volumes().isEmpty();
    parts.add(part(last, start, isWhole ? left : rootSize));
    UUID id = ids.get();
    List<DiskPlan.Group> groups = new ArrayList<>();
    for (int i = 0; i < parts.size(); i++) {
      if (wanted.get(i).content() instanceof PartitionContent.Lvm group) {
        groups.add(group(group.group(), parts.get(i).unlocked(), wanted.get(i), rootSize));
      }
    }
    return new DiskPlan(
        size,
        layout.sector(),
        layout.tableOrUsual(),
        id,
        parts,
        groups.isEmpty() ? null : groups.getFirst());
  }

  /**
   * @param rootSize of the root's volume, 0 for all that is left of the group
   */
  private DiskPlan.Group group(
      String name, DiskPlan.Part partition, WantedPartition wanted, long rootSize) {
    List<DiskPlan.Part> volumes = new ArrayList<>();
    long start = partition.start() + VolumeGroup.FIRST_EXTENT;
    long left = VolumeGroup.room(partition.size()) - wanted.others();
    UUID id = ids.get();
    for (WantedPartition volume : wanted.volumes()) {
      boolean isRoot = volume.content().isAt(PartitionContent.ROOT);
      long size = isRoot ? (rootSize == 0 ? left : rootSize) : volume.size();
      volumes.add(part(volume, start, size));
      start += size;
    }
    return new DiskPlan.Group(name, id, partition, volumes);
  }

  private DiskPlan.Part part(WantedPartition w, long start, long size) {
    UUID any = ids.get();
    UUID id = w.id() == null ? any : w.id();
    return new DiskPlan.Part(
        w.name(), w.type(), start, size, id, ids.get(), w.content(), w.passphrase());
  }
}
