package slipway.disk.plan;

import slipway.base.Problem;
import slipway.disk.config.PartitionContent;
import slipway.disk.config.PartitionTable;

/**
 * The usual types of partitions, as a table has them: in a GPT those of the Discoverable Partitions
 * Specification, in the older table numbers of one byte.
 *
 * @param root of the architecture, in a GPT
 */
record PartitionTypes(PartitionTable table, String root) {
  static final String BIOS = "21686148-6449-6E6F-744E-656564454649";
  static final String ESP = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";
  private static final String DATA = "0FC63DAF-8483-4772-8E79-3D69D8477DE4";
  private static final String LVM = "E6D6D379-F507-44C2-A23C-238F2A3DF928";
  private static final String SWAP = "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F";
  private static final String BOOT = "BC13C2FF-59E6-4262-A352-B275FD6F7172";

  /**
   * @param architecture in OCI's names
   * @throws Problem for one that disks are not made for
   */
  static PartitionTypes of(PartitionTable table, String architecture) {
    return new PartitionTypes(table, rootOf(architecture));
  }

  private static String rootOf(String architecture) {
    return switch (architecture) {
      case "amd64" -> "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709";
      case "arm64" -> "B921B045-1DF0-41C3-AF44-4C6F280D3FAE";
      default ->
          throw Problem.input(
              "disks are made for amd64 and arm64, this image is for " + architecture);
    };
  }

  String of(PartitionContent content) {
    return switch (table) {
      case GPT -> ofGpt(content);
      case DOS -> ofDos(content);
    };
  }

  private String ofGpt(PartitionContent content) {
    return switch (content) {
      case PartitionContent.Bios bios -> BIOS;
      case PartitionContent.Fat fat -> fat.isEsp() ? ESP : DATA;
      case PartitionContent.Files files -> ofGpt(files.place());
      case PartitionContent.Btrfs volume -> volume.isAt(PartitionContent.ROOT) ? root : DATA;
      case PartitionContent.Swap swap -> SWAP;
      case PartitionContent.Lvm group -> LVM;
      case PartitionContent.Nothing nothing -> DATA;
    };
  }

  private String ofGpt(String place) {
    return switch (place) {
      case PartitionContent.ROOT -> root;
      case PartitionContent.BOOT -> BOOT;
      default -> DATA;
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
