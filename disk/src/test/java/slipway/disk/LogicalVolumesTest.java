package slipway.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.disk.config.BlockSetup;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskConfig;
import slipway.disk.lvm.LvmReader;
import slipway.linux.loop.LoopDevice;
import slipway.linux.mount.Mount;
import slipway.linux.mount.Mounts;
import slipway.linux.process.Command;

/** Disks with logical volumes; LVM2, blkid and the checkers of the file systems judge. */
class LogicalVolumesTest extends DiskCase {
  private static final Instant TIME = Instant.parse("2025-01-02T03:04:05Z");

  private static final String GROUP =
      """
      [[customizations.user]]
      name = "alice"
      key = "ssh-ed25519 AAAA a@b"
      [[customizations.disk.partitions]]
      type = "lvm"
      minsize = "64 MiB"
      [[customizations.disk.partitions.logical_volumes]]
      mountpoint = "/var/home"
      label = "homes"
      minsize = "62 MiB"
      [[customizations.disk.partitions.logical_volumes]]
      name = "swp"
      fs_type = "swap"
      minsize = "64 MiB"
      [[customizations.disk.partitions.logical_volumes]]
      mountpoint = "/exchange"
      fs_type = "vfat"
      label = "XCHG"
      minsize = "8 MiB"
      """;

  @BeforeEach
  void installLvm() throws IOException {
    Files.createDirectories(tree.resolve("usr/sbin"));
    Files.writeString(tree.resolve("usr/sbin/lvm"), "lvm");
    Files.createDirectory(tree.resolve("exchange"));
  }

  private DiskConfig config(String text) throws IOException {
    return DiskConfig.parse(Files.writeString(directory.resolve("config.toml"), text));
  }

  private static Partition within(Partition group, LvmReader.Range range) {
    return new Partition(group.start() + range.start(), range.size());
  }

  private static String tell(LoopDevice device, String tool, String... words) {
    return Command.of(tool, "--devices", device.device().toString(), "--noheadings", "--units", "m")
        .with(words)
        .run()
        .text()
        .strip()
        .replaceAll("[ \t]+", " ");
  }

  private static String id(Path disk, Partition part) throws IOException {
    try (LoopDevice loop = loop(disk, part)) {
      return Command.of("blkid", "-p", "-o", "value", "-s", "UUID", loop.device().toString())
          .output();
    }
  }

  /** Checks the volumes of a disk of 3 GiB, and what lies in them. */
  private void sound(Path disk, int partitions) throws Exception {
    List<Partition> parts = parts(disk);
    assertThat(parts).hasSize(partitions);
    Partition group = parts.getLast();
    assertThat(Command.of("sfdisk", "--part-type", disk.toString(), "" + partitions).output())
        .isEqualTo("E6D6D379-F507-44C2-A23C-238F2A3DF928");
    try (LoopDevice loop = loop(disk, group)) {
      assertThat(Command.of("pvck", loop.device().toString()).run().text()).contains("sector 1");
      assertThat(tell(loop, "pvs", "-o", "vg_name,vg_free_count")).isEqualTo("vg00 0");
      assertThat(tell(loop, "lvs", "-o", "lv_name,segtype,lv_attr", "-O", "lv_name").lines())
          .map(line -> line.strip().replaceFirst(" linear -wi.*", ""))
          .containsExactly("exchangelv", "rootlv", "swp", "var_homelv");
    }
    Map<String, LvmReader.Range> volumes = LvmReader.volumes(disk, group.start());
    assertThat(volumes.get("var_homelv").size()).isEqualTo(64 << 20);
    Partition root = within(group, volumes.get("rootlv"));
    Partition homes = within(group, volumes.get("var_homelv"));
    try (LoopDevice home = loop(disk, homes);
        LoopDevice swap = loop(disk, within(group, volumes.get("swp")));
        LoopDevice exchange = loop(disk, within(group, volumes.get("exchangelv")));
        LoopDevice system = loop(disk, root)) {
      Command.of("e2fsck", "-fn", system.device().toString()).run();
      Command.of("e2fsck", "-fn", home.device().toString()).run();
      assertThat(Command.of("swaplabel", swap.device().toString()).output()).contains("UUID");
      Command.of("fsck.vfat", "-n", exchange.device().toString()).run();
      contents(disk, group, volumes, system, home);
    }
  }

