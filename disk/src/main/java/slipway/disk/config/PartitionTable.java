package slipway.disk.config;

import slipway.base.Problem;

/** The table of partitions at the beginning of a disk. */
public enum PartitionTable {
  /** GUID partition table (UEFI specification 2.10, section 5.3). */
  GPT("gpt"),
  /** Master boot record, the older one, of four partitions within 2 TiB. */
  DOS("dos");

  private final String label;

  PartitionTable(String label) {
    this.label = label;
  }

  /** As sfdisk(8) and the config name it: {@code gpt}, {@code dos}. */
  public String label() {
    return label;
  }

  /**
   * The value of {@code --partition-table}.
   *
   * @throws Problem of kind USAGE
   */
  public static PartitionTable parse(String text) {
    return switch (text) {
      case "gpt" -> GPT;
      case "mbr", "dos" -> DOS;
      default ->
          throw Problem.usage("unknown partition table \"" + text + "\"; there are gpt and mbr");
    };
  }
}
