package slipway.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.assertj.core.groups.Tuple;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import slipway.base.Progress;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.PartitionTable;
import slipway.disk.config.RootFileSystem;
import slipway.linux.loop.LoopDevice;
import slipway.linux.mount.Mount;
import slipway.linux.mount.Mounts;
import slipway.linux.process.Command;
import slipway.oci.copy.ImageSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Whole disks of a small image; sfdisk, blkid, the checkers of the file systems and ostree judge.
 */
class DiskBuilderTest extends DiskCase {
  private static final DiskConfig MBR = DiskConfig.EMPTY.withTable(PartitionTable.DOS);

  private static String blkid(LoopDevice loop, String tag) {
    return Command.of("blkid", "-p", "-o", "value", "-s", tag, loop.device().toString()).output();
  }

  @Test
  void theTableIsWhatFirmwareAndSystemsLookFor() throws Exception {
    Path disk = build(request());
    assertThat(disk).isEqualTo(output.resolve("image/disk.raw"));
    assertThat(Files.size(disk)).isEqualTo(3L << 30);
    assertThat(Command.of("stat", "-c", "%a", disk.toString()).output())
        .describedAs("mode of what holds password hashes")
        .isEqualTo("600");
    Command.Result verify = Command.of("sfdisk", "--verify", disk.toString()).run();
    assertThat(verify.text() + verify.stderr()).contains("No errors detected");
    JsonNode table =
        new JsonMapper().readTree(Command.of("sfdisk", "-J", disk.toString()).run().stdout());
    assertThat(table.at("/partitiontable/label").asString()).isEqualTo("gpt");
    assertThat(table.at("/partitiontable/partitions").findValuesAsString("type"))
        .containsExactly(
            "21686148-6449-6E6F-744E-656564454649",
            "C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
            "BC13C2FF-59E6-4262-A352-B275FD6F7172",
            "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709");
    long used = Long.parseLong(Command.of("du", "-k", disk.toString()).output().split("\\s")[0]);
    assertThat(used).describedAs("KiB in use of a sparse file").isLessThan(200_000);
    esp(disk, table(disk).get(1));
  }

  /** The older table, with GRUB's code in its sector and the rest before the first partition. */
  @Test
  void theOlderTableStartsByBiosAndUefi() throws Exception {
    Path disk = build(with(request(), RootFileSystem.EXT4, MBR));
    String dump = Command.of("sfdisk", "-d", disk.toString()).output();
    assertThat(dump)
        .contains("label: dos", "start=        2048, size=      262144, type=ef")
        .contains("start=      264192, size=     2097152, type=83, bootable")
        .contains("start=     2361344, size=     3928064, type=83");
    Command.Result verify = Command.of("sfdisk", "--verify", disk.toString()).run();
    assertThat(verify.text() + verify.stderr()).contains("No errors detected");
    embedded(disk);
    List<Partition> table = table(disk);
    esp(disk, table.get(0));
    try (LoopDevice boot = loop(disk, table.get(1));
        LoopDevice root = loop(disk, table.get(2))) {
      check(RootFileSystem.EXT4, root.device());
      Command.of("e2fsck", "-fn", boot.device().toString()).run();
    }
    JsonNode manifest =
        new JsonMapper().readTree(Files.readString(output.resolve("manifest-raw.json")));
    assertThat(manifest.at("/disk/label").asString()).isEqualTo("dos");
    assertThat(dump).contains("label-id: " + manifest.at("/disk/id").asString());
    assertThat(manifest.at("/disk/partitions").findValuesAsString("name"))
        .containsExactly("EFI-SYSTEM", "boot", "root");
  }

  private void esp(Path disk, Partition part) throws Exception {
    try (LoopDevice loop = LoopDevice.attach(disk, part.start(), part.size())) {
      assertThat(blkid(loop, "VERSION")).isEqualTo("FAT32");
      assertThat(blkid(loop, "LABEL")).isEqualTo("EFI-SYSTEM");
      Command.of("fsck.vfat", "-n", loop.device().toString()).run();
    }
    Path copy = directory.resolve("BOOTX64.EFI");
    Command.of("mcopy", "-i", disk + "@@" + part.start(), "::/EFI/BOOT/BOOTX64.EFI")
        .with(copy.toString())
        .run();
    assertThat(Command.of("file", "-b", copy.toString()).output()).contains("PE32+", "EFI");
  }

