package slipway.disk.config;

import static slipway.base.document.ConfigDocument.isGiven;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Reads {@code [customizations.disk]}. */
final class DiskKeys {
  private static final String AT = "customizations.disk";

  private static final Set<Integer> SECTORS = Set.of(DiskLayout.USUAL_SECTOR, 4096);

  private static final int MOST_OF_DOS = 4;

  /** Names of the table go into a script, and not every locale has all characters. */
  private static final ConfigKeys.Form NAME =
      new ConfigKeys.Form(
          "[ !#-\\[\\]-~]{1,36}", "at most 36 ASCII characters without quotes and backslashes");

  private static final ConfigKeys.Form SUBVOLUME =
      new ConfigKeys.Form(
          "(?!\\.{1,2}$)[A-Za-z0-9@._+-]{1,100}",
          "letters, digits, @ . _ + and -, without slashes");

  private static final ConfigKeys.Form ID =
      new ConfigKeys.Form(
          "[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}",
          "a UUID such as 6264d520-3fb9-423f-8ab8-7a0a8e3d3562");

  /** On a machine's console nobody can type others. */
  private static final Pattern PASSPHRASE = Pattern.compile("[ -~]{1,512}");

  /** What each machine has in {@code /var}, as a link. */
  private static final Map<String, String> LINKS =
      Map.of("/var/run", "/run", "/var/lock", "/run/lock");

  /** Where the image's own files are, and what the system mounts there by itself. */
  private static final Set<String> TAKEN =
      Set.of(
          "/bin",
          "/dev",
          "/efi",
          "/etc",
          "/lib",
          "/lib64",
          "/ostree",
          "/proc",
          "/run",
          "/sbin",
          "/sys",
          "/sysroot",
          "/usr");

  private final ConfigKeys keys;
  private final Set<String> places = new HashSet<>();
  private final Set<UUID> ids = new HashSet<>();
  private boolean hasVolume;
  private boolean hasGroup;

  DiskKeys(ConfigKeys keys) {
    this.keys = keys;
  }

  /**
   * @param c the customizations
   * @param others partitions that {@code customizations.filesystem} asks for
   */
  DiskLayout layout(JsonNode c, List<DiskLayout.Partition> others) {
    JsonNode disk = keys.object(c, "disk", AT);
    if (disk.isMissingNode()) {
      return new DiskLayout(null, 0, 0, others);
    }
    if (isGiven(c, "filesystem")) {
      throw keys.wrong(
          AT,
          "cannot combine disk and filesystem customizations: there are "
              + AT
              + " and customizations.filesystem; leave one of them out");
    }
    keys.known(disk, AT, "type", "minsize", "start_offset", "sector_size", "partitions");
    PartitionTable table = table(disk, AT);
    int sector = sector(disk, AT, table);
    List<DiskLayout.Partition> partitions = new ArrayList<>();
    keys.each(
        disk, "partitions", AT + ".partitions", (n, at) -> partitions.add(partition(n, at, table)));
    if (table == PartitionTable.DOS && partitions.size() > MOST_OF_DOS) {
      throw keys.wrong(
          AT + ".partitions",
          AT
              + ".partitions: \"dos\" partition table type only supports up to 4 partitions: got "
              + partitions.size());
    }
    return new DiskLayout(
        table,
        sector,
        size(disk, "minsize", AT),
        size(disk, "start_offset", AT),
        VolumeKeys.withRoot(partitions));
  }

  /** Bytes of a sector. */
  int sector(JsonNode disk, String at, @Nullable PartitionTable table) {
    Integer sector = keys.number(disk, "sector_size", at);
    if (sector == null) {
      return DiskLayout.USUAL_SECTOR;
    }
    if (!SECTORS.contains(sector)) {
      throw keys.wrong(
          at + ".sector_size",
          at + ".sector_size: disks are made with sectors of 512 or 4096 bytes");
    }
    if (sector != DiskLayout.USUAL_SECTOR && table == PartitionTable.DOS) {
      throw keys.wrong(
          at + ".sector_size",
          at
              + ".sector_size: "
              + sector
              + " takes a gpt partition table; leave out type = \"dos\"");
    }
    return sector;
  }

