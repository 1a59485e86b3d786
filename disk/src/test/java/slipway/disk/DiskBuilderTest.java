package slipway.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.RootFileSystem;
import slipway.linux.loop.LoopDevice;
import slipway.linux.mount.Mount;
import slipway.linux.mount.Mounts;
import slipway.linux.process.Command;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Manifest;
import slipway.oci.store.LocalStore;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Whole disks of a small image; sfdisk, blkid, the checkers of the file systems and ostree judge.
 */
class DiskBuilderTest {
  private static final Map<String, String> BOOTABLE = Map.of("containers.bootc", "1");

  @TempDir Path directory;
  private LocalStore store;
  private Path tree;
  private Path output;

  @BeforeEach
  void makeImage() throws Exception {
    store = LocalStore.open(directory.resolve("store"));
    tree = TestImage.tree(directory);
    output = directory.resolve("output");
  }

  @AfterEach
  void nothingIsLeft() throws Exception {
    store.close();
    assertThat(Files.readString(Path.of("/proc/self/mounts"))).doesNotContain("slipway-disk-");
    assertNoLoopDevice(directory);
    if (Files.exists(output)) {
      try (Stream<Path> files = Files.walk(output)) {
        assertThat(files.filter(f -> f.getFileName().toString().endsWith(".tmp"))).isEmpty();
      }
    }
  }

