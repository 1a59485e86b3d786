package slipway.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.RootFileSystem;
import slipway.linux.loop.LoopDevice;
import slipway.linux.mount.Mount;
import slipway.linux.mount.Mounts;
import slipway.linux.process.Command;

/**
 * Disks that are divided as their config says; sfdisk, blkid, swaplabel and the checkers of the
 * file systems judge.
 */
class PartitionsTest extends DiskCase {
  private static final String USER =
      """
      [[customizations.user]]
      name = "alice"
      key = "ssh-ed25519 AAAA a@b"
      """;

  private static final String HOMES =
      """
      [[customizations.disk.partitions]]
      mountpoint = "/var/home"
      label = "homes"
      minsize = "64 MiB"
      """;

  private static final String SWAP =
      """
      [[customizations.disk.partitions]]
      fs_type = "swap"
      label = "swp"
      minsize = "64 MiB"
      """;

  private DiskConfig config(String text) throws IOException {
    return DiskConfig.parse(Files.writeString(directory.resolve("config.toml"), text));
  }

  private Path disk(String text) throws IOException {
    return build(with(request(), null, config(text)));
  }

  private static String blkid(Path disk, Partition part, String tag) throws IOException {
    try (LoopDevice loop = loop(disk, part)) {
      return Command.of("blkid", "-p", "-o", "value", "-s", tag, loop.device().toString()).output();
    }
  }

  @Test
  void plainPartitionsHoldWhatLiesInTheirPlaces() throws Exception {
    Files.createDirectory(tree.resolve("exchange"));
    Files.createDirectories(tree.resolve("var/lib/app"));
    Files.writeString(tree.resolve("var/lib/app/state"), "state");
    Path disk =
        disk(
            USER
                + HOMES
                + SWAP
                + """
                [[customizations.disk.partitions]]
                mountpoint = "/exchange"
                fs_type = "vfat"
                label = "XCHG"
                minsize = "8 MiB"
                [[customizations.disk.partitions]]
                mountpoint = "/var"
                fs_type = "xfs"
                minsize = "1 MiB"
                [[customizations.disk.partitions]]
                mountpoint = "/boot"
                fs_type = "xfs"
                minsize = "1 MiB"
                [[customizations.disk.partitions]]
                mountpoint = "/boot/efi"
                minsize = "1 MiB"
                [[customizations.disk.partitions]]
                mountpoint = "/"
                fs_type = "btrfs"
                label = "system"
                minsize = "1 MiB"
                [[customizations.disk.partitions]]
                fs_type = "none"
                part_label = "free for all"
                minsize = "1 MiB"
                """);
    Command.Result verify = Command.of("sfdisk", "--verify", disk.toString()).run();
    assertThat(verify.text() + verify.stderr()).contains("No errors detected");
    assertThat(Command.of("sfdisk", "-d", disk.toString()).output())
        .contains("name=\"free for all\"");
    List<Partition> parts = parts(disk);
    assertThat(parts).hasSize(9);
    kinds(disk, parts);
    contents(disk, parts);
  }

  private static void kinds(Path disk, List<Partition> parts) throws IOException {
    List<String> kinds = List.of("", "vfat", "xfs", "ext4", "swap", "vfat", "xfs", "", "btrfs");
    List<String> labels =
        List.of("", "EFI-SYSTEM", "boot", "homes", "swp", "XCHG", "", "", "system");
    for (int i = 0; i < parts.size(); i++) {
      if (!kinds.get(i).isEmpty()) {
        assertThat(blkid(disk, parts.get(i), "TYPE")).isEqualTo(kinds.get(i));
        assertThat(blkid(disk, parts.get(i), "LABEL")).isEqualTo(labels.get(i));
      }
    }
    try (LoopDevice homes = loop(disk, parts.get(3));
        LoopDevice swap = loop(disk, parts.get(4));
        LoopDevice exchange = loop(disk, parts.get(5));
        LoopDevice var = loop(disk, parts.get(6))) {
      Command.of("e2fsck", "-fn", homes.device().toString()).run();
      assertThat(Command.of("swaplabel", swap.device().toString()).output()).contains("LABEL: swp");
      Command.of("fsck.vfat", "-n", exchange.device().toString()).run();
      Command.of("xfs_repair", "-n", var.device().toString()).run();
    }
  }

