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
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import slipway.base.Notes;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.disk.bootloader.SystemdBoot;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.RootFileSystem;
import slipway.linux.loop.LoopDevice;
import slipway.linux.mount.Mount;
import slipway.linux.mount.Mounts;
import slipway.linux.process.Command;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Platform;
import slipway.tree.DirectoryReader;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Disks that systemd-boot starts; sfdisk, mtools, fsck.vfat and ostree judge. A machine that boots
 * from one is in the end-to-end tests.
 */
class SystemdBootTest extends DiskCase {
  private static final String PLACE = "usr/lib/systemd/boot/efi/systemd-bootx64.efi";
  private static final String OLD = "ostree/default-" + "0a".repeat(32);

  private void brings(String path, String content) throws IOException {
    Path file = tree.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, content);
  }

  /** What is on the EFI system partition. */
  private Path partition(Path disk, long start) throws IOException {
    Path copy = Files.createDirectory(directory.resolve("esp" + System.nanoTime()));
    Command.of("mcopy", "-s", "-i", disk + "@@" + start, "::/").with(copy + "/").run();
    return copy;
  }

  /** The entry that boots, and that all it names is there and what the root has. */
  private static String judge(Path partition, Path root) throws IOException {
    String conf = Files.readString(partition.resolve("loader/loader.conf"));
    String set = conf.replaceFirst("(?s)default ostree-([ab])-\\*\n.*", "$1");
    assertThat(partition.resolve("loader/entries.srel")).hasContent("type1\n");
    String entry = Files.readString(partition.resolve("loader/entries/ostree-" + set + "-1.conf"));
    for (String key : List.of("linux", "initrd")) {
      String path = entry.replaceFirst("(?s).*\n" + key + " /([^\n]*)\n.*", "$1");
      assertThat(partition.resolve(path)).hasSameBinaryContentAs(root.resolve("boot/" + path));
    }
    assertThat(Command.of("ostree", "admin", "status", "--sysroot=" + root).output())
        .contains("default ")
        .contains(".0");
    assertThat(root.resolve("boot/efi")).isEmptyDirectory();
    assertThat(root.resolve("boot/grub")).doesNotExist();
    return entry;
  }

  @Test
  @Tag("slow")
  void theDiskHoldsKernelsAndEntriesWhereItReadsThem() throws Exception {
    brings(PLACE, "MZ systemd-boot");
    brings("usr/lib/bootc/install/secureboot-keys/auto/PK.auth", "key");
    Path disk = build(startedBy(request(), BootLoader.SYSTEMD));
    JsonNode table =
        new JsonMapper().readTree(Command.of("sfdisk", "-J", disk.toString()).run().stdout());
    assertThat(table.at("/partitiontable/partitions").findValuesAsString("type"))
        .containsExactly(
            "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709");
    Path partition = partition(disk, table(disk).get(0).start());
    for (String place : List.of("EFI/BOOT/BOOTX64.EFI", "EFI/systemd/systemd-bootx64.efi")) {
      assertThat(partition.resolve(place)).hasContent("MZ systemd-boot");
    }
    assertThat(partition.resolve("loader/keys/auto/PK.auth")).hasContent("key");
    Path at = Files.createDirectory(directory.resolve("mnt"));
    try (LoopDevice esp = loop(disk, table(disk).get(0));
        LoopDevice root = loop(disk, table(disk).get(1));
        Mount m = Mount.of(root.device().toString(), at, "ext4", Mounts.MS_RDONLY, null)) {
      Command.of("fsck.vfat", "-n", esp.device().toString()).run();
      assertThat(judge(partition, m.target()))
          .contains("title Test OS 1", " from=image ostree=/ostree/boot.1/default/");
      String id =
          Command.of("blkid", "-p", "-o", "value", "-s", "UUID", esp.device().toString()).output();
      assertThat(deployment(m.target()).resolve("etc/fstab"))
          .hasContent("UUID=" + id + " /boot/efi vfat umask=0077,nofail 0 2");
      assertThat(m.target().resolve("ostree/repo/config"))
          .content()
          .contains("bootloader=none", "bootprefix=true", "[slipway]\nloader=systemd-boot");
    }
  }

  /** Nothing of the image is run, so it may be for any machine. */
  @Test
  @Tag("slow")
  void aDiskOfAnotherArchitectureIsMadeWhenAskedFor() throws Exception {
    brings("usr/lib/systemd/boot/efi/systemd-bootaa64.efi", "MZ for arm");
    DiskRequest plain = startedBy(request(), BootLoader.SYSTEMD);
    Platform arm = new Platform("linux", "arm64", null);
    DiskRequest request =
        plain.withConfig(
            ImageConfig.of(arm, plain.config().created(), BOOTABLE, plain.config().diffIds()));
    assertThatThrownBy(() -> build(request))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("is for linux/arm64")
        .hasMessageContaining("--target-arch");
    Path disk = build(request.withForeign(true));
    JsonNode table =
        new JsonMapper().readTree(Command.of("sfdisk", "-J", disk.toString()).run().stdout());
    assertThat(table.at("/partitiontable/partitions").findValuesAsString("type"))
        .containsExactly(
            "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", "B921B045-1DF0-41C3-AF44-4C6F280D3FAE");
    Path partition = partition(disk, table(disk).get(0).start());
    assertThat(partition.resolve("EFI/BOOT/BOOTAA64.EFI")).hasContent("MZ for arm");
    try (Stream<Path> entries = Files.list(partition.resolve("loader/entries"))) {
      assertThat(entries.findFirst().orElseThrow()).content().contains(" console=ttyAMA0");
    }
  }

  /** What the image says is known when it is read; GRUB's disk becomes another one. */
  @Test
  @Tag("slow")
  void theImageMayWantIt() throws Exception {
    brings(PLACE, "MZ plain");
    brings(PLACE + ".signed", "MZ signed");
    brings("usr/lib/bootc/install/10-x.toml", "[install]\nbootloader = \"systemd\"\n");
    Path disk = build(request());
    assertThat(partition(disk, table(disk).get(0).start()).resolve("EFI/BOOT/BOOTX64.EFI"))
        .hasContent("MZ signed");
    Path device = directory.resolve("device");
    try (RandomAccessFile out = new RandomAccessFile(device.toFile(), "rw")) {
      out.setLength(3L << 30);
    }
    DeviceInstall.run(onto(device), Progress.NONE);
    assertThat(table(device).get(0).size()).isEqualTo(1L << 30);
    assertThat(partition(device, table(device).get(0).start()).resolve("loader/entries"))
        .isNotEmptyDirectory();
  }

  private DeviceInstall.Request onto(Path device) throws IOException {
    return new DeviceInstall.Request(
        request().image(), device, true, true, RootFileSystem.EXT4, 0, null, wishes(null));
  }

  private static MachineWishes wishes(@Nullable BootLoader loader) {
    return new MachineWishes(
        null,
        loader,
        List.of(),
        List.of(),
        DiskConfig.EMPTY,
        null,
        false,
        MachineWishes.Companions.NONE);
  }

  @Test
  @Tag("slow")
  void anImageWithoutItIsRefused() throws Exception {
    assertThatThrownBy(() -> build(startedBy(request(), BootLoader.SYSTEMD)))
        .isInstanceOf(Problem.class)
        .hasMessage(
            "the image has no systemd-boot: /"
                + PLACE
                + " is missing; install systemd-boot-efi in it, or give --bootloader grub");
    Path outside = Files.writeString(directory.resolve("outside"), "MZ");
    Files.createDirectories(tree.resolve(PLACE).getParent());
    Files.createSymbolicLink(tree.resolve(PLACE), outside);
    assertThatThrownBy(() -> build(startedBy(request(), BootLoader.SYSTEMD)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("is a link that leads out");
    Files.delete(tree.resolve(PLACE));
    brings(PLACE, "#!/bin/sh");
    assertThatThrownBy(() -> build(startedBy(request(), BootLoader.SYSTEMD)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("is damaged: firmware cannot start it");
  }

  /** /boot of its own keeps the menu that ostree knows; the partition gets the copy. */
  @Test
  @Tag("slow")
  void fileSystemsOfSomebodyElse() throws Exception {
    brings(PLACE, "MZ systemd-boot");
    Path disk = directory.resolve("disk");
    try (RandomAccessFile out = new RandomAccessFile(disk.toFile(), "rw")) {
      out.setLength(2L << 30);
    }
    Command.of("sfdisk", "--quiet", disk.toString())
        .stdin(
            """
            label: gpt
            start=2048, size=131072, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B
            start=133120, size=409600, type=BC13C2FF-59E6-4262-A352-B275FD6F7172
            start=542720, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709
            """)
        .run();
    List<Partition> parts = table(disk);
    Command.of("mformat", "-i", disk + "@@" + parts.get(0).start(), "-F", "-T", "131072", "::")
        .run();
    List<String> notes = new ArrayList<>();
    Path at = Files.createDirectory(directory.resolve("mnt"));
    try (LoopDevice root = loop(disk, parts.get(2));
        LoopDevice boot = loop(disk, parts.get(1))) {
      for (LoopDevice each : List.of(root, boot)) {
        Command.of("mkfs.ext4", "-q", "-F", each.device().toString()).run();
      }
      try (Mount m = Mount.of(root.device().toString(), at, "ext4", 0, null)) {
        Path folder = Files.createDirectory(m.target().resolve("boot"));
        try (Mount b = Mount.of(boot.device().toString(), folder, "ext4", 0, null)) {
          FilesystemInstall.Request request =
              onto(m.target(), FilesystemInstall.Replace.ALONGSIDE, wishes(BootLoader.SYSTEMD));
          String esp = disk + "@@" + parts.get(0).start();
          mtools("mmd", esp, "::/ostree", "::/loader", "::/loader/entries");
          mtools("mmd", esp, "::/ostree/other", "::/" + OLD);
          Path large = Files.write(directory.resolve("large"), new byte[62 << 20]);
          mtools("mcopy", esp, large.toString(), "::/ostree/other/");
          assertThatThrownBy(
                  () -> FilesystemInstall.run(request, running -> {}, new Notes(notes::add)))
              .isInstanceOf(Problem.class)
              .hasMessageContaining("the EFI system partition has room for 0 MiB, and ");
          // The kernels of an old menu go, and its entries, which would start before the new one.
          mtools("mdel", esp, "::/ostree/other/large");
          mtools("mcopy", esp, large.toString(), "::/" + OLD + "/");
          for (String name : List.of("ostree-b-2.conf", "ostree-b-1+3.conf", "other.conf")) {
            // What the entry of another system names would stay.
            String kernel = name.equals("other.conf") ? "vmlinuz" : OLD + "/large";
            Path entry =
                Files.writeString(directory.resolve(name), "title old\nlinux /" + kernel + "\n");
            mtools("mcopy", esp, entry.toString(), "::/loader/entries/");
          }
          // Nobody has said that another system is replaced.
          assertThatThrownBy(
                  () ->
                      FilesystemInstall.run(
                          onto(
                              m.target(),
                              FilesystemInstall.Replace.NOTHING,
                              wishes(BootLoader.SYSTEMD)),
                          running -> {},
                          new Notes(notes::add)))
              .isInstanceOf(Problem.class)
              .hasMessageContaining("has the boot menu of another system (loader/entr");
          mtools("mmd", esp, "::/ostree/cut-" + "0b".repeat(32));
          FilesystemInstall.run(request, running -> {}, new Notes(notes::add));
          assertThat(notes).contains("removed from the old boot menu " + OLD);
          Path partition = partition(disk, parts.get(0).start());
          assertThat(judge(partition, m.target())).contains("linux /ostree/default-");
          assertThat(partition.resolve(OLD)).doesNotExist();
          assertThat(partition.resolve("ostree/other")).exists();
          assertThat(partition.resolve("ostree/cut-" + "0b".repeat(32))).doesNotExist();
          try (Stream<Path> entries = Files.list(partition.resolve("loader/entries"))) {
            assertThat(entries.map(e -> e.getFileName().toString()))
                .containsExactlyInAnyOrder("ostree-b-1.conf", "other.conf");
          }
          assertThat(deployment(m.target()).resolve("etc/fstab"))
              .content()
              .contains(" /boot auto ro 0 0\n", " /boot/efi vfat umask=0077,nofail 0 2\n");
        }
      }
    }
    assertThat(notes).noneMatch(line -> line.contains("BIOS"));
  }

  private static void mtools(String program, String esp, String... arguments) {
    Command.of(program, "-i", esp).with(arguments).run();
  }

  /** What would fail when the disk is erased already. */
  @Test
  void aLoaderOrAKeyThatCannotBeReadIsRefusedBefore() throws Exception {
    String key = "usr/lib/bootc/install/secureboot-keys/auto/PK.auth";
    SystemdBoot boot = SystemdBoot.of("amd64");
    Files.createDirectories(tree.resolve(PLACE));
    refused(boot, "systemd-bootx64.efi is no regular file");
    Files.delete(tree.resolve(PLACE));
    Files.createSymbolicLink(tree.resolve(PLACE), Path.of("/bin/true"));
    refused(boot, "systemd-bootx64.efi is no regular file");
    Files.delete(tree.resolve(PLACE));
    brings(PLACE, "#!/bin/sh");
    refused(boot, "is damaged: firmware cannot start it");
    brings(PLACE, "MZ");
    boot.require(DirectoryReader.read(tree));
    Files.createDirectories(tree.resolve(key));
    refused(boot, "PK.auth is no regular file; put the regular file itself there");
    Files.delete(tree.resolve(key));
    Files.createSymbolicLink(tree.resolve(key), Path.of("/etc/passwd"));
    refused(boot, "PK.auth is no regular file");
    Files.delete(tree.resolve(key));
    Files.write(tree.resolve(key), new byte[(4 << 20) + 1]);
    refused(boot, "PK.auth: more than 4 MiB");
    for (String name : List.of("a", "b", "c")) {
      Files.write(tree.resolve(key).resolveSibling(name + ".auth"), new byte[1 << 20]);
    }
    Files.write(tree.resolve(key), new byte[1 << 20]);
    assertThat(boot.require(DirectoryReader.read(tree))).isBetween(4L << 20, 5L << 20);
    Files.write(tree.resolve(key), new byte[(1 << 20) + 1]);
    refused(boot, "secureboot-keys in all: more than 4 MiB");
    Command.of("rm", "-r", tree.resolve(key).getParent().toString()).run();
    for (int i = 0; i <= 100; i++) {
      brings(key.replace("PK", "k" + i), "key");
    }
    refused(boot, "secureboot-keys has more than 100 keys");
    Command.of("rm", "-r", tree.resolve(key).getParent().toString()).run();
    Files.createSymbolicLink(tree.resolve(key).getParent(), Path.of("/etc"));
    refused(boot, "auto is no folder");
    Files.delete(tree.resolve(key).getParent());
    brings("usr/lib/bootc/install/secureboot-keys/PK.auth", "key");
    refused(boot, "/PK.auth would be enrolled by nobody");
  }

  private void refused(SystemdBoot boot, String sentence) {
    assertThatThrownBy(() -> boot.require(DirectoryReader.read(tree)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(sentence);
  }
}
