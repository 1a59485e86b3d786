package slipway.disk.plan;

import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import slipway.disk.config.DiskLayout;
import slipway.disk.config.PartitionContent;
import slipway.disk.config.Passphrase;
import slipway.disk.luks.LuksVolume;

/**
 * A partition that has no place yet.
 *
 * @param size bytes, at least
 * @param reason for the size
 * @param id null for any
 * @param volumes those of a volume group
 * @param passphrase null where it is not encrypted
 */
record WantedPartition(
    String name,
    String type,
    long size,
    String reason,
    @Nullable UUID id,
    PartitionContent content,
    List<WantedPartition> volumes,
    @Nullable Passphrase passphrase) {
  WantedPartition(String name, String type, long size, String reason, PartitionContent content) {
    this(name, type, size, reason, null, content, List.of(), null);
  }

  /** With what was asked for in its place, if anything was. */
  WantedPartition as(Optional<DiskLayout.Partition> asked, PartitionContent content) {
    return asked.isEmpty() ? this : as(asked.get(), content);
  }

  private WantedPartition as(DiskLayout.Partition asked, PartitionContent content) {
    long needed = size + (asked.passphrase() == null ? 0 : LuksVolume.HEADER);
    return new WantedPartition(
        asked.name() == null ? name : asked.name(),
        asked.type() == null ? type : asked.type(),
        Math.max(needed, DiskPlan.roundUp(asked.minimum())),
        DiskPlan.roundUp(asked.minimum()) > needed ? asked.at() : reason,
        asked.id(),
        content,
        volumes,
        asked.passphrase());
  }

  /** The root, when it is this or in it. */
  WantedPartition root() {
    return volumes.stream()
        .filter(v -> v.content().isAt(PartitionContent.ROOT))
        .findFirst()
        .orElse(this);
  }

  /** Bytes of the volumes beside the root. */
  long others() {
    return volumes.stream()
        .filter(v -> !v.content().isAt(PartitionContent.ROOT))
        .mapToLong(WantedPartition::size)
        .sum();
  }

  DiskPlan.Demand demand() {
    return new DiskPlan.Demand(
        name, size, reason, content, volumes.stream().map(WantedPartition::demand).toList());
  }
}