  private void contents(Path disk, List<Partition> parts) throws IOException {
    Path at = Files.createDirectory(directory.resolve("mnt"));
    try (LoopDevice loop = loop(disk, parts.get(8));
        Mount root = Mount.of(loop.device().toString(), at, "btrfs", Mounts.MS_RDONLY, null)) {
      String fstab = Files.readString(deployment(root.target()).resolve("etc/fstab"));
      assertThat(fstab)
          .isEqualTo(
              """
              UUID=%s /boot xfs defaults 0 0
              UUID=%s /boot/efi vfat umask=0077,nofail 0 2
              UUID=%s /exchange vfat umask=0077 0 2
              UUID=%s /var xfs defaults 0 0
              UUID=%s /var/home ext4 defaults 0 2
              UUID=%s none swap defaults 0 0
              """
                  .formatted(
                      Stream.of(2, 1, 5, 6, 3, 4)
                          .map(i -> id(disk, parts.get(i)))
                          .toArray(Object[]::new)));
      assertThat(root.target().resolve("ostree/deploy/default/var")).isEmptyDirectory();
    }
    try (LoopDevice loop = loop(disk, parts.get(6));
        Mount var = Mount.of(loop.device().toString(), at, "xfs", Mounts.MS_RDONLY, null)) {
      assertThat(var.target().resolve("lib/app/state")).hasContent("state");
      assertThat(var.target().resolve("home")).isEmptyDirectory();
      assertThat(Command.of("stat", "-c", "%a %u", at + "/home").output()).isEqualTo("755 0");
    }
    try (LoopDevice loop = loop(disk, parts.get(3));
        Mount homes = Mount.of(loop.device().toString(), at, "ext4", Mounts.MS_RDONLY, null)) {
      Path keys = homes.target().resolve("alice/.ssh/authorized_keys");
      assertThat(keys).hasContent("ssh-ed25519 AAAA a@b");
      assertThat(Command.of("stat", "-c", "%a %u", keys.toString()).output()).isEqualTo("600 1000");
    }
    try (LoopDevice loop = loop(disk, parts.get(2));
        Mount boot = Mount.of(loop.device().toString(), at, "xfs", Mounts.MS_RDONLY, null)) {
      assertThat(boot.target().resolve("efi")).isEmptyDirectory();
      assertThat(boot.target().resolve("grub/grub.cfg")).content().contains("blscfg");
    }
  }