  private void contents(
      Path disk,
      Partition group,
      Map<String, LvmReader.Range> volumes,
      LoopDevice system,
      LoopDevice home)
      throws IOException {
    Path at = Files.createDirectories(directory.resolve("mnt"));
    try (Mount root = Mount.of(system.device().toString(), at, "ext4", Mounts.MS_RDONLY, null)) {
      assertThat(Files.readString(deployment(root.target()).resolve("etc/fstab")))
          .contains(
              "UUID=%s /exchange vfat umask=0077 0 2\nUUID=%s /var/home ext4 defaults 0 2\nUUID=%s none swap defaults 0 0\n"
                  .formatted(
                      id(disk, within(group, volumes.get("exchangelv"))),
                      id(disk, within(group, volumes.get("var_homelv"))),
                      id(disk, within(group, volumes.get("swp")))));
      assertThat(root.target().resolve("ostree/deploy/default/var/home")).isEmptyDirectory();
    }
    try (Mount homes = Mount.of(home.device().toString(), at, "ext4", Mounts.MS_RDONLY, null)) {
      assertThat(homes.target().resolve("alice/.ssh/authorized_keys"))
          .hasContent("ssh-ed25519 AAAA a@b");
    }
  }

  @Test
  void theRootAndOthersAreVolumes() throws Exception {
    DiskRequest request = with(request(), null, config(GROUP));
    String manifest = DiskBuilder.manifest(request, Progress.NONE);
    assertThat(manifest).contains("\"volume_group\" : \"vg00\"", "\"name\" : \"var_homelv\"");
    assertThat(DiskBuilder.sizes(request, Progress.NONE).rows().stream().map(DiskSizes.Row::name))
        .containsExactly(
            "bios", "EFI-SYSTEM", "boot", "lvm", "var_homelv", "swp", "exchangelv", "rootlv");
    Path disk = build(request);
    sound(disk, 4);
    List<Partition> parts = parts(disk);
    Partition root =
        within(parts.getLast(), LvmReader.volumes(disk, parts.getLast().start()).get("rootlv"));
    Path at = Files.createDirectories(directory.resolve("mnt"));
    try (LoopDevice loop = loop(disk, parts.get(2));
        Mount boot = Mount.of(loop.device().toString(), at, "ext4", Mounts.MS_RDONLY, null)) {
      assertThat(boot.target().resolve("loader/entries/ostree-1.conf"))
          .content()
          .contains("options root=UUID=" + id(disk, root) + " rw");
    }
  }

  /** What users make, who have neither loop devices nor mounts. */
  @Test
  void withoutMountsTheSameIsMadeByteForByte() throws Exception {
    DiskRequest request = with(request(), null, config(GROUP)).with(true, 7L).withTime(TIME);
    Path disk = build(request);
    sound(disk, 4);
    Path again = build(request.withOutput(directory.resolve("again")));
    assertThat(Files.mismatch(disk, again)).isEqualTo(-1);
    Files.delete(again);
  }

  @Test
  void systemdBootNeedsNoPlainBoot() throws Exception {
    Path loaders = Files.createDirectories(tree.resolve("usr/lib/systemd/boot/efi"));
    Files.writeString(loaders.resolve("systemd-bootx64.efi"), "MZ systemd-boot");
    Path disk = build(startedBy(with(request(), null, config(GROUP)), BootLoader.SYSTEMD));
    sound(disk, 2);
  }

