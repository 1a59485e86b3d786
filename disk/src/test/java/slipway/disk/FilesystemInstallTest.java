package slipway.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import slipway.base.Notes;
import slipway.disk.FilesystemInstall.Replace;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.RootFileSystem;
import slipway.linux.loop.LoopDevice;
import slipway.linux.mount.Mount;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Xattrs;
import slipway.linux.process.Command;
import slipway.system.kargs.KernelArguments;

/**
 * File systems that somebody else made, on loop devices over the parts of a file: as this kernel
 * reads no partition tables. ostree, sfdisk, mtools and the checkers of file systems judge.
 */
class FilesystemInstallTest extends FilesystemCase {
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

  @Test
  @Tag("slow")
  void aBootThatIsASubvolume() throws Exception {
    one(RootFileSystem.BTRFS);
    Command.of("btrfs", "subvolume", "create", root.resolve("boot").toString()).run();
    String device = Command.of("findmnt", "-n", "-o", "SOURCE", root.toString()).output();
    open.add(
        Mount.of(
            device.replaceFirst("\\[.*", "").strip(),
            root.resolve("boot"),
            "btrfs",
            0,
            "subvol=boot"));
    install(onto(root, Replace.NOTHING, wishes(BootLoader.NONE)));
    assertThat(deployment(root).resolve("etc/fstab"))
        .hasContent("UUID=" + uuid(root) + " /boot auto ro,subvol=/boot 0 0");
  }

  @Test
  @Tag("slow")
  void mountsBootByAKernelArgumentWhereEtcIsTransient() throws Exception {
    Files.writeString(
        tree.resolve("usr/lib/ostree/prepare-root.conf"),
        "[composefs]\nenabled = yes\n[etc]\ntransient = true\n");
    parts(RootFileSystem.EXT4);
    FilesystemInstall.Request keyed =
        onto(
            root,
            Replace.NOTHING,
            new MachineWishes(
                null,
                null,
                List.of(),
                List.of(),
                DiskConfig.EMPTY.withFile(
                    new DiskConfig.CustomFile("/etc/tmpfiles.d/x", "x", 0644, "root", "root")),
                null,
                false,
                MachineWishes.Companions.NONE));
    assertThatThrownBy(() -> install(keyed))
        .hasMessageContaining("would be gone at the first start");
    install(request(Replace.NOTHING));
    assertThat(judged())
        .contains(
            " systemd.mount-extra=UUID=" + uuid(root.resolve("boot")) + ":/boot:auto:ro,nofail ");
    assertThat(deployment(root).resolve("etc/fstab")).content().doesNotContain("/boot");
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

  @Test
  @Tag("slow")
  void anOldSystemStaysAlongsideButItsBoot() throws Exception {
    parts(RootFileSystem.XFS);
    oldSystem();
    String boot = uuid(root.resolve("boot"));
    loader("debian", "search.fs_uuid " + boot + " root\n");
    loader("systemd", "any");
    loader("Linux", "root=UUID=" + uuid(root));
    loader("other", "search.fs_uuid 11111111-0000-4000-8000-00000000000A root\n");
    Path unit = tree.resolve("usr/lib/systemd/system/bootc-destructive-cleanup.service");
    Files.createDirectories(unit.getParent());
    Files.writeString(unit, "[Unit]\n");
    refused(request(Replace.NOTHING), " is not empty, it holds ");
    FilesystemInstall.Request r = request(Replace.ALONGSIDE);
    r =
        r.withInherited(KernelArguments.of("root=/dev/mapper/vg-root", "rd.lvm.lv=vg/root"))
            .withCleanup(true);
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
            "removed the old system's loader EFI/debian from the EFI system partition " + disk)
        .noneMatch(line -> line.contains("EFI/Linux"))
        .anyMatch(line -> line.startsWith("systemd-boot of another system stays in EFI/systemd"));
    String esp = disk + "@@" + table(disk).get(1).start();
    assertThat(Command.of("mdir", "-b", "-i", esp, "::/EFI/").output())
        .contains("::/EFI/BOOT/", "::/EFI/other/", "::/EFI/Linux/", "::/EFI/systemd/")
        .doesNotContain("debian");
    // Once more, as somebody does who forgot an option.
    install(request(Replace.ALONGSIDE));
    judged();
    // Not once it has run, whose /var would be the new one's, with nothing to go back to.
    Path mark = root.resolve("ostree/deploy/default/var/.updated");
    Files.createFile(mark); // A machine whose /etc is not kept has no other one.
    refused(request(Replace.ALONGSIDE), "a machine has run on ");
    Files.delete(mark);
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
    assertThat(notes)
        .contains(
            "removed the old system's loader EFI/fedora from the EFI system partition " + disk);
    assertThat(copy.resolve("EFI/fedora/shimx64.efi")).hasContent("shim");
    assertThat(copy.resolve("EFI/fedora/grubx64.efi")).hasContent("grub");
    assertThat(copy.resolve("EFI/fedora/grub.cfg")).hasContent("configfile $prefix/grub.cfg");
    assertThat(copy.resolve("EFI/fedora/bootuuid.cfg"))
        .content()
        .contains(uuid(root.resolve("boot")));
  }

