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
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.disk.FilesystemInstall.Replace;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.RootFileSystem;
import slipway.linux.loop.LoopDevice;
import slipway.linux.mount.Mount;
import slipway.linux.mount.MountNamespace;
import slipway.linux.mount.MountTable;
import slipway.linux.posix.OsPath;
import slipway.linux.process.Command;
import slipway.system.kargs.KernelArguments;
import slipway.tree.DirectoryReader;

/**
 * File systems that somebody else made, on loop devices over the parts of a file: as this kernel
 * reads no partition tables. ostree, sfdisk, mtools and the checkers of file systems judge.
 */
class FilesystemInstallTest extends DiskCase {
  private static final long MIB = 1L << 20;
  private static final String GPT =
      """
      label: gpt
      start=2048, size=2048, type=21686148-6449-6E6F-744E-656564454649
      start=4096, size=131072, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B
      start=135168, size=409600, type=BC13C2FF-59E6-4262-A352-B275FD6F7172
      start=544768, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709
      """;
  private static final String OLD_TABLE =
      """
      label: dos
      start=2048, type=83, bootable
      """;

  private final List<AutoCloseable> open = new ArrayList<>();
  private final List<String> notes = new ArrayList<>();
  private Path disk;
  private Path root;

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable each : open.reversed()) {
      each.close();
    }
    open.clear();
  }

  private LoopDevice disk(String table, int part) throws Exception {
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

  private Path mount(LoopDevice loop, RootFileSystem fs, Path at) throws Exception {
    String force = fs == RootFileSystem.EXT4 ? "-F" : "-f";
    Command.of("mkfs." + fs.label(), "-q", force, loop.device().toString()).run();
    Files.createDirectories(at);
    open.add(Mount.of(loop.device().toString(), at, fs.label(), 0, null));
    return at;
  }

  /** A GPT with all that firmware wants, /boot of its own. */
  private void parts(RootFileSystem fs) throws Exception {
    root = mount(disk(GPT, 3), fs, directory.resolve("mnt"));
    mount(disk(GPT, 2), RootFileSystem.EXT4, root.resolve("boot"));
    long esp = table(disk).get(1).start();
    Command.of("mformat", "-i", disk + "@@" + esp, "-F", "-T", "131072", "::").run();
  }

  /** A disk with the older table and one partition. */
  private void one(RootFileSystem fs) throws Exception {
    root = mount(disk(OLD_TABLE, 0), fs, directory.resolve("mnt"));
  }

  private FilesystemInstall.Request request(Replace replace) throws IOException {
    return new FilesystemInstall.Request(
        super.request().image(),
        root,
        directory.resolve("nohost"),
        replace,
        null,
        null,
        KernelArguments.NONE,
        false,
        false,
        wishes(null));
  }

  private static MachineWishes wishes(@Nullable BootLoader loader) {
    return wishes(loader, MachineWishes.Companions.NONE);
  }

  private static MachineWishes wishes(
      @Nullable BootLoader loader, MachineWishes.Companions companions) {
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

  private void install(FilesystemInstall.Request request) throws IOException {
    FilesystemInstall.run(request, running -> assertThat(running).isFalse(), told());
  }

  private Progress told() {
    return new Progress() {
      @Override
      public Task start(String name, long total) {
        return Progress.NONE.start(name, total);
      }

      @Override
      public void note(String line) {
        notes.add(line);
      }
    };
  }

  private void refused(FilesystemInstall.Request request, String sentence) {
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

  private static String uuid(Path mounted) {
    String device = Command.of("findmnt", "-n", "-o", "SOURCE", mounted.toString()).output();
    return Command.of("blkid", "-p", "-o", "value", "-s", "UUID", device.replaceFirst("\\[.*", ""))
        .output();
  }

  /** ostree finds it sound; gives the options of its one boot entry. */
  private String judged() throws IOException {
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

  @ParameterizedTest
  @Tag("slow")
  @EnumSource(names = {"XFS", "BTRFS"})
  void anEmptyRootWithABootOfItsOwn(RootFileSystem fs) throws Exception {
    parts(fs);
    install(request(Replace.NOTHING));
    String boot = uuid(root.resolve("boot"));
    String options = "options root=UUID=" + uuid(root) + " ";
    if (fs == RootFileSystem.BTRFS) {
      options += "rootflags=subvol=/ ";
    }
    assertThat(judged())
        .contains(options + "rw boot=UUID=" + boot + " added=1 ostree=")
        .contains("linux /ostree/default-");
    assertThat(deployment(root).resolve("etc/fstab"))
        .content()
        .isEqualTo("UUID=" + boot + " /boot auto ro 0 0\n");
    assertThat(root.resolve("boot/grub/grub.cfg")).content().contains(boot, "\nblscfg\n");
    byte[] first = new byte[512];
    try (RandomAccessFile in = new RandomAccessFile(disk.toFile(), "r")) {
      in.readFully(first);
      assertThat(first[0]).describedAs("a jump").isEqualTo((byte) 0xeb);
      assertThat(first[0x5c + 1]).describedAs("sector 2048").isEqualTo((byte) 8);
      in.seek(MIB);
      in.readFully(first);
      assertThat(first[0]).describedAs("core.img").isEqualTo((byte) 0x52);
    }
    Command.of("sfdisk", "--verify", disk.toString()).run();
    Path loader = directory.resolve("loader");
    Command.of("mcopy", "-i", disk + "@@" + 2 * MIB, "::/EFI/BOOT/BOOTX64.EFI", loader.toString())
        .run();
    assertThat(Files.readString(loader, java.nio.charset.StandardCharsets.ISO_8859_1))
        .startsWith("MZ")
        .contains("--set=root " + boot);
  }

  /** As an old machine: no partition for GRUB, /boot a folder of the root. */
  @ParameterizedTest
  @Tag("slow")
  @EnumSource(names = {"EXT4", "BTRFS"})
  void anEmptyRootAlone(RootFileSystem fs) throws Exception {
    one(fs);
    install(request(Replace.NOTHING));
    assertThat(notes)
        .contains("there is no EFI system partition: the machine starts by BIOS alone");
    assertThat(judged())
        .contains(" rw added=1 ostree=", "linux /boot/ostree/default-")
        .doesNotContain("boot=UUID");
    assertThat(deployment(root).resolve("etc/fstab")).content().doesNotContain("/boot");
    Path config = root.resolve("boot/grub/grub.cfg");
    assertThat(config).content().contains(uuid(root), "blsdir=/boot/loader/entries");
    Command.of("grub-script-check", config.toString()).run();
    try (RandomAccessFile in = new RandomAccessFile(disk.toFile(), "r")) {
      in.seek(512);
      assertThat(in.read()).describedAs("core.img before the first partition").isEqualTo(0x52);
    }
    Command.of("sfdisk", "--verify", disk.toString()).run();
    install(request(Replace.WIPE));
    judged();
  }

  private void oldSystem() throws IOException {
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

  @Test
  @Tag("slow")
  void anOldSystemStaysAlongsideButItsBoot() throws Exception {
    parts(RootFileSystem.XFS);
    oldSystem();
    String boot = uuid(root.resolve("boot"));
    loader("debian", "search.fs_uuid " + boot + " root\n");
    loader("systemd", "any");
    loader("Linux", "root=UUID=" + boot);
    loader("other", "search.fs_uuid 11111111-0000-4000-8000-00000000000A root\n");
    Path unit = tree.resolve("usr/lib/systemd/system/bootc-destructive-cleanup.service");
    Files.createDirectories(unit.getParent());
    Files.writeString(unit, "[Unit]\n");
    refused(request(Replace.NOTHING), " is not empty, it holds ");
    FilesystemInstall.Request r = request(Replace.ALONGSIDE);
    r =
        new FilesystemInstall.Request(
            r.image(),
            root,
            r.host(),
            r.replace(),
            null,
            null,
            KernelArguments.of("root=/dev/mapper/vg-root", "rd.lvm.lv=vg/root"),
            false,
            true,
            r.wishes());
    install(r);
    assertThat(judged())
        .contains("options root=/dev/mapper/vg-root rd.lvm.lv=vg/root rw boot=UUID=");
    for (String file : List.of("etc/hostname", "usr/bin/true", "home/ann/letter", "var/lib/db")) {
      assertThat(root.resolve(file)).hasContent("old " + file);
    }
    assertThat(root.resolve("boot/vmlinuz-old")).doesNotExist();
    assertThat(root.resolve("boot/grub/grub.cfg")).content().contains("blscfg");
    assertThat(root.resolve("etc/bootc-destructive-cleanup")).isEmptyFile();
    // The partition is not mounted; its loader that looked for the erased /boot went all the same.
    assertThat(notes)
        .contains(
            "removed the old system's loader EFI/debian",
            "removed the old system's loader EFI/Linux/grub.cfg")
        .anyMatch(line -> line.startsWith("systemd-boot of another system stays in EFI/systemd"));
    String esp = disk + "@@" + table(disk).get(1).start();
    assertThat(Command.of("mdir", "-b", "-i", esp, "::/EFI/").output())
        .contains("::/EFI/BOOT/", "::/EFI/other/", "::/EFI/Linux/", "::/EFI/systemd/")
        .doesNotContain("debian");
    // Once more, as somebody does who forgot an option.
    install(request(Replace.ALONGSIDE));
    judged();
    // Not once it has run, whose /var would be the new one's, with nothing to go back to.
    try (var deployments = Files.list(root.resolve("ostree/deploy/default/deploy"))) {
      Path etc = deployments.filter(Files::isDirectory).findFirst().orElseThrow().resolve("etc");
      Files.writeString(etc.resolve("machine-id"), "0123456789abcdef0123456789abcdef\n");
    }
    refused(request(Replace.ALONGSIDE), "a machine has run on ");
    assertThat(root.resolve("boot/grub/grub.cfg")).exists();
  }

  /** Old and new look for the same /boot, in folders of the same name. */
  @Test
  @Tag("slow")
  void theLoaderOfAnOldSystemGoesAndTheNewOneOfItsVendorStays() throws Exception {
    parts(RootFileSystem.EXT4);
    oldSystem();
    loader("fedora", "search.fs_uuid " + uuid(root.resolve("boot")) + " root\n");
    String updates = "usr/lib/bootupd/updates/";
    String configs = "usr/lib/bootupd/grub2-static/";
    for (String[] file :
        new String[][] {
          {updates + "EFI.json", "{\"timestamp\":\"2025-08-20T08:48:03Z\",\"version\":\"1\"}"},
          {updates + "EFI/BOOT/BOOTX64.EFI", "shim"},
          {updates + "EFI/fedora/shimx64.efi", "shim"},
          {updates + "EFI/fedora/grubx64.efi", "grub"},
          {configs + "grub-static-pre.cfg", "set timeout=1\n"},
          {configs + "grub-static-efi.cfg", "configfile $prefix/grub.cfg\n"}
        }) {
      Files.createDirectories(tree.resolve(file[0]).getParent());
      Files.writeString(tree.resolve(file[0]), file[1]);
    }
    install(request(Replace.ALONGSIDE));
    String esp = disk + "@@" + table(disk).get(1).start();
    Path copy = Files.createDirectory(directory.resolve("copy"));
    Command.of("mcopy", "-s", "-i", esp, "::/EFI").with(copy + "/").run();
    assertThat(notes).contains("removed the old system's loader EFI/fedora");
    assertThat(copy.resolve("EFI/fedora/shimx64.efi")).hasContent("shim");
    assertThat(copy.resolve("EFI/fedora/grubx64.efi")).hasContent("grub");
    assertThat(copy.resolve("EFI/fedora/grub.cfg")).hasContent("configfile $prefix/grub.cfg");
    assertThat(copy.resolve("EFI/fedora/bootuuid.cfg"))
        .content()
        .contains(uuid(root.resolve("boot")));
  }

  /** On the EFI system partition, which is not mounted. */
  private void loader(String vendor, String config) throws IOException {
    String esp = disk + "@@" + table(disk).get(1).start();
    Path file = Files.writeString(directory.resolve("vendor.cfg"), config);
    Command.of("mmd", "-D", "s", "-i", esp, "::/EFI").tryRun();
    Command.of("mmd", "-i", esp, "::/EFI/" + vendor).run();
    Command.of("mcopy", "-i", esp, file.toString(), "::/EFI/" + vendor + "/grub.cfg").run();
  }

  private FilesystemInstall.Request withCleanup(Replace replace) throws IOException {
    FilesystemInstall.Request r = request(replace);
    return new FilesystemInstall.Request(
        r.image(), root, r.host(), replace, null, null, r.inherited(), false, true, r.wishes());
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

  @Test
  @Tag("slow")
  void twoInstallationsOntoOneRootExcludeEachOther() throws Exception {
    one(RootFileSystem.EXT4);
    FilesystemInstall.Request r = request(Replace.NOTHING);
    FilesystemInstall.run(
        r, running -> refused(r, "another installation onto " + root + " is under way"), told());
    judged();
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
            "kargs = [\"a\\nb\"]")) {
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
        new FilesystemInstall.Request(
            super.request().image(),
            root,
            directory.resolve("nohost"),
            Replace.ALONGSIDE,
            null,
            null,
            KernelArguments.NONE,
            false,
            false,
            wishes(
                null,
                (place, files) -> {
                  assertThat(place).isEqualTo(root);
                  assertThat(files.find("usr/lib/modules")).isPresent();
                  throw Problem.notFound("no application");
                }));
    assertThatThrownBy(() -> install(request)).hasMessage("no application");
    assertThat(root.resolve("boot/vmlinuz-old")).hasContent("old boot/vmlinuz-old");
    assertThat(root.resolve("ostree")).doesNotExist();
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
  void wipingLeavesNothingButMounts() throws Exception {
    parts(RootFileSystem.EXT4);
    oldSystem();
    Path data = Files.createDirectories(root.resolve("srv/data"));
    open.add(Mount.of("tmpfs", data, "tmpfs", 0, null));
    Files.writeString(data.resolve("file"), "mine");
    FilesystemInstall.Request r = request(Replace.WIPE);
    install(
        new FilesystemInstall.Request(
            r.image(),
            root,
            r.host(),
            r.replace(),
            "LABEL=root",
            "LABEL=boot",
            r.inherited(),
            true,
            false,
            r.wishes()));
    assertThat(judged()).contains("options root=LABEL=root rw boot=LABEL=boot added=1");
    assertThat(deployment(root).resolve("etc/fstab"))
        .content()
        .isEqualTo("LABEL=boot /boot auto ro 0 0\n");
    assertThat(data.resolve("file")).hasContent("mine");
    for (String gone : List.of("home", "usr", "bin", "boot/vmlinuz-old")) {
      assertThat(root.resolve(gone)).doesNotExist();
    }
    assertThat(Command.of("findmnt", "-n", "-o", "OPTIONS", root.toString()).output())
        .describedAs("finished")
        .startsWith("ro");
    close();
    for (int part : List.of(2, 3)) {
      try (LoopDevice loop = loop(disk, table(disk).get(part))) {
        Command.of("e2fsck", "-fn", loop.device().toString()).run();
      }
    }
  }

  @Test
  @Tag("slow")
  void emptySpecsAndNoBootLoader() throws Exception {
    one(RootFileSystem.EXT4);
    FilesystemInstall.Request r = request(Replace.NOTHING);
    install(
        new FilesystemInstall.Request(
            r.image(),
            root,
            r.host(),
            r.replace(),
            "",
            "",
            r.inherited(),
            false,
            false,
            wishes(BootLoader.NONE)));
    assertThat(judged()).contains("options rw added=1 ostree=");
    assertThat(root.resolve("boot/grub")).doesNotExist();
    byte[] first = new byte[440];
    try (RandomAccessFile in = new RandomAccessFile(disk.toFile(), "r")) {
      in.readFully(first);
    }
    assertThat(first).containsOnly(0);
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
    FilesystemInstall.Request r = request(Replace.NOTHING);
    refused(
        new FilesystemInstall.Request(
            r.image(),
            root,
            r.host(),
            r.replace(),
            "a b",
            null,
            r.inherited(),
            false,
            false,
            r.wishes()),
        "--root-mount-spec takes one word");
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
    Command.of("fallocate", "-l", "300M", root.resolve("fill").toString()).run();
    FilesystemInstall.Request r = request(Replace.ALONGSIDE);
    refused(
        new FilesystemInstall.Request(
            r.image(),
            root,
            r.host(),
            r.replace(),
            null,
            null,
            r.inherited(),
            false,
            false,
            wishes(BootLoader.NONE)),
        "and this image takes about ");
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
    try (RandomAccessFile out = new RandomAccessFile(disk.toFile(), "rw")) {
      out.seek(table(disk).get(1).start());
      out.write(new byte[1 << 20]);
    }
    keepsTheOldSystem(" holds no FAT that can be read");
  }

  private void keepsTheOldSystem(String sentence) {
    assertThatThrownBy(() -> install(request(Replace.ALONGSIDE)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(sentence);
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
          {"CRYPT-LUKS2-x", "an encrypted device"}, {"x", "a device that is mapped"},
          {"mpath-x", null}, {"part2-mpath-x", null}
        }) {
      write(mapping.resolve("dm/uuid"), each[0] + "\n");
      assertThat(DeviceFolder.madeOf(mapping).orElse(null)).isEqualTo(each[1]);
    }
    Path raid = directory.resolve("raid");
    write(raid.resolve("md127/md/metadata_version"), "1.2\n");
    write(raid.resolve("md127/md127p1/partition"), "1\n");
    assertThat(DeviceFolder.madeOf(raid.resolve("md127/md127p1"))).contains("a RAID of Linux");
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
        new FilesystemInstall.Request(
            r.image(),
            root,
            root,
            Replace.WIPE,
            null,
            null,
            r.inherited(),
            false,
            false,
            r.wishes()),
        root + " is the root that this machine runs on, and --replace wipe would erase");
    MountedFileSystem target = MountedFileSystem.at(root).orElseThrow();
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
    FilesystemInstall.Request own =
        new FilesystemInstall.Request(
            r.image(),
            root,
            root,
            r.replace(),
            null,
            null,
            r.inherited(),
            false,
            false,
            r.wishes());
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
        new FilesystemInstall.Request(
            r.image(),
            root,
            directory.resolve("host"),
            Replace.ALONGSIDE,
            null,
            null,
            r.inherited(),
            false,
            false,
            r.wishes()),
        "this machine runs on a deployment in ");
  }
}