  /** The table of a disk, or null. */
  @Nullable PartitionTable table(JsonNode disk, String at) {
    String type = keys.string(disk, "type", at + ".type");
    if (type == null) {
      return null;
    }
    for (PartitionTable table : PartitionTable.values()) {
      if (table.label().equals(type)) {
        return table;
      }
    }
    throw keys.wrong(
        at + ".type",
        at + ".type: unknown partition table type: \"" + type + "\" (valid: gpt, dos)");
  }

  long size(JsonNode node, String key, String at) {
    return isGiven(node, key) ? new FilesystemKeys(keys).size(node.get(key), at + "." + key) : 0;
  }

  /** A partition, in a place that no other has. */
  DiskLayout.Partition partition(JsonNode n, String at, @Nullable PartitionTable table) {
    String type = keys.string(n, "type", at + ".type");
    PartitionContent content =
        switch (type == null ? "plain" : type) {
          case "plain" -> plain(n, at);
          case "btrfs" -> btrfs(n, at);
          case "lvm" -> new VolumeKeys(keys, this).group(n, at);
          default ->
              throw keys.wrong(
                  at + ".type",
                  at
                      + ".type: unknown partition type: \""
                      + type
                      + "\"; there are plain, btrfs and lvm"
                      // Whoever asks for it so means the content of a plain one.
                      + ("swap".equals(type) ? "; swap is fs_type = \"swap\" of a plain one" : ""));
        };
    requireSize(n, at);
    String id = keys.string(n, "part_uuid", at + ".part_uuid");
    DiskLayout.Partition partition =
        new DiskLayout.Partition(
            at,
            size(n, "minsize", at),
            keys.string(n, "part_type", at + ".part_type"),
            keys.checked(
                keys.string(n, "part_label", at + ".part_label"), NAME, at + ".part_label"),
            id == null ? null : UUID.fromString(required(id, ID, at + ".part_uuid")),
            content,
            passphrase(n, at, content));
    requireFit(partition, table);
    if (partition.id() != null && !ids.add(partition.id())) {
      throw keys.wrong(
          at + ".part_uuid", at + ".part_uuid: another partition has " + id + " already");
    }
    return partition;
  }

  /** Of a partition that is encrypted; no loader or firmware can ask for it. */
  private @Nullable Passphrase passphrase(JsonNode n, String at, PartitionContent content) {
    if (!isGiven(n, "luks")) {
      return null;
    }
    String key = at + ".luks";
    JsonNode luks = keys.object(n, "luks", key);
    keys.known(luks, key, "passphrase");
    boolean isOfLoaders = content.isAt(PartitionContent.BOOT) || content.isAt(PartitionContent.ESP);
    if (isOfLoaders || content instanceof PartitionContent.Nothing) {
      throw keys.wrong(
          key,
          key
              + ": "
              + (isOfLoaders
                  ? "what starts the machine is read before anything can be unlocked"
                  : "a partition of fs_type \"none\" has nothing to encrypt")
              + "; leave luks out");
    }
    String passphrase = keys.required(luks, "passphrase", key);
    if (!PASSPHRASE.matcher(passphrase).matches()) {
      // Not in its own words, which are a secret.
      throw keys.wrong(
          key + ".passphrase",
          key + ".passphrase is not valid; expected 1 to 512 printable ASCII characters");
    }
    return new Passphrase(passphrase);
  }

  /** That its least size is said, of a partition or a logical volume. */
  void requireSize(JsonNode n, String at) {
    if (!isGiven(n, "minsize")) {
      throw keys.wrong(at, at + ": minsize is required");
    }
  }

  /** That this is the one volume group of a disk. */
  void requireOneGroup(String at) {
    if (hasGroup) {
      throw keys.wrong(at, at + ": multiple LVM volume groups are not yet supported");
    }
    hasGroup = true;
    requireOne(at);
  }