  @ParameterizedTest
  @Tag("slow")
  @EnumSource(RootFileSystem.class)
  void everyRootFileSystemHoldsASoundDeployment(RootFileSystem fs) throws Exception {
    Path disk = build(with(request(), fs, DiskConfig.EMPTY));
    List<Partition> table = table(disk);
    try (LoopDevice boot = loop(disk, table.get(2));
        LoopDevice root = loop(disk, table.get(3))) {
      check(fs, root.device());
      Command.of("e2fsck", "-fn", boot.device().toString()).run();
      assertThat(blkid(root, "TYPE")).isEqualTo(fs.label());
      assertThat(blkid(root, "LABEL")).isEqualTo("root");
      Path at = Files.createDirectory(directory.resolve("mnt"));
      try (Mount m = Mount.of(root.device().toString(), at, fs.label(), 0, null);
          Mount b = Mount.of(boot.device().toString(), at.resolve("boot"), "ext4", 0, null)) {
        judge(m.target(), b.target(), blkid(root, "UUID"), blkid(boot, "UUID"));
      }
    }
  }

  private static void check(RootFileSystem fs, Path device) {
    switch (fs) {
      case EXT4 -> {
        Command.of("e2fsck", "-fn", device.toString()).run();
        assertThat(Command.of("dumpe2fs", "-h", device.toString()).output()).contains("verity");
      }
      case XFS -> Command.of("xfs_repair", "-n", device.toString()).run();
      case BTRFS -> Command.of("btrfs", "check", "--readonly", device.toString()).run();
    }
  }

  private static void judge(Path root, Path boot, String rootId, String bootId) throws IOException {
    String status = Command.of("ostree", "admin", "status", "--sysroot=" + root).output();
    assertThat(status).contains("default ").contains(".0");
    Command.of("ostree", "fsck", "--repo=" + root.resolve("ostree/repo")).run();
    String entry = Files.readString(boot.resolve("loader/entries/ostree-1.conf"));
    assertThat(entry)
        .contains("title Test OS 1")
        .containsPattern(
            "options root=UUID="
                + rootId
                + " rw console=tty0 console=ttyS0,115200 from=image ostree=/ostree/boot\\.1/");
    for (String key : List.of("linux", "initrd")) {
      String path =
          entry
              .lines()
              .filter(l -> l.startsWith(key + " "))
              .findFirst()
              .orElseThrow()
              .substring(key.length() + 2);
      assertThat(boot.resolve(path)).isRegularFile();
    }
    assertThat(boot.resolve("grub/grub.cfg")).content().contains("blscfg", bootId);
    Path deployment = deployment(root);
    assertThat(deployment.resolve("etc/fstab"))
        .hasContent("UUID=" + bootId + " /boot ext4 defaults 0 2");
    assertThat(deployment.resolve("tmp")).isEmptyDirectory();
    assertThat(deployment.resolveSibling(deployment.getFileName() + ".origin"))
        .content()
        .contains("container-image-reference=ostree-unverified-registry:" + TestImage.NAME);
  }

  /** An image that says nothing is read once; one that wants another file system gets it. */
  @Test
  @Tag("slow")
  void theImageChoosesItsFileSystemAndIsNotReadForThatAlone() throws Exception {
    DiskRequest silent = with(request(), null, DiskConfig.EMPTY);
    List<String> notes = new ArrayList<>();
    assertThat(DiskBuilder.build(counting(silent), TestImage.noting(notes::add)).getFirst())
        .isRegularFile();
    assertThat(notes).contains("the image names no file system for its root; taking ext4");
    assertThat(read).describedAs("times that the layer was read").hasValue(1);
    Path config = Files.createDirectories(tree.resolve("usr/lib/bootc/install"));
    Files.writeString(config.resolve("10-x.toml"), "[install]\nroot-fs-type = \"btrfs\"\n");
    Path disk = build(with(request(), null, DiskConfig.EMPTY));
    try (LoopDevice boot = loop(disk, table(disk).get(2));
        LoopDevice root = loop(disk, table(disk).get(3))) {
      assertThat(blkid(root, "TYPE")).isEqualTo("btrfs");
      check(RootFileSystem.BTRFS, root.device());
      Command.of("e2fsck", "-fn", boot.device().toString()).run();
    }
  }

  private final AtomicInteger read = new AtomicInteger();

  private DiskRequest counting(DiskRequest r) {
    ImageSource source = TestImage.counted(r.source(), r.manifest().layers().getFirst(), read);
    return new DiskRequest(
        source,
        r.manifest(),
        r.config(),
        r.target(),
        r.types(),
        r.rootfs(),
        r.bootLoader(),
        r.customizations(),
        r.size(),
        r.access(),
        r.output());
  }

