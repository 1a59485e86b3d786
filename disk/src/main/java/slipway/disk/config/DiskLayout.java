package slipway.disk.config;

import org.jspecify.annotations.Nullable;
import slipway.base.Problem;

/**
 * How a user wants a disk to be divided: {@code [customizations.disk]} of the config.
 *
 * @param table null when nothing is said of it
 * @param minimum bytes that the disk has at least
 */
public record DiskLayout(@Nullable PartitionTable table, long minimum) {
  /** As disks usually are. */
  public static final DiskLayout USUAL = new DiskLayout(null, 0);

  /** The table that the disk gets. */
  public PartitionTable tableOrUsual() {
    return table == null ? PartitionTable.GPT : table;
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
    return new DiskLayout(wanted, minimum);
  }
}