  private void requireOne(String at) {
    if (hasGroup && hasVolume) {
      throw keys.wrong(at, at + ": btrfs and lvm partitioning cannot be combined");
    }
  }

  /** Where no table is named it may be either, until the disk is divided. */
  private void requireFit(DiskLayout.Partition partition, @Nullable PartitionTable table) {
    List<Optional<DiskLayout.Fault>> faults =
        Stream.of(PartitionTable.values())
            .filter(t -> table == null || t == table)
            .map(partition::fault)
            .toList();
    if (faults.stream().allMatch(Optional::isPresent)) {
      DiskLayout.Fault first = faults.getFirst().orElseThrow();
      throw keys.wrong(first.at(), first.sentence());
    }
  }

  private String required(String text, ConfigKeys.Form form, String at) {
    keys.checked(text, form, at);
    return text;
  }

  private PartitionContent plain(JsonNode n, String at) {
    keys.known(
        n,
        at,
        "type",
        "minsize",
        "part_type",
        "part_label",
        "part_uuid",
        "fs_type",
        "mountpoint",
        "label",
        "luks");
    return content(n, at);
  }

  /** What a partition, or a logical volume, holds by its keys. */
  PartitionContent content(JsonNode n, String at) {
    String type = keys.string(n, "fs_type", at + ".fs_type");
    String label = keys.string(n, "label", at + ".label");
    if (type != null && (type.equals("swap") || type.equals("none"))) {
      return unmounted(n, at, type, label);
    }
    String place = free(place(n, at), at);
    if (type == null) {
      type = place.equals(PartitionContent.ESP) ? "vfat" : place.equals("/") ? null : "ext4";
    }
    requireFits(place, type, at);
    String given = label(label, type, at);
    return "vfat".equals(type)
        ? new PartitionContent.Fat(place, given, true)
        : new PartitionContent.Files(place, type == null ? null : kind(type, place, at), given);
  }

  private PartitionContent unmounted(JsonNode n, String at, String type, @Nullable String label) {
    String place = keys.string(n, "mountpoint", at + ".mountpoint");
    if (place != null && !place.isEmpty()) {
      throw keys.wrong(
          at + ".mountpoint",
          "%s.mountpoint: mountpoint for %s partition must be empty (got \"%s\")"
              .formatted(at, type, place));
    }
    if (type.equals("swap")) {
      return new PartitionContent.Swap(label(label, type, at));
    }
    if (label != null) {
      throw keys.wrong(
          at + ".label",
          at + ".label: a partition of fs_type \"none\" has no label; part_label has");
    }
    return new PartitionContent.Nothing();
  }

  /** What is mounted where: once, and nothing in the way of the image or of systemd. */
  String place(JsonNode n, String at) {
    String key = at + ".mountpoint";
    String place = keys.absolute(keys.string(n, "mountpoint", key), key);
    if (place == null) {
      throw keys.wrong(at, at + ": mountpoint is empty");
    }
    String top = place.replaceFirst("(?<=.)/.*", "");
    boolean isOfBoot = top.equals("/boot") && !place.equals("/boot") && !place.equals("/boot/efi");
    if (!place.matches("[!-~&&[^\"\\\\]]+")) {
      throw keys.wrong(
          key,
          "%s: path \"%s\" is not allowed; it must be printable ASCII without blanks, quotes and backslashes"
              .formatted(key, place));
    }
    for (Map.Entry<String, String> link : LINKS.entrySet()) {
      if ((place + "/").startsWith(link.getKey() + "/")) {
        throw keys.wrong(
            key,
            "%s: path \"%s\" is not allowed; %s is a link to %s on every machine"
                .formatted(key, place, link.getKey(), link.getValue()));
      }
    }
    if (TAKEN.contains(top) || isOfBoot) {
      throw keys.wrong(
          key,
          key
              + ": path \""
              + place
              + "\" is not allowed; there are /, /boot, /boot/efi, /var, what is below that, and"
              + " folders of the image's own at the top");
    }
    return place;
  }

