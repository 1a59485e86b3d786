package slipway.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.disk.config.BlockSetup;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.PartitionTable;
import slipway.linux.loop.LoopDevice;
import slipway.linux.mount.Mount;
import slipway.linux.mount.Mounts;
import slipway.linux.process.Command;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Disks with sectors of 4096 bytes; sfdisk on a loop device with such sectors judges, and fsck. */
class LargeSectorsTest extends DiskCase {
  private static final Instant TIME = Instant.parse("2025-01-02T03:04:05Z");

  private static final String SECTORS =
      """
      [customizations.disk]
      sector_size = 4096
      [[customizations.disk.partitions]]
      mountpoint = "/var/home"
      minsize = "64 MiB"
      part_label = "people's homes"
      [[customizations.disk.partitions]]
      fs_type = "swap"
      minsize = "16 MiB"
      """;

  private DiskConfig config(String text) throws IOException {
    return DiskConfig.parse(Files.writeString(directory.resolve("config.toml"), text));
  }

  /** Attaches a file as such a disk; the caller detaches it. */
  private static String attach(Path file) {
    return Command.of("losetup", "--find", "--show", "--sector-size", "4096", file.toString())
        .output();
  }

  /** The partitions that sfdisk sees on it, in bytes. */
  private static List<Partition> seen(String device) {
    Command.Result verified = Command.of("sfdisk", "--verify", device).run();
    assertThat(verified.text() + verified.stderr()).contains("No errors detected");
    JsonNode table =
        new JsonMapper()
            .readTree(Command.of("sfdisk", "-J", device).run().stdout())
            .path("partitiontable");
    assertThat(table.path("label").asString()).isEqualTo("gpt");
    assertThat(table.path("sectorsize").asInt()).isEqualTo(4096);
    return IntStream.range(0, table.path("partitions").size())
        .mapToObj(i -> table.path("partitions").path(i))
        .map(p -> new Partition(p.path("start").asLong() << 12, p.path("size").asLong() << 12))
        .toList();
  }

  private void sound(Path disk, String root) throws IOException {
    String device = attach(disk);
    List<Partition> parts;
    try {
      parts = seen(device);
      assertThat(Command.of("sfdisk", "-d", device).output())
          .contains("name=\"people's homes\"", "name=\"EFI-SYSTEM\"", "first-lba: 6\n");
    } finally {
      Command.of("losetup", "--detach", device).run();
    }
    assertThat(parts).hasSize(5);
    try (LoopDevice esp = loop(disk, parts.get(0));
        LoopDevice boot = loop(disk, parts.get(1));
        LoopDevice homes = loop(disk, parts.get(2));
        LoopDevice system = loop(disk, parts.get(4))) {
      Command.of("fsck.vfat", "-n", esp.device().toString()).run();
      assertThat(blkid(esp, "BLOCK_SIZE")).isEqualTo("4096");
      assertThat(blkid(esp, "VERSION")).isEqualTo("FAT32");
      assertThat(blkid(boot, "BLOCK_SIZE")).isEqualTo("4096");
      assertThat(blkid(homes, "BLOCK_SIZE")).isEqualTo("4096");
      assertThat(blkid(system, "BLOCK_SIZE")).isEqualTo("4096");
      assertThat(blkid(system, "TYPE")).isEqualTo(root);
      Command.of("e2fsck", "-fn", boot.device().toString()).run();
      Command.of("e2fsck", "-fn", homes.device().toString()).run();
    }
    assertThat(
            Command.of("mdir", "-b", "-i", disk + "@@" + parts.getFirst().start())
                .with("::/EFI/BOOT")
                .output())
        .contains("BOOTX64.EFI");
    mounted(disk, parts.get(4), root);
  }

  /** The kernel mounts it where its sectors are as large. */
  private void mounted(Path disk, Partition root, String kind) throws IOException {
    Path at = Files.createDirectories(directory.resolve("mnt"));
    String device =
        Command.of("losetup", "--find", "--show", "--sector-size", "4096")
            .with("--offset", "" + root.start(), "--sizelimit", "" + root.size(), disk.toString())
            .output();
    try (Mount m = Mount.of(device, at, kind, Mounts.MS_RDONLY, null)) {
      assertThat(deployment(m.target()).resolve("etc/fstab")).content().contains(" swap ");
    } finally {
      Command.of("losetup", "--detach", device).run();
    }
  }