  /** A system in another subvolume stays, and its loader looks for the same file system. */
  @Test
  @Tag("slow")
  void theLoadersOfSystemsInOtherSubvolumesStay() throws Exception {
    Path whole = mount(disk(GPT, 3), RootFileSystem.BTRFS, directory.resolve("whole"));
    Command.of("btrfs", "-q", "subvolume", "create", whole.resolve("new").toString()).run();
    String device = MountedFileSystem.at(whole).orElseThrow().device().toString();
    root = Files.createDirectory(directory.resolve("mnt"));
    open.add(Mount.of(device, root, "btrfs", 0, "subvol=new"));
    Command.of("mformat", "-i", esp(), "-F", "-T", "131072", "::").run();
    loader("other", "search.fs_uuid " + uuid(whole) + " root\n");
    loader("Linux", "root=UUID=" + uuid(whole) + " rootflags=subvol=other");
    oldSystem();
    refused(
        request(Replace.WIPE).withWishes(wishes(BootLoader.GRUB)),
        "which is in the subvolume /new; give /boot a file system of its own, or --bootloader"
            + " systemd or none");
    Path place = tree.resolve("usr/lib/systemd/boot/efi/systemd-bootx64.efi");
    Files.createDirectories(place.getParent());
    Files.writeString(place, "MZ");
    for (Replace replace : List.of(Replace.ALONGSIDE, Replace.WIPE)) {
      install(request(replace).withWishes(wishes(BootLoader.SYSTEMD)));
      assertThat(Command.of("mdir", "-b", "-i", esp(), "::/EFI/other", "::/EFI/Linux").output())
          .contains("::/EFI/other/grub.cfg", "::/EFI/Linux/grub.cfg");
      assertThat(notes)
          .anyMatch(line -> line.startsWith("the loaders on the EFI system partition"));
    }
  }

  private String esp() {
    return disk + "@@" + table(disk).get(1).start();
  }

  /** A power cut behind that leaves a machine that starts, so it has to find its labels. */
  @Test
  @Tag("slow")
  void whatFirmwareStartsComesBehindTheLabels() throws Exception {
    Path policy = Files.createDirectories(tree.resolve("etc/selinux/t/contexts/files"));
    Files.writeString(tree.resolve("etc/selinux/config"), "SELINUX=enforcing\nSELINUXTYPE=t\n");
    Files.writeString(policy.resolve("file_contexts"), "/.* system_u:object_r:any_t:s0\n");
    parts(RootFileSystem.EXT4);
    oldSystem();
    loader("debian", "search.fs_uuid " + uuid(root.resolve("boot")) + " root\n");
    List<String> unlabelled = new ArrayList<>();
    FilesystemInstall.run(
        request(Replace.ALONGSIDE),
        running -> {},
        new Notes(
            line -> {
              if (line.startsWith("removed the old system's loader")) {
                notes.add(line);
                for (String file : List.of("boot/grub/grub.cfg", "boot/loader", "ostree/deploy")) {
                  if (label(root.resolve(file)) == null) {
                    unlabelled.add(file);
                  }
                }
              }
            }));
    assertThat(notes).isNotEmpty();
    assertThat(unlabelled).isEmpty();
  }

  /** As on a disk that fills up just there: a machine without labels must not start by a menu. */
  @Test
  @Tag("slow")
  void thereIsNoMenuWhereLabelsHaveNoRoom() throws Exception {
    Path policy = Files.createDirectories(tree.resolve("etc/selinux/t/contexts/files"));
    Files.writeString(tree.resolve("etc/selinux/config"), "SELINUX=enforcing\nSELINUXTYPE=t\n");
    Path contexts = policy.resolve("file_contexts");
    String any = "/.* system_u:object_r:any_t:s0\n";
    for (String tooLarge : List.of("/boot/loader.*", "/boot/grub/grub\\.cfg")) {
      Files.writeString(
          contexts, any + tooLarge + " system_u:object_r:" + "a".repeat(4050) + "_t:s0\n");
      close();
      disk = null;
      Files.deleteIfExists(directory.resolve("disk"));
      one(RootFileSystem.EXT4);
      assertThatThrownBy(() -> install(request(Replace.NOTHING))).as(tooLarge).isNotNull();
      assertThat(root.resolve("boot/loader")).isSymbolicLink();
      assertThat(root.resolve("boot/grub")).doesNotExist();
    }
    Files.writeString(contexts, any);
    install(request(Replace.WIPE));
    assertThat(label(root.resolve("boot/grub/grub.cfg"))).isNotNull();
    assertThat(root.resolve("boot/.slipway-grub")).doesNotExist();
    judged();
  }

  private static byte @Nullable [] label(Path file) {
    try {
      return Xattrs.lgetxattr(OsPath.of(file), OsPath.of("security.selinux"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
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

  @Test
  @Tag("slow")
  void wipingLeavesNothingButMounts() throws Exception {
    parts(RootFileSystem.EXT4);
    oldSystem();
    Path data = Files.createDirectories(root.resolve("srv/data"));
    open.add(Mount.of("tmpfs", data, "tmpfs", 0, null));
    Files.writeString(data.resolve("file"), "mine");
    loader("Linux", "root=UUID=" + uuid(root));
    FilesystemInstall.Request r = request(Replace.WIPE);
    install(r.withRootSpec("LABEL=root").withBootSpec("LABEL=boot").withFinish(true));
    assertThat(judged()).contains("options root=LABEL=root rw boot=LABEL=boot added=1");
    assertThat(deployment(root).resolve("etc/fstab"))
        .content()
        .isEqualTo("LABEL=boot /boot auto ro 0 0\n");
    assertThat(data.resolve("file")).hasContent("mine");
    assertThat(notes)
        .anyMatch(line -> line.startsWith("removed the old system's loader EFI/Linux/grub.cfg "));
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
    install(r.withRootSpec("").withBootSpec("").withWishes(wishes(BootLoader.NONE)));
    assertThat(judged()).contains("options rw added=1 ostree=");
    assertThat(root.resolve("boot/grub")).doesNotExist();
    byte[] first = new byte[440];
    try (RandomAccessFile in = new RandomAccessFile(disk.toFile(), "r")) {
      in.readFully(first);
    }
    assertThat(first).containsOnly(0);
  }
}