  @Test
  void theConfigIsInTheMachine() throws Exception {
    Path file =
        Files.writeString(
            directory.resolve("config.toml"),
            """
            [[customizations.user]]
            name = "alice"
            password = "secret"
            key = "ssh-ed25519 AAAA a@b"
            groups = ["sudo"]
            [customizations]
            hostname = "box"
            [customizations.kernel]
            append = "quiet"
            [customizations.timezone]
            timezone = "Europe/Berlin"
            [[customizations.files]]
            path = "/etc/app/secret"
            data = "x"
            mode = "0600"
            user = "alice"
            """);
    Path disk = build(with(request(), RootFileSystem.EXT4, DiskConfig.parse(file)));
    Partition part = table(disk).get(3);
    Path at = Files.createDirectory(directory.resolve("mnt"));
    try (LoopDevice loop = loop(disk, part);
        Mount m = Mount.of(loop.device().toString(), at, "ext4", Mounts.MS_RDONLY, null)) {
      Path etc = deployment(m.target()).resolve("etc");
      assertThat(etc.resolve("passwd")).content().contains("alice:x:1000:1000:");
      assertThat(etc.resolve("shadow")).content().contains("alice:$6$");
      assertThat(etc.resolve("hostname")).hasContent("box");
      assertThat(Files.readSymbolicLink(etc.resolve("localtime")))
          .hasToString("../usr/share/zoneinfo/Europe/Berlin");
      assertThat(Command.of("stat", "-c", "%a %u", etc + "/app/secret").output())
          .isEqualTo("600 1000");
      Path var = m.target().resolve("ostree/deploy/default/var");
      assertThat(var.resolve("home/alice/.ssh/authorized_keys")).hasContent("ssh-ed25519 AAAA a@b");
    }
  }

  /** The image's wishes for its installation; those of the caller go before. */
  @ParameterizedTest
  @Tag("slow")
  @CsvSource({"xfs,", "ext4,EXT4"})
  void theInstallConfigurationOfTheImageIsObeyed(String type, @Nullable RootFileSystem asked)
      throws Exception {
    Files.createDirectories(tree.resolve("usr/lib/bootc/install"));
    Files.writeString(
        tree.resolve("usr/lib/bootc/install/10-test.toml"),
        "[install]\nroot-fs-type = \"xfs\"\nkargs = [\"from=install\"]\n");
    Path disk = build(with(request(), asked, DiskConfig.EMPTY.withKernelArguments("from=user")));
    Path at = Files.createDirectory(directory.resolve("mnt"));
    try (LoopDevice root = loop(disk, table(disk).get(3));
        LoopDevice boot = loop(disk, table(disk).get(2));
        Mount m = Mount.of(boot.device().toString(), at, "ext4", Mounts.MS_RDONLY, null)) {
      assertThat(blkid(root, "TYPE")).isEqualTo(type);
      assertThat(m.target().resolve("loader/entries/ostree-1.conf"))
          .content()
          .contains("115200 from=install from=image from=user ostree=");
    }
  }

  /** Every format of one disk, which is written once; the manifest says what was made. */
  @Test
  @Tag("slow")
  void everyTypeHasTheSameContent() throws Exception {
    DiskRequest r = request();
    List<DiskType> types = List.of(DiskType.values());
    AtomicInteger times = new AtomicInteger();
    List<Path> files =
        DiskBuilder.build(
            new DiskRequest(
                TestImage.counted(r.source(), r.manifest().layers().getFirst(), times),
                r.manifest(),
                r.config(),
                r.target(),
                types,
                r.rootfs(),
                r.bootLoader(),
                r.customizations(),
                r.size(),
                new FileAccess(0640, 1234, 5678),
                r.output()),
            Progress.NONE);
    assertThat(times).describedAs("times that the layer was read").hasValue(1);
    assertThat(files.stream().map(f -> output.relativize(f).toString()))
        .containsExactly(
            "image/disk.raw",
            "qcow2/disk.qcow2",
            "image/disk.raw",
            "vmdk/disk.vmdk",
            "vpc/disk.vhd",
            "gce/image.tar.gz",
            "archive/image.ova");
    Path manifest = output.resolve("manifest-raw-qcow2-ami-vmdk-vhd-gce-ova.json");
    for (Path file : Stream.concat(files.stream(), Stream.of(manifest)).toList()) {
      assertThat(Command.of("stat", "-c", "%a %u:%g", file.toString()).output())
          .isEqualTo("640 1234:5678");
    }
    Command.of("qemu-img", "check", files.get(1).toString()).run();
    isEqual(files.getFirst(), "qcow2", files.get(1));
    isEqual(files.getFirst(), "vmdk", files.get(3));
    isEqual(files.getFirst(), "vpc", files.get(4));
    Command.of("sh", "-euc", "tar -xOf \"$1\" image.vmdk | cmp - \"$2\"", "sh")
        .with(files.get(6).toString(), files.get(3).toString())
        .run();
    described(new JsonMapper().readTree(Files.readString(manifest)), files.getFirst(), r);
    try (Stream<Path> left = Files.walk(output)) {
      assertThat(left.filter(Files::isRegularFile)).hasSize(7);
    }
  }

