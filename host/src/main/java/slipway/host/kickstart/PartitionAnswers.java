package slipway.host.kickstart;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
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
  private static final String LVM =
      "logical volumes are not made; take autopart --type=plain, or part with a mount point";

  /** Answers a name of a disk by the one that the kernel has for it. */
  private final UnaryOperator<String> disks;

  private final ObjectNode disk = JsonNodeFactory.instance.objectNode();
  private final Set<String> only = new LinkedHashSet<>();
  private final List<String> not = new ArrayList<>();
  private final List<String> warnings;
  private @Nullable RootFileSystem rootfs;
  private long rootSize;
  private boolean erased;
  private boolean divided;
  private boolean hasRoot;
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
      case KickstartCommand.LogVol volume -> throw InstallAnswers.wrong(volume.at(), LVM);
      case KickstartCommand.VolGroup group -> throw InstallAnswers.wrong(group.at(), LVM);
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
    if (type.equals("lvm") || type.equals("thinp")) {
      throw InstallAnswers.wrong(auto.at(), LVM);
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
    refuse(part);
    first = first == null ? part : first;
    divided = true;
    if (part.disk() != null) {
      only(part, part.disk());
    }
    switch (part.mountPoint()) {
      case "biosboot" -> {}
      case "swap" -> add(part, "swap", null);
      case "/" -> root(part);
      case "/boot/efi" -> add(part, "vfat", "/boot/efi");
      default -> {
        if (!part.mountPoint().startsWith("/")) {
          throw InstallAnswers.wrong(
              part.at(),
              part.mountPoint()
                  + ": there are partitions with a mount point, swap and biosboot alone; "
                  + LVM);
        }
        add(part, type(part), part.mountPoint());
      }
    }
  }

  private void refuse(KickstartCommand.Partition part) {
    plain(part, part.encryption());
    KickstartCommand.Format format = part.format();
    if (part.existing() != null || part.size().resize() || part.biosDisk() != null) {
      throw InstallAnswers.wrong(
          part.at(), "part: all partitions are made anew; leave out --onpart, --resize and BIOS'");
    }
    if (format.profile() != null || format.makeOptions() != null || format.mountOptions() != null) {
      throw InstallAnswers.wrong(
          part.at(), "part: --fsprofile, --mkfsoptions and --fsoptions are not followed");
    }
    boolean isRoot = part.mountPoint().equals("/");
    KickstartCommand.Size size = part.size();
    if (size.most() != null || (size.grow() && !isRoot)) {
      throw InstallAnswers.wrong(
          part.at(),
          "part: the root alone grows, to all that is left; give --size without --grow and"
              + " --maxsize");
    }
    if (!isRoot && !part.mountPoint().equals("biosboot") && size.size() == null) {
      throw InstallAnswers.wrong(part.at(), "part: give --size, in MiB");
    }
  }

  private static @Nullable String type(KickstartCommand.Partition part) {
    String type = part.format().type();
    return "efi".equals(type) ? "vfat" : type;
  }

  private void root(KickstartCommand.Partition part) {
    hasRoot = true;
    String type = type(part);
    rootfs = type == null ? null : RootFileSystem.parse(type);
    Long size = part.size().size();
    if (size != null && !part.size().grow()) {
      rootSize = Math.multiplyExact(Math.min(size, Long.MAX_VALUE >> 21), 1L << 20);
    }
    add(part, type, "/");
  }

  private void add(KickstartCommand.Partition part, @Nullable String type, @Nullable String place) {
    ObjectNode node = disk.withArray("partitions").addObject();
    Long size = part.size().size();
    node.put("minsize", (size == null ? 1 : Math.min(size, Long.MAX_VALUE >> 21)) + " MiB");
    if (type != null) {
      node.put("fs_type", type);
    }
    if (place != null) {
      node.put("mountpoint", place);
    }
    if (part.format().label() != null) {
      node.put("label", part.format().label());
    }
  }

  /** Whether all was said; nothing may be missing when disks are divided by hand. */
  void end() {
    if (divided && !auto && !hasRoot) {
      throw InstallAnswers.wrong(
          Objects.requireNonNull(first).at(),
          "no part command is for /; add one, such as part / --grow");
    }
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
