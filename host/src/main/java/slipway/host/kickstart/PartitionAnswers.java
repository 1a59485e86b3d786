package slipway.host.kickstart;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.disk.config.RootFileSystem;
import slipway.media.kickstart.KickstartCommand;
import slipway.media.kickstart.KickstartItem;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Commands about disks, as keys of {@code [customizations.disk]}. What starts the machine is added
 * to every disk, so {@code reqpart} and partitions of BIOS say nothing new.
 */
final class PartitionAnswers {
  static final String GROWS =
      "part: the root alone grows, to all that is left; give --size without --grow and --maxsize";

  /** Answers a name of a disk by the one that the kernel has for it. */
  private final UnaryOperator<String> disks;

  private final ObjectNode disk = JsonNodeFactory.instance.objectNode();
  private final Set<String> only = new LinkedHashSet<>();
  private final List<String> not = new ArrayList<>();
  private final List<String> warnings;
  private final VolumeAnswers volumes = new VolumeAnswers();
  private @Nullable RootFileSystem rootfs;
  private long rootSize;
  private boolean erased;
  private boolean divided;
  private boolean hasRoot;
  private boolean isRootVolume;
  private boolean auto;
  private KickstartCommand.@Nullable Partition first;

  PartitionAnswers(UnaryOperator<String> disks, List<String> warnings) {
    this.disks = disks;
    this.warnings = warnings;
  }

  /** Takes a command; false when it is none about disks. */
  boolean take(KickstartItem item) {
    switch (item) {
      case KickstartCommand.ClearPart clear -> clear(clear);
      case KickstartCommand.IgnoreDisk ignore -> {
        ignore.onlyUse().forEach(name -> only(ignore, name));
        ignore.drives().forEach(name -> not.add(disks.apply(name)));
      }
      case KickstartCommand.ZeroMbr zero -> {}
      case KickstartCommand.ReqPart needed -> {}
      case KickstartCommand.AutoPart auto -> auto(auto);
      case KickstartCommand.Partition partition -> partition(partition);
      case KickstartCommand.BootLoader loader when loader.bootDrive() != null ->
          only(loader, loader.bootDrive());
      case KickstartCommand.LogVol volume -> volume(volume);
      case KickstartCommand.VolGroup group ->
          volumes.group(group, disk.withArray("partitions").addObject());
      case KickstartCommand.Raid raid ->
          throw InstallAnswers.wrong(raid.at(), "raid: one disk is installed to; leave it out");
      case KickstartCommand.Btrfs volume ->
          throw InstallAnswers.wrong(
              volume.at(),
              "volumes of btrfs are not made piece by piece; take autopart --type=btrfs, or part"
                  + " with --fstype=btrfs");
      case KickstartCommand.Mount mount ->
          throw InstallAnswers.wrong(
              mount.at(),
              "mount: whole disks are installed to; for file systems that are there run bootc"
                  + " install to-filesystem");
      default -> {
        return false;
      }
    }
    return !(item instanceof KickstartCommand.BootLoader);
  }

  private void only(KickstartCommand command, String name) {
    String found = disks.apply(name);
    if (only.isEmpty() || only.contains(found)) {
      only.add(found);
    } else {
      throw InstallAnswers.wrong(
          command.at(),
          "two disks are named, %s and %s, and one is installed to"
              .formatted(String.join(", ", only), found));
    }
  }

  private void clear(KickstartCommand.ClearPart clear) {
    String which = clear.which();
    if (which != null && !which.equals("all") && !which.equals("none")) {
      throw InstallAnswers.wrong(
          clear.at(), "clearpart: a whole disk is erased, or none is; give --all, or --none");
    }
    erased = "all".equals(which);
    clear.drives().forEach(name -> only(clear, name));
    if (clear.label() != null) {
      disk.put("type", clear.label().equals("msdos") ? "dos" : clear.label());
    }
  }

  private void auto(KickstartCommand.AutoPart auto) {
    String type = auto.type() == null ? "plain" : auto.type();
    if (type.equals("thinp")) {
      throw InstallAnswers.wrong(
          auto.at(), "autopart: thin volumes are not made; take --type=lvm, or --type=plain");
    }
    if (type.equals("lvm")) {
      disk.withArray("partitions").addObject().put("type", "lvm").put("minsize", mebibytes(1));
    }
    plain(auto, auto.encryption());
    if (auto.noBoot()) {
      warnings.add(auto.at() + ": --noboot: what starts the machine decides on /boot");
    }
    this.auto = true;
    divided = true;
    rootfs =
        type.equals("btrfs")
            ? RootFileSystem.BTRFS
            : auto.fileSystem() == null ? null : RootFileSystem.parse(auto.fileSystem());
  }