  private String free(String place, String at) {
    String key = at + ".mountpoint";
    if (!places.add(place)) {
      throw keys.wrong(
          key, key + ": duplicate mountpoint \"" + place + "\" in partitioning customizations");
    }
    return place;
  }

  private PartitionContent btrfs(JsonNode n, String at) {
    if (isGiven(n, "mountpoint")) {
      throw keys.wrong(
          at + ".mountpoint",
          at
              + ": \"mountpoint\" is not supported for btrfs volumes (only subvolumes can have"
              + " mountpoints)");
    }
    keys.known(
        n, at, "type", "minsize", "part_type", "part_label", "part_uuid", "subvolumes", "luks");
    if (hasVolume) {
      throw keys.wrong(at, at + ": multiple btrfs volumes are not yet supported");
    }
    hasVolume = true;
    requireOne(at);
    List<PartitionContent.Subvolume> subvolumes = new ArrayList<>();
    keys.each(
        n,
        "subvolumes",
        at + ".subvolumes",
        (each, where) -> {
          PartitionContent.Subvolume subvolume = subvolume(each, where);
          if (subvolumes.stream().anyMatch(s -> s.name().equals(subvolume.name()))) {
            throw keys.wrong(
                where + ".name",
                "%s.name: duplicate btrfs subvolume name \"%s\" in partitioning customizations"
                    .formatted(where, subvolume.name()));
          }
          subvolumes.add(subvolume);
        });
    if (subvolumes.isEmpty()) {
      throw keys.wrong(at, at + ": btrfs volume requires subvolumes");
    }
    return new PartitionContent.Btrfs(subvolumes);
  }

  private PartitionContent.Subvolume subvolume(JsonNode n, String at) {
    keys.known(n, at, "name", "mountpoint");
    String name = required(keys.required(n, "name", at), SUBVOLUME, at + ".name");
    String place = place(n, at);
    if (place.equals(PartitionContent.BOOT) || place.equals(PartitionContent.ESP)) {
      throw keys.wrong(
          at + ".mountpoint",
          "%s.mountpoint: invalid mountpoint \"%s\" for btrfs subvolume; it takes a plain partition"
              .formatted(at, place));
    }
    return new PartitionContent.Subvolume(name, free(place, at));
  }

  private void requireFits(String place, @Nullable String type, String at) {
    String fitting =
        switch (place) {
          case PartitionContent.BOOT -> "ext4 xfs";
          case PartitionContent.ESP -> "vfat";
          case PartitionContent.ROOT -> "ext4 xfs btrfs";
          default -> "ext4 xfs btrfs vfat";
        };
    if (type != null && !List.of(fitting.split(" ")).contains(type)) {
      throw keys.wrong(
          at + ".fs_type",
          "%s.fs_type: unsupported filesystem type for \"%s\": %s; there are %s"
              .formatted(at, place, type, fitting.replace(" ", ", ")));
    }
  }

  private RootFileSystem kind(String type, String place, String at) {
    for (RootFileSystem kind : RootFileSystem.values()) {
      if (kind.label().equals(type)) {
        return kind;
      }
    }
    throw new AssertionError(at + " " + place + " " + type);
  }

  private String label(@Nullable String label, @Nullable String type, String at) {
    int most =
        switch (type == null ? "" : type) {
          case "ext4" -> 16;
          case "swap" -> 15;
          case "vfat" -> 11;
          case "btrfs" -> 255;
          // Whatever the root becomes, xfs has the shortest ones.
          default -> 12;
        };
    if (label != null && !label.matches("[A-Za-z0-9._+-]{1," + most + "}")) {
      throw keys.wrong(
          at + ".label",
          "%s.label: \"%s\" is not valid; expected letters, digits, . _ + and -, at most %d of them"
              .formatted(at, label, most));
    }
    return label == null ? "" : label;
  }
}
