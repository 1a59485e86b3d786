package slipway.disk.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.base.document.ConfigDocument;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Reads {@code disk.yaml} of an image: the partitions that its disks have unless a config divides
 * them. What it says of a partition is told to {@link DiskKeys} in the words of a config. As in the
 * reference, keys beside the two that are known are nobody's; of a partition every key counts.
 */
final class DiskYaml {
  private static final String TABLE = "partition_table";

  private static final String BIOS = "21686148-6449-6E6F-744E-656564454649";

  /** Options of mounts that come to what a disk here has anyway, beside {@link #FAT}. */
  private static final Set<String> SYSTEM = Set.of("ro", "rw", "defaults");

  private static final Set<String> FAT = Set.of("defaults", "umask=0077", "shortname=winnt");

  private final ConfigKeys keys;
  private final DiskKeys disk;

  private DiskYaml(ConfigKeys keys) {
    this.keys = keys;
    this.disk = new DiskKeys(keys);
  }

  /**
   * How it divides a disk.
   *
   * @throws Problem of kind INPUT that names the key
   */
  static DiskLayout layout(ConfigDocument document) {
    if (!document.root().isObject()) {
      throw document.wrong("", "this is no table of keys, such as " + TABLE);
    }
    DiskConfig.Unsupported unsupported = new DiskConfig.Unsupported(false, warning -> {});
    return new DiskYaml(new ConfigKeys(document, unsupported)).layout(document.root());
  }

  private DiskLayout layout(JsonNode root) {
    String mounts = keys.string(root, "mount_configuration", "mount_configuration");
    // Units are made of fstab by systemd itself.
    if (mounts != null && !Set.of("fstab", "units").contains(mounts)) {
      throw refused("mount_configuration", mounts);
    }
    JsonNode table = keys.object(root, TABLE, TABLE);
    if (table.isMissingNode()) {
      return DiskLayout.USUAL;
    }
    refuse(table, TABLE, "uuid");
    keys.known(table, TABLE, "type", "size", "start_offset", "sector_size", "policy", "partitions");
    JsonNode policy = keys.object(table, "policy", TABLE + ".policy");
    keys.known(policy, TABLE + ".policy", "grow_root_to_fill_disk");
    if (!policy.path("grow_root_to_fill_disk").asBoolean(true)) {
      throw refused(TABLE + ".policy.grow_root_to_fill_disk", "false");
    }
    PartitionTable kind = disk.table(table, TABLE);
    int sector = disk.sector(table, TABLE, kind);
    List<DiskLayout.Partition> partitions = new ArrayList<>();
    keys.each(
        table,
        "partitions",
        TABLE + ".partitions",
        (n, at) -> partitions.add(partition(n, at, kind)));
    return new DiskLayout(
        kind,
        sector,
        size(table, "size", TABLE),
        size(table, "start_offset", TABLE),
        VolumeKeys.withRoot(partitions));
  }

  /** YAML's own form of large numbers has underscores. */
  private long size(JsonNode node, String key, String at) {
    JsonNode value = node.path(key);
    if (value.isMissingNode() || value.isNull()) {
      return 0;
    }
    JsonNode plain =
        value.isString()
            ? JsonNodeFactory.instance.stringNode(value.stringValue().replace("_", ""))
            : value;
    return new FilesystemKeys(keys).size(plain, at + "." + key);
  }

  private DiskLayout.Partition partition(JsonNode n, String at, @Nullable PartitionTable table) {
    refuse(n, at, "attrs", "start");
    keys.known(n, at, "size", "type", "bootable", "uuid", "label", "payload_type", "payload");
    String type = keys.string(n, "type", at + ".type");
    boolean isBios = BIOS.equalsIgnoreCase(type);
    if (n.path("bootable").asBoolean(false) && !isBios) {
      throw refused(at + ".bootable", "true");
    }
    ObjectNode said = JsonNodeFactory.instance.objectNode();
    said.put("minsize", size(n, "size", at));
    copy(n, "type", said, "part_type");
    copy(n, "uuid", said, "part_uuid");
    copy(n, "label", said, "part_label");
    payload(n, at, said);
    DiskLayout.Partition made = disk.partition(said, at, table);
    return isBios && made.content() instanceof PartitionContent.Nothing
        ? made.with(new PartitionContent.Bios())
        : made;
  }

  /** What a partition, or a logical volume, holds. */
  private void payload(JsonNode n, String at, ObjectNode said) {
    JsonNode payload = keys.object(n, "payload", at + ".payload");
    String given = keys.string(n, "payload_type", at + ".payload_type");
    String kind = given == null ? "" : given;
    switch (kind) {
      case "", "none" -> said.put("fs_type", "none");
      case "filesystem" -> filesystem(payload, at + ".payload", said);
      case "swap" -> {
        refuse(payload, at + ".payload", "uuid");
        keys.known(payload, at + ".payload", "label", "fstab_options");
        options(payload, at + ".payload", "swap");
        said.put("fs_type", "swap");
        copy(payload, "label", said, "label");
      }
      case "btrfs" -> btrfs(payload, at + ".payload", said);
      case "lvm" -> group(payload, at + ".payload", said);
      case "luks" -> luks(payload, at + ".payload", said);
      default -> throw refused(at + ".payload_type", kind);
    }
  }