  /** The same seed gives the same ids, which are told before anything is made. */
  @Test
  void whatWouldBeMadeIsTold() throws Exception {
    DiskRequest seeded = request().with(false, 7L);
    JsonMapper mapper = new JsonMapper();
    JsonNode planned = mapper.readTree(DiskBuilder.manifest(seeded, Progress.NONE));
    assertThat(output).doesNotExist();
    assertThat(planned.at("/kernel_arguments").toString())
        .doesNotContain("console", "\"rw\"")
        .contains("from=image");
    assertThat(planned.at("/outputs").toString())
        .isEqualTo("[{\"types\":[\"raw\"],\"path\":\"image/disk.raw\"}]");
    Path disk = build(seeded);
    JsonNode made = mapper.readTree(Files.readString(output.resolve("manifest-raw.json")));
    for (String key : List.of("/image", "/disk", "/bootloader", "/kernel_arguments")) {
      assertThat(made.at(key)).as(key).isEqualTo(planned.at(key));
    }
    assertThat(Command.of("sfdisk", "--disk-id", disk.toString()).output())
        .isEqualToIgnoringCase(planned.at("/disk/id").asString());
  }

  @Test
  void sizesAreToldWithTheirReasons() throws Exception {
    DiskSizes sizes = DiskBuilder.sizes(request(), Progress.NONE);
    assertThat(output).doesNotExist();
    assertThat(sizes.refusal()).isNull();
    assertThat(sizes.rows())
        .extracting(DiskSizes.Row::place, DiskSizes.Row::content, DiskSizes.Row::reason)
        .containsExactly(
            Tuple.tuple("", "", "GRUB for BIOS"),
            Tuple.tuple("/boot/efi", "vfat", "boot loaders"),
            Tuple.tuple("/boot", "ext4", "kernels of some deployments"),
            Tuple.tuple("/", "ext4", "the smallest root"));
    long sum = sizes.rows().stream().mapToLong(DiskSizes.Row::size).sum();
    // What is left is the table's: a MiB at either end.
    assertThat(sizes.size()).isEqualTo(sum + (2 << 20));
    long needed = sizes.rows().stream().mapToLong(DiskSizes.Row::least).sum();
    assertThat(sizes.least()).isEqualTo(needed + (2 << 20));
  }

  @Test
  void sizesOfADiskThatIsTooSmallAreToldToo() throws Exception {
    DiskRequest small =
        with(
            request(),
            null,
            DiskConfig.parse(
                Files.writeString(
                    directory.resolve("sizes.toml"),
                    "[[customizations.filesystem]]\nmountpoint = \"/var/lib/db\"\n"
                        + "[[customizations.filesystem]]\nmountpoint = \"/\"\nsize = \"9 GiB\"\n")));
    DiskSizes sizes = DiskBuilder.sizes(small, Progress.NONE);
    assertThat(sizes.rows().get(3))
        .isEqualTo(
            new DiskSizes.Row(
                "var-lib-db", "/var/lib/db", "ext4", 1L << 30, -1, "customizations.filesystem[0]"));
    assertThat(sizes.rows().get(4).reason()).isEqualTo("customizations.filesystem");
    assertThat(sizes.refusal())
        .hasMessageContaining("give --size " + (sizes.least() >> 20) + "M or more");
  }

  private static void isEqual(Path raw, String format, Path image) {
    Command.of("qemu-img", "compare", "-f", "raw", "-F", format)
        .with(raw.toString(), image.toString())
        .run();
  }

  private static void described(JsonNode manifest, Path raw, DiskRequest r) {
    assertThat(manifest.at("/image/digest").asString()).isEqualTo(r.manifest().digest().toString());
    assertThat(manifest.at("/disk/partitions").findValuesAsString("filesystem"))
        .containsExactly("", "vfat", "ext4", "ext4");
    assertThat(manifest.at("/kernel_arguments").toString())
        .contains("root=UUID=", "\"rw\",\"console=tty0\"", "from=image");
    JsonNode first = manifest.at("/outputs/0");
    assertThat(first.at("/types").toString()).isEqualTo("[\"raw\",\"ami\"]");
    assertThat(first.at("/size").asLong()).isEqualTo(3L << 30);
    assertThat(first.has("sha256")).isFalse();
    JsonNode second = manifest.at("/outputs/1");
    Path qcow2 = raw.resolveSibling("../" + second.at("/path").asString()).normalize();
    assertThat(Command.of("sha256sum", qcow2.toString()).output())
        .startsWith(second.at("/sha256").asString())
        .hasSizeGreaterThan(64);
    assertThat(manifest.at("/outputs")).hasSize(6);
  }
}
