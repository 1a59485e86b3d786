package slipway.disk;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.disk.config.PartitionContent;
import slipway.disk.plan.DiskPlan;

/**
 * How large a disk and its partitions would be, and why.
 *
 * @param demands of its partitions, in their order; the root is the last
 * @param least bytes that the disk cannot do without
 * @param plan null when it cannot be made
 * @param rootfs the file system of the root
 * @param refusal why not, or null
 */
public record DiskSizes(
    List<DiskPlan.Demand> demands,
    long least,
    @Nullable DiskPlan plan,
    String rootfs,
    @Nullable Problem refusal) {
  public DiskSizes {
    demands = List.copyOf(demands);
  }

  /**
   * A line of the table.
   *
   * @param place where it is mounted, or empty
   * @param content its file system, or empty
   * @param least bytes that it cannot do without
   * @param size bytes that it gets; -1 when the disk cannot be made
   */
  public record Row(
      String name, String place, String content, long least, long size, String reason) {}

  /** Its partitions. */
  public List<Row> rows() {
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < demands.size(); i++) {
      DiskPlan.Demand demand = demands.get(i);
      rows.add(row(demand, plan == null ? null : plan.parts(), i));
      DiskPlan.Group group = plan == null ? null : plan.group();
      for (int v = 0; v < demand.volumes().size(); v++) {
        rows.add(row(demand.volumes().get(v), group == null ? null : group.volumes(), v));
      }
    }
    return rows;
  }

  private Row row(DiskPlan.Demand demand, @Nullable List<DiskPlan.Part> parts, int index) {
    return new Row(
        demand.name(),
        // Those of a group's volumes stand in their own lines.
        demand.volumes().isEmpty() ? String.join(" ", demand.content().places()) : "",
        content(demand.content()),
        demand.least(),
        parts == null ? -1 : parts.get(index).size(),
        demand.reason());
  }

  /** Bytes of the disk; -1 when it cannot be made. */
  public long size() {
    return plan == null ? -1 : plan.size();
  }

  private String content(PartitionContent content) {
    return switch (content) {
      case PartitionContent.Fat fat -> "vfat";
      case PartitionContent.Files files -> files.kind() == null ? rootfs : files.kind().label();
      case PartitionContent.Btrfs volume -> "btrfs";
      case PartitionContent.Swap swap -> "swap";
      case PartitionContent.Lvm group -> "lvm";
      case PartitionContent.Bios bios -> "";
      case PartitionContent.Nothing nothing -> "";
    };
  }
}
