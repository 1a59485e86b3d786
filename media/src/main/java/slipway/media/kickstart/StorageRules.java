package slipway.media.kickstart;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/** What the commands about disks demand beyond their options, as {@link CommandRules}. */
final class StorageRules {
  private static final String BTRFS = "Btrfs file system is not supported";
  private static final BigInteger PERCENT = BigInteger.valueOf(100);

  private StorageRules() {}

  /** Checks a command about disks; false when it is about something else. */
  static boolean check(CommandUse use) throws KickstartFault {
    switch (use.syntax().name()) {
      case "autopart" -> autoPart(use);
      case "bootloader" -> bootLoader(use);
      case "btrfs" -> btrfs(use);
      case "ignoredisk" ->
          use.require(
              use.values().isSet("drives") != use.values().isSet("only-use"),
              "One of --drives or --only-use must be specified for ignoredisk command.",
              "only-use");
      case "logvol" -> logicalVolume(use);
      case "mount" -> mount(use);
      case "nvdimm" -> persistentMemory(use);
      case "part" -> partition(use);
      case "raid" -> raid(use);
      case "snapshot" -> snapshot(use);
      case "volgroup" -> volumeGroup(use);
      case "zfcp" ->
          use.require(
              use.values().isSet("devnum")
                  && use.values().isSet("wwpn") == use.values().isSet("fcplun"),
              "Only --devnum or --devnum with --wwpn and --fcplun are allowed.",
              "devnum");
      default -> {
        return false;
      }
    }
    return true;
  }

  private static void autoPart(CommandUse use) throws KickstartFault {
    OptionValues values = use.values();
    boolean btrfs = "btrfs".equals(values.text("type"));
    use.require(
        !"btrfs".equals(values.text("fstype")),
        "autopart --fstype=btrfs is not valid fstype, use --type=btrfs instead",
        "fstype");
    use.require(
        !btrfs || !values.isSet("fstype"),
        "autopart --fstype cannot be used with --type=btrfs",
        "fstype");
    keyDerivation(use);
    use.require(
        use.version() == KickstartVersion.RHEL9
            || !values.flag("hibernation")
            || !values.flag("noswap"),
        "Only one of --noswap and --hibernation can be specified.",
        "hibernation");
    use.require(
        !btrfs || use.version() == KickstartVersion.F45,
        "autopart --type=btrfs is not supported",
        "type");
    hardwarePassphrase(use);
  }

  private static void keyDerivation(CommandUse use) throws KickstartFault {
    use.require(
        !use.values().isSet("pbkdf-time") || !use.values().isSet("pbkdf-iterations"),
        "Only one of --pbkdf-time and --pbkdf-iterations can be specified.",
        "pbkdf-iterations");
  }

  private static void hardwarePassphrase(CommandUse use) throws KickstartFault {
    OptionValues values = use.values();
    use.require(
        !values.isSet("hw-passphrase")
            || values.flag("encrypted") && values.textOr("luks-version", "").startsWith("luks2-"),
        "hw-passphrase may be specified only with LUKSv2 HW-OPAL encrypted devices",
        "hw-passphrase");
  }

  private static void bootLoader(CommandUse use) throws KickstartFault {
    OptionValues values = use.values();
    use.require(
        !values.textOr("boot-drive", "").contains(","),
        "--boot-drive accepts only one argument",
        "boot-drive");
    use.require(
        !values.flag("sdboot") || !values.flag("extlinux"),
        "Only one of --sdboot and --extlinux may be specified for bootloader command.",
        "sdboot");
  }

  private static void btrfs(CommandUse use) throws KickstartFault {
    OptionValues values = use.values();
    preexisting(values);
    List<String> rest = use.restTexts();
    use.require(!rest.isEmpty(), "btrfs must be given a mountpoint", "");
    if (rest.stream().anyMatch(word -> word.startsWith("-"))) {
      use.refuseRest("btrfs");
    }
    String first = rest.getFirst();
    values.put("mountpoint", first.startsWith("/") ? PythonText.path(first) : first);
    List<String> devices = rest.subList(1, rest.size());
    values.put("devices", devices);
    boolean subvolume = values.flag("subvol");
    use.require(!devices.isEmpty() || subvolume, "btrfs must be given a list of partitions", "");
    use.require(
        !devices.isEmpty(), "btrfs subvol requires specification of parent volume", "subvol");
    use.require(!subvolume || values.isSet("name"), "btrfs subvolume requires a name", "subvol");
    use.require(
        !values.flag("useexisting") || !values.isSet("mkfsoptions"),
        "--mkfsoptions with --noformat or --useexisting has no effect.",
        "mkfsoptions");
  }

