package slipway.cli.disk;

import java.io.PrintWriter;
import picocli.CommandLine.Option;
import slipway.base.Problem;
import slipway.cli.output.Table;
import slipway.disk.DiskSizes;

/** How large a disk would be: a mix-in of the commands that make some. */
final class DryRun {
  @Option(
      names = "--dry-run",
      description = "print how many bytes each partition needs and gets, and why; make nothing")
  boolean isWanted;

  /**
   * @throws Problem for installers, whose disks are not there yet
   */
  void refuse() {
    if (isWanted) {
      throw Problem.usage("--dry-run does not go with --type iso, which makes no partitions");
    }
  }

  /**
   * Prints the sizes.
   *
   * @param json an object in the place of the table
   * @throws Problem when such a disk cannot be made, behind what it would take
   */
  static int print(DiskSizes sizes, boolean json, PrintWriter out) {
    if (json) {
      out.println(DiskJson.sizes(sizes));
    } else {
      out.print(table(sizes));
    }
    out.flush();
    Problem refusal = sizes.refusal();
    if (refusal != null) {
      throw refusal;
    }
    return 0;
  }

  private static Table table(DiskSizes sizes) {
    Table table = new Table("PARTITION", "PLACE", "HOLDS", "LEAST", "SIZE", "WHY");
    for (DiskSizes.Row row : sizes.rows()) {
      table.row(
          row.name(),
          row.place(),
          row.content(),
          Long.toString(row.least()),
          row.size() < 0 ? "" : Long.toString(row.size()),
          row.reason());
    }
    long disk = sizes.size();
    table.row(
        "",
        "",
        "",
        Long.toString(sizes.least()),
        disk < 0 ? "" : Long.toString(disk),
        "the whole disk, with its partition table");
    return table;
  }
}
