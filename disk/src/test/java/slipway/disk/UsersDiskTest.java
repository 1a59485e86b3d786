package slipway.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import slipway.archive.tar.Metadata;
import slipway.base.ChildJvm;
import slipway.base.Problem;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.RootFileSystem;
import slipway.linux.loop.LoopDevice;
import slipway.linux.mount.Mount;
import slipway.linux.mount.MountNamespace;
import slipway.linux.mount.Mounts;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Xattrs;
import slipway.linux.process.Command;
import slipway.oci.model.Manifest;
import slipway.oci.store.LocalStore;
import slipway.tree.DirectoryReader;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * A disk that a user without any privilege has made is the one that root makes, and what root is
 * refused the user is refused in the same words.
 */
@Tag("slow")
class UsersDiskTest extends DiskCase {
  private static final int NOBODY = 65534;
  private static final byte[] CAPABILITY =
      HexFormat.of().parseHex("0100000200040000000000000000000000000000");

  /** As acl(5): its owner rw, user 1000 rwx, group r, at most rw, others r. */
  private static final byte[] LIST =
      HexFormat.of()
          .parseHex(
              "02000000"
                  + ("01000600ffffffff" + "02000700e8030000" + "04000400ffffffff")
                  + ("10000600ffffffff" + "20000400ffffffff"));

  private Path home;
  private long begun;

  @BeforeEach
  void makeHome() throws Exception {
    begun = System.currentTimeMillis() / 1000 - 1;
    home = Files.createDirectory(directory.resolve("home"));
    Command.of("chmod", "755", directory.toString()).run();
  }

  /** What is of all kinds that an image may have. */
  private void fill() throws Exception {
    Path bin = tree.resolve("usr/bin");
    OsPath ping = OsPath.of(Files.writeString(bin.resolve("ping"), "ping"));
    Posix.chmod(ping, 0755);
    Xattrs.lsetxattr(ping, OsPath.of("security.capability"), CAPABILITY);
    OsPath su = OsPath.of(Files.writeString(bin.resolve("su"), "su"));
    Posix.chmod(su, 04755);
    Posix.lchown(su, 0, 27);
    Posix.chmod(su, 06755);
    Files.createLink(bin.resolve("su2"), bin.resolve("su"));
    OsPath secret = OsPath.of(Files.writeString(tree.resolve("etc/secret"), "secret"));
    Posix.lchown(secret, 100_000, 200_000);
    Posix.chmod(secret, 0);
    Posix.chmod(OsPath.of(tree.resolve("etc/shadow")), 0);
    Xattrs.lsetxattr(secret, OsPath.of("user.note"), new byte[] {1, 2, 3});
    Xattrs.lsetxattr(
        OsPath.of(tree.resolve("etc/group")), OsPath.of("system.posix_acl_access"), LIST);
    Xattrs.lsetxattr(
        OsPath.of(tree.resolve("etc/skel")), OsPath.of("system.posix_acl_default"), LIST);
    OsPath closed = OsPath.of(Files.createDirectory(tree.resolve("usr/closed")));
    Files.writeString(tree.resolve("usr/closed/in"), "in");
    Posix.lchown(closed, 12, 34);
    Posix.chmod(closed, 03500);
    Posix.lchown(OsPath.of(Files.createSymbolicLink(bin.resolve("of"), Path.of("su"))), 5, 6);
    Files.writeString(tree.resolve("usr/.ostree-wh.hidden"), "");
    Posix.lchown(OsPath.of(tree.resolve("usr/.ostree-wh.hidden")), 7, 8);
    Files.write(bin.resolve("large"), new byte[3 << 20]);
    Posix.mkdir(OsPath.of(tree.resolve("var/log")), 0755);
    Posix.lchown(OsPath.of(tree.resolve("var/log")), 0, 27);
    Posix.chmod(OsPath.of(tree.resolve("var/log")), 02770);
    Path policy = Files.createDirectories(tree.resolve("etc/selinux/t/contexts/files"));
    Files.writeString(tree.resolve("etc/selinux/config"), "SELINUX=enforcing\nSELINUXTYPE=t\n");
    Files.writeString(
        policy.resolve("file_contexts"),
        """
        /.*             system_u:object_r:default_t:s0
        /boot(/.*)?     system_u:object_r:boot_t:s0
        /usr(/.*)?      system_u:object_r:usr_t:s0
        /etc(/.*)?      system_u:object_r:etc_t:s0
        /var(/.*)?      system_u:object_r:var_t:s0
        """);
  }