  /** An image may say how its disks are divided; a config that says it comes first. */
  @Test
  void theImageDividesItsDisk() throws Exception {
    Path own = Files.createDirectories(tree.resolve("usr/lib/bootc-image-builder"));
    Files.writeString(
        own.resolve("config.toml"),
        HOMES
            + """
            [[customizations.disk.partitions]]
            mountpoint = "/"
            fs_type = "xfs"
            minsize = "1 MiB"
            """);
    DiskRequest request = with(request(), null, DiskConfig.EMPTY);
    assertThat(DiskBuilder.manifest(request, Progress.NONE))
        .contains("\"var-home\"")
        .contains("\"xfs\"");
    Path disk = build(request);
    List<Partition> parts = parts(disk);
    assertThat(parts).hasSize(5);
    assertThat(blkid(disk, parts.get(3), "LABEL")).isEqualTo("homes");
    assertThat(blkid(disk, parts.get(4), "TYPE")).isEqualTo("xfs");
    assertThatThrownBy(() -> build(with(request, RootFileSystem.EXT4, DiskConfig.EMPTY)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(
            "--rootfs ext4 is another file system than fs_type = \"xfs\" of the image's own");
    assertThat(parts(disk(SWAP))).hasSize(5);
    assertThat(blkid(disk, parts(disk).get(3), "TYPE")).isEqualTo("swap");
  }

  private static final String VOLUME =
      """
      [[customizations.disk.partitions]]
      type = "btrfs"
      minsize = "256 MiB"
      [[customizations.disk.partitions.subvolumes]]
      name = "homes"
      mountpoint = "/var/home"
      [[customizations.disk.partitions.subvolumes]]
      name = "@var"
      mountpoint = "/var"
      """;

  private static final String ROOT_SUBVOLUME =
      """
      [[customizations.disk.partitions.subvolumes]]
      name = "system"
      mountpoint = "/"
      """;

  private static List<String> subvolumes(Path top) {
    return Command.of("btrfs", "subvolume", "list", top.toString())
        .output()
        .lines()
        .map(line -> line.replaceFirst(".* path ", ""))
        .toList();
  }

  /** The root is one of the subvolumes, which the kernel is told. */
  @Test
  void subvolumesHoldWhatLiesInTheirPlaces() throws Exception {
    Path disk = disk(USER + VOLUME + ROOT_SUBVOLUME);
    List<Partition> parts = parts(disk);
    assertThat(parts).hasSize(4);
    Path at = Files.createDirectory(directory.resolve("mnt"));
    String id = blkid(disk, parts.get(3), "UUID");
    try (LoopDevice loop = loop(disk, parts.get(3))) {
      Command.of("btrfs", "check", "--readonly", loop.device().toString()).run();
      try (Mount top = Mount.of(loop.device().toString(), at, "btrfs", Mounts.MS_RDONLY, null)) {
        assertThat(subvolumes(top.target())).containsExactlyInAnyOrder("homes", "@var", "system");
        Path system = top.target().resolve("system");
        Command.of("ostree", "fsck", "--repo=" + system.resolve("ostree/repo")).run();
        assertThat(system.resolve("ostree/deploy/default/var")).isEmptyDirectory();
        assertThat(top.target().resolve("@var/home")).isEmptyDirectory();
        assertThat(top.target().resolve("homes/alice/.ssh/authorized_keys"))
            .hasContent("ssh-ed25519 AAAA a@b");
        assertThat(Files.readString(deployment(system).resolve("etc/fstab")))
            .contains("UUID=" + id + " /var btrfs subvol=@var 0 0\n")
            .contains("UUID=" + id + " /var/home btrfs subvol=homes 0 0\n");
      }
    }
    try (LoopDevice loop = loop(disk, parts.get(2));
        Mount boot = Mount.of(loop.device().toString(), at, "ext4", Mounts.MS_RDONLY, null)) {
      assertThat(boot.target().resolve("loader/entries/ostree-1.conf"))
          .content()
          .contains("options root=UUID=" + id + " rootflags=subvol=system rw");
    }
  }

  @Test
  void aVolumeBesideTheRootHoldsItsSubvolumes() throws Exception {
    Path disk = disk(USER + VOLUME + at("/var/lib", "fs_type = \"btrfs\"\n"));
    List<Partition> parts = parts(disk);
    assertThat(parts).hasSize(6);
    assertThat(blkid(disk, parts.get(4), "TYPE")).isEqualTo("btrfs");
    assertThat(blkid(disk, parts.get(5), "TYPE")).isEqualTo("ext4");
    Path at = Files.createDirectory(directory.resolve("mnt"));
    try (LoopDevice loop = loop(disk, parts.get(3))) {
      Command.of("btrfs", "check", "--readonly", loop.device().toString()).run();
      try (Mount top = Mount.of(loop.device().toString(), at, "btrfs", Mounts.MS_RDONLY, null)) {
        assertThat(subvolumes(top.target())).containsExactlyInAnyOrder("homes", "@var");
        assertThat(top.target().resolve("homes/alice/.ssh/authorized_keys")).exists();
        assertThat(top.target().resolve("@var/home")).isEmptyDirectory();
      }
    }
  }

  private static String id(Path disk, Partition part) {
    try {
      return blkid(disk, part, "UUID");
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private void refused(String text, String... words) throws IOException {
    DiskRequest request = with(request(), null, config(text));
    assertThatThrownBy(() -> DiskBuilder.build(request, Progress.NONE))
        .isInstanceOf(Problem.class)
        .hasMessageContainingAll(words);
    assertThat(output.resolve("image/disk.raw")).doesNotExist();
  }

  private static String at(String place, String more) {
    return "[[customizations.disk.partitions]]\nmountpoint = \"%s\"\nminsize = \"32 MiB\"\n%s"
        .formatted(place, more);
  }

  @Test
  void whatTheMachineCouldNotMountIsRefused() throws Exception {
    assertThat(tree.resolve("home")).isSymbolicLink();
    Files.createDirectories(tree.resolve("opt/app"));
    Files.createDirectory(tree.resolve("data"));
    refused(at("/home", ""), "home is a link to var/home in the image");
    refused(at("/opt", ""), "the image has files in /opt");
    refused(at("/none", ""), "/none: it is no folder of the image", "RUN mkdir");
    refused(USER + at("/var/home", "fs_type = \"vfat\"\n"), "vfat keeps neither owners nor modes");
  }

  @Test
  void whatDoesNotFitItsPartitionIsToldByItsPlace() throws Exception {
    Files.createDirectories(tree.resolve("var/lib"));
    Files.writeString(tree.resolve("var/lib/large"), "x".repeat(40 << 20));
    refused(
        at("/var", ""), "the partition for /var has 32 MiB, which is too small", "larger minsize");
  }

  @Test
  void wishesThatContradictAreRefused() throws Exception {
    DiskRequest request =
        with(request(), RootFileSystem.XFS, config(at("/", "fs_type = \"ext4\"\n")));
    assertThatThrownBy(() -> DiskBuilder.build(request, Progress.NONE))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("--rootfs xfs is another file system than fs_type = \"ext4\"");
    DiskRequest boot =
        startedBy(with(request(), null, config(at("/boot", ""))), BootLoader.SYSTEMD);
    assertThatThrownBy(() -> DiskBuilder.build(boot, Progress.NONE))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("customizations.disk.partitions[0]: systemd-boot reads kernels");
  }

  /** As those that know no owners say it. */
  @Test
  void aFileSystemThatGivesNothingAwayIsTold() throws Exception {
    Path file = directory.resolve("ext4.img");
    Command.of("truncate", "-s", "32M", file.toString()).run();
    Command.of("mkfs.ext4", "-q", file.toString()).run();
    Path at = Files.createDirectory(directory.resolve("fixed"));
    try (LoopDevice loop = LoopDevice.attach(file, 0, 0);
        Mount m = Mount.of(loop.device().toString(), at, "ext4", 0, null)) {
      Command.of("chattr", "+i", at.toString()).run();
      DiskRequest given = request().withAccess(new FileAccess(0600, 1000, 1000)).withOutput(at);
      assertThatThrownBy(() -> DiskBuilder.build(given, Progress.NONE))
          .hasMessage("the file system of " + m.target() + " knows no owners; leave out --chown");
    }
  }
}
