package slipway.disk;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
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
import slipway.disk.config.BlockSetup;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.RootFileSystem;
import slipway.linux.loop.LoopDevice;
import slipway.linux.mount.Mount;
import slipway.linux.mount.Mounts;
import slipway.linux.process.Command;
import slipway.tree.FileTree;

/** Disks of this machine, played by loop devices. */
class DeviceInstallTest extends DiskCase {
  private static final long GIB = 1L << 30;

  private Path file(long size) throws IOException {
    Path file = directory.resolve("disk");
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.setLength(size);
    }
    return file;
  }

  private DeviceInstall.Request onto(Path device, boolean wipe, long rootSize) throws IOException {
    return new DeviceInstall.Request(
        request().image(),
        device,
        false,
        wipe,
        RootFileSystem.EXT4,
        rootSize,
        null,
        wishes("mine", List.of("added=1")));
  }

  private static MachineWishes wishes(@Nullable String stateroot, List<String> added) {
    return new MachineWishes(
        stateroot,
        null,
        added,
        List.of("from"),
        DiskConfig.EMPTY,
        null,
        false,
        MachineWishes.Companions.NONE);
  }

  private static void install(DeviceInstall.Request request) throws IOException {
    DeviceInstall.run(request, Progress.NONE);
  }

  private static void refused(DeviceInstall.Request request, String sentence) {
    assertThatThrownBy(() -> install(request))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(sentence);
  }

  @Test
  @Tag("slow")
  void aDeviceBecomesADiskThatOstreeFindsSound() throws Exception {
    Path file = file(4 * GIB);
    try (LoopDevice disk = LoopDevice.attach(file, 0, 0)) {
      install(onto(disk.device(), false, 2 * GIB));
      // Again, over what is there and what an installation of something else left.
      Path old = directory.resolve("old");
      for (long at : List.of(1L << 20, 2L << 20)) {
        Command.of("truncate", "-s", "20M", old.toString()).run();
        Command.of("mkfs.ext4", "-q", "-F", old.toString()).run();
        Command.of("dd", "if=" + old, "of=" + disk.device(), "bs=1M", "conv=notrunc")
            .with("seek=" + (at >> 20))
            .run();
      }
      refused(onto(disk.device(), false, 0), "it holds gpt, PMBR; give --wipe to erase all of it");
      install(onto(disk.device(), true, 2 * GIB));
    }
    Command.of("sfdisk", "--verify", file.toString()).run();
    List<Partition> table = table(file);
    assertThat(table.get(3).size()).isEqualTo(2 * GIB);
    try (LoopDevice boot = loop(file, table.get(2));
        LoopDevice root = loop(file, table.get(3))) {
      Command.of("e2fsck", "-fn", boot.device().toString()).run();
      Command.of("e2fsck", "-fn", root.device().toString()).run();
      Path at = Files.createDirectory(directory.resolve("mnt"));
      try (Mount m = Mount.of(root.device().toString(), at, "ext4", Mounts.MS_RDONLY, null);
          Mount b =
              Mount.of(
                  boot.device().toString(), at.resolve("boot"), "ext4", Mounts.MS_RDONLY, null)) {
        judge(m.target(), b.target());
      }
    }
    try (LoopDevice esp = loop(file, table.get(1))) {
      Command.of("fsck.vfat", "-n", esp.device().toString()).run();
      assertThat(Command.of("blkid", "-p", esp.device().toString()).output())
          .contains("TYPE=\"vfat\"");
    }
  }

  private static void judge(Path root, Path boot) throws IOException {
    assertThat(Command.of("ostree", "admin", "status", "--sysroot=" + root).output())
        .contains("mine ");
    Command.of("ostree", "fsck", "--repo=" + root.resolve("ostree/repo")).run();
    assertThat(root.resolve(".bootc-aleph.json")).content().contains("\"target-image\":\"");
    try (Stream<Path> entries = Files.list(boot.resolve("loader/entries"))) {
      Path entry = entries.findFirst().orElseThrow();
      assertThat(entry)
          .content()
          .containsPattern("options root=UUID=[0-9a-f-]+ rw added=1 ostree=/ostree/boot\\.1/mine/");
    }
  }

  @Test
  @Tag("slow")
  void whatIsNotToBeErasedIsRefusedUntouched() throws Exception {
    Path file = file(4 * GIB);
    refused(onto(file, true, 0), file + " is no block device");
    refused(onto(directory.resolve("none"), true, 0), "there is no " + directory.resolve("none"));
    try (LoopDevice disk = LoopDevice.attach(file, 0, 0)) {
      refused(onto(disk.device(), true, GIB / 2), "--root-size 512M is too small for this image");
      refused(onto(disk.device(), true, 3 * GIB), "has room for a root of 2941 MiB");
      Command.of("mkfs.ext4", "-q", disk.device().toString()).run();
      refused(onto(disk.device(), false, 0), "it holds ext4; give --wipe");
      Path at = Files.createDirectory(directory.resolve("mnt"));
      try (Mount m = Mount.of(disk.device().toString(), at, "ext4", 0, null)) {
        refused(onto(disk.device(), true, 0), disk.device() + " is in use: it or a partition");
        assertThat(m.target().resolve("lost+found")).isDirectory();
      }
      Command.of("blockdev", "--setro", disk.device().toString()).run();
      refused(onto(disk.device(), true, 0), disk.device() + " is write-protected");
      Command.of("blockdev", "--setrw", disk.device().toString()).run();
      Command.of("e2fsck", "-fn", disk.device().toString()).run();
    }
    try (LoopDevice small = LoopDevice.attach(file, 0, GIB)) {
      refused(
          onto(small.device(), true, 0),
          small.device() + " has 1024 MiB and is too small for this image, which takes");
    }
  }

  /** What cannot end well is found out before anything is erased. */
  @Test
  void whatIsAskedForIsCheckedFirst() throws Exception {
    Path file = file(4 * GIB);
    try (LoopDevice disk = LoopDevice.attach(file, 0, 0)) {
      Command.of("mkfs.ext4", "-q", disk.device().toString()).run();
      DeviceInstall.Request good = onto(disk.device(), true, 0);
      for (String name : List.of("a/b", "my root", "..", "")) {
        refused(with(good, name, List.of()), "cannot be the name of a stateroot");
      }
      for (String argument : List.of("a\nb", "a=\"")) {
        refused(with(good, "default", List.of(argument)), "--karg");
      }
      refused(
          with(good, divided("minsize = \"100 GiB\"\nmountpoint = \"/var\"")),
          "is too small for this image");
      refused(
          with(good, divided("minsize = \"10 MiB\"\nmountpoint = \"/srv\"")),
          "nothing can be mounted on /srv");
      refused(
          with(good, divided("minsize = \"1 GiB\"\nmountpoint = \"/\"\nfs_type = \"xfs\"")),
          "the root shall be ext4, and xfs by its partition");
      try (LoopDevice over = LoopDevice.attach(disk.device(), 0, 0)) {
        refused(good, disk.device() + " is in use by " + over.device());
      }
      refused(
          ontoDisk(good.image(), file, null, wishes("x", List.of())),
          file + " is in use by " + disk.device());
      Command.of("e2fsck", "-fn", disk.device().toString()).run();
    }
  }

  private static DiskConfig divided(String partition) throws IOException {
    return DiskConfig.parse(
        new ByteArrayInputStream(
            ("[[customizations.disk.partitions]]\n" + partition).getBytes(UTF_8)),
        "test",
        new DiskConfig.Unsupported(false, w -> {}));
  }

  private static DeviceInstall.Request with(DeviceInstall.Request r, DiskConfig config) {
    MachineWishes w = r.wishes();
    return new DeviceInstall.Request(
        r.image(),
        r.device(),
        r.file(),
        r.wipe(),
        r.rootfs(),
        r.rootSize(),
        r.setup(),
        new MachineWishes(
            w.stateroot(),
            w.bootLoader(),
            w.added(),
            w.deleted(),
            config,
            w.run(),
            w.signed(),
            w.companions()));
  }

  private static DeviceInstall.Request with(
      DeviceInstall.Request r, String stateroot, List<String> added) {
    return new DeviceInstall.Request(
        r.image(),
        r.device(),
        r.file(),
        r.wipe(),
        r.rootfs(),
        r.rootSize(),
        r.setup(),
        wishes(stateroot, added));
  }

  /** With what the config wants of its partitions, and what is done at the end. */
  @Test
  @Tag("slow")
  void aDiskIsDividedAsItIsAskedFor() throws Exception {
    Path file = file(3 * GIB);
    List<String> seen = new ArrayList<>();
    MachineWishes wishes =
        new MachineWishes(
            null,
            null,
            List.of(),
            List.of(),
            divided("minsize = \"300 MiB\"\nmountpoint = \"/var/lib\"\nlabel = \"kept\""),
            null,
            false,
            new MachineWishes.Companions() {
              @Override
              public void bring(Path root, FileTree files) {}

              @Override
              public void finish(Path root, Path tree, Path var) throws IOException {
                seen.add(root.relativize(tree).toString());
                Files.writeString(Files.createDirectories(var.resolve("lib")).resolve("late"), "x");
              }
            });
    install(new DeviceInstall.Request(request().image(), file, true, false, null, 0, null, wishes));
    assertThat(table(file)).hasSize(5);
    assertThat(table(file).get(3).size()).isEqualTo(300L << 20);
    assertThat(seen).singleElement().asString().startsWith("ostree/deploy/default/deploy/");
    try (LoopDevice var = loop(file, table(file).get(3))) {
      assertThat(Command.of("debugfs", "-R", "cat late", var.device().toString()).output())
          .isEqualTo("x");
    }
  }

  @Test
  @Tag("slow")
  void aFileBecomesADisk() throws Exception {
    Path file = file(3 * GIB);
    DeviceInstall.Request device = onto(file, false, 0);
    install(
        new DeviceInstall.Request(
            device.image(), file, true, false, null, 0, null, wishes(null, List.of())));
    Command.of("sfdisk", "--verify", file.toString()).run();
    assertThat(table(file)).hasSize(4);
  }

  /**
   * Told before anything is erased; where there is a TPM it is the image that lacks what it takes.
   */
  @Test
  @Tag("slow")
  void aRootThatNobodyCouldOpenIsRefused() throws Exception {
    Path file = file(3 * GIB);
    DeviceInstall.Request r = onto(file, false, 0);
    assertThatThrownBy(
            () ->
                install(
                    new DeviceInstall.Request(
                        r.image(),
                        file,
                        true,
                        false,
                        null,
                        0,
                        BlockSetup.TPM2_LUKS,
                        wishes(null, List.of()))))
        .isInstanceOf(Problem.class)
        .hasMessageMatching(
            "(--block-setup tpm2-luks: .*|there is no (cryptsetup|systemd-cryptenroll) here.*)");
    try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
      in.seek(510);
      assertThat(in.read()).describedAs("no table is written").isZero();
    }
  }

  /** A change of the image's files, and its way back. */
  private interface Change {
    void make() throws IOException;
  }

  private void refusedUntouched(LoopDevice disk, Change change, String sentence) throws Exception {
    Path before = directory.resolve("before");
    Command.of("cp", "-a", tree.toString(), before.toString()).run();
    change.make();
    DeviceInstall.Request request = onto(disk.device(), true, 0);
    refused(request, sentence);
    Command.of("e2fsck", "-fn", disk.device().toString()).run();
    Command.of("rm", "-rf", tree.toString()).run();
    Command.of("mv", before.toString(), tree.toString()).run();
  }

  /** The image is known before anything is erased for it. */
  @Test
  @Tag("slow")
  void anImageThatCannotStartErasesNothing() throws Exception {
    Path modules = tree.resolve("usr/lib/modules");
    Path kernel = modules.resolve(TestImage.KERNEL);
    Path config = tree.resolve("usr/lib/bootc/install/1.toml");
    Files.createDirectories(config.getParent());
    try (LoopDevice disk = LoopDevice.attach(file(4 * GIB), 0, 0)) {
      Command.of("mkfs.ext4", "-q", disk.device().toString()).run();
      refusedUntouched(
          disk, () -> Files.delete(kernel.resolve("vmlinuz")), "the image has no kernel");
      refusedUntouched(
          disk,
          () ->
              Files.writeString(
                  Files.createDirectory(modules.resolve("9")).resolve("vmlinuz"), "k"),
          "the image has 2 kernels in /usr/lib/modules");
      refusedUntouched(
          disk,
          () -> {
            Files.writeString(kernel.resolve("modules.builtin"), "kernel/fs/xfs/xfs.ko\n");
            Files.writeString(kernel.resolve("modules.dep"), "");
          },
          "the image's kernel 6.1.0-test cannot mount ext4");
      refusedUntouched(
          disk, () -> Files.writeString(config, "[install]\nroot-fs-type = 7\n"), "root-fs-type");
      refusedUntouched(
          disk,
          () -> Files.writeString(config, "[install]\nkargs = [\"a\\nb\"]\n"),
          "install.kargs");
      refusedUntouched(
          disk,
          () ->
              Files.writeString(tree.resolve("usr/lib/bootc/kargs.d/10-test.toml"), "kargs = 7\n"),
          "kargs");
      refusedUntouched(
          disk,
          () -> Files.delete(tree.resolve("usr/lib/grub/x86_64-efi/fat.mod")),
          "/usr/lib/grub/x86_64-efi/fat.mod is missing");
      refusedUntouched(
          disk, () -> Files.delete(tree.resolve("usr/lib/os-release")), "no /usr/lib/os-release");
      refusedUntouched(
          disk,
          () -> {
            Path selinux = Files.createDirectories(tree.resolve("etc/selinux/t/contexts/files"));
            Files.writeString(
                tree.resolve("etc/selinux/config"), "SELINUX=enforcing\nSELINUXTYPE=t\n");
            Files.writeString(selinux.resolve("file_contexts"), "/etc/(?!x)hostname l\n");
          },
          "/etc/selinux/t/contexts/files/file_contexts has a pattern that is none");
      refusedUntouched(
          disk,
          () -> Command.of("mkfifo", tree.resolve("usr/fifo").toString()).run(),
          "is a device, fifo or socket");
    }
  }

  /** One after the other: the second is told who has the disk. */
  @Test
  @Tag("slow")
  void twoInstallationsOntoOneDiskExcludeEachOther() throws Exception {
    Path file = file(3 * GIB);
    DeviceInstall.Request r = onto(file, true, 0);
    List<String> met = new java.util.ArrayList<>();
    DeviceInstall.Request ofFile = ontoDisk(r.image(), file, null, wishes(null, List.of()));
    DeviceInstall.run(
        ofFile,
        new Notes(
            line -> {
              refused(ofFile, file + " is in use: another installation writes to it");
              met.add(line);
            }));
    assertThat(met).isNotEmpty();
    try (LoopDevice disk = LoopDevice.attach(file, 0, 0)) {
      DeviceInstall.Request ofDevice = onto(disk.device(), true, 0);
      assertThatThrownBy(
              () ->
                  DeviceInstall.run(
                      ofDevice,
                      new Notes(
                          line -> {
                            refused(ofDevice, disk.device() + " is in use: another installation");
                            throw Problem.input("seen");
                          })))
          .hasMessage("seen");
    }
  }

  /** What fails when the disk is erased says that it is. */
  @Test
  void aFailureAfterTheDiskIsErasedSaysSo() throws Exception {
    Path file = file(3 * GIB);
    DeviceInstall.Request r = onto(file, true, 0);
    java.util.concurrent.atomic.AtomicInteger read =
        new java.util.concurrent.atomic.AtomicInteger();
    BootableImage image = r.image();
    var layer = image.manifest().layers().getFirst();
    var broken = TestImage.interrupted(image.source(), layer, new IOException("cut"));
    var second =
        new slipway.oci.copy.ImageSource() {
          @Override
          public String describe() {
            return "test";
          }

          @Override
          public slipway.oci.model.Manifest manifest(@Nullable String selector) throws IOException {
            return image.source().manifest(selector);
          }

          @Override
          public java.io.InputStream blob(slipway.oci.model.Descriptor blob, long offset)
              throws IOException {
            boolean again = blob.digest().equals(layer.digest()) && read.getAndIncrement() > 0;
            return (again ? broken : image.source()).blob(blob, offset);
          }
        };
    BootableImage cut =
        new BootableImage(
            image.name(), second, image.manifest(), image.config(), image.target(), null);
    assertThatThrownBy(() -> install(ontoDisk(cut, file, null, wishes(null, List.of()))))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("cut")
        .hasMessageEndingWith(
            "; " + file + " is erased and holds no system that starts: install to it again");
  }
}
