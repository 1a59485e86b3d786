package slipway.composefs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.archive.tar.Metadata;
import slipway.base.Problem;
import slipway.composefs.ErofsFormat.Compact;
import slipway.composefs.ErofsFormat.Dirent;
import slipway.composefs.ErofsFormat.Header;
import slipway.composefs.ErofsFormat.SuperBlock;
import slipway.composefs.ErofsFormat.XattrArea;
import slipway.composefs.ErofsImage.Data;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Stat;
import slipway.linux.process.Command;

/** The reader against the writer, against damage, and against erofs-utils. */
class ErofsImageTest {
  private static final int ROOT = SuperBlock.START + SuperBlock.SIZE;

  @TempDir Path dir;

  private static byte[] image(ErofsInode root) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ErofsWriter.write(new ErofsLayout(root), 0, out);
    return out.toByteArray();
  }

  private static ErofsImage read(byte[] image) {
    return ErofsImage.read(image, "image");
  }

  // ---- what was written is read ----

  @Test
  @Tag("slow")
  void randomTreesAreReadBack() throws IOException {
    long seed = new Random().nextLong();
    System.err.println("seed " + seed);
    Random seeds = new Random(seed);
    for (int i = 0; i < 12; i++) {
      long one = seeds.nextLong();
      ErofsInode tree = RandomInodes.tree(one, 3000);
      ErofsImage image = read(image(tree));
      assertThat(image.version()).isZero();
      assertSame(tree, image.root(), "seed " + one);
    }
  }

  private static void assertSame(ErofsInode expected, ErofsImage.Inode actual, String where) {
    assertSame(expected, actual, where, new IdentityHashMap<>());
  }

  private static void assertSame(
      ErofsInode expected,
      ErofsImage.Inode actual,
      String where,
      Map<ErofsInode, ErofsImage.Inode> known) {
    ErofsImage.Inode before = known.putIfAbsent(expected, actual);
    if (before != null) {
      assertThat(actual).as("hard link " + where).isSameAs(before);
      return;
    }
    List<Metadata.Xattr> xattrs =
        expected.xattrs.entrySet().stream()
            .map(e -> new Metadata.Xattr(e.getKey(), e.getValue()))
            .toList();
    assertThat(actual.metadata())
        .as(where)
        .isEqualTo(
            new Metadata(
                expected.mode,
                expected.uid,
                expected.gid,
                expected.mtimeSeconds,
                expected.mtimeNanos,
                xattrs));
    assertThat(List.of(actual.nlink(), actual.size()))
        .as(where)
        .isEqualTo(List.of(expected.nlink, expected.size));
    switch (actual.data()) {
      case Data.Directory d -> {
        TreeMap<OsPath, ErofsInode> children = new TreeMap<>(expected.children);
        children.keySet().removeIf(name -> !name.isName());
        assertThat(d.children().keySet()).as(where).isEqualTo(children.keySet());
        children.forEach(
            (name, child) -> assertSame(child, d.children().get(name), where + "/" + name, known));
      }
      case Data.Symlink s -> assertThat(s.target().bytes()).as(where).isEqualTo(expected.data);
      case Data.Inline i -> assertThat(i.bytes()).as(where).isEqualTo(expected.data);
      case Data.Backed b -> assertBacked(expected, b, where);
      case Data.Device d -> assertThat(d.rdev()).as(where).isEqualTo(expected.rdev);
      case Data.None n ->
          assertThat(expected.mode & Stat.S_IFMT).as(where).isIn(Stat.S_IFIFO, Stat.S_IFSOCK);
    }
  }

  private static void assertBacked(ErofsInode expected, Data.Backed actual, String where) {
    assertThat(expected.kind).as(where).isEqualTo(ErofsInode.Kind.CHUNKED);
    byte[] redirect = expected.xattrs.get(OsPath.of(OverlayXattrs.REDIRECT));
    OsPath path = redirect == null ? null : OsPath.ofBytes(redirect).substring(1);
    assertThat(actual.path()).as(where).isEqualTo(path);
    byte[] metacopy = expected.xattrs.get(OsPath.of(OverlayXattrs.METACOPY));
    assertThat(OverlayXattrs.metacopy(actual.digest())).as(where).isEqualTo(metacopy);
  }

  // ---- erofs-utils read the same ----

  /** What they call damaged is damaged; fsck.erofs looks at each inode, name and attribute. */
  @ParameterizedTest
  @ValueSource(longs = {1, 3, 4})
  void erofsUtilsFindItSound(long seed) throws IOException {
    Path file = Files.write(dir.resolve("image"), image(RandomInodes.tree(seed, 400)));
    Command.of("fsck.erofs", file.toString()).run();
  }

  @Test
  void erofsUtilsTellTheSameOfAnInode() throws IOException {
    ErofsInode tree = RandomInodes.tree(2, 400);
    byte[] image = image(tree);
    Path file = Files.write(dir.resolve("image"), image);
    String said = Command.of("dump.erofs", "--path=/", file.toString()).output();
    ErofsImage.Inode root = read(image).root();
    assertThat(said.replaceAll("\\s+", " "))
        .contains("Size: " + root.size() + " ")
        .contains("Links: " + root.nlink() + " ")
        .contains("Uid: " + Integer.toUnsignedString(root.metadata().uid()) + " ")
        .contains("Gid: " + Integer.toUnsignedString(root.metadata().gid()) + " ")
        .contains("Access: 0" + Integer.toOctalString(root.metadata().permissions() & 0777) + "/");
  }

  // ---- damage ----

  /** Gives whether the image was refused, which is the one thing that may happen but a tree. */
  private static boolean isRefused(byte[] image, String what) throws IOException {
    try {
      ComposefsDump.write(read(image), new StringBuilder());
      return false;
    } catch (Problem e) {
      assertThat(e.kind()).as(what).isEqualTo(Problem.Kind.CORRUPT);
      assertThat(e.getMessage())
          .as(what)
          .matches("image is damaged at byte [0-9]+: [^\\n]+|image: more than [^\\n]+");
      return true;
    } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
      throw new AssertionError(what, e);
    }
  }

  @Test
  @Tag("slow")
  void everyBitOfASmallImageMayFlip() throws IOException {
    byte[] image = small();
    int refused = 0;
    for (int bit = 0; bit < image.length * 8; bit++) {
      byte[] damaged = image.clone();
      damaged[bit / 8] ^= (byte) (1 << bit % 8);
      refused += isRefused(damaged, "bit " + bit) ? 1 : 0;
    }
    assertThat(refused).isGreaterThan(500);
  }

  @Test
  @Tag("slow")
  void randomDamageIsRefusedOrRead() throws IOException {
    fuzz(500);
  }

  @Test
  @Tag("soak")
  void muchRandomDamageIsRefusedOrRead() throws IOException {
    fuzz(300_000);
  }

  private static void fuzz(int rounds) throws IOException {
    long seed = new Random().nextLong();
    System.err.println("seed " + seed);
    Random random = new Random(seed);
    byte[] image = image(RandomInodes.tree(random.nextLong(), 60));
    for (int round = 0; round < rounds; round++) {
      if (round % 100 == 0) {
        image = image(RandomInodes.tree(random.nextLong(), 60));
      }
      byte[] damaged =
          random.nextInt(20) == 0
              ? Arrays.copyOf(image, random.nextInt(image.length))
              : image.clone();
      for (int i = random.nextInt(6); i >= 0 && damaged.length > 0; i--) {
        damage(damaged, random);
      }
      isRefused(damaged, "seed " + seed + ", round " + round);
    }
  }

  /** Overwrites a byte or a number, or repeats a piece elsewhere. */
  private static void damage(byte[] image, Random random) {
    int at = random.nextInt(image.length);
    int length = Math.min(1 << random.nextInt(6), image.length - at);
    switch (random.nextInt(4)) {
      case 0 -> image[at] = (byte) random.nextInt(256);
      case 1 -> image[at] ^= (byte) (1 << random.nextInt(8));
      case 2 -> Arrays.fill(image, at, at + length, (byte) (random.nextBoolean() ? 0 : 0xff));
      default ->
          System.arraycopy(image, random.nextInt(image.length - length + 1), image, at, length);
    }
  }

  private static ErofsInode empty(int type) {
    ErofsInode inode =
        new ErofsInode(
            type == Stat.S_IFDIR ? ErofsInode.Kind.DIRECTORY : ErofsInode.Kind.BARE,
            new Metadata(type | 0755, 0, 0, 0, 0, List.of()));
    inode.nlink = 1;
    return inode;
  }

  /** A root with the directory "d", in it the file "f"; both have an attribute. */
  private static byte[] small() throws IOException {
    ErofsInode root = empty(Stat.S_IFDIR);
    ErofsInode d = empty(Stat.S_IFDIR);
    ErofsInode f = empty(Stat.S_IFREG);
    add(root, ".", root);
    add(root, "..", root);
    add(root, "d", d);
    add(d, ".", d);
    add(d, "..", root);
    add(d, "f", f);
    root.xattr("user.r", new byte[] {1});
    return image(root);
  }

  private static void add(ErofsInode parent, String name, ErofsInode child) {
    OsPath path = OsPath.of(name);
    parent.children.put(path, child);
    if (path.isName()) {
      child.firstParent = parent;
      child.firstName = path;
    }
  }

  private static void assertDamaged(String sentence, Consumer<ByteBuffer> damage, int at)
      throws IOException {
    byte[] image = small();
    damage.accept(ErofsFormat.littleEndian(ByteBuffer.wrap(image, at, image.length - at).slice()));
    assertThatThrownBy(() -> read(image)).isInstanceOf(Problem.class).hasMessage(sentence);
  }

  /** Where the root's entries lie: behind its inode and its attributes. */
  private static final int ENTRIES = ROOT + Compact.SIZE + XattrArea.SIZE + 8;

  @Test
  void damageIsToldWithItsPlace() throws IOException {
    assertDamaged(
        "image is damaged at byte 0: it does not begin as a composefs image does",
        b -> Header.MAGIC.put(b, 1),
        0);
    assertDamaged(
        "image is damaged at byte 12: composefs's version 9 is unknown",
        b -> Header.COMPOSEFS_VERSION.put(b, 9),
        0);
    assertDamaged(
        "image is damaged at byte 1036: its blocks have 2^9 bytes instead of 4096",
        b -> SuperBlock.BLOCK_BITS.put(b, 9),
        SuperBlock.START);
    assertDamaged(
        "image is damaged at byte 1060: it was cut off: its blocks have 40960 bytes, the file 4096",
        b -> SuperBlock.BLOCKS.put(b, 10),
        SuperBlock.START);
    assertDamaged(
        "image is damaged at byte 1040: the super block counts 7 inodes, but names lead to 3",
        b -> SuperBlock.INODES.put(b, 7),
        SuperBlock.START);
    assertDamaged(
        "image is damaged at byte 1152: the inode's mode 0 has no known type",
        b -> ErofsFormat.Inode.MODE.put(b, 0),
        ROOT);
    assertDamaged(
        "image is damaged at byte 1152: with the inode's 5000 bytes there are more than the"
            + " image's",
        b -> Compact.LENGTH.put(b, 5000),
        ROOT);
    assertDamaged(
        "image is damaged at byte 1184: the filter denies an attribute of the inode",
        b -> XattrArea.FILTER.put(b, 0xffffffffL),
        ROOT + Compact.SIZE);
    assertDamaged(
        "image is damaged at byte 1204: the directory's \".\" leads elsewhere",
        b -> Dirent.INODE.put(b, 1),
        ENTRIES);
    assertDamaged(
        "image is damaged at byte 0: there is no inode 18446744073709551615",
        b -> Dirent.INODE.put(b, -1),
        ENTRIES + 2 * Dirent.SIZE);
    assertDamaged(
        "image is damaged at byte 1152: two names lead to this directory",
        b -> Dirent.INODE.put(b, ROOT / ErofsFormat.SLOT),
        ENTRIES + 2 * Dirent.SIZE);
    assertDamaged(
        "image is damaged at byte 1228: the directory's entry and its inode are of different types",
        b -> Dirent.TYPE.put(b, 1),
        ENTRIES + 2 * Dirent.SIZE);
  }

  /** Many small inodes that all claim a large piece of the image would take all memory. */
  @Test
  void dataThatIsClaimedTwiceIsRefused() throws IOException {
    ErofsInode root = empty(Stat.S_IFDIR);
    add(root, ".", root);
    add(root, "..", root);
    for (int i = 0; i < 4; i++) {
      ErofsInode file =
          new ErofsInode(
              ErofsInode.Kind.INLINED, new Metadata(Stat.S_IFREG, 0, 0, 0, 0, List.of()));
      file.nlink = 1;
      file.data = new byte[4000];
      add(root, "f" + i, file);
    }
    byte[] image = image(root);
    ByteBuffer b = ErofsFormat.littleEndian(ByteBuffer.wrap(image));
    for (int at = 1280; at < 1280 + 4 * Compact.SIZE; at += Compact.SIZE) {
      Compact.LENGTH.put(b.slice(at, Compact.SIZE).order(b.order()), 8192);
      Compact.POINTER.put(b.slice(at, Compact.SIZE).order(b.order()), 1);
    }
    assertThatThrownBy(() -> read(image))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("there are more than the image's");
  }

  // ---- attributes of overlayfs ----

  @Test
  void aDumpTellsWhatWasMeant() throws IOException {
    ErofsInode root = empty(Stat.S_IFDIR);
    root.nlink = 2;
    add(root, ".", root);
    add(root, "..", root);
    root.xattr(OverlayXattrs.OPAQUE, new byte[] {'y'});
    add(root, "00", device0(null));
    ErofsInode file =
        new ErofsInode(
            ErofsInode.Kind.CHUNKED, new Metadata(Stat.S_IFREG | 0644, 1, 2, 0, 5, List.of()));
    file.nlink = 2;
    file.size = 6;
    file.xattr(OverlayXattrs.METACOPY, OverlayXattrs.metacopy(new byte[32]));
    file.xattr(OverlayXattrs.REDIRECT, new byte[] {'/', 'a', '/', 'b'});
    file.xattr("trusted.overlay.overlay.x", new byte[] {'=', '\n', 'v'});
    add(root, "a b", file);
    root.children.put(OsPath.of("b"), file);
    add(root, "gone", device0(OverlayXattrs.ESCAPED_WHITEOUT));
    StringBuilder text = new StringBuilder();
    ComposefsDump.write(read(image(root)), text);
    assertThat(text.toString())
        .isEqualTo(
            """
            / %d 40755 2 0 0 0 0.0 - - -
            /a\\x20b 6 100644 2 1 2 0 0.5 a/b - %s trusted.overlay.x=\\x3d\\nv
            /b 6 @100644 2 1 2 0 0.5 /a\\x20b - %s trusted.overlay.x=\\x3d\\nv
            /gone 0 20755 1 0 0 0 0.0 - - -
            """
                .formatted(root.size, "0".repeat(64), "0".repeat(64)));
  }

  private static ErofsInode device0(@Nullable String mark) {
    ErofsInode inode = empty(mark == null ? Stat.S_IFCHR : Stat.S_IFREG);
    if (mark != null) {
      inode.xattr(mark, new byte[0]);
    }
    return inode;
  }
}
