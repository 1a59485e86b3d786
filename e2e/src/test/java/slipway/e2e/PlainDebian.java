package slipway.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;
import slipway.linux.process.Command;
import slipway.media.VmSpec;

/**
 * A machine of packages, as Debian is installed usually: BIOS, one file system, podman with an
 * image in its store, data of people, and two empty disks.
 */
final class PlainDebian {
  private static final List<String> PACKAGES =
      List.of(
          "linux-image-cloud-amd64",
          "initramfs-tools",
          "systemd-sysv",
          "udev",
          "dbus",
          "openssh-server",
          "podman",
          "crun",
          "netavark",
          "nftables",
          "fdisk",
          "e2fsprogs",
          "kmod");

  private static final long MIB = 1L << 20;
  private static final long SIZE = 8192 * MIB;
  private static final long ROOT_START = 2 * MIB;

  /** Room for the second table of partitions. */
  private static final long TAIL = MIB;

  private static final String CONSOLE = "console=ttyS0 mitigations=off quiet";

  private final Path dir;
  private final Path key;

  /**
   * @param dir for its disks
   * @param key of who may log in as root
   */
  PlainDebian(Path dir, Path key) {
    this.dir = dir;
    this.key = key;
  }

  /**
   * Makes its disks.
   *
   * @param image as skopeo names it
   * @param name that the image has in podman's store
   */
  void make(String image, String name) throws IOException {
    Path root = dir.resolve("plain");
    try {
      BareDebian.make(root, PACKAGES);
      settle(root);
      store(root, image, name);
      write(root);
    } finally {
      BareDebian.remove(root);
    }
    for (String more : List.of("vdb", "vdc")) {
      Command.of("truncate", "--size=5G", disk(more).toString()).run();
    }
  }

  /** The file that is a disk of its. */
  Path disk(String name) {
    return dir.resolve(name + ".raw");
  }

  /** As it is installed; the kernel is given to QEMU, as no boot loader is on the disk. */
  VmSpec spec() {
    return converted()
        .withMore("-kernel", dir.resolve("vmlinuz").toString())
        .withMore("-initrd", dir.resolve("initrd.img").toString())
        .withMore("-append", "root=LABEL=root rw " + CONSOLE)
        .withMore(UpgradingMachine.disk("disk1", disk("vdb")))
        .withMore(UpgradingMachine.disk("disk2", disk("vdc")));
  }

  /** The same disk as what its boot loader starts. */
  VmSpec converted() {
    return UpgradingMachine.spec(disk("vda"), key);
  }

  /** Who may log in, the network, and what somebody left. */
  private void settle(Path root) throws IOException {
    Path ssh = Files.createDirectories(root.resolve("root/.ssh"));
    Files.copy(Path.of(key + ".pub"), ssh.resolve("authorized_keys"));
    Files.writeString(root.resolve("etc/hostname"), "plain\n");
    Files.writeString(root.resolve("etc/fstab"), "LABEL=root / ext4 defaults 0 1\n");
    Files.writeString(
        root.resolve("etc/systemd/network/80-dhcp.network"),
        "[Match]\nType=ether\nKind=!*\n\n[Network]\nDHCP=yes\n");
    Command.of("chroot", root.toString(), "systemctl", "enable", "systemd-networkd", "ssh").run();
    Path home = Files.createDirectories(root.resolve("home/joe"));
    Files.writeString(home.resolve("note"), "written before\n");
    try (Stream<Path> boot = Files.list(root.resolve("boot"))) {
      for (Path file : boot.toList()) {
        String name = file.getFileName().toString();
        for (String kind : List.of("vmlinuz", "initrd.img")) {
          if (name.startsWith(kind + "-")) {
            Files.copy(file, dir.resolve(kind), StandardCopyOption.REPLACE_EXISTING);
          }
        }
      }
    }
  }

  /** As {@code podman pull} in the machine would leave it. */
  private void store(Path root, String image, String name) throws IOException {
    Path store = Files.createDirectories(root.resolve("var/lib/containers/storage"));
    Path run = Files.createDirectories(dir.resolve("containers"));
    Command.of("skopeo", "copy", "--quiet", "--src-tls-verify=false", image)
        .with("containers-storage:[overlay@" + store + "+" + run + "]" + name)
        .idleLimit(Cli.IDLE_LIMIT)
        .run();
    // skopeo leaves it mounted on itself.
    Command.of("umount", "--quiet", store.resolve("overlay").toString()).tryRun();
  }

  private void write(Path root) {
    String disk = disk("vda").toString();
    Command.of("truncate", "--size=" + SIZE, disk).run();
    Command.of("sfdisk", "--quiet", disk)
        .stdin(
            """
            label: gpt
            start=1MiB, size=1MiB, type=21686148-6449-6E6F-744E-656564454649, name=bios
            start=2MiB, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, name=root
            """)
        .run();
    Command.of("mke2fs", "-q", "-F", "-t", "ext4", "-L", "root", "-d", root.toString())
        .with("-E", "offset=" + ROOT_START, disk, (SIZE - ROOT_START - TAIL) / 1024 + "k")
        .idleLimit(Cli.IDLE_LIMIT)
        .run();
  }
}