  /** The kernel takes a loop device away a moment after its last user. */
  private static void assertNoLoopDevice(Path directory) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    String attached = Command.of("losetup", "--all").output();
    while (attached.contains(directory.toString()) && System.nanoTime() < deadline) {
      TimeUnit.MILLISECONDS.sleep(50);
      attached = Command.of("losetup", "--all").output();
    }
    assertThat(attached).doesNotContain(directory.toString());
  }

  private DiskRequest request() throws IOException {
    Manifest.Image image = TestImage.store(store, tree, BOOTABLE);
    return TestImage.request(store, image, output);
  }

  private static DiskRequest with(DiskRequest r, @Nullable RootFileSystem fs, DiskConfig config) {
    return new DiskRequest(
        r.source(),
        r.manifest(),
        r.config(),
        r.target(),
        r.types(),
        fs,
        config,
        r.size(),
        r.access(),
        r.output());
  }

  private static Path build(DiskRequest request) throws IOException {
    return DiskBuilder.build(request, Progress.NONE).getFirst();
  }

  private record Partition(long start, long size) {}

  private static List<Partition> table(Path disk) {
    JsonNode table =
        new JsonMapper()
            .readTree(Command.of("sfdisk", "-J", disk.toString()).run().stdout())
            .path("partitiontable");
    return Stream.of(0, 1, 2, 3)
        .map(i -> table.path("partitions").path(i))
        .map(p -> new Partition(p.path("start").asLong() * 512, p.path("size").asLong() * 512))
        .toList();
  }

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

  private static LoopDevice loop(Path disk, Partition part) throws IOException {
    return LoopDevice.attach(disk, part.start(), part.size());
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

  private static Path deployment(Path root) throws IOException {
    try (Stream<Path> all = Files.list(root.resolve("ostree/deploy/default/deploy"))) {
      return all.filter(Files::isDirectory).findFirst().orElseThrow();
    }
  }

  /** An image that says nothing is read once; one that wants another file system gets it. */
  @Test
  void theImageChoosesItsFileSystemAndIsNotReadForThatAlone() throws Exception {
    DiskRequest silent = with(request(), null, DiskConfig.EMPTY);
    assertThat(build(counting(silent))).isRegularFile();
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

  @Test
  void qcow2HasTheSameContent() throws Exception {
    DiskRequest r = request();
    List<Path> files =
        DiskBuilder.build(
            new DiskRequest(
                r.source(),
                r.manifest(),
                r.config(),
                r.target(),
                List.of(DiskType.QCOW2, DiskType.RAW),
                r.rootfs(),
                r.customizations(),
                r.size(),
                new FileAccess(0640, 1234, 5678),
                r.output()),
            Progress.NONE);
    assertThat(files)
        .containsExactly(output.resolve("qcow2/disk.qcow2"), output.resolve("image/disk.raw"));
    for (Path file : files) {
      assertThat(Command.of("stat", "-c", "%a %u:%g", file.toString()).output())
          .isEqualTo("640 1234:5678");
    }
    Command.of("qemu-img", "check", files.getFirst().toString()).run();
    Command.of("qemu-img", "compare", files.getFirst().toString(), files.get(1).toString()).run();
  }

  @Test
  void whatIsNoBootableImageIsRefusedBeforeAnythingIsMade() throws Exception {
    Manifest.Image plain = TestImage.store(store, tree, Map.of());
    assertThatThrownBy(() -> build(TestImage.request(store, plain, output)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("containers.bootc=1");
    assertThat(output).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "usr/lib/grub/i386-pc/boot.img",
        "usr/lib/grub/x86_64-efi/kernel.img",
        "usr/lib/grub/x86_64-efi/blscfg.mod",
        "usr/lib/grub/i386-pc/kernel.img",
        "usr/lib/grub/x86_64-efi/moddep.lst",
        "usr/lib/modules/" + TestImage.KERNEL + "/vmlinuz",
        "usr/lib/os-release"
      })
  void anImageWithoutWhatItNeedsToStartIsRefused(String missing) throws Exception {
    Files.delete(tree.resolve(missing));
    assertThatThrownBy(() -> build(request())).isInstanceOf(Problem.class).message().isNotBlank();
    assertThat(output.resolve("image/disk.raw")).doesNotExist();
  }

  @Test
  void aTimezoneThatTheImageLacksIsRefused() throws Exception {
    Path file =
        Files.writeString(
            directory.resolve("config.toml"),
            "[customizations.timezone]\ntimezone = \"Mars/Olympus\"\n");
    DiskRequest wrong = with(request(), RootFileSystem.EXT4, DiskConfig.parse(file));
    assertThatThrownBy(() -> build(wrong))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("Mars/Olympus");
  }

  /** Links and pipes where the image's files are read: neither followed out nor waited for. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "usr/lib/grub/x86_64-efi",
        "usr/lib/grub/x86_64-efi/normal.mod",
        "usr/lib/grub/i386-pc/boot.img",
        "usr/lib/os-release",
        "usr/lib/ostree/prepare-root.conf"
      })
  @Timeout(60)
  void whatLeadsOutOfTheImageIsNotRead(String path) throws Exception {
    Path outside = Files.createDirectory(directory.resolve("outside"));
    Path good = outside.resolve("good");
    Files.move(tree.resolve(path), good);
    Files.createSymbolicLink(tree.resolve(path), good);
    if (path.endsWith("prepare-root.conf")) {
      // Read as the machine will read it, where the link leads nowhere.
      Path disk = build(request());
      assertThat(composefsImage(disk)).isFalse();
    } else {
      assertThatThrownBy(() -> build(request())).isInstanceOf(Problem.class);
    }
    Files.delete(tree.resolve(path));
    Command.of("mkfifo", tree.resolve(path).toString()).run();
    assertThatThrownBy(() -> build(request()))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(path);
  }

  private boolean composefsImage(Path disk) throws IOException {
    Path at = Files.createDirectory(directory.resolve("mnt"));
    try (LoopDevice loop = loop(disk, table(disk).get(3));
        Mount m = Mount.of(loop.device().toString(), at, "ext4", Mounts.MS_RDONLY, null)) {
      return Files.exists(deployment(m.target()).resolve(".ostree.cfs"));
    }
  }

  /** The image's own grub-mkimage would write into the open folder, were it started. */
  @Test
  void noProgramOfTheImageIsRun() throws Exception {
    Files.copy(Path.of("/bin/busybox"), tree.resolve("usr/bin/busybox"));
    Path program =
        Files.writeString(
            tree.resolve("usr/bin/grub-mkimage"),
            "#!/usr/bin/busybox sh\necho ran > /usr/open/evidence\n");
    Path open = Files.createDirectory(tree.resolve("usr/open"));
    Command.of("chmod", "755", program.toString(), tree + "/usr/bin/busybox").run();
    Command.of("chmod", "1777", open.toString()).run();
    Path disk = build(request());
    Path at = Files.createDirectory(directory.resolve("mnt"));
    try (LoopDevice loop = loop(disk, table(disk).get(3));
        Mount m = Mount.of(loop.device().toString(), at, "ext4", Mounts.MS_RDONLY, null)) {
      assertThat(deployment(m.target()).resolve("usr/open")).isEmptyDirectory();
    }
  }

  /** Modules that are no modules make one sentence, not a disk that does not start. */
  @Test
  void damagedModulesAreRefused() throws Exception {
    Files.write(tree.resolve("usr/lib/grub/i386-pc/kernel.img"), new byte[4096]);
    assertThatThrownBy(() -> build(request()))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("grub-mkimage")
        .hasMessageContaining("i386-pc");
    assertThat(output).isEmptyDirectory();
  }

  @Test
  void aBrokenSourceLeavesNothing() throws Exception {
    DiskRequest r = request();
    DiskRequest broken =
        new DiskRequest(
            TestImage.interrupted(
                r.source(), r.manifest().layers().getFirst(), new IOException("cut")),
            r.manifest(),
            r.config(),
            r.target(),
            r.types(),
            r.rootfs(),
            r.customizations(),
            r.size(),
            r.access(),
            r.output());
    assertThatThrownBy(() -> build(broken)).hasStackTraceContaining("cut");
    assertThat(output).isEmptyDirectory();
  }

  @Test
  void anOlderResultStaysUntilTheNewOneIsWhole() throws Exception {
    Files.createDirectories(output.resolve("image"));
    Path old = Files.writeString(output.resolve("image/disk.raw"), "old");
    Files.delete(tree.resolve("usr/lib/grub/i386-pc/boot.img"));
    assertThatThrownBy(() -> build(request())).isInstanceOf(Problem.class);
    assertThat(old).hasContent("old");
  }

  /**
   * Found before anything is made, or where a loop device's error hides it. What a killed build has
   * left does not count: it goes first.
   */
  @ParameterizedTest
  @CsvSource({"12,,at least", "26,,about", "26,.,about", "26,qcow2,about"})
  void aFullFileSystemIsSaidToBeFull(int mebibytes, @Nullable String left, String measure)
      throws Exception {
    Files.createDirectory(output);
    DiskRequest r = TestImage.request(store, TestImage.packed(store, tree, BOOTABLE), output);
    try (Mount small = Mount.of("tmpfs", output, "tmpfs", 0, "size=" + mebibytes + "m")) {
      if (left != null) {
        Path dead = Files.createDirectories(output.resolve(left + "/.slipway-disk-1"));
        Files.write(dead.resolve("disk"), new byte[20 << 20]);
      }
      assertThatThrownBy(() -> build(r))
          .isInstanceOfSatisfying(
              Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.FULL))
          .message()
          .startsWith("the file system of " + output + " ")
          .containsPattern("a disk of this image takes " + measure + " [0-9]+ MiB")
          .endsWith("free some space there, or name another folder by --output");
      try (Stream<Path> files = Files.walk(output)) {
        assertThat(files.filter(Files::isRegularFile)).isEmpty();
      }
    }
  }

  /** What compresses well does not show its size before it is unpacked. */
  @Test
  @Tag("slow")
  void anImageThatDoesNotFitSaysWhichSizeWould() throws Exception {
    Command.of("sh", "-c", "yes | head -c 1200M > " + tree.resolve("usr/large")).run();
    Manifest.Image image = TestImage.packed(store, tree, BOOTABLE);
    DiskRequest r = sized(TestImage.request(store, image, output), 2500L << 20);
    assertThatThrownBy(() -> build(r))
        .isInstanceOf(Problem.class)
        .message()
        .matches(
            "the image does not fit on a disk of 2500 MiB, whose root has 1345 MiB; give --size"
                + " 37[0-9][0-9]M or more");
    assertThat(output).isEmptyDirectory();
  }

  private static DiskRequest sized(DiskRequest r, long size) {
    return new DiskRequest(
        r.source(),
        r.manifest(),
        r.config(),
        r.target(),
        r.types(),
        r.rootfs(),
        r.customizations(),
        size,
        r.access(),
        r.output());
  }

  /** A build in a process of its own that is told to end, or killed, at many moments. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void anEndedProcessLeavesNoMountAndNoLoopDevice(boolean politely) throws Exception {
    Manifest.Image image = TestImage.store(store, tree, BOOTABLE);
    for (int stage : new int[] {0, 1, 2}) {
      Path java = Path.of(System.getProperty("java.home"), "bin/java");
      Process process =
          Command.of(java.toString(), "--enable-native-access=ALL-UNNAMED")
              .environment("TMPDIR", directory.toString())
              .with("-cp")
              .with(classPath(), EndedBuild.class.getName(), directory.resolve("store").toString())
              .with(image.digest().toString(), output.toString(), Integer.toString(stage))
              .start();
      try (var lines = process.inputReader()) {
        String line = lines.readLine();
        while (line != null && !line.equals("now")) {
          line = lines.readLine();
        }
        assertThat(line).isEqualTo("now");
        if (politely) {
          process.destroy();
        } else {
          process.destroyForcibly();
        }
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      } finally {
        Command.kill(process);
      }
      assertThat(Files.readString(Path.of("/proc/self/mounts"))).doesNotContain("slipway-disk-");
      assertNoLoopDevice(directory);
      assertThat(output.resolve("image/disk.raw")).doesNotExist();
      if (politely) {
        assertThat(output).isEmptyDirectory();
        assertThat(scratch(directory)).isEmpty();
      } else {
        // The one before was removed by this one.
        assertThat(scratch(output)).hasSize(1);
        assertThat(scratch(directory)).hasSize(1);
      }
    }
  }

  private static List<Path> scratch(Path folder) throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(p -> p.getFileName().toString().contains("slipway-disk-")).toList();
    }
  }

  private static String classPath() {
    return Objects.requireNonNullElse(
        System.getProperty("surefire.test.class.path"), System.getProperty("java.class.path"));
  }
}
