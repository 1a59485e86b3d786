package slipway.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.disk.config.DiskConfig;
import slipway.disk.luks.LuksVolume;
import slipway.disk.lvm.LvmReader;
import slipway.linux.loop.LoopDevice;
import slipway.linux.mount.Mount;
import slipway.linux.mount.Mounts;
import slipway.linux.process.Command;

/** Disks whose partitions are encrypted; cryptsetup decrypts them, by its own code. */
class EncryptedDiskTest extends DiskCase {
  private static final String SECRET = "correct horse \"battery\" $staple";

  private static final String ROOT =
      """
      [[customizations.user]]
      name = "alice"
      [[customizations.disk.partitions]]
      mountpoint = "/"
      minsize = 1
      luks.passphrase = 'correct horse "battery" $staple'
      [[customizations.disk.partitions]]
      fs_type = "swap"
      minsize = "64 MiB"
      luks.passphrase = 'correct horse "battery" $staple'
      """;

  @BeforeEach
  void installCryptsetup() throws IOException {
    Files.createDirectories(tree.resolve("usr/lib/systemd"));
    Files.writeString(tree.resolve("usr/lib/systemd/systemd-cryptsetup"), "cryptsetup");
  }

  private DiskConfig config(String text) throws IOException {
    return DiskConfig.parse(Files.writeString(directory.resolve("config.toml"), text));
  }

  /** What is in a partition, as a file that is as long as the partition. */
  private Path decrypted(Path disk, Partition part) throws IOException {
    Path alone = directory.resolve("alone");
    Files.deleteIfExists(alone);
    Files.deleteIfExists(directory.resolve("header"));
    Command.of("dd", "if=" + disk, "of=" + alone, "bs=1M", "conv=sparse", "status=none")
        .with("skip=" + (part.start() >> 20), "count=" + (part.size() >> 20))
        .run();
    assertThat(Command.of("blkid", "-p", "-o", "value", "-s", "TYPE", alone.toString()).output())
        .isEqualTo("crypto_LUKS");
    Command.of("cryptsetup", "reencrypt", "--decrypt", "--force-offline-reencrypt", "-q")
        .with("--key-file", "-", "--header", directory.resolve("header").toString())
        .with(alone.toString())
        .stdin(SECRET)
        .run();
    return alone;
  }

  private static String id(Path disk, Partition part) throws IOException {
    try (LoopDevice loop = loop(disk, part)) {
      return Command.of("cryptsetup", "luksUUID", loop.device().toString()).output().strip();
    }
  }

  private String entry(Path disk) throws IOException {
    Path at = Files.createDirectories(directory.resolve("mnt"));
    try (LoopDevice loop = loop(disk, parts(disk).get(2));
        Mount boot = Mount.of(loop.device().toString(), at, "ext4", Mounts.MS_RDONLY, null)) {
      return Files.readString(boot.target().resolve("loader/entries/ostree-1.conf"));
    }
  }

  @Test
  void rootAndSwapAreEncrypted() throws Exception {
    DiskRequest request = with(request(), null, config(ROOT));
    assertThat(DiskBuilder.manifest(request, Progress.NONE)).doesNotContain("horse");
    Path disk = build(request);
    List<Partition> parts = parts(disk);
    assertThat(parts).hasSize(5);
    assertThat(entry(disk))
        .contains("luks.uuid=" + id(disk, parts.get(3)), "luks.uuid=" + id(disk, parts.get(4)));
    Path swap = decrypted(disk, parts.get(3));
    assertThat(Command.of("swaplabel", swap.toString()).output()).contains("UUID");
    Path root = decrypted(disk, parts.get(4));
    try (RandomAccessFile file = new RandomAccessFile(root.toFile(), "rw")) {
      file.setLength(parts.get(4).size() - LuksVolume.HEADER);
    }
    Command.of("e2fsck", "-fn", root.toString()).run();
    Path at = directory.resolve("mnt");
    try (LoopDevice loop = LoopDevice.attach(root, 0, Files.size(root));
        Mount mounted = Mount.of(loop.device().toString(), at, "ext4", Mounts.MS_RDONLY, null)) {
      assertThat(deployment(mounted.target()).resolve("etc/passwd")).content().contains("alice");
      assertThat(mounted.target().resolve("ostree/repo")).isDirectory();
    }
    assertThat(Command.of("grep", "-c", "-a", "alice", disk.toString()).tryRun().text().strip())
        .as("lines in which it stands unencrypted")
        .isEqualTo("0");
  }