  /** What is not formatted is there already. */
  private static void preexisting(OptionValues values) {
    if (!values.flag("noformat")) {
      values.put("useexisting", true);
    }
  }

  private static void format(CommandUse use) throws KickstartFault {
    OptionValues values = use.values();
    boolean options = values.isSet("mkfsoptions");
    use.require(
        values.flag("noformat") || !options,
        "--mkfsoptions with --noformat has no effect.",
        "mkfsoptions");
    use.require(
        !values.isSet("fsprofile") || !options,
        "--mkfsoptions and --fsprofile cannot be used together.",
        "mkfsoptions");
  }

  private static void refuseBtrfs(CommandUse use, KickstartVersion... versions)
      throws KickstartFault {
    boolean asked =
        "btrfs".equals(use.values().text("fstype"))
            || use.syntax().name().equals("part")
                && use.values().textOr("mountpoint", "").startsWith("btrfs.");
    use.require(!asked || !List.of(versions).contains(use.version()), BTRFS, "fstype");
  }

  private static void logicalVolume(CommandUse use) throws KickstartFault {
    OptionValues values = use.values();
    use.refuseRest("logvol");
    preexisting(values);
    boolean existing = values.flag("useexisting");
    boolean size = values.isSet("size");
    use.require(
        !values.flag("resize") || existing,
        "--resize can only be used in conjunction with --useexisting",
        "resize");
    use.require(
        !values.flag("resize") || size, "--resize requires --size to indicate new size", "resize");
    thin(use);
    use.require(
        existing
            || values.isSet("percent")
            || size
            || values.flag("recommended")
            || values.flag("hibernation"),
        "No size given for logical volume. Use one of --useexisting, --noformat, --size,"
            + " --percent, or --hibernation.",
        "");
    BigInteger percent = values.integer("percent");
    use.require(
        percent == null || percent.signum() >= 0 && percent.compareTo(PERCENT) <= 0,
        "Percentage must be between 0 and 100.",
        "percent");
    use.require(
        !size || !values.isSet("percent"),
        "--size and --percent cannot both be specified for the same logvol",
        "percent");
    cache(use);
    format(use);
    keyDerivation(use);
    refuseBtrfs(use, KickstartVersion.RHEL9, KickstartVersion.RHEL10);
  }

  private static void thin(CommandUse use) throws KickstartFault {
    OptionValues values = use.values();
    boolean volume = values.flag("thin");
    boolean pool = values.flag("thinpool");
    use.require(
        !volume || !pool,
        "--thin and --thinpool cannot both be specified for the same logvol",
        "thin");
    use.require(
        !volume || values.isSet("poolname"),
        "--thin requires --poolname to specify pool name",
        "thin");
    use.require(
        pool || !values.isSet("chunksize") && !values.isSet("metadatasize"),
        "--chunksize and --metadatasize are for thin pools only",
        values.isSet("chunksize") ? "chunksize" : "metadatasize");
  }

  private static void cache(CommandUse use) throws KickstartFault {
    OptionValues values = use.values();
    if (!values.isSet("cachesize") && !values.isSet("cachemode") && !values.isSet("cachepvs")) {
      return;
    }
    use.require(
        !values.flag("useexisting"),
        "Adding a cache to an existing logical volume is not supported",
        "useexisting");
    use.require(!values.flag("thin"), "Thin volumes cannot be cached", "thin");
    use.require(
        values.isSet("cachepvs"), "Cache needs to have a list of (fast) PVs specified", "cachepvs");
    use.require(values.isSet("cachesize"), "Cache needs to have size specified", "cachesize");
    String mode = values.word("cachemode");
    use.require(
        mode == null || mode.equals("writeback") || mode.equals("writethrough"),
        "Invalid cache mode given: " + mode,
        "cachemode");
  }

  private static void mount(CommandUse use) throws KickstartFault {
    OptionValues values = use.values();
    use.refuseRest("mount");
    String point = values.textOr("mountpoint", "");
    use.require(
        point.equalsIgnoreCase("none") || point.startsWith("/"),
        "Invalid mount point '" + point + "' given",
        "mountpoint");
    use.require(
        values.has("reformat") || !values.isSet("mkfsoptions"),
        "'--mkfsoptions' requires --reformat",
        "mkfsoptions");
  }

