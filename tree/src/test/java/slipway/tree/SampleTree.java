package slipway.tree;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.Xattrs;

/** A directory on disk with one of everything that an image may hold. */
final class SampleTree {
  /** Bytes that are no UTF-8. */
  static final OsPath ODD = OsPath.ofBytes(new byte[] {'o', (byte) 0xff, 'd', (byte) 0x80, 'd'});

  private static final byte[] CAPABILITY =
      HexFormat.of().parseHex("0100000200200000000000000000000000000000");

  private final OsPath root;

  private SampleTree(OsPath root) {
    this.root = root;
  }

  static void create(OsPath root) throws IOException {
    Posix.mkdir(root, 0755);
    SampleTree sample = new SampleTree(root);
    sample.files();
    sample.names();
    sample.linksAndSpecials();
    sample.directories();
  }

  private OsPath at(String name) {
    return root.resolve(name);
  }

  private void file(OsPath path, byte[] content, int mode, int uid, int gid) throws IOException {
    int fd = Posix.open(path, Posix.O_WRONLY | Posix.O_CREAT | Posix.O_EXCL, 0600);
    Posix.write(fd, content, 0, content.length);
    Posix.fchown(fd, uid, gid);
    Posix.fchmod(fd, mode);
    Posix.futimens(fd, 1_600_000_000L + content.length, 123_456_789);
    Posix.close(fd);
  }

  private static byte[] random(int size) {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    return bytes;
  }

  private void files() throws IOException {
    Posix.mkdir(at("usr"), 0755);
    Posix.mkdir(at("usr/bin"), 0755);
    file(at("usr/bin/su"), random(70_000), 04755, 0, 0);
    file(at("usr/bin/wall"), random(511), 02755, 0, 5);
    file(at("usr/bin/ping"), random(512), 0755, 0, 0);
    Xattrs.lsetxattr(at("usr/bin/ping"), OsPath.of("security.capability"), CAPABILITY);
    file(at("empty"), new byte[0], 0, 0, 0);
    file(at("secret"), random(513), 0400, 1000, 1001);
    file(at("bigids"), random(1), 0644, 3_000_000, 0x7ffffffe);
    byte[] holes = new byte[3 << 20];
    Arrays.fill(holes, 1 << 20, (1 << 20) + 5000, (byte) 7);
    file(at("holes"), holes, 0644, 0, 0);
    file(at("xattrs"), random(2), 0644, 0, 0);
    Xattrs.lsetxattr(at("xattrs"), OsPath.of("user.binary"), random(300));
    Xattrs.lsetxattr(at("xattrs"), OsPath.of("user.empty"), new byte[0]);
    Xattrs.lsetxattr(
        at("xattrs"), OsPath.of("user.lines"), "a=1\nb=2\n\0".getBytes(StandardCharsets.US_ASCII));
    Xattrs.lsetxattr(at("xattrs"), OsPath.of("trusted.x"), random(3));
    Posix.lutimens(at("xattrs"), 1_600_000_001L, 5);
    file(at("old"), random(3), 0644, 0, 0);
    Posix.lutimens(at("old"), 0, 0);
    file(at("ancient"), random(3), 0644, 0, 0);
    Posix.lutimens(at("ancient"), -2, 750_000_000);
    file(at("future"), random(3), 0644, 0, 0);
    Posix.lutimens(at("future"), 4_000_000_000L, 1);
  }

  private void names() throws IOException {
    Posix.mkdir(at("names"), 0755);
    file(at("names").resolve(ODD), random(10), 0644, 0, 0);
    file(at("names/ünïcödé ☃"), random(11), 0644, 0, 0);
    file(at("names/" + "n".repeat(94)), random(12), 0644, 0, 0);
    file(at("names/" + "n".repeat(95)), random(13), 0644, 0, 0);
    file(at("names/" + "N".repeat(255)), random(14), 0644, 0, 0);
    file(at("names/new\nline"), random(15), 0644, 0, 0);
    file(at("names/back\\slash \"quote\" %25"), random(15), 0644, 0, 0);
    OsPath deep = at("names");
    for (int i = 0; i < 12; i++) {
      deep = deep.resolve("d".repeat(99));
      Posix.mkdir(deep, 0755);
    }
    file(deep.resolve("f"), random(16), 0644, 0, 0);
    file(deep.resolve(ODD), random(17), 0644, 0, 0);
    Posix.symlink(OsPath.of("t".repeat(300)).concat(ODD), at("names/longlink"));
    Posix.link(deep.resolve(ODD), at("names/hardlink to deep"));
  }

  private void linksAndSpecials() throws IOException {
    Posix.link(at("usr/bin/su"), at("aaa-su"));
    Posix.link(at("usr/bin/su"), at("zzz-su"));
    Posix.symlink(OsPath.of("usr/bin"), at("bin"));
    Posix.lchown(at("bin"), 7, 8);
    Posix.lutimens(at("bin"), 1_500_000_000L, 999_999_999);
    Posix.symlink(OsPath.of("../../../../etc/passwd"), at("escape"));
    Posix.link(at("escape"), at("escape-again"));
    Posix.symlink(ODD, at("oddlink"));
    Posix.mkdir(at("dev"), 0755);
    special("dev/null", Stat.S_IFCHR | 0666, Posix.makedev(1, 3));
    special("dev/big", Stat.S_IFCHR | 0600, Posix.makedev(4095, 1048575));
    special("dev/sda", Stat.S_IFBLK | 0660, Posix.makedev(8, 0));
    special("dev/fifo", Stat.S_IFIFO | 0644, 0);
    Posix.link(at("dev/fifo"), at("dev/fifo2"));
  }

  private void special(String name, int mode, long rdev) throws IOException {
    Posix.mknod(at(name), mode, rdev);
    Posix.lchown(at(name), 0, 6);
    Posix.chmod(at(name), mode & 07777);
    Posix.lutimens(at(name), 1_400_000_000L, 0);
  }

  /** Last, because making names changes times. */
  private void directories() throws IOException {
    Posix.mkdir(at("tmp"), 0755);
    Posix.chmod(at("tmp"), 01777);
    Posix.mkdir(at("setgid"), 0755);
    Posix.lchown(at("setgid"), 0, 50);
    Posix.chmod(at("setgid"), 02770);
    Xattrs.lsetxattr(at("setgid"), OsPath.of("user.dir"), random(4));
    Posix.mkdir(at("no-access"), 0);
    for (String name :
        new String[] {"usr/bin", "usr", "names", "dev", "tmp", "setgid", "no-access"}) {
      Posix.lutimens(at(name), 1_300_000_000L, 42);
    }
    Posix.lutimens(root, 1_200_000_000L, 1);
  }
}
