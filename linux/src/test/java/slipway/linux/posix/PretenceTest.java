package slipway.linux.posix;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The kernel judges: what root does to real files and what is pretended have to look the same. */
class PretenceTest {
  @TempDir Path directory;

  private Path real;
  private Path folder;

  @BeforeEach
  void makeFolders() throws IOException {
    real = Files.createDirectory(directory.resolve("real"));
    folder = Files.createDirectory(directory.resolve("pretended"));
  }

  private interface Call {
    void on(OsPath folder) throws IOException;
  }

  /** What a call does to either folder: the same. */
  private void both(Call call) {
    assertThat(outcome(call, folder)).isEqualTo(outcome(call, real));
  }

  private static String outcome(Call call, Path folder) {
    try {
      call.on(OsPath.of(folder));
      return "done";
    } catch (UnixException e) {
      return "errno " + e.errno();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Everything that is to be the same, by name. */
  private static Map<String, String> listing(Path folder) throws IOException {
    Map<String, String> all = new TreeMap<>();
    for (OsPath name : Posix.list(OsPath.of(folder))) {
      all.put(name.toString(), line(OsPath.of(folder).resolve(name)));
    }
    return all;
  }

  private static String line(OsPath path) throws IOException {
    Stat s = Posix.lstat(path);
    StringBuilder text = new StringBuilder();
    text.append("%o %d:%d %x links %d".formatted(s.mode(), s.uid(), s.gid(), s.rdev(), s.nlink()));
    for (OsPath name : Xattrs.llistxattr(path).stream().sorted().toList()) {
      byte[] value = Xattrs.lgetxattr(path, name);
      text.append(' ').append(name).append('=').append(HexFormat.of().formatHex(value));
    }
    return text.toString();
  }

  private static byte[] acl(int... tagRightsId) {
    ByteBuffer b = ByteBuffer.allocate(4 + tagRightsId.length / 3 * 8);
    b.order(ByteOrder.LITTLE_ENDIAN).putInt(2);
    for (int i = 0; i < tagRightsId.length; i += 3) {
      b.putShort((short) tagRightsId[i]).putShort((short) tagRightsId[i + 1]);
      b.putInt(tagRightsId[i + 2]);
    }
    return b.array();
  }

  private static final List<OsPath> NAMES =
      List.of(
          OsPath.of("user.a"),
          OsPath.of("trusted.b"),
          OsPath.of("security.selinux"),
          OsPath.of("security.capability"),
          OsPath.of("system.posix_acl_access"),
          OsPath.of("system.posix_acl_default"),
          OsPath.of("system.other"),
          OsPath.of("odd.space"));

  private static final List<byte[]> VALUES =
      List.of(
          "system_u:object_r:etc_t:s0".getBytes(UTF_8),
          HexFormat.of().parseHex("0100000200040000000000000000000000000000"),
          HexFormat.of().parseHex("0100000200040000"),
          acl(1, 7, -1, 4, 5, -1, 32, 0, -1),
          acl(1, 6, -1, 2, 7, 1000, 4, 4, -1, 16, 6, -1, 32, 4, -1),
          acl(1, 6, -1, 2, 7, 1000, 4, 4, -1, 32, 4, -1));

  private static void step(OsPath folder, Random random) throws IOException {
    OsPath file = folder.resolve("f" + random.nextInt(8));
    OsPath name = NAMES.get(random.nextInt(NAMES.size()));
    byte[] value = VALUES.get(random.nextInt(VALUES.size()));
    int mode = random.nextInt(010000);
    long device = Posix.makedev(random.nextInt(300), random.nextInt(5));
    int id = random.nextInt(3) - 1;
    int kind = random.nextInt(14);
    switch (kind) {
      case 0 -> Posix.close(Posix.open(file, Posix.O_CREAT | Posix.O_EXCL, 0640));
      case 1 -> Posix.mkdir(file, 0755);
      case 2 -> Posix.symlink(OsPath.of("nowhere"), file);
      case 3 -> Posix.mknod(file, Stat.S_IFCHR | 0666, device);
      case 4 -> Posix.mknod(file, Stat.S_IFIFO | 0666, 0);
      case 5 -> Posix.lchown(file, id, 1000 + id);
      case 6 -> Posix.chmod(file, mode);
      case 7, 8, 9 -> Xattrs.lsetxattr(file, name, value);
      case 10 -> Xattrs.lremovexattr(file, name);
      case 11 -> Posix.link(file, folder.resolve("f" + random.nextInt(8)));
      case 12 -> Posix.rename(file, folder.resolve("f" + random.nextInt(8)), 0);
      default -> Posix.unlinkat(Posix.AT_FDCWD, file, random.nextBoolean());
    }
  }

  @Test
  void itLooksAsIfRootHadDoneIt() throws Exception {
    long seed = new Random().nextLong();
    Random seeds = new Random(seed);
    try (Pretence pretence = Pretence.below(folder)) {
      for (int i = 0; i < 2_000; i++) {
        long each = seeds.nextLong();
        Map<String, String> before = listing(real);
        String pretended = outcome(at -> step(at, new Random(each)), folder);
        assertThat(pretended)
            .describedAs("seed " + seed + " step " + i + " with " + before)
            .isEqualTo(outcome(at -> step(at, new Random(each)), real));
        assertThat(listing(folder))
            .describedAs("seed " + seed + " step " + i)
            .isEqualTo(listing(real));
      }
    }
  }

  @Test
  void openFilesAreTheSame() throws Exception {
    try (Pretence pretence = Pretence.below(folder)) {
      both(
          at -> {
            int fd = Posix.open(at.resolve("x"), Posix.O_CREAT | Posix.O_EXCL | Posix.O_RDWR, 0600);
            Posix.fchown(fd, 7, 8);
            Posix.fchmod(fd, 04751);
            Xattrs.fsetxattr(fd, OsPath.of("security.selinux"), VALUES.getFirst());
            assertThat(Posix.fstat(fd).uid()).isEqualTo(7);
            Posix.close(fd);
          });
      assertThat(listing(folder)).isEqualTo(listing(real)).hasToString(listing(real).toString());
      assertThat(listing(folder).get("x")).contains("104751 7:8", "security.selinux");
      try (OpenDirectory open = OpenDirectory.of(OsPath.of(folder))) {
        assertThat(Posix.lstat(open.at(OsPath.of("x"))).permissions()).isEqualTo(04751);
        assertThat(open.stat(OsPath.of("x")).orElseThrow().gid()).isEqualTo(8);
      }
    }
  }

  /** The user can read and write what a mode says nobody can; the disk has no set-id bits. */
  @Test
  void filesStayTheUsersOwn() throws Exception {
    try (Pretence pretence = Pretence.below(folder)) {
      OsPath file = OsPath.of(Files.writeString(folder.resolve("f"), "x"));
      OsPath inner = OsPath.of(Files.createDirectory(folder.resolve("d")));
      Posix.chmod(file, 06000);
      Posix.lchown(file, 12, 34);
      Posix.chmod(file, 06010);
      Posix.chmod(inner, 01000);
      Ioctls.setImmutable(inner, true);
      assertThat(Posix.lstat(file).permissions()).isEqualTo(06010);
      assertThat(pretence.isImmutable(inner)).isTrue();
      assertThat(pretence.isImmutable(file)).isFalse();
      assertThat(Files.getAttribute(folder.resolve("f"), "unix:mode")).isEqualTo(0100610);
      assertThat(Files.getAttribute(folder.resolve("f"), "unix:uid")).isEqualTo(Posix.geteuid());
      assertThat(Files.getAttribute(folder.resolve("d"), "unix:mode")).isEqualTo(0040700);
      Files.writeString(folder.resolve("d/new"), "y");
    }
    assertThat(Posix.lstat(OsPath.of(folder.resolve("f"))).permissions())
        .describedAs("afterwards")
        .isEqualTo(0610);
  }

  @Test
  void nothingElseIsAnyDifferent() throws Exception {
    Path outside = Files.createDirectory(directory.resolve("pretended-not"));
    OsPath file = OsPath.of(Files.writeString(outside.resolve("f"), "x"));
    try (Pretence pretence = Pretence.below(folder)) {
      Posix.lchown(file, 5, 5);
      assertThat(Files.getAttribute(outside.resolve("f"), "unix:uid")).isEqualTo(5);
      assertThat(Pretence.mayOwn(OsPath.of(folder))).isTrue();
      assertThatThrownBy(() -> Posix.link(file, OsPath.of(folder.resolve("l"))))
          .isInstanceOfSatisfying(
              UnixException.class, e -> assertThat(e.errno()).isEqualTo(UnixException.EXDEV));
    }
  }

  /** As a mount in a mount. */
  @Test
  void oneInAnotherIsAnotherFileSystem() throws Exception {
    Path inner = Files.createDirectory(folder.resolve("boot"));
    OsPath file = OsPath.of(Files.writeString(folder.resolve("f"), "x"));
    try (Pretence outer = Pretence.below(folder);
        Pretence boot = Pretence.below(inner)) {
      assertThat(Posix.lstat(OsPath.of(inner)).device())
          .isNotEqualTo(Posix.lstat(OsPath.of(folder)).device());
      assertThat(Posix.lstat(file).device()).isEqualTo(Posix.lstat(OsPath.of(folder)).device());
      for (Call call :
          List.<Call>of(
              at -> Posix.link(file, OsPath.of(inner).resolve("f")),
              at -> Posix.rename(file, OsPath.of(inner).resolve("f"), 0))) {
        assertThat(outcome(call, folder)).isEqualTo("errno " + UnixException.EXDEV);
      }
    }
  }
}
