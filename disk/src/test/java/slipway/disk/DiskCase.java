package slipway.disk;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Progress;
import slipway.disk.config.BlockSetup;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.RootFileSystem;
import slipway.linux.loop.LoopDevice;
import slipway.linux.process.Command;
import slipway.oci.model.Manifest;
import slipway.oci.store.LocalStore;
import slipway.system.kargs.KernelArguments;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What tests of whole disks share: a small image, and a look at the disk that was made of it. */
abstract class DiskCase {
  static final Map<String, String> BOOTABLE = Map.of("containers.bootc", "1");

  @TempDir Path directory;

  LocalStore store;

  Path tree;

  Path output;

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

  /**
   * The kernel takes a loop device away a moment after its last user, which may be somebody's mount
   * namespace: one that was made while the device was mounted here has that mount until it ends.
   * Our own children have no such excuse. On a busy machine that moment is as long as what was
   * written takes to reach the disk.
   */
  static void assertNoLoopDevice(Path directory) throws IOException, InterruptedException {
    long patience = TimeUnit.SECONDS.toNanos(60);
    long begun = System.nanoTime();
    long deadline = begun + patience;
    String attached = attached(directory);
    while (!attached.isEmpty() && System.nanoTime() < deadline) {
      TimeUnit.MILLISECONDS.sleep(100);
      attached = attached(directory);
      if (isMountedElsewhere(attached) && System.nanoTime() - begun < 10 * patience) {
        deadline = System.nanoTime() + patience;
      }
    }
    assertThat(attached).isEmpty();
  }

  /** Loop devices over files of a directory, a name a line. */
  private static String attached(Path directory) {
    return Command.of("losetup", "--all", "--noheadings", "--output", "NAME,BACK-FILE")
        .output()
        .lines()
        .filter(line -> line.contains(directory.toString()))
        .map(line -> line.replaceFirst("\\s.*", ""))
        .collect(Collectors.joining("\n"));
  }