  private static void plain(
      KickstartCommand command, KickstartCommand.@Nullable Encryption encryption) {
    if (encryption != null && encryption.encrypted()) {
      throw InstallAnswers.wrong(
          command.at(), "--encrypted: nothing is encrypted by a passphrase here; leave it out");
    }
  }

  private void partition(KickstartCommand.Partition part) {
    Area area = new Area(part, "part", part.mountPoint(), part.size(), part.format());
    refuse(area, part.encryption());
    if (part.existing() != null || part.biosDisk() != null) {
      throw InstallAnswers.wrong(
          part.at(), "part: all partitions are made anew; leave out --onpart, --resize and BIOS'");
    }
    first = first == null ? part : first;
    divided = true;
    if (part.disk() != null) {
      only(part, part.disk());
    }
    String place = part.mountPoint();
    if (VolumeAnswers.isPhysical(place)) {
      volumes.physical(part);
    } else if (place.equals("swap") || place.startsWith("/")) {
      fill(area, disk.withArray("partitions").addObject());
    } else if (!place.equals("biosboot")) {
      throw InstallAnswers.wrong(
          part.at(),
          place
              + ": there are partitions with a mount point, swap, biosboot and pv.01 alone; take"
              + " one of them");
    }
  }

  private void volume(KickstartCommand.LogVol volume) {
    ObjectNode node = volumes.volume(volume);
    Area area = new Area(volume, "logvol", volume.mountPoint(), volume.size(), volume.format());
    refuse(area, volume.encryption());
    if (!area.place.equals("swap") && !area.place.startsWith("/")) {
      throw InstallAnswers.wrong(
          volume.at(), area.place + ": there are volumes with a mount point and swap alone");
    }
    isRootVolume |= area.isRoot();
    fill(area, node);
  }

  /** What a partition and a logical volume have in common. */
  private record Area(
      KickstartCommand command,
      String word,
      String place,
      KickstartCommand.Size size,
      KickstartCommand.Format format) {
    private boolean isRoot() {
      return place.equals("/");
    }

    private Problem wrong(String reason) {
      return InstallAnswers.wrong(command.at(), word + ": " + reason);
    }

    private @Nullable String type() {
      if (place.equals("swap")) {
        return "swap";
      }
      return place.equals("/boot/efi") || "efi".equals(format.type()) ? "vfat" : format.type();
    }
  }

  private static void refuse(Area area, KickstartCommand.@Nullable Encryption encryption) {
    plain(area.command, encryption);
    KickstartCommand.Format format = area.format;
    KickstartCommand.Size size = area.size;
    if (size.resize()) {
      throw area.wrong("all is made anew; leave out --resize");
    }
    if (format.profile() != null || format.makeOptions() != null || format.mountOptions() != null) {
      throw area.wrong("--fsprofile, --mkfsoptions and --fsoptions are not followed");
    }
    boolean mayGrow = area.isRoot() || VolumeAnswers.isPhysical(area.place);
    if (size.most() != null || (size.grow() && !mayGrow)) {
      throw InstallAnswers.wrong(area.command.at(), GROWS);
    }
    if (!mayGrow && !area.place.equals("biosboot") && size.size() == null) {
      throw area.wrong("give --size, in MiB");
    }
  }

  private void fill(Area area, ObjectNode node) {
    Long size = area.size.size();
    String type = area.type();
    if (area.isRoot()) {
      hasRoot = true;
      rootfs = type == null ? null : RootFileSystem.parse(type);
      if (size != null && !area.size.grow()) {
        rootSize = Math.multiplyExact(Math.min(size, Long.MAX_VALUE >> 21), 1L << 20);
      }
    }
    node.put("minsize", mebibytes(size == null ? 1 : size));
    if (type != null) {
      node.put("fs_type", type);
    }
    if (area.place.startsWith("/")) {
      node.put("mountpoint", area.place);
    }
    if (area.format.label() != null) {
      node.put("label", area.format.label());
    }
  }

  /** A size as a config has it. */
  static String mebibytes(long size) {
    return Math.min(size, Long.MAX_VALUE >> 21) + " MiB";
  }

  /** Whether all was said; nothing may be missing when disks are divided by hand. */
  void end() {
    if (divided && !auto && !hasRoot) {
      throw InstallAnswers.wrong(
          Objects.requireNonNull(first).at(),
          "no part command is for /; add one, such as part / --grow");
    }
    volumes.end(isRootVolume);
  }

  ObjectNode disk() {
    return disk;
  }

  @Nullable RootFileSystem rootfs() {
    return rootfs;
  }

  long rootSize() {
    return rootSize;
  }

  InstallAnswers.Disk choice() {
    return new InstallAnswers.Disk(List.copyOf(only), not, erased, divided);
  }
}