  private static String blkid(LoopDevice device, String tag) {
    return Command.of("blkid", "-p", "-o", "value", "-s", tag, device.device().toString()).output();
  }

  @Test
  void sfdiskAndTheKernelSeeSuchADisk() throws Exception {
    DiskRequest request =
        with(
            request(),
            null,
            config(
                SECTORS
                    + """
                    [[customizations.disk.partitions]]
                    mountpoint = "/"
                    fs_type = "xfs"
                    minsize = 1
                    """));
    assertThat(DiskBuilder.manifest(request, Progress.NONE)).contains("\"sector_size\" : 4096");
    List<String> notes = new ArrayList<>();
    Path disk = DiskBuilder.build(request, TestImage.noting(notes::add)).getFirst();
    sound(disk, "xfs");
    assertThat(notes).anyMatch(note -> note.contains("starts by UEFI alone"));
    // Nothing of GRUB for BIOS is there.
    try (RandomAccessFile in = new RandomAccessFile(disk.toFile(), "r")) {
      assertThat(in.readByte()).isZero();
    }
  }

  /** What users make, who have neither loop devices nor mounts. */
  @Test
  void withoutMountsTheSameIsMade() throws Exception {
    Path disk = build(with(request(), null, config(SECTORS)).with(true, 7L).withTime(TIME));
    sound(disk, "ext4");
  }

  @Test
  void aDeviceHasTheSectorsThatItHas() throws Exception {
    Path file = directory.resolve("device.raw");
    try (RandomAccessFile made = new RandomAccessFile(file.toFile(), "rw")) {
      // No whole MiB, so that the table's copy lies behind the plan.
      made.setLength((3L << 30) + (5 << 12));
    }
    String device = attach(file);
    try {
      DeviceInstall.run(
          ontoDisk(Path.of(device), null, config(SECTORS.replace("sector_size = 4096\n", ""))),
          Progress.NONE);
      assertThat(seen(device)).hasSize(5);
      DeviceInstall.Request encrypted =
          ontoDisk(Path.of(device), BlockSetup.TPM2_LUKS, DiskConfig.EMPTY);
      assertThatThrownBy(() -> DeviceInstall.run(encrypted, Progress.NONE))
          .hasMessageContaining("tpm2-luks encrypts on disks with sectors of 512 bytes");
    } finally {
      Command.of("losetup", "--detach", device).run();
    }
    sound(file, "ext4");
    try (LoopDevice usual = LoopDevice.attach(file, 0, 0)) {
      assertThatThrownBy(
              () ->
                  DeviceInstall.run(ontoDisk(usual.device(), null, config(SECTORS)), Progress.NONE))
          .isInstanceOf(Problem.class)
          .hasMessageContaining("sector_size = 4096: " + usual.device() + " has sectors of 512");
    }
  }

  @Test
  void whatCannotHaveSuchSectorsIsRefused() throws Exception {
    for (DiskType type : List.of(DiskType.AMI, DiskType.VMDK, DiskType.VHD, DiskType.GCE)) {
      DiskRequest request =
          with(request(), null, config(SECTORS)).withTypes(List.of(DiskType.QCOW2, type));
      assertThatThrownBy(() -> DiskBuilder.build(request, Progress.NONE))
          .isInstanceOf(Problem.class)
          .hasMessageContaining(
              "--type " + type.label() + ": its machines have disks with sectors");
    }
    DiskRequest dos =
        with(
            request(),
            null,
            config(SECTORS.replace("part_label = \"people's homes\"\n", ""))
                .withTable(PartitionTable.DOS));
    assertThatThrownBy(() -> DiskBuilder.build(dos, Progress.NONE))
        .hasMessageContaining("sectors of 4096 bytes takes a gpt partition table");
  }
}