  private static boolean isMountedElsewhere(String devices) throws IOException {
    Set<Path> own =
        Stream.concat(Stream.of(ProcessHandle.current()), ProcessHandle.current().descendants())
            .map(process -> Path.of("/proc", Long.toString(process.pid())))
            .collect(Collectors.toSet());
    List<String> names = devices.lines().toList();
    try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
      return processes
          .filter(p -> p.getFileName().toString().matches("\\d+") && !own.contains(p))
          .flatMap(DiskCase::mounts)
          .anyMatch(line -> names.stream().anyMatch(name -> line.contains(" " + name + " ")));
    }
  }

  /** What the threads of a process see mounted; nothing when it ends meanwhile. */
  private static Stream<String> mounts(Path process) {
    List<String> lines = new ArrayList<>();
    try (Stream<Path> threads = Files.list(process.resolve("task"))) {
      for (Path thread : threads.toList()) {
        lines.addAll(Files.readAllLines(thread.resolve("mountinfo"), ISO_8859_1));
      }
    } catch (IOException | UncheckedIOException e) {
      return lines.stream();
    }
    return lines.stream();
  }

  DiskRequest request() throws IOException {
    Manifest.Image image = TestImage.store(store, tree, BOOTABLE);
    return TestImage.request(store, image, output);
  }

  /** The image onto a mounted root, which no running system has. */
  FilesystemInstall.Request onto(Path root, FilesystemInstall.Replace replace, MachineWishes wishes)
      throws IOException {
    return new FilesystemInstall.Request(
        request().image(),
        root,
        directory.resolve("nohost"),
        replace,
        null,
        null,
        KernelArguments.NONE,
        false,
        false,
        wishes);
  }

  /** The image onto a whole disk, as a config says. */
  DeviceInstall.Request ontoDisk(Path disk, @Nullable BlockSetup setup, DiskConfig config)
      throws IOException {
    return ontoDisk(request().image(), disk, setup, MachineWishes.of(null, config));
  }

  /**
   * An image onto a whole disk, whatever that holds.
   *
   * @param disk a block device, or a file that becomes a disk
   */
  static DeviceInstall.Request ontoDisk(
      BootableImage image, Path disk, @Nullable BlockSetup setup, MachineWishes wishes) {
    return new DeviceInstall.Request(
        image, disk, Files.isRegularFile(disk), true, null, 0, setup, wishes);
  }

  static DiskRequest with(DiskRequest r, @Nullable RootFileSystem fs, DiskConfig config) {
    return new DiskRequest(
        r.source(),
        r.manifest(),
        r.config(),
        r.target(),
        r.types(),
        fs,
        r.bootLoader(),
        config,
        r.size(),
        r.access(),
        r.output());
  }

  static DiskRequest startedBy(DiskRequest r, @Nullable BootLoader loader) {
    return new DiskRequest(
        r.source(),
        r.manifest(),
        r.config(),
        r.target(),
        r.types(),
        r.rootfs(),
        loader,
        r.customizations(),
        r.size(),
        r.access(),
        r.output());
  }

  static Path build(DiskRequest request) throws IOException {
    return DiskBuilder.build(request, Progress.NONE).getFirst();
  }

  record Partition(long start, long size) {}

  /** The partitions of a disk. */
  static List<Partition> parts(Path disk) {
    return table(disk).stream().filter(p -> p.size() > 0).toList();
  }

  /** The same, at least four of them: those that are not there have no size. */
  static List<Partition> table(Path disk) {
    JsonNode table =
        new JsonMapper()
            .readTree(Command.of("sfdisk", "-J", disk.toString()).run().stdout())
            .path("partitiontable");
    return IntStream.range(0, Math.max(4, table.path("partitions").size()))
        .mapToObj(i -> table.path("partitions").path(i))
        .map(p -> new Partition(p.path("start").asLong() * 512, p.path("size").asLong() * 512))
        .toList();
  }

  /**
   * GRUB for BIOS where a disk has the older table: the boot code that the image brings leads to
   * sector 1, and what is there to the sector behind it, all before the first partition.
   */
  void embedded(Path disk) throws IOException {
    byte[] sectors = new byte[1 << 20];
    try (InputStream in = Files.newInputStream(disk)) {
      assertThat(in.readNBytes(sectors, 0, sectors.length)).isEqualTo(sectors.length);
    }
    ByteBuffer read = ByteBuffer.wrap(sectors).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(read.getLong(0x5c)).describedAs("sector of the rest").isEqualTo(1);
    assertThat(read.getShort(0x66)).isEqualTo((short) 0x9090);
    byte[] code = Files.readAllBytes(tree.resolve("usr/lib/grub/i386-pc/boot.img"));
    assertThat(Arrays.copyOfRange(sectors, 0x68, 440))
        .isEqualTo(Arrays.copyOfRange(code, 0x68, 440));
    assertThat(read.getShort(510)).isEqualTo((short) 0xaa55);
    assertThat(read.getLong(512 + 0x1f4)).isEqualTo(2);
    int blocks = read.getShort(512 + 0x1f4 + 8);
    assertThat(blocks).isBetween(50, 2046);
    assertThat(Arrays.copyOfRange(sectors, 1024, 1024 + 512)).isNotEqualTo(new byte[512]);
    int end = (blocks + 2) * 512;
    assertThat(Arrays.copyOfRange(sectors, end, sectors.length))
        .isEqualTo(new byte[sectors.length - end]);
  }

  static LoopDevice loop(Path disk, Partition part) throws IOException {
    return LoopDevice.attach(disk, part.start(), part.size());
  }

  static Path deployment(Path root) throws IOException {
    try (Stream<Path> all = Files.list(root.resolve("ostree/deploy/default/deploy"))) {
      return all.filter(Files::isDirectory).findFirst().orElseThrow();
    }
  }
}