  /** A partition's, and not one within another. */
  private void luks(JsonNode payload, String at, ObjectNode said) {
    refuse(payload, at, "uuid", "cipher", "label", "subsystem", "sector_size", "pbkdf", "clevis");
    keys.known(payload, at, "passphrase", "payload_type", "payload");
    if (said.has("luks")) {
      throw refused(at.replaceFirst("\\.payload$", ".payload_type"), "luks");
    }
    copy(payload, "passphrase", said.putObject("luks"), "passphrase");
    payload(payload, at, said);
  }

  private void group(JsonNode payload, String at, ObjectNode said) {
    keys.known(payload, at, "name", "description", "logical_volumes");
    said.put("type", "lvm");
    copy(payload, "name", said, "name");
    var volumes = said.putArray("logical_volumes");
    keys.each(
        payload,
        "logical_volumes",
        at + ".logical_volumes",
        (n, where) -> {
          keys.known(n, where, "name", "size", "payload_type", "payload");
          String kind = keys.string(n, "payload_type", where + ".payload_type");
          if (kind != null && List.of("btrfs", "lvm", "luks").contains(kind)) {
            throw refused(where + ".payload_type", kind);
          }
          ObjectNode volume = volumes.addObject();
          copy(n, "name", volume, "name");
          volume.put("minsize", size(n, "size", where));
          payload(n, where, volume);
        });
  }

  private void filesystem(JsonNode payload, String at, ObjectNode said) {
    refuse(payload, at, "uuid");
    keys.known(
        payload,
        at,
        "type",
        "label",
        "mountpoint",
        "fstab_options",
        "fstab_freq",
        "fstab_passno",
        "mkfs_options");
    String type = keys.string(payload, "type", at + ".type");
    JsonNode options = keys.object(payload, "mkfs_options", at + ".mkfs_options");
    refuse(options, at + ".mkfs_options", "geometry", "agcount");
    keys.known(options, at + ".mkfs_options", "verity");
    if (options.path("verity").asBoolean(false) && !"ext4".equals(type)) {
      throw refused(at + ".mkfs_options.verity", "true");
    }
    String place = keys.string(payload, "mountpoint", at + ".mountpoint");
    options(payload, at, "vfat".equals(type) ? "vfat" : place == null ? "" : place);
    copy(payload, "type", said, "fs_type");
    copy(payload, "mountpoint", said, "mountpoint");
    copy(payload, "label", said, "label");
  }

  private void btrfs(JsonNode payload, String at, ObjectNode said) {
    refuse(payload, at, "uuid", "label", "mountpoint");
    keys.known(payload, at, "subvolumes");
    said.put("type", "btrfs");
    var subvolumes = said.putArray("subvolumes");
    keys.each(
        payload,
        "subvolumes",
        at + ".subvolumes",
        (n, where) -> {
          refuse(n, where, "uuid", "compress", "group_id", "size");
          keys.known(n, where, "name", "mountpoint", "fstab_options", "fstab_freq", "fstab_passno");
          String place = keys.string(n, "mountpoint", where + ".mountpoint");
          options(n, where, place == null ? "" : place);
          ObjectNode subvolume = subvolumes.addObject();
          copy(n, "name", subvolume, "name");
          copy(n, "mountpoint", subvolume, "mountpoint");
        });
  }

  /** The root, and /boot, are mounted as the system has them; of others nothing is chosen here. */
  private void options(JsonNode n, String at, String place) {
    String given = keys.string(n, "fstab_options", at + ".fstab_options");
    if (given == null || given.isEmpty()) {
      return;
    }
    Set<String> known =
        switch (place) {
          case "vfat" -> FAT;
          case PartitionContent.ROOT, PartitionContent.BOOT -> SYSTEM;
          default -> Set.of("defaults");
        };
    for (String option : given.split(",")) {
      if (!known.contains(option)) {
        throw refused(at + ".fstab_options", given);
      }
    }
  }

  private static void copy(JsonNode from, String key, ObjectNode to, String name) {
    JsonNode value = from.path(key);
    if (!value.isMissingNode() && !value.isNull()) {
      to.set(name, value);
    }
  }

  private void refuse(JsonNode table, String at, String... unsupported) {
    for (String key : unsupported) {
      if (ConfigDocument.isGiven(table, key)) {
        throw refused(at + "." + key, table.path(key).toString());
      }
    }
  }

  private Problem refused(String at, String value) {
    return keys.wrong(
        at,
        at
            + ": "
            + value
            + " is nothing that disks are made with here; a config with customizations.disk divides"
            + " the disk in the place of this file");
  }
}
