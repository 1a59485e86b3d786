package slipway.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import slipway.base.Notes;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.disk.FilesystemInstall.Replace;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.RootFileSystem;
import slipway.linux.loop.LoopDevice;
import slipway.linux.mount.Mount;
import slipway.linux.process.Command;

/** Somebody else's file systems to install onto, on loop devices over the parts of a file. */
abstract class FilesystemCase extends DiskCase {
  static final long MIB = 1L << 20;
  static final String GPT =
      """
      label: gpt
      start=2048, size=2048, type=21686148-6449-6E6F-744E-656564454649
      start=4096, size=131072, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B
      start=135168, size=409600, type=BC13C2FF-59E6-4262-A352-B275FD6F7172
      start=544768, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709
      """;
  static final String OLD_TABLE =
      """
      label: dos
      start=2048, type=83, bootable
      """;

  /** Closed behind each test, the last first. */
  final List<AutoCloseable> open = new ArrayList<>();

  /** What was told. */
  final List<String> notes = new ArrayList<>();

  /** The file that the partitions are in. */
  Path disk;

  /** Where the target is mounted. */
  Path root;

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable each : open.reversed()) {
      each.close();
    }
    open.clear();
  }

  LoopDevice disk(String table, int part) throws Exception {
    if (disk == null) {
      disk = directory.resolve("disk");
      try (RandomAccessFile out = new RandomAccessFile(disk.toFile(), "rw")) {
        out.setLength(2048 * MIB);
      }
      Command.of("sfdisk", "--quiet", disk.toString()).stdin(table).run();
    }
    LoopDevice loop = loop(disk, table(disk).get(part));
    open.add(loop);
    return loop;
  }

  Path mount(LoopDevice loop, RootFileSystem fs, Path at) throws Exception {
    String force = fs == RootFileSystem.EXT4 ? "-F" : "-f";
    Command.of("mkfs." + fs.label(), "-q", force, loop.device().toString()).run();
    Files.createDirectories(at);
    open.add(Mount.of(loop.device().toString(), at, fs.label(), 0, null));
    return at;
  }

  /** A GPT with all that firmware wants, /boot of its own. */
  void parts(RootFileSystem fs) throws Exception {
    root = mount(disk(GPT, 3), fs, directory.resolve("mnt"));
    mount(disk(GPT, 2), RootFileSystem.EXT4, root.resolve("boot"));
    long esp = table(disk).get(1).start();
    Command.of("mformat", "-i", disk + "@@" + esp, "-F", "-T", "131072", "::").run();
  }

  /** A disk with the older table and one partition. */
  void one(RootFileSystem fs) throws Exception {
    root = mount(disk(OLD_TABLE, 0), fs, directory.resolve("mnt"));
  }

  FilesystemInstall.Request request(Replace replace) throws IOException {
    return onto(root, replace, wishes(null));
  }

  static MachineWishes wishes(@Nullable BootLoader loader) {
    return wishes(loader, MachineWishes.Companions.NONE);
  }

  static MachineWishes wishes(@Nullable BootLoader loader, MachineWishes.Companions companions) {
    return new MachineWishes(
        null,
        loader,
        List.of("added=1"),
        List.of("from"),
        DiskConfig.EMPTY,
        null,
        false,
        companions);
  }

  void install(FilesystemInstall.Request request) throws IOException {
    FilesystemInstall.run(request, running -> assertThat(running).isFalse(), told());
  }

  Progress told() {
    return new Notes(notes::add);
  }

  void refused(FilesystemInstall.Request request, String sentence) {
    assertThatThrownBy(
            () ->
                FilesystemInstall.run(
                    request,
                    running -> {
                      throw new AssertionError("not refused before it begins");
                    },
                    told()))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(sentence);
  }

  static String uuid(Path mounted) {
    String device = Command.of("findmnt", "-n", "-o", "SOURCE", mounted.toString()).output();
    return Command.of("blkid", "-p", "-o", "value", "-s", "UUID", device.replaceFirst("\\[.*", ""))
        .output();
  }

  /** ostree finds it sound; gives the options of its one boot entry. */
  String judged() throws IOException {
    assertThat(Command.of("ostree", "admin", "status", "--sysroot=" + root).output())
        .contains("default ");
    Command.of("ostree", "fsck", "--repo=" + root.resolve("ostree/repo")).run();
    assertThat(root.resolve(".bootc-aleph.json")).isRegularFile();
    try (Stream<Path> entries = Files.list(root.resolve("boot/loader/entries"))) {
      List<Path> all = entries.toList();
      assertThat(all).hasSize(1);
      return Files.readString(all.getFirst());
    }
  }

  void oldSystem() throws IOException {
    for (String file :
        List.of(
            "etc/hostname",
            "usr/bin/true",
            "home/ann/letter",
            "var/lib/db",
            "boot/vmlinuz-old",
            "boot/grub/grub.cfg",
            "boot/loader/entries/old.conf")) {
      Files.createDirectories(root.resolve(file).getParent());
      Files.writeString(root.resolve(file), "old " + file);
    }
    Files.createSymbolicLink(root.resolve("bin"), Path.of("usr/bin"));
  }

  /** On the EFI system partition, which is not mounted. */
  void loader(String vendor, String config) throws IOException {
    String esp = disk + "@@" + table(disk).get(1).start();
    Path file = Files.writeString(directory.resolve("vendor.cfg"), config);
    Command.of("mmd", "-D", "s", "-i", esp, "::/EFI").tryRun();
    Command.of("mmd", "-i", esp, "::/EFI/" + vendor).run();
    Command.of("mcopy", "-i", esp, file.toString(), "::/EFI/" + vendor + "/grub.cfg").run();
  }
}