  private Path config() throws IOException {
    return Files.writeString(
        directory.resolve("config.toml"),
        """
        [[customizations.user]]
        name = "ann"
        key = "ssh-ed25519 AAAA ann"
        groups = ["sudo"]
        [customizations]
        hostname = "box"
        [[customizations.files]]
        path = "/etc/app/secret"
        data = "x"
        mode = "0640"
        user = "ann"
        """);
  }

  private DiskRequest image() throws IOException {
    Manifest.Image image = TestImage.storeWithXattrs(store, tree, BOOTABLE);
    return TestImage.request(store, image, output);
  }

  /** Class path of the tests where the user can read it. */
  private String classes() throws IOException {
    Path lib = Files.createDirectories(directory.resolve("lib"));
    List<String> entries = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(":")) {
      Path from = Path.of(entry);
      if (Files.exists(from) && !entry.contains("junit")) {
        Path to = lib.resolve(entries.size() + "-" + from.getFileName());
        Command.of("cp", "-r", "--no-preserve=mode", from.toString(), to.toString()).run();
        entries.add(to.toString());
      }
    }
    Command.of("chmod", "-R", "a+rX", lib.toString()).run();
    return String.join(":", entries);
  }

  /** Runs {@link UsersBuild} as nobody, and gives what it prints. */
  private String byUser(DiskRequest request, String... more) throws Exception {
    store.close();
    String folder = Files.createDirectories(home.resolve("output")).toString();
    Files.createDirectories(home.resolve("tmp"));
    Command.of("cp", "-a", directory + "/store", home + "/store").run();
    Command.of("chown", "-R", NOBODY + ":" + NOBODY, home.toString()).run();
    List<String> line = new ArrayList<>(ChildJvm.line(UsersBuild.class));
    line.set(line.indexOf("-cp") + 1, classes());
    Command.Result result =
        Command.of("setpriv", "--reuid", "" + NOBODY, "--regid", "" + NOBODY, "--clear-groups")
            .with("--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--")
            .with(line.toArray(String[]::new))
            .with(home + "/store", request.manifest().digest().toString(), folder)
            .with(more)
            .environment("TMPDIR", home + "/tmp")
            .environment("HOME", home.toString())
            .environment("PATH", "/usr/local/bin:/usr/bin:/bin")
            .directory(home)
            .run();
    store = LocalStore.open(directory.resolve("store"));
    assertThat(Posix.list(OsPath.of(home.resolve("tmp")))).describedAs("temporary files").isEmpty();
    return result.text().strip();
  }

  private Path usersDisk() {
    return home.resolve("output/image/disk.raw");
  }

  @Test
  void itIsRootsDisk() throws Exception {
    fill();
    DiskRequest request = image();
    Path wishes = config();
    Path disk = build(with(request, RootFileSystem.EXT4, DiskConfig.parse(wishes)));
    assertThat(byUser(request, "ext4", wishes.toString())).isEmpty();
    sound(usersDisk());
    Map<String, String> wanted = listing(disk);
    assertThat(wanted.values().toString())
        .contains("security.capability", "security.selinux", "user.note", "posix_acl", "immutable");
    assertThat(String.join("\n", lines(listing(usersDisk()))))
        .isEqualTo(String.join("\n", lines(wanted)));
    assertThat(table(usersDisk())).isEqualTo(table(disk));
  }

  /** With the older table, too. */
  @Test
  void itIsRootsDiskWithTheOlderTable() throws Exception {
    Path wishes =
        Files.writeString(
            directory.resolve("config.toml"), "[customizations.disk]\ntype = \"dos\"\n");
    DiskRequest request = image();
    Path disk = build(with(request, RootFileSystem.EXT4, DiskConfig.parse(wishes)));
    assertThat(byUser(request, "ext4", wishes.toString())).isEmpty();
    assertThat(table(usersDisk())).isEqualTo(table(disk));
    assertThat(Command.of("sfdisk", "-d", usersDisk().toString()).output())
        .contains("label: dos", "type=ef", "bootable");
    embedded(usersDisk());
    for (Partition part : table(usersDisk()).subList(1, 3)) {
      try (LoopDevice loop = loop(usersDisk(), part)) {
        Command.of("e2fsck", "-fn", loop.device().toString()).run();
      }
    }
  }

  /** With partitions for other places, too, and room for swapping. */
  @Test
  void itIsRootsDiskWithMorePartitions() throws Exception {
    fill();
    Files.createDirectory(tree.resolve("data"));
    Files.createDirectory(tree.resolve("exchange"));
    StringBuilder text = new StringBuilder(Files.readString(config()));
    for (String each : List.of("/var", "/var/home", "/data")) {
      text.append("[[customizations.disk.partitions]]\nminsize = \"64 MiB\"\n")
          .append("mountpoint = \"" + each + "\"\n");
    }
    text.append("[[customizations.disk.partitions]]\nminsize = 1\nfs_type = \"swap\"\n");
    text.append("[[customizations.disk.partitions]]\nminsize = \"70 MiB\"\n")
        .append("mountpoint = \"/exchange\"\nfs_type = \"vfat\"\n");
    Path wishes = Files.writeString(directory.resolve("config.toml"), text);
    DiskRequest request = image();
    Path disk = build(with(request, RootFileSystem.EXT4, DiskConfig.parse(wishes)));
    assertThat(byUser(request, "ext4", wishes.toString())).isEmpty();
    assertThat(parts(usersDisk())).hasSize(9).isEqualTo(parts(disk));
    for (int i : List.of(2, 3, 4, 5, 8)) {
      try (LoopDevice part = loop(usersDisk(), parts(usersDisk()).get(i))) {
        Command.of("e2fsck", "-fn", part.device().toString()).run();
      }
      assertThat(String.join("\n", lines(listing(usersDisk(), i))))
          .isEqualTo(String.join("\n", lines(listing(disk, i))));
    }
    assertThat(listing(disk, 3).keySet()).contains("log", "home").doesNotContain("home/ann");
    assertThat(listing(disk, 4).get("ann/.ssh/authorized_keys")).contains("1000:1000");
    try (LoopDevice swap = loop(usersDisk(), parts(disk).get(6));
        LoopDevice exchange = loop(usersDisk(), parts(disk).get(7))) {
      assertThat(Command.of("swaplabel", swap.device().toString()).output()).contains("UUID: ");
      Command.of("fsck.vfat", "-n", exchange.device().toString()).run();
    }
  }

  /** All that is in one partition. */
  private Map<String, String> listing(Path disk, int part) throws Exception {
    Path at = Files.createDirectories(directory.resolve("mnt"));
    return MountNamespace.call(
        "test",
        () -> {
          try (LoopDevice loop = loop(disk, parts(disk).get(part));
              Mount m = Mount.of(loop.device().toString(), at, "ext4", Mounts.MS_RDONLY, null)) {
            return listing(DirectoryReader.read(m.target()), ids(disk));
          }
        });
  }

  /** Those of all its file systems, as a pattern. */
  private static String ids(Path disk) throws IOException {
    List<String> ids = new ArrayList<>();
    for (Partition part : parts(disk)) {
      try (LoopDevice loop = loop(disk, part)) {
        ids.add(
            Command.of("blkid", "-p", "-o", "value", "-s", "UUID", loop.device().toString())
                .tryRun()
                .text()
                .strip());
      }
    }
    ids.removeIf(String::isEmpty);
    return String.join("|", ids);
  }

  private static List<String> lines(Map<String, String> listing) {
    return listing.entrySet().stream().map(e -> e.getKey() + " " + e.getValue()).toList();
  }

  private void sound(Path disk) throws Exception {
    Command.Result verify = Command.of("sfdisk", "--verify", disk.toString()).run();
    assertThat(verify.text() + verify.stderr()).contains("No errors detected");
    List<Partition> table = table(disk);
    for (int i : List.of(2, 3)) {
      try (LoopDevice part = loop(disk, table.get(i))) {
        Command.of("e2fsck", "-fn", part.device().toString()).run();
      }
    }
    try (LoopDevice esp = loop(disk, table.get(1))) {
      Command.of("fsck.vfat", "-n", esp.device().toString()).run();
    }
  }

  /** All that is on the file systems of a disk, but for what differs from disk to disk. */
  private Map<String, String> listing(Path disk) throws Exception {
    Path at = Files.createDirectories(directory.resolve("mnt"));
    return MountNamespace.call(
        "test",
        () -> {
          try (LoopDevice boot = loop(disk, table(disk).get(2));
              LoopDevice root = loop(disk, table(disk).get(3));
              Mount m = Mount.of(root.device().toString(), at, "ext4", Mounts.MS_RDONLY, null);
              Mount b =
                  Mount.of(
                      boot.device().toString(),
                      at.resolve("boot"),
                      "ext4",
                      Mounts.MS_RDONLY,
                      null)) {
            Command.of("ostree", "fsck", "--repo=" + m.target() + "/ostree/repo").run();
            String ids = id(root) + "|" + id(boot);
            FileTree tree = DirectoryReader.read(m.target());
            Map<String, String> lines = listing(tree, ids);
            String flags = Command.of("lsattr", "-d", deployment(m.target()) + "").output();
            lines.put("flags", flags.split(" ")[0].contains("i") ? "immutable" : "none");
            return lines;
          }
        });
  }

  private static String id(LoopDevice device) {
    return Command.of("blkid", "-p", "-o", "value", "-s", "UUID", device.device().toString())
        .output();
  }

  private Map<String, String> listing(FileTree tree, String ids) throws IOException {
    IdentityHashMap<Node, OsPath> first = new IdentityHashMap<>();
    Map<String, String> lines = new TreeMap<>();
    tree.walk(
        (path, node) -> {
          OsPath same = first.putIfAbsent(node, path);
          lines.put(path.toString(), same == null ? line(node, ids) : "as " + same);
        });
    return lines;
  }

  private String line(Node node, String ids) throws IOException {
    Metadata m = node.metadata();
    String time = m.mtimeSeconds() >= begun ? "now" : m.mtimeSeconds() + "." + m.mtimeNanos();
    StringBuilder line = new StringBuilder();
    line.append("%o %d:%d %s".formatted(m.mode(), m.uid(), m.gid(), time));
    m.xattrs().stream()
        .map(x -> " " + x.name() + "=" + HexFormat.of().formatHex(x.value()))
        .sorted()
        .forEach(line::append);
    switch (node) {
      case Node.File f -> {
        byte[] bytes;
        try (InputStream in = f.content().open()) {
          bytes = in.readAllBytes();
        }
        if (bytes.length < 100_000) {
          String text = new String(bytes, StandardCharsets.ISO_8859_1).replaceAll(ids, "ID");
          bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        }
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        line.append(" %d %x".formatted(bytes.length, crc.getValue()));
      }
      case Node.Symlink s -> line.append(" -> ").append(s.target());
      case Node.Special s -> line.append(" device ").append(s.rdev());
      default -> {}
    }
    return line.toString();
  }

  /** In the words that root is told. */
  private void refusedAlike(String what) throws Exception {
    DiskRequest request = image();
    assertThatThrownBy(() -> build(request))
        .isInstanceOfSatisfying(
            Problem.class,
            e -> {
              try {
                assertThat(byUser(request, "ext4")).isEqualTo(e.sentence());
              } catch (Exception failure) {
                throw new AssertionError(failure);
              }
            })
        .hasMessageContaining(what);
    assertThat(usersDisk()).doesNotExist();
  }

  @Test
  void aLinkInThePlaceOfEtcIsRefused() throws Exception {
    Command.of("rm", "-r", tree + "/etc").run();
    Files.createSymbolicLink(tree.resolve("etc"), Path.of("/etc"));
    refusedAlike("/etc");
  }

  @Test
  void aHiddenNameThatIsThereIsRefused() throws Exception {
    Files.writeString(tree.resolve("usr/.ostree-wh.bin"), "");
    refusedAlike("what it hides");
  }

  @Test
  void aBrokenGrubIsRefused() throws Exception {
    Files.write(tree.resolve("usr/lib/grub/x86_64-efi/kernel.img"), new byte[5000]);
    refusedAlike("cannot make a boot loader");
  }

  @Test
  void aPartitionThatIsTooSmallIsTold() throws Exception {
    Files.createDirectories(tree.resolve("var/lib"));
    Files.writeString(tree.resolve("var/lib/large"), "x".repeat(40 << 20));
    Path wishes =
        Files.writeString(
            directory.resolve("config.toml"),
            "[[customizations.disk.partitions]]\nmountpoint = \"/var\"\nminsize = \"32 MiB\"\n");
    assertThat(byUser(image(), "ext4", wishes.toString()))
        .startsWith("the partition for /var has 32 MiB, which is too small for what");
    assertThat(usersDisk()).doesNotExist();
  }

  @Test
  void whatOnlyRootCanDoIsToldAtOnce() throws Exception {
    DiskRequest request = image();
    assertThat(byUser(request, "xfs"))
        .isEqualTo("only root can make a disk with xfs; run it with sudo, or give --rootfs ext4");
    Path wishes =
        Files.writeString(
            directory.resolve("xfs.toml"),
            "[[customizations.disk.partitions]]\nmountpoint = \"/var\"\nfs_type = \"xfs\"\nminsize = 1\n");
    Posix.removeTree(OsPath.of(home.resolve("store")));
    assertThat(byUser(request, "ext4", wishes.toString()))
        .isEqualTo(
            "only root can make xfs for /var; run it with sudo, or take a plain partition with"
                + " fs_type = \"ext4\"");
    Posix.removeTree(OsPath.of(home.resolve("store")));
    assertThat(byUser(request, "ext4", config().toString(), "0:0"))
        .isEqualTo(
            "only root can give the files another owner; run it with sudo, or leave out --chown");
    assertThat(usersDisk()).doesNotExist();
  }
}
