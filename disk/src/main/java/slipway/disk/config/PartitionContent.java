package slipway.disk.config;

import org.jspecify.annotations.Nullable;

/** What a partition holds. */
public sealed interface PartitionContent {
  /** The EFI system partition's place in a machine. */
  String ESP = "/boot/efi";

  /** The rest of GRUB for BIOS, without a file system. */
  record Bios() implements PartitionContent {}

  /**
   * FAT.
   *
   * @param place where it is mounted; {@link #ESP} for the EFI system partition
   * @param label of the file system
   */
  record Fat(String place, String label) implements PartitionContent {
    public boolean isEsp() {
      return place.equals(ESP);
    }
  }

  /**
   * A file system of Linux.
   *
   * @param place where it is mounted
   * @param kind null for the root of a disk whose image or caller says it
   * @param label of the file system
   */
  record Files(String place, @Nullable RootFileSystem kind, String label)
      implements PartitionContent {}
}
