package slipway.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.disk.FilesystemInstall.Replace;
import slipway.disk.config.BootLoader;
import slipway.disk.config.RootFileSystem;
import slipway.linux.loop.LoopDevice;
import slipway.linux.mount.Mount;
import slipway.linux.mount.MountNamespace;
import slipway.linux.mount.MountTable;
import slipway.linux.posix.Btrfs;
import slipway.linux.posix.OsPath;
import slipway.linux.process.Command;
import slipway.tree.DirectoryReader;

/** What is not installed to, and what an old system keeps until nothing stands against it. */
class FilesystemRefusalTest extends FilesystemCase {
  private FilesystemInstall.Request withCleanup(Replace replace) throws IOException {
    FilesystemInstall.Request r = request(replace);
    return r.withCleanup(true);
  }

  /** An image that would not clean up is no reason to lose an old system. */
  @Test
  @Tag("slow")
  void aCleanUpThatNobodyWouldDoIsRefused() throws Exception {
    one(RootFileSystem.EXT4);
    oldSystem();
    Path unit = tree.resolve("usr/lib/systemd/system/bootc-destructive-cleanup.service");
    Files.createDirectories(unit.getParent());
    for (boolean masked : new boolean[] {false, true}) {
      if (masked) {
        Files.writeString(unit, "[Unit]\n");
        Path mask = tree.resolve("etc/systemd/system").resolve(unit.getFileName());
        Files.createDirectories(mask.getParent());
        Files.createSymbolicLink(mask, Path.of("/dev/null"));
      }
      for (Replace replace : List.of(Replace.ALONGSIDE, Replace.WIPE)) {
        assertThatThrownBy(() -> install(withCleanup(replace)))
            .isInstanceOf(Problem.class)
            .hasMessageStartingWith(
                "--cleanup: the image has no bootc-destructive-cleanup.service");
        assertThat(root.resolve("boot/vmlinuz-old")).hasContent("old boot/vmlinuz-old");
        assertThat(root.resolve("ostree")).doesNotExist();
      }
    }
  }

