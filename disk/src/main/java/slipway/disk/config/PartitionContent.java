package slipway.disk.config;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What a partition holds. */
public sealed interface PartitionContent {
  String ROOT = "/";
  String BOOT = "/boot";

  /** The EFI system partition's place in a machine. */
  String ESP = "/boot/efi";

  /** Places of what is on nearly every disk. */
  List<String> STARTING = List.of(ROOT, BOOT, ESP);

  /** The rest of GRUB for BIOS, without a file system. */
  record Bios() implements PartitionContent {}

  /**
   * FAT.
   *
   * @param place where it is mounted; {@link #ESP} for the EFI system partition
   * @param label of the file system, or empty
   * @param isAsked whether a user wants it, so that the machine mounts it
   */
  record Fat(String place, String label, boolean isAsked) implements PartitionContent {
    public boolean isEsp() {
      return place.equals(ESP);
    }
  }

  /**
   * A file system of Linux.
   *
   * @param place where it is mounted
   * @param kind null for the root of a disk whose image or caller says it
   * @param label of the file system, or empty
   */
  record Files(String place, @Nullable RootFileSystem kind, String label)
      implements PartitionContent {}

  /** Room for swapping. */
  record Swap(String label) implements PartitionContent {}

  /**
   * A btrfs volume.
   *
   * @param subvolumes at its top, at least one
   */
  record Btrfs(List<Subvolume> subvolumes) implements PartitionContent {
    public Btrfs {
      subvolumes = List.copyOf(subvolumes);
    }

    /** The option that one of its places is mounted with. */
    public Optional<String> option(String place) {
      return subvolumes.stream()
          .filter(s -> s.place().equals(place))
          .map(s -> "subvol=" + s.name())
          .findFirst();
    }
  }

  /**
   * A subvolume.
   *
   * @param place where it is mounted
   */
  record Subvolume(String name, String place) {}

  /**
   * A physical volume of LVM, which is all of a volume group.
   *
   * @param group its name
   * @param volumes in their order
   */
  record Lvm(String group, List<Volume> volumes) implements PartitionContent {
    public Lvm {
      volumes = List.copyOf(volumes);
    }

    /** The volume that is mounted in a place. */
    public Optional<Volume> at(String place) {
      return volumes.stream().filter(v -> v.content().isAt(place)).findFirst();
    }
  }

  /**
   * A logical volume.
   *
   * @param at its key, for messages
   * @param minimum bytes that it has at least
   * @param content all but {@link Lvm}, {@link Btrfs} and {@link Bios}
   */
  record Volume(String at, String name, long minimum, PartitionContent content) {}

  /** Nothing yet. */
  record Nothing() implements PartitionContent {}

  /** Where it is mounted; none for what is not. */
  default List<String> places() {
    return switch (this) {
      case Fat fat -> List.of(fat.place());
      case Files files -> List.of(files.place());
      case Btrfs volume -> volume.subvolumes().stream().map(Subvolume::place).toList();
      case Lvm group ->
          group.volumes().stream().flatMap(v -> v.content().places().stream()).toList();
      case Bios bios -> List.of();
      case Swap swap -> List.of();
      case Nothing nothing -> List.of();
    };
  }

  /** Whether it, or something in it, is mounted in a place. */
  default boolean isAt(String place) {
    return places().contains(place);
  }
}