  /** By root a volume may be what only the kernel makes; the root, plain, is beside the group. */
  @Test
  void volumesMayBeXfs() throws Exception {
    String text =
        """
        [[customizations.disk.partitions]]
        type = "lvm"
        name = "data"
        minsize = "400 MiB"
        [[customizations.disk.partitions.logical_volumes]]
        name = "home"
        mountpoint = "/var/home"
        fs_type = "xfs"
        minsize = 1
        [[customizations.disk.partitions]]
        mountpoint = "/"
        minsize = 1
        """;
    Path disk = build(with(request(), null, config(text)));
    List<Partition> parts = parts(disk);
    assertThat(parts).hasSize(5);
    Map<String, LvmReader.Range> volumes = LvmReader.volumes(disk, parts.get(3).start());
    assertThat(volumes).containsOnlyKeys("home");
    try (LoopDevice home = loop(disk, within(parts.get(3), volumes.get("home")))) {
      Command.of("xfs_repair", "-n", home.device().toString()).run();
    }
    try (LoopDevice loop = loop(disk, parts.get(3))) {
      assertThat(tell(loop, "vgs", "-o", "vg_name,vg_free")).isEqualTo("data 76.00m");
    }
  }

  @Test
  void anImageThatFindsNoVolumesIsRefused() throws Exception {
    Files.delete(tree.resolve("usr/sbin/lvm"));
    DiskRequest request = with(request(), null, config(GROUP));
    assertThatThrownBy(() -> DiskBuilder.build(request, Progress.NONE))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("there is no lvm in the image; install lvm2");
    assertThatThrownBy(() -> DiskBuilder.manifest(request, Progress.NONE))
        .hasMessageContaining("there is no lvm in the image");
    assertThat(output.resolve("image/disk.raw")).doesNotExist();
  }

  @Test
  void anInitramfsThatFindsNoRootIsRefused() throws Exception {
    Path initramfs =
        tree.resolve("usr/lib/modules").resolve(TestImage.KERNEL).resolve("initramfs.img");
    byte[] archive =
        Command.of("sh", "-c", "cd \"$1\" && echo os-release | cpio --quiet -o -H newc", "sh")
            .with(tree.resolve("usr/lib").toString())
            .run()
            .stdout();
    Files.write(initramfs, archive);
    DiskRequest request = with(request(), null, config(GROUP));
    assertThatThrownBy(() -> DiskBuilder.build(request, Progress.NONE))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(
            "initramfs, /usr/lib/modules/%s/initramfs.img, has no lvm".formatted(TestImage.KERNEL));
    Path device = Files.write(directory.resolve("device"), new byte[4096]);
    try (RandomAccessFile file = new RandomAccessFile(device.toFile(), "rw")) {
      file.setLength(3L << 30);
      file.seek(1L << 30);
      file.writeUTF("old");
    }
    assertThatThrownBy(
            () ->
                DeviceInstall.run(
                    ontoDisk(request.image(), device, null, MachineWishes.of(null, config(GROUP))),
                    Progress.NONE))
        .hasMessageContaining("has no lvm");
    try (RandomAccessFile file = new RandomAccessFile(device.toFile(), "r")) {
      file.seek(1L << 30);
      assertThat(file.readUTF()).as("what the disk held before").isEqualTo("old");
    }
    // A root that is beside the group is found without.
    build(
        with(
            request,
            null,
            config(
                GROUP + "[[customizations.disk.partitions]]\nmountpoint = \"/\"\nminsize = 1\n")));
  }

  /** What lay on a device is not taken for a volume's content, nor for another group. */
  @Test
  void anOldDiskIsOverwritten() throws Exception {
    Path device = directory.resolve("old.raw");
    try (RandomAccessFile file = new RandomAccessFile(device.toFile(), "rw")) {
      file.setLength(3L << 30);
      byte[] rubbish = new byte[1 << 20];
      java.util.Arrays.fill(rubbish, (byte) 0x5a);
      for (int i = 0; i < 3 << 10; i += 16) {
        file.seek((long) i << 20);
        file.write(rubbish);
      }
    }
    DeviceInstall.run(ontoDisk(device, null, config(GROUP)), Progress.NONE);
    sound(device, 4);
  }

  @Test
  void aVolumeIsNotEncrypted() throws Exception {
    Path device = directory.resolve("disk.raw");
    try (RandomAccessFile file = new RandomAccessFile(device.toFile(), "rw")) {
      file.setLength(3L << 30);
    }
    DeviceInstall.Request request = ontoDisk(device, BlockSetup.TPM2_LUKS, config(GROUP));
    assertThatThrownBy(() -> DeviceInstall.run(request, Progress.NONE))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("encrypts a partition, and the root is a logical volume");
  }
}