  /** Room in bytes is of no use without inodes, which mkfs counts out once. */
  @Test
  @Tag("slow")
  void aRootWithoutInodesIsFull() throws Exception {
    LoopDevice loop = disk(OLD_TABLE, 0);
    Command.of("mkfs.ext4", "-q", "-F", "-N", "256", loop.device().toString()).run();
    root = Files.createDirectories(directory.resolve("mnt"));
    open.add(Mount.of(loop.device().toString(), root, "ext4", 0, null));
    Command.of("sh", "-euc", "seq $(($(stat -f -c %d .) - 60)) | xargs touch")
        .directory(root.resolve("lost+found"))
        .run();
    assertThatThrownBy(() -> install(request(Replace.NOTHING)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(" has no inodes left");
    assertThat(root.resolve("boot/loader")).doesNotExist();
  }

  /** Whether the image is imported first, or only read because there is no room beside. */
  @ParameterizedTest
  @Tag("slow")
  @org.junit.jupiter.params.provider.ValueSource(booleans = {true, false})
  void whatIsToBeWipedStaysUntilTheImageIsKnown(boolean imported) throws Exception {
    one(RootFileSystem.EXT4);
    oldSystem();
    if (!imported) {
      Files.createDirectories(root.resolve("ostree/other"));
    }
    Path kernel = tree.resolve("usr/lib/modules").resolve(TestImage.KERNEL);
    Path moved = directory.resolve("kernel");
    Files.move(kernel.resolve("vmlinuz"), moved);
    assertThatThrownBy(() -> install(request(Replace.WIPE)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("the image has no kernel");
    for (String file : List.of("etc/hostname", "home/ann/letter", "boot/vmlinuz-old")) {
      assertThat(root.resolve(file)).hasContent("old " + file);
    }
    assertThat(root.resolve("ostree/repo")).doesNotExist();
    Files.move(moved, kernel.resolve("vmlinuz"));
    install(request(Replace.WIPE));
    judged();
    assertThat(root.resolve("home")).doesNotExist();
    assertThat(root.resolve("ostree/other")).doesNotExist();
  }

  /** What comes to nothing before /boot is erased leaves the old system as it was. */
  @Test
  @Tag("slow")
  void anOldSystemIsNotTouchedBeforeTheImageIsKnown() throws Exception {
    Path modules = tree.resolve("usr/lib/modules").resolve(TestImage.KERNEL);
    Files.writeString(modules.resolve("modules.builtin"), "kernel/fs/ext4/ext4.ko\n");
    Files.writeString(modules.resolve("modules.dep"), "kernel/fs/xfs/xfs.ko.xz:\n");
    one(RootFileSystem.BTRFS);
    oldSystem();
    assertThatThrownBy(() -> install(request(Replace.ALONGSIDE)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("the image's kernel 6.1.0-test cannot mount btrfs");
    assertThat(root.resolve("boot/vmlinuz-old")).hasContent("old boot/vmlinuz-old");
    assertThat(root.resolve("boot/loader/entries/old.conf")).exists();
    assertThat(root.resolve("ostree")).doesNotExist();
  }

  @Test
  @Tag("slow")
  void whatTheImageSaysIsCheckedBeforeAnOldSystemEnds() throws Exception {
    Path config = Files.createDirectories(tree.resolve("usr/lib/bootc/install"));
    one(RootFileSystem.EXT4);
    oldSystem();
    for (String line :
        List.of(
            "boot-mount-spec = \"a b\"",
            "root-mount-spec = \"a b\"",
            "stateroot = \"../../../../etc\"",
            "kargs = [\"a\\nb\"]",
            "kargs = [\"a=" + "b".repeat(1900) + "\"]",
            // Too long by what /boot is found by, and the loader's part.
            "boot-mount-spec = \"LABEL="
                + "c".repeat(100)
                + "\"\nkargs = [\"a="
                + "b".repeat(1650)
                + "\"]")) {
      Files.writeString(config.resolve("1.toml"), "[install]\n" + line + "\n");
      assertThatThrownBy(() -> install(request(Replace.ALONGSIDE)))
          .as(line)
          .isInstanceOf(Problem.class);
      assertThat(root.resolve("boot/vmlinuz-old")).hasContent("old boot/vmlinuz-old");
      assertThat(root.resolve("ostree")).doesNotExist();
    }
  }

  @Test
  void whatBelongsToTheImageComesBeforeAnOldSystemEnds() throws Exception {
    one(RootFileSystem.EXT4);
    oldSystem();
    FilesystemInstall.Request request =
        request(Replace.ALONGSIDE)
            .withWishes(
                wishes(
                    null,
                    (place, files) -> {
                      assertThat(place).isEqualTo(root);
                      assertThat(files.find("usr/lib/modules")).isPresent();
                      throw Problem.notFound("no application");
                    }));
    assertThatThrownBy(() -> install(request)).hasMessage("no application");
    oldSystemIsKept();
  }

  /** Of a root that somebody prepared for who installs over it. */
  @Test
  @Tag("slow")
  void linksOfTheOldSystemLeadNowhere() throws Exception {
    one(RootFileSystem.EXT4);
    oldSystem();
    Path outside = Files.createDirectory(directory.resolve("outside"));
    for (String link :
        List.of(
            "repo",
            "repo/objects",
            "repo/objects/00",
            "repo/refs/heads/ostree",
            "lock",
            "deploy",
            "deploy/default",
            "deploy/default/deploy",
            "deploy/default/var")) {
      Path at = root.resolve("ostree").resolve(link);
      Files.createDirectories(at.getParent());
      Files.createSymbolicLink(at, outside);
      refused(request(Replace.ALONGSIDE), at + " is a link, and installing would write");
      Command.of("rm", "-r", root.resolve("ostree").toString()).run();
    }
    assertThat(outside).isEmptyDirectory();
    assertThat(root.resolve("boot/vmlinuz-old")).hasContent("old boot/vmlinuz-old");
  }

  @Test
  @Tag("slow")
  void whatIsNotToBeInstalledToIsRefused() throws Exception {
    root = directory.resolve("none");
    refused(request(Replace.NOTHING), "there is no folder " + root);
    root = Files.createDirectory(directory.resolve("folder"));
    refused(request(Replace.NOTHING), root + " is not a mount point");
    open.add(Mount.of("tmpfs", root, "tmpfs", 0, null));
    refused(request(Replace.NOTHING), "of the kind tmpfs; a root can be ext4, xfs or btrfs");
    parts(RootFileSystem.EXT4);
    Command.of("mount", "-o", "remount,ro", root.toString()).run();
    refused(request(Replace.NOTHING), root + " is mounted read-only");
    Command.of("mount", "-o", "remount,rw", root.toString()).run();
    Path inner = Files.createDirectories(root.resolve("inner"));
    Path elsewhere = Files.createDirectory(directory.resolve("elsewhere"));
    open.add(Mount.bind(inner, elsewhere, false));
    Path whole = root;
    root = elsewhere;
    refused(request(Replace.NOTHING), "shows the folder /inner of its file system");
    root = whole;
    Files.createSymbolicLink(root.resolve("ostree"), Path.of("sysroot/ostree"));
    refused(request(Replace.WIPE), "ostree is a link or a file where a folder must be");
    Files.delete(root.resolve("ostree"));
    Path efi = Files.createDirectory(root.resolve("boot/efi"));
    open.add(Mount.of("tmpfs", efi, "tmpfs", 0, null));
    refused(request(Replace.WIPE), "firmware reads a loader from FAT alone");
    Command.of("mount", "-o", "remount,ro", efi.toString()).run();
    refused(request(Replace.WIPE), efi + " is mounted read-only; mount it writable first");
    FilesystemInstall.Request r = request(Replace.NOTHING);
    refused(r.withRootSpec("a b"), "--root-mount-spec takes one word");
  }

  /** As in a container that does not see those of the machine. */
  @Test
  void aDeviceThatIsNotThereIsNamed() {
    assertThatThrownBy(() -> DeviceFolder.disk(Path.of("/dev/no-such-disk")))
        .isInstanceOf(Problem.class)
        .hasMessageStartingWith("a file system is on /dev/no-such-disk, which does not exist; is");
  }

  @Test
  void aPlaceWithoutAWayToStartIsRefused() throws Exception {
    Path file = directory.resolve("whole");
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.setLength(512 * MIB);
    }
    LoopDevice loop = LoopDevice.attach(file, 0, 0);
    open.add(loop);
    root = mount(loop, RootFileSystem.EXT4, directory.resolve("mnt"));
    refused(
        request(Replace.NOTHING), "has neither a BIOS boot partition nor an EFI system partition");
    FilesystemInstall.Request systemd = request(Replace.NOTHING);
    refused(
        systemd.withWishes(wishes(BootLoader.SYSTEMD)),
        "has no EFI system partition, which systemd-boot starts from; make one, or give");
    Command.of("fallocate", "-l", "300M", root.resolve("fill").toString()).run();
    FilesystemInstall.Request r = request(Replace.ALONGSIDE);
    refused(r.withWishes(wishes(BootLoader.NONE)), "and this image takes about ");
    Files.delete(root.resolve("fill"));
    Files.createDirectories(root.resolve("etc"));
    Files.writeString(root.resolve("etc/fstab"), "# x\nUUID=1 /boot ext4 defaults 0 2\n");
    refused(request(Replace.ALONGSIDE), "mounts UUID=1 on /boot, and nothing is mounted on");
  }

  /** GRUB's loader has to fit, too, onto a partition that somebody else may have filled. */
  @Test
  @Tag("slow")
  void aPartitionThatTakesNoLoaderKeepsTheOldSystem() throws Exception {
    parts(RootFileSystem.EXT4);
    oldSystem();
    String esp = disk + "@@" + table(disk).get(1).start();
    Path large = Files.write(directory.resolve("large"), new byte[62 << 20]);
    Command.of("mcopy", "-i", esp, large.toString(), "::/").run();
    keepsTheOldSystem("the EFI system partition has room for ");
    // It would have none without the old system either, so nothing is read once more.
    notes.clear();
    assertThatThrownBy(() -> install(request(Replace.WIPE)))
        .hasMessageContaining("the EFI system partition has room for ");
    oldSystemIsKept();
    assertThat(notes).noneMatch(line -> line.startsWith("looking into the image"));
    try (RandomAccessFile out = new RandomAccessFile(disk.toFile(), "rw")) {
      out.seek(table(disk).get(1).start());
      out.write(new byte[1 << 20]);
    }
    keepsTheOldSystem(" holds no FAT that mtools can read");
  }

  private void keepsTheOldSystem(String sentence) {
    assertThatThrownBy(() -> install(request(Replace.ALONGSIDE)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(sentence);
    oldSystemIsKept();
  }

  private void oldSystemIsKept() {
    assertThat(root.resolve("boot/vmlinuz-old")).hasContent("old boot/vmlinuz-old");
    assertThat(root.resolve("ostree")).doesNotExist();
  }

  /** Seen as the kernel would show a volume of LVM over a partition of the disk. */
  @Test
  @Tag("slow")
  void aBootThatGrubCannotReadIsRefused() throws Exception {
    parts(RootFileSystem.EXT4);
    Path mapping = Files.createDirectory(directory.resolve("mapping"));
    write(mapping.resolve("dm/uuid"), "LVM-Xyz\n");
    write(mapping.resolve("slaves/x/loop/backing_file"), disk + "\n");
    write(mapping.resolve("slaves/x/loop/offset"), "512\n");
    Path device = MountedFileSystem.at(root.resolve("boot")).orElseThrow().device();
    Path folder = Path.of("/sys/class/block").resolve(device.getFileName()).toRealPath();
    FilesystemInstall.Request r = request(Replace.ALONGSIDE);
    InstallableImage image = InstallableImage.of(DirectoryReader.read(tree), r.image(), r.wishes());
    assertThatThrownBy(
            () ->
                MountNamespace.call(
                    "test",
                    () -> {
                      Mount.bind(mapping, folder, false);
                      TargetRoot target = TargetRoot.checked(r, Progress.NONE);
                      target.requireFit(image, wishes(BootLoader.NONE), Replace.ALONGSIDE);
                      target.requireFit(image, r.wishes(), Replace.ALONGSIDE);
                      return target;
                    }))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(
            "GRUB cannot find kernels in " + root + "/boot, which is on a volume of LVM");
    for (String[] each :
        new String[][] {
          {"CRYPT-LUKS2-x", "an encrypted device"},
          {"x", "a device that is mapped"},
          {"mpath-x", null},
          {"part2-mpath-x", null},
          {"part2-devnode_7:0_Wh5pYvM", null}
        }) {
      write(mapping.resolve("dm/uuid"), each[0] + "\n");
      assertThat(DeviceFolder.madeOf(mapping).orElse(null)).isEqualTo(each[1]);
    }
    Path raid = directory.resolve("raid");
    write(raid.resolve("md127/md/metadata_version"), "1.2\n");
    write(raid.resolve("md127/md127p1/partition"), "1\n");
    assertThat(DeviceFolder.madeOf(raid.resolve("md127/md127p1"))).contains("a RAID of Linux");
    write(raid.resolve("md127/md/level"), "raid1\n");
    assertThat(DeviceFolder.madeOf(raid.resolve("md127"))).isPresent();
    write(raid.resolve("md127/md/metadata_version"), "1.0\n");
    assertThat(DeviceFolder.madeOf(raid.resolve("md127"))).isEmpty();
    write(raid.resolve("md127/md/level"), "raid0\n");
    assertThat(DeviceFolder.madeOf(raid.resolve("md127"))).isPresent();
    write(raid.resolve("md127/md/metadata_version"), "external:/md0/0\n");
    assertThat(DeviceFolder.madeOf(raid.resolve("md127"))).isEmpty();
  }

  private static void write(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  /** In a container the programs are layers, whose folder is often on what is to be wiped. */
  @Test
  @Tag("slow")
  void whatItRunsOnIsNotWiped() throws Exception {
    one(RootFileSystem.EXT4);
    FilesystemInstall.Request r = request(Replace.WIPE);
    refused(
        r.withHost(root).withReplace(Replace.WIPE),
        root + " is the root that this machine runs on, and --replace wipe would erase");
    WipedFiles target = WipedFiles.below(root);
    Path store = Files.createDirectories(root.resolve("var/lib/containers/storage/overlay"));
    Path own = Files.createDirectory(directory.resolve("own"));
    for (String name : List.of("lower", "upper", "work")) {
      Files.createDirectories(store.resolve(name));
    }
    Path none = directory.resolve("nohost");
    overlay(store, store + "/lower", own);
    assertThatThrownBy(() -> new OwnFiles(own, Path.of("/")).requireOutside(target))
        .isInstanceOf(Problem.class)
        .hasMessageStartingWith("this command itself runs on " + root);
    // As podman writes them where they are many: nobody can look, then somebody can.
    overlay(store, "lower", own);
    new OwnFiles(own, none).requireOutside(target);
    Files.createDirectories(own.resolve("run"));
    Files.createFile(own.resolve("run/.containerenv"));
    assertThatThrownBy(() -> new OwnFiles(own, none).requireOutside(target))
        .hasMessageContaining("its layer lower is not seen; give podman run --pid=host, too");
    Path host = Files.createDirectories(directory.resolve("host/var/lib"));
    Files.createSymbolicLink(host.resolve("containers"), store.getParent().getParent());
    assertThatThrownBy(() -> new OwnFiles(own, directory.resolve("host")).requireOutside(target))
        .hasMessageStartingWith("this command itself runs on " + root);
    assertThatThrownBy(() -> FilesystemInstall.requireOutside(root, store))
        .hasMessageStartingWith("the image is in " + store + ", which --replace wipe of " + root);
    assertThat(OwnFiles.layers("rw,lowerdir+=/a,lowerdir+=/b\\:c,upperdir=/u,workdir=/w"))
        .containsExactly("/a", "/b:c", "/u");
  }

  /** Each has a device number of its own, and goes all the same. */
  @Test
  @Tag("slow")
  void subvolumesGoWithTheFileSystemThatTheyAreIn() throws Exception {
    one(RootFileSystem.BTRFS);
    for (String name : List.of("root", "root/images", "other")) {
      Command.of("btrfs", "-q", "subvolume", "create", root.resolve(name).toString()).run();
    }
    Path images = root.resolve("root/images");
    Path other = root.resolve("other");
    WipedFiles all = WipedFiles.below(root);
    assertThat(all.fileSystemOf(images)).contains(root);
    assertThat(all.fileSystemOf(other)).contains(root);
    assertThatThrownBy(() -> new OwnFiles(Path.of("/"), other).requireOutside(all))
        .hasMessageStartingWith(root + " is the root that this machine runs on");
    String device = MountedFileSystem.at(root).orElseThrow().device().toString();
    Path sub = Files.createDirectory(directory.resolve("sub"));
    open.add(Mount.of(device, sub, "btrfs", 0, "subvol=root"));
    assertThat(WipedFiles.below(sub).fileSystemOf(images)).contains(sub);
    assertThat(WipedFiles.below(sub).fileSystemOf(other)).isEmpty();
    Path inside = Files.createDirectory(sub.resolve("inside"));
    open.add(Mount.of(device, inside, "btrfs", 0, "subvol=other"));
    assertThat(WipedFiles.below(sub).fileSystemOf(other)).as("what is mounted stays").isEmpty();
  }

  /** As distributions with snapshots leave their root. */
  @Test
  @Tag("slow")
  void snapshotsAndTheDefaultSubvolumeGoWithAWipe() throws Exception {
    one(RootFileSystem.BTRFS);
    oldSystem();
    String[] words = {"create", root.resolve("old").toString()};
    Command.of("btrfs", "-q", "subvolume").with(words).run();
    Files.writeString(root.resolve("old/file"), "");
    words = new String[] {"snapshot", "-r", words[1], root.resolve("old/1").toString()};
    Command.of("btrfs", "-q", "subvolume").with(words).run();
    Command.of("btrfs", "subvolume", "set-default", root.resolve("old/1").toString()).run();
    TargetRoot.checked(request(Replace.WIPE), Progress.NONE).wipe(false);
    assertThat(root).isEmptyDirectory();
  }

  /** The default of the whole is reset only when it is among what goes. */
  @Test
  @Tag("slow")
  void theDefaultSubvolumeGoesWithTheOneThatItIsIn() throws Exception {
    one(RootFileSystem.BTRFS);
    for (String name : List.of("root", "root/snapshots", "root/snapshots/1", "other")) {
      Command.of("btrfs", "-q", "subvolume", "create", root.resolve(name).toString()).run();
    }
    String device = MountedFileSystem.at(root).orElseThrow().device().toString();
    Path sub = Files.createDirectory(directory.resolve("sub"));
    open.add(Mount.of(device, sub, "btrfs", 0, "subvol=root"));
    for (String place : List.of("other", "root/snapshots/1")) {
      Files.createDirectories(sub.resolve("etc"));
      Command.of("btrfs", "subvolume", "set-default", root.resolve(place).toString()).run();
      if (place.equals("other")) {
        Command.of("btrfs", "subvolume", "delete", root.resolve("root/snapshots/1").toString())
            .run();
        WipedFiles.erase(OsPath.of(sub), List.of());
        assertThat(Btrfs.isDefault(OsPath.of(root.resolve("other")))).isTrue();
        Command.of("btrfs", "-q", "subvolume", "create", sub.resolve("snapshots").toString()).run();
        Command.of("btrfs", "-q", "subvolume", "create", sub.resolve("snapshots/1").toString())
            .run();
      }
    }
    WipedFiles.erase(OsPath.of(sub), List.of());
    assertThat(sub).isEmptyDirectory();
  }

  /** As on a system that runs, whose folders come and go. */
  @Test
  @Tag("slow")
  void whatGoesWhileItIsLookedAtIsNoFault() throws Exception {
    one(RootFileSystem.BTRFS);
    Path inside = root.resolve("inside");
    Command.of("btrfs", "-q", "subvolume", "create", inside.toString()).run();
    AtomicBoolean done = new AtomicBoolean();
    Thread other =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (!done.get()) {
                    try {
                      Files.delete(Files.createDirectory(root.resolve("fleeting")));
                    } catch (IOException e) {
                      throw new UncheckedIOException(e);
                    }
                  }
                });
    try {
      for (int i = 0; i < 3000; i++) {
        assertThat(WipedFiles.below(root).fileSystemOf(inside)).contains(root);
      }
    } finally {
      done.set(true);
      other.join();
    }
  }

  @Test
  @Tag("slow")
  void anImageInABootThatIsWipedTooIsNotLost() throws Exception {
    parts(RootFileSystem.EXT4);
    Path image = Files.writeString(root.resolve("boot/os.tar"), "");
    assertThatThrownBy(() -> FilesystemInstall.requireOutside(root, image))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("which --replace wipe of " + root.resolve("boot") + " would erase");
  }

  /** Layers of which the upper ones lie where they are to be written. */
  private void overlay(Path store, String lower, Path at) throws IOException {
    Path upper = Files.createDirectory(directory.resolve("upper" + System.nanoTime()));
    Path work = Files.createDirectory(directory.resolve("work" + System.nanoTime()));
    if (!open.isEmpty() && MountTable.at(OsPath.of(at)).isPresent()) {
      Command.of("umount", at.toString()).run();
    }
    Command.of("mount", "-i", "-t", "overlay", "overlay", "-o")
        .with("lowerdir=" + lower + ",upperdir=" + upper + ",workdir=" + work, at.toString())
        .directory(store)
        .run();
    open.add(() -> Command.of("umount", at.toString()).tryRun());
  }

  @Test
  void theRunningSystemIsToldApart() throws Exception {
    one(RootFileSystem.EXT4);
    FilesystemInstall.Request r = request(Replace.NOTHING);
    FilesystemInstall.Request own = r.withHost(root);
    assertThatThrownBy(
            () ->
                FilesystemInstall.run(
                    own,
                    running -> {
                      assertThat(running).isTrue();
                      throw Problem.usage("no");
                    },
                    told()))
        .hasMessage("no");
    assertThat(root.resolve("ostree")).doesNotExist();
    Path host = Files.createDirectories(directory.resolve("host/run"));
    Files.writeString(host.resolve("ostree-booted"), "");
    Files.createSymbolicLink(directory.resolve("host/sysroot"), root);
    Files.createDirectory(root.resolve("ostree"));
    refused(
        r.withHost(directory.resolve("host")).withReplace(Replace.ALONGSIDE),
        "this machine runs on a deployment in ");
  }
}
