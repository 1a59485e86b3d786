package slipway.host.kickstart;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import slipway.media.kickstart.KickstartCommand;
import slipway.media.kickstart.KickstartPlace;
import tools.jackson.databind.node.ObjectNode;

/**
 * {@code part pv.…}, {@code volgroup} and {@code logvol}, as a partition of {@code type = "lvm"}. A
 * group lies on one partition, for one disk is installed to.
 */
final class VolumeAnswers {
  /** KiB, of the extents that groups have here. */
  private static final long EXTENT = 4096;

  private final Map<String, KickstartCommand.Partition> physical = new HashMap<>();
  private @Nullable Group group;

  /**
   * A group of the file.
   *
   * @param node its partition in the config
   * @param grows what lets it grow, or null
   */
  private record Group(String name, ObjectNode node, @Nullable KickstartPlace grows) {}

  /** Whether a mount point is a physical volume. */
  static boolean isPhysical(String mountPoint) {
    return mountPoint.startsWith("pv.");
  }

  void physical(KickstartCommand.Partition part) {
    if (physical.putIfAbsent(part.mountPoint(), part) != null) {
      throw InstallAnswers.wrong(
          part.at(), "part: " + part.mountPoint() + " is there already; give it another name");
    }
  }

  /**
   * Takes a group.
   *
   * @param node a new partition of the config
   */
  void group(KickstartCommand.VolGroup command, ObjectNode node) {
    List<String> members = command.members();
    KickstartCommand.Partition part =
        members.size() == 1 ? physical.remove(members.getFirst()) : null;
    if (part == null || group != null) {
      throw InstallAnswers.wrong(
          command.at(),
          "volgroup: one group is made, of one partition: give one part pv.01 in front of it, and"
              + " name that here");
    }
    boolean isUsual = command.extentSize() == null || command.extentSize() == EXTENT;
    if (command.existing()
        || !isUsual
        || command.reservedSpace() != null
        || command.reservedPercent() != null) {
      throw InstallAnswers.wrong(
          command.at(),
          "volgroup: a new group is made, of extents of 4 MiB; leave out --useexisting, --pesize"
              + " and --reserved-…");
    }
    node.put("type", "lvm").put("name", command.name());
    Long size = part.size().size();
    node.put("minsize", PartitionAnswers.mebibytes(size == null ? 1 : size));
    group = new Group(command.name(), node, part.size().grow() ? part.at() : null);
  }

  /** Takes a volume, and gives its table in the config. */
  ObjectNode volume(KickstartCommand.LogVol command) {
    Group own = group;
    if (own == null || !own.name.equals(command.group())) {
      throw InstallAnswers.wrong(
          command.at(), "logvol: there is no volgroup " + command.group() + " in front of it");
    }
    KickstartCommand.Thin thin = command.thin();
    KickstartCommand.Cache cache = command.cache();
    if (thin.pool() || thin.volume() || cache.size() != null || !cache.members().isEmpty()) {
      throw InstallAnswers.wrong(
          command.at(), "logvol: neither thin volumes nor caches are made; take plain ones");
    }
    if (command.existing() || command.percent() != null) {
      throw InstallAnswers.wrong(
          command.at(), "logvol: all volumes are made anew; give --size, in MiB, alone");
    }
    return own.node.withArray("logical_volumes").addObject().put("name", command.name());
  }

  /**
   * Whether all was said.
   *
   * @param root whether the group has the root, and takes what is left of the disk
   */
  void end(boolean root) {
    for (KickstartCommand.Partition part : physical.values()) {
      throw InstallAnswers.wrong(
          part.at(), part.mountPoint() + ": no volgroup takes it; add one, with logvol for /");
    }
    if (group != null && group.grows != null && !root) {
      throw InstallAnswers.wrong(group.grows, PartitionAnswers.GROWS);
    }
  }
}
