package slipway.disk.config;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.disk.lvm.VolumeGroup;
import tools.jackson.databind.JsonNode;

/** Reads a partition of {@code type = "lvm"}, which is a volume group. */
final class VolumeKeys {
  private static final String GROUP = "vg00";

  /** What a root may be called that is added. */
  private static final String USUAL_ROOT = "rootlv00";

  private static final ConfigKeys.Form NAME =
      new ConfigKeys.Form(
          "(?!\\.{1,2}$)[A-Za-z0-9_+.][A-Za-z0-9_+.-]{0,99}",
          "at most 100 letters, digits and _ + . -, no - at the beginning");

  /** What LVM keeps for volumes of its own (lvm2, lib/misc/lvm-string.c). */
  private static final Pattern RESERVED =
      Pattern.compile(
          "(snapshot|pvmove).*|.*(_mlog|_mimage|_pmspare|_rimage|_rmeta|_vorigin|_imeta|_iorig"
              + "|_[ctv]data|_[ct]meta|_corig|_cvol|_wcorig).*");

  /** Characters of a name of device mapper (Linux, include/uapi/linux/dm-ioctl.h). */
  private static final int LONGEST = 127;

  private final ConfigKeys keys;
  private final DiskKeys disk;

  VolumeKeys(ConfigKeys keys, DiskKeys disk) {
    this.keys = keys;
    this.disk = disk;
  }

  /** The group of a partition. */
  PartitionContent group(JsonNode n, String at) {
    keys.known(
        n,
        at,
        "type",
        "minsize",
        "part_type",
        "part_label",
        "part_uuid",
        "name",
        "logical_volumes",
        "luks");
    disk.requireOneGroup(at);
    String given = checked(n, at);
    String group = given == null ? GROUP : given;
    requireShort(group, USUAL_ROOT, at);
    int count = n.path("logical_volumes").size();
    if (count >= VolumeGroup.MOST_VOLUMES) {
      throw keys.wrong(
          at + ".logical_volumes",
          "%s.logical_volumes: there are %d, and fewer than %d are made"
              .formatted(at, count, VolumeGroup.MOST_VOLUMES));
    }
    Set<String> names = new HashSet<>();
    keys.each(
        n, "logical_volumes", at + ".logical_volumes", (v, where) -> name(v, where, group, names));
    List<PartitionContent.Volume> volumes = new ArrayList<>();
    keys.each(
        n,
        "logical_volumes",
        at + ".logical_volumes",
        (v, where) -> volumes.add(volume(v, where, group, names)));
    return new PartitionContent.Lvm(group, volumes);
  }

  private @Nullable String checked(JsonNode n, String at) {
    return keys.checked(keys.string(n, "name", at + ".name"), NAME, at + ".name");
  }

  /** Notes a name that is given, so that none is made up that is given behind it. */
  private void name(JsonNode n, String at, String group, Set<String> names) {
    String name = checked(n, at);
    if (name == null) {
      return;
    }
    requireTaken(group, name, at);
    if (!names.add(name)) {
      throw keys.wrong(
          at + ".name",
          "%s.name: duplicate LVM logical volume name \"%s\" in volume group \"%s\" in partitioning customizations"
              .formatted(at, name, group));
    }
  }

  /** That LVM and the kernel take a name, whoever made it up. */
  private void requireTaken(String group, String name, String at) {
    if (RESERVED.matcher(name).matches()) {
      throw keys.wrong(
          at + ".name",
          at + ".name: LVM keeps names such as \"" + name + "\" for itself; give another one");
    }
    requireShort(group, name, at);
  }

  private void requireShort(String group, String name, String at) {
    // Between both is one -, and each within them is doubled.
    if ((group + name).replace("-", "--").length() + 1 > LONGEST) {
      throw keys.wrong(
          at + ".name",
          "%s.name: \"%s\" with the group's name \"%s\" is longer than the %d characters that the kernel takes"
              .formatted(at, name, group, LONGEST));
    }
  }

  private PartitionContent.Volume volume(JsonNode n, String at, String group, Set<String> names) {
    keys.known(n, at, "name", "minsize", "fs_type", "label", "mountpoint");
    disk.requireSize(n, at);
    PartitionContent content = disk.content(n, at);
    for (String place : content.places()) {
      if (place.equals(PartitionContent.BOOT) || place.equals(PartitionContent.ESP)) {
        throw keys.wrong(
            at + ".mountpoint",
            "%s.mountpoint: invalid mountpoint \"%s\" for logical volume; it takes a plain partition"
                .formatted(at, place));
      }
    }
    String given = keys.string(n, "name", at + ".name");
    String name = given == null ? unused(usualName(content), names) : given;
    requireTaken(group, name, at);
    return new PartitionContent.Volume(at, name, disk.size(n, "minsize", at), content);
  }

  /** As bootc-image-builder calls it. */
  private static String usualName(PartitionContent content) {
    String place = content.places().isEmpty() ? "" : content.places().getFirst();
    String name =
        content instanceof PartitionContent.Swap
            ? "swap"
            : place.equals(PartitionContent.ROOT)
                ? "root"
                : place.replaceFirst("^/", "").replaceAll("[^A-Za-z0-9_+.]", "_");
    return name.substring(0, Math.min(name.length(), 48)) + "lv";
  }

  private static String unused(String name, Set<String> names) {
    String found = name;
    for (int i = 0; !names.add(found); i++) {
      found = String.format(Locale.ROOT, "%s%02d", name, i);
    }
    return found;
  }

  /** With a root in the group, where there is a group and no root. */
  static List<DiskLayout.Partition> withRoot(List<DiskLayout.Partition> partitions) {
    if (partitions.stream().anyMatch(p -> p.content().isAt(PartitionContent.ROOT))) {
      return partitions;
    }
    return partitions.stream()
        .map(
            p ->
                p.content() instanceof PartitionContent.Lvm group
                    ? p.with(withRoot(group, p.at()))
                    : p)
        .toList();
  }

  private static PartitionContent withRoot(PartitionContent.Lvm group, String at) {
    Set<String> names = new HashSet<>();
    group.volumes().forEach(v -> names.add(v.name()));
    PartitionContent root = new PartitionContent.Files(PartitionContent.ROOT, null, "");
    List<PartitionContent.Volume> volumes = new ArrayList<>(group.volumes());
    volumes.add(new PartitionContent.Volume(at, unused(usualName(root), names), 0, root));
    return new PartitionContent.Lvm(group.group(), volumes);
  }
}