  private static void persistentMemory(CommandUse use) throws KickstartFault {
    OptionValues values = use.values();
    use.refuseRest("nvdimm");
    String action = "Action " + values.textOr("action", "");
    boolean namespace = values.isSet("namespace");
    boolean devices = values.isSet("blockdevs");
    use.require(
        !namespace || !devices,
        "Only one of --namespace and --blockdevs device specifications can be used",
        "blockdevs");
    if (action.endsWith("reconfigure")) {
      use.require(namespace, action + " requires --namespace argument to be set", "action");
      use.require(
          values.isSet("sectorsize"),
          action + " with mode sector requires --sectorsize argument to be set",
          "action");
    } else {
      use.require(
          namespace || devices,
          action + " requires --namespace or --blockdevs argument to be set",
          "action");
    }
  }

  private static void partition(CommandUse use) throws KickstartFault {
    OptionValues values = use.values();
    use.refuseRest("partition");
    boolean resize = values.flag("resize");
    use.require(
        !resize || values.isSet("onpart"),
        "--resize can only be used in conjunction with --onpart",
        "resize");
    use.require(
        !resize || values.isSet("size"), "--resize requires --size to specify new size", "resize");
    use.require(
        !"tmpfs".equals(values.text("fstype")) || !values.flag("grow") && !values.isSet("maxsize"),
        "The --fstype=tmpfs option can't be used together with --grow or --maxsize",
        "fstype");
    format(use);
    keyDerivation(use);
    hardwarePassphrase(use);
    refuseBtrfs(use, KickstartVersion.RHEL9, KickstartVersion.RHEL10);
  }

  private static void raid(CommandUse use) throws KickstartFault {
    OptionValues values = use.values();
    if (use.restTexts().stream().anyMatch(word -> word.startsWith("-"))) {
      use.refuseRest("raid");
    }
    List<String> members = values.list("partitions");
    if (members.isEmpty()) {
      members = use.restTexts();
    } else {
      use.refuseRest("raid");
    }
    values.put("partitions", members);
    preexisting(values);
    boolean existing = values.flag("useexisting");
    use.require(!members.isEmpty() || existing, "Partitions required for raid", "");
    use.require(
        members.isEmpty() || !existing,
        "Members may not be specified for preexisting RAID device",
        "partitions");
    use.require(existing || values.isSet("level"), "RAID Partition defined without RAID level", "");
    use.require(
        !existing || values.isSet("device"),
        "Device required for preexisting RAID device",
        "device");
    format(use);
    keyDerivation(use);
    refuseBtrfs(use, KickstartVersion.RHEL9);
  }

  private static void snapshot(CommandUse use) throws KickstartFault {
    String origin = use.values().textOr("origin", "");
    int slash = origin.indexOf('/');
    use.require(
        slash > 0 && slash == origin.lastIndexOf('/') && slash < origin.length() - 1,
        "Snapshot origin " + origin + " must be specified by VG/LV!",
        "origin");
  }

  private static void volumeGroup(CommandUse use) throws KickstartFault {
    OptionValues values = use.values();
    // Members may stand behind options, too, where argparse takes them for no argument's.
    List<String> words = new ArrayList<>(values.list("name"));
    if (use.restTexts().stream().anyMatch(word -> word.startsWith("-"))) {
      use.refuseRest("volgroup");
    }
    words.addAll(use.restTexts());
    preexisting(values);
    use.require(!words.isEmpty(), "volgroup must be given a VG name", "");
    List<String> members = words.subList(1, words.size());
    boolean existing = values.flag("useexisting");
    use.require(!members.isEmpty() || existing, "volgroup must be given a list of partitions", "");
    use.require(
        members.isEmpty() || !existing,
        "Members may not be specified for preexisting volgroup",
        "useexisting");
    values.put("name", words.getFirst());
    values.put("partitions", List.copyOf(members));
    BigInteger space = values.integer("reserved-space");
    use.require(
        space == null || space.signum() >= 0,
        "Volume group reserved space must be a positive integer.",
        "reserved-space");
    BigInteger percent = values.integer("reserved-percent");
    use.require(
        percent == null || percent.signum() > 0 && percent.compareTo(PERCENT) < 0,
        "Volume group reserved space percentage must be between 1 and 99.",
        "reserved-percent");
  }
}