  /** By root, xfs; the group is a partition's only content. */
  @Test
  @Tag("soak")
  void volumesLieInAnEncryptedPartition() throws Exception {
    Files.createDirectories(tree.resolve("usr/sbin"));
    Files.writeString(tree.resolve("usr/sbin/lvm"), "lvm");
    String text =
        """
        [[customizations.disk.partitions]]
        type = "lvm"
        minsize = 1
        luks.passphrase = 'correct horse "battery" $staple'
        [[customizations.disk.partitions.logical_volumes]]
        mountpoint = "/"
        fs_type = "xfs"
        minsize = 1
        """;
    Path disk = build(with(request(), null, config(text)));
    Path group = decrypted(disk, parts(disk).getLast());
    LvmReader.Range root = LvmReader.volumes(group, 0).get("rootlv");
    try (LoopDevice loop = LoopDevice.attach(group, root.start(), root.size())) {
      Command.of("xfs_repair", "-n", loop.device().toString()).run();
    }
  }

  @Test
  void anImageThatCannotUnlockIsRefused() throws Exception {
    Files.delete(tree.resolve("usr/lib/systemd/systemd-cryptsetup"));
    DiskRequest request = with(request(), null, config(ROOT));
    assertThatThrownBy(() -> DiskBuilder.build(request, Progress.NONE))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("there is no systemd-cryptsetup in the image");
    assertThat(output.resolve("image/disk.raw")).doesNotExist();
  }

  /** It would never start again, for nobody has a key. */
  @Test
  void anInitramfsThatGetsNoKeyFromATpmIsRefused() throws Exception {
    assertThatThrownBy(() -> requireTpm("usr/lib/libtss2-esys.so.0"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("has no cryptsetup and would not open its root");
    assertThatThrownBy(() -> requireTpm("usr/lib/systemd/systemd-cryptsetup"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("has no libtss2-esys")
        .hasMessageContaining("tpm2-tools");
    for (String folder : List.of("usr/lib64", "usr/lib/x86_64-linux-gnu")) {
      requireTpm("usr/bin/systemd-cryptsetup", folder + "/libtss2-esys.so.0.0.1");
    }
  }

  /** Of an image with these files in its initramfs. */
  private void requireTpm(String... names) throws Exception {
    Path from = Files.createTempDirectory(directory, "initramfs");
    for (String name : names) {
      Files.createDirectories(from.resolve(name).getParent());
      Files.createFile(from.resolve(name));
    }
    Files.write(
        tree.resolve("usr/lib/modules").resolve(TestImage.KERNEL).resolve("initramfs.img"),
        Command.of("sh", "-c", "cd \"$1\" && find . | cpio --quiet -o -H newc", "sh")
            .with(from.toString())
            .run()
            .stdout());
    InstallableImage.ahead(
            request().image(), MachineWishes.of(null, DiskConfig.EMPTY), Progress.NONE)
        .requireTpmAtStart(1 << 20);
  }

  @Test
  void aDeviceIsNotEncryptedByAPassphrase() throws Exception {
    Path device = Files.write(directory.resolve("disk.raw"), new byte[0]);
    DeviceInstall.Request request = ontoDisk(device, null, config(ROOT));
    assertThatThrownBy(() -> DeviceInstall.run(request, Progress.NONE))
        .isInstanceOf(Problem.class)
        .hasMessageStartingWith("customizations.disk.partitions[0].luks: ");
  }
}
