package slipway.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import slipway.base.Progress;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.RootFileSystem;
import slipway.linux.loop.LoopDevice;
import slipway.linux.mount.Mount;
import slipway.linux.mount.Mounts;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Xattrs;
import slipway.linux.process.Command;
import slipway.system.kargs.KernelArguments;

/**
 * What is installed from an image with an SELinux policy has its labels everywhere, also where the
 * machine that installs has no SELinux. ostree finds that the objects have theirs still.
 */
class SelinuxLabelsTest extends DiskCase {
  private static final String POLICY =
      """
      /.*                 system_u:object_r:default_t:s0
      /               -d  system_u:object_r:root_t:s0
      /boot(/.*)?         system_u:object_r:boot_t:s0
      /usr(/.*)?          system_u:object_r:usr_t:s0
      /usr/lib/modules/.* system_u:object_r:modules_t:s0
      /etc(/.*)?          system_u:object_r:etc_t:s0
      /etc/shadow     --  system_u:object_r:shadow_t:s0
      /var(/.*)?          system_u:object_r:var_t:s0
      /var/home/[^/]*/\\.ssh(/.*)?  system_u:object_r:ssh_home_t:s0
      """;

  private DiskConfig config() throws IOException {
    Path policy = Files.createDirectories(tree.resolve("etc/selinux/t/contexts/files"));
    Files.writeString(tree.resolve("etc/selinux/config"), "SELINUX=enforcing\nSELINUXTYPE=t\n");
    Files.writeString(policy.resolve("file_contexts"), POLICY);
    Path file = directory.resolve("wishes.toml");
    return DiskConfig.parse(
        Files.writeString(
            file,
            """
            [[customizations.user]]
            name = "ann"
            password = "plain"
            key = "ssh-ed25519 AAAA ann"
            """));
  }

  /** The labels of all that is mounted there, by path. */
  private static Map<String, String> labels(Path root) throws IOException {
    Map<String, String> found = new TreeMap<>();
    try (Stream<Path> all = Files.walk(root)) {
      for (Path path : (Iterable<Path>) all::iterator) {
        byte[] value = Xattrs.lgetxattr(OsPath.of(path), OsPath.of("security.selinux"));
        String label = value == null ? "none" : new String(value, StandardCharsets.UTF_8);
        found.put(root.relativize(path).toString(), label.replaceFirst(".*:(.*):s0\0", "$1"));
      }
    }
    return found;
  }

  private static void judge(Path root) throws IOException {
    String deployment = root.relativize(deployment(root)).toString();
    Map<String, String> found = labels(root);
    // Objects that no tree of the image itself has, such as those of a layer by itself.
    found.keySet().removeIf(name -> name.matches("ostree/repo/objects/../[^/]*\\.file"));
    String var = "ostree/deploy/default/var";
    assertThat(found)
        .doesNotContainValue("none")
        .containsEntry("", "root_t")
        .containsEntry(".bootc-aleph.json", "default_t")
        .containsEntry("ostree", "usr_t")
        .containsEntry("boot", "boot_t")
        .containsEntry("boot/loader.1/entries/ostree-1.conf", "boot_t")
        .containsEntry(deployment, "root_t")
        .containsEntry(deployment + ".origin", "etc_t")
        .containsEntry(deployment + "/.ostree.cfs", "usr_t")
        .containsEntry(deployment + "/usr/etc/shadow", "usr_t")
        .containsEntry(deployment + "/etc/passwd", "etc_t")
        .containsEntry(deployment + "/etc/shadow", "shadow_t")
        .containsEntry(var + "/home/ann", "var_t")
        .containsEntry(var + "/home/ann/.ssh/authorized_keys", "ssh_home_t");
    Command.of("ostree", "fsck", "--repo=" + root.resolve("ostree/repo")).run();
  }

  @Test
  @Tag("slow")
  void aDisk() throws Exception {
    DiskConfig config = config();
    Path disk = build(with(request(), RootFileSystem.EXT4, config));
    Path at = Files.createDirectory(directory.resolve("mnt"));
    try (LoopDevice boot = loop(disk, table(disk).get(2));
        LoopDevice root = loop(disk, table(disk).get(3));
        Mount m = Mount.of(root.device().toString(), at, "ext4", Mounts.MS_RDONLY, null);
        Mount b =
            Mount.of(
                boot.device().toString(), at.resolve("boot"), "ext4", Mounts.MS_RDONLY, null)) {
      judge(m.target());
      Map<String, String> found = labels(b.target());
      assertThat(found)
          .containsEntry("grub/grub.cfg", "boot_t")
          .containsEntry("lost+found", "boot_t");
      assertThat(found.keySet()).anyMatch(name -> name.matches("ostree/[^/]*/vmlinuz-.*"));
      assertThat(deployment(m.target()).resolve("etc/fstab")).content().contains(" /boot ");
    }
  }

  @ParameterizedTest
  @Tag("slow")
  @EnumSource(names = {"XFS", "BTRFS"})
  void aFileSystem(RootFileSystem fs) throws Exception {
    DiskConfig config = config();
    Path units = Files.createDirectories(tree.resolve("usr/lib/systemd/system"));
    Files.writeString(units.resolve("bootc-destructive-cleanup.service"), "[Unit]\n");
    Path file = directory.resolve("file");
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.setLength(1L << 30);
    }
    Path at = Files.createDirectory(directory.resolve("mnt"));
    try (LoopDevice device = LoopDevice.attach(file, 0, 1L << 30)) {
      Command.of("mkfs." + fs.label(), "-q", device.device().toString()).run();
      try (Mount m = Mount.of(device.device().toString(), at, fs.label(), 0, null)) {
        FilesystemInstall.run(
            new FilesystemInstall.Request(
                request().image(),
                m.target(),
                directory.resolve("nohost"),
                FilesystemInstall.Replace.NOTHING,
                null,
                null,
                KernelArguments.NONE,
                false,
                true,
                MachineWishes.of(BootLoader.NONE, config)),
            running -> {},
            Progress.NONE);
        judge(m.target());
        assertThat(labels(m.target())).containsEntry("etc/bootc-destructive-cleanup", "etc_t");
        // The kernel is a hard link of its object, which has the label of its commit.
        assertThat(labels(m.target().resolve("boot/ostree")).values())
            .containsAll(List.of("boot_t", "modules_t"));
      }
    }
  }
}
