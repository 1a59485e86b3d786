package slipway.disk.ext4;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import slipway.archive.tar.Metadata;
import slipway.archive.tar.Metadata.Xattr;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Stat;
import slipway.linux.process.Command;
import slipway.tree.Content;
import slipway.tree.FileTree;
import slipway.tree.Node;

/** File systems that e2fsck finds nothing to say of, and that hold what the tree holds. */
class Ext4WriterTest extends Ext4Case {
  private static final FileTree EMPTY = tree(Map.of());

  @Test
  void anEmptyTreeIsClean() throws Exception {
    for (long size : new long[] {1 << 20, 4 << 20, 64 << 20, 129 << 20, 1 << 30, 21L << 30}) {
      assertClean(write(EMPTY, size));
    }
  }

  @Test
  void randomTreesAreReadBack() throws Exception {
    long seed = new Random().nextLong();
    System.out.println("Ext4WriterTest seed " + seed);
    for (int i = 0; i < 3; i++) {
      FileTree tree = RandomTree.of(seed + i, 400);
      Path file = write(tree, Ext4Writer.minimum(tree, OPTIONS) + (i << 27));
      assertClean(file);
      assertThat(Listing.of(Ext4Reader.read(file, 0)))
          .isEqualTo(Listing.of(withLostAndFound(tree)));
    }
  }

  @Test
  void theSuperblockIsThatOfMke2fs() throws Exception {
    Path file = write(tree(Map.of("f", file("text"))), 1 << 30);
    List<String> ours = header(file);
    Path theirs = zeros(1 << 30);
    Command.of("mke2fs", "-q", "-t", "ext4", "-b", "4096", "-I", "256", "-J", "size=32")
        .with("-O", "verity,^orphan_file,^metadata_csum_seed", "-L", "root")
        .with("-U", OPTIONS.id().toString(), "-E", "hash_seed=" + OPTIONS.hashSeed())
        .with(theirs.toString())
        .run();
    assertThat(ours).containsAll(header(theirs));
    assertThat(ours)
        .contains(
            "Filesystem UUID:          12345678-9abc-def0-1234-56789abcdef0",
            "Directory Hash Seed:      0fedcba9-8765-4321-0fed-cba987654321");
  }

  /** Without times, and what differs because there is a file, or is told by newer versions. */
  private static List<String> header(Path file) {
    return Command.of("dumpe2fs", "-h", file.toString())
        .output()
        .lines()
        .filter(
            line ->
                !line.matches(
                    "(Filesystem created|Last write time|Last checked|Free |Overhead|Lifetime"
                        + "|Checksum: ).*"))
        .toList();
  }

  @Test
  void aLargeDirectoryIsClean() throws Exception {
    TreeMap<OsPath, Node> children = new TreeMap<>();
    for (int i = 0; i < 20_000; i++) {
      children.put(OsPath.of("a file with a number " + i), file(""));
    }
    children.put(OsPath.of("n".repeat(255)), file("n"));
    Node large = new Node.Directory(Metadata.directory(0755), children);
    FileTree tree = tree(Map.of("large", large));
    Path file = write(tree, Ext4Writer.minimum(tree, OPTIONS));
    assertClean(file);
    assertThat(Listing.of(Ext4Reader.read(file, 0))).isEqualTo(Listing.of(withLostAndFound(tree)));
  }

  /** More subdirectories than a link count can tell. */
  @Test
  void manySubdirectoriesAreClean() throws Exception {
    TreeMap<OsPath, Node> children = new TreeMap<>();
    for (int i = 0; i < 65_100; i++) {
      children.put(
          OsPath.of("d" + i), new Node.Directory(Metadata.directory(0755), new TreeMap<>()));
    }
    assertClean(
        write(tree(Map.of("d", new Node.Directory(Metadata.directory(0755), children))), 1L << 30));
  }

  @Test
  void manyExtentsMakeALevelMore() throws Exception {
    byte[] bytes = new byte[(341 * 5 * 2 + 1) * 4096];
    for (int at = 0; at < bytes.length; at += 8192) {
      bytes[at] = 1;
    }
    FileTree tree = tree(Map.of("sparse", new Node.File(Metadata.file(0644), Content.of(bytes))));
    Path file = write(tree, Ext4Writer.minimum(tree, OPTIONS));
    assertClean(file);
    assertThat(Listing.of(Ext4Reader.read(file, 0))).isEqualTo(Listing.of(withLostAndFound(tree)));
    assertThat(Command.of("debugfs", "-R", "ex /sparse", file.toString()).output())
        .contains(" 0/ 2 ");
  }

  @Test
  void aFileOfManyGroupsIsClean() throws Exception {
    Content content = new Pattern(5L << 30);
    FileTree tree = tree(Map.of("huge", new Node.File(Metadata.file(0644), content)));
    Path file = write(tree, 6L << 30);
    assertClean(file);
    assertThat(Command.of("debugfs", "-R", "stat /huge", file.toString()).output())
        .contains("Size: 5368709120");
  }

  /** Zeros, with a block in each mebibyte that holds something. */
  private record Pattern(long size) implements Content {
    @Override
    public InputStream open() {
      return new InputStream() {
        private long at;

        @Override
        public int read() {
          return at < size ? at++ % (1 << 20) == 5000 ? 1 : 0 : -1;
        }

        @Override
        public int read(byte[] to, int from, int length) {
          int n = (int) Math.min(length, size - at);
          if (n == 0) {
            return -1;
          }
          Arrays.fill(to, from, from + n, (byte) 0);
          long mark = at / (1 << 20) * (1 << 20) + 5000;
          if (mark >= at && mark < at + n) {
            to[from + (int) (mark - at)] = 1;
          }
          at += n;
          return n;
        }
      };
    }
  }

  @Test
  void theSameIsWrittenTwice() throws Exception {
    FileTree tree = RandomTree.of(7, 200);
    byte[] first = Files.readAllBytes(write(tree, 64 << 20));
    assertThat(Files.readAllBytes(write(tree, 64 << 20))).isEqualTo(first);
  }

  @Test
  void aRegionOfAFileIsLeftAloneOutside() throws Exception {
    int offset = 3 << 20;
    int size = 16 << 20;
    Path file = zeros(offset + size + (1 << 20));
    byte[] before = Files.readAllBytes(file);
    Arrays.fill(before, (byte) 0x55);
    Arrays.fill(before, offset, offset + size, (byte) 0);
    Files.write(file, before);
    Ext4Writer.write(tree(Map.of("f", file("text"))), file, offset, size, OPTIONS);
    assertClean(file + "?offset=" + offset);
    byte[] after = Files.readAllBytes(file);
    assertThat(Arrays.mismatch(before, after)).isGreaterThanOrEqualTo(offset);
    Arrays.fill(after, offset, offset + size, (byte) 0);
    assertThat(after).isEqualTo(before);
  }

  @Test
  void whatHasNoRoomIsRefusedBeforeAnythingIsWritten() throws Exception {
    FileTree tree = tree(Map.of("f", new Node.File(Metadata.file(0644), new Pattern(10 << 20))));
    long minimum = Ext4Writer.minimum(tree, OPTIONS);
    assertThat(minimum).isBetween(10L << 20, 16L << 20);
    for (long size : new long[] {0, 1, 4096, 1 << 20, minimum - 4096}) {
      Path file = zeros(size);
      assertThatThrownBy(() -> Ext4Writer.write(tree, file, 0, size, OPTIONS))
          .isInstanceOf(Problem.class)
          .hasMessage(
              "an ext4 file system for this tree takes at least %s bytes, and there are %s; make it"
                  + " larger",
              minimum, size);
      assertThat(Files.readAllBytes(file)).isEqualTo(new byte[(int) size]);
    }
    assertClean(write(tree, minimum));
  }

  @Test
  void contentOfAnotherLengthIsNoFileSystem() throws Exception {
    for (int more : new int[] {-1, 1}) {
      Content wrong =
          new Content() {
            @Override
            public long size() {
              return 5000;
            }

            @Override
            public InputStream open() throws IOException {
              return Content.of(new byte[5000 + more]).open();
            }
          };
      FileTree tree = tree(Map.of("f", new Node.File(Metadata.file(0644), wrong)));
      assertThatThrownBy(() -> write(tree, 16 << 20)).isInstanceOf(IOException.class);
      assertThatThrownBy(() -> Ext4Reader.read(directory.resolve("disk"), 0)).hasMessage("no ext4");
    }
  }

  @Test
  void whatExt4CannotKeepIsRefused() {
    assertRefused(Map.of("x".repeat(256), file("")), "holds the impossible name");
    assertRefused(Map.of("lost+found", file("")), "something else in this tree");
    assertRefused(
        Map.of("l", new Node.Symlink(Metadata.symlink(), OsPath.of("t".repeat(4096)))),
        "impossible target");
    Metadata device = new Metadata(Stat.S_IFCHR, 0, 0, 0, 0, List.of());
    assertRefused(Map.of("d", new Node.Special(device, 1L << 44)), "which Linux does not have");
    assertRefused(Map.of("f", with("other.name", 1)), "has the extended attribute \"other.name\"");
    assertRefused(Map.of("f", with("user.", 1)), "has the extended attribute \"user.\"");
    assertRefused(Map.of("f", with("user.x", 4096)), "more extended attributes than ext4 keeps");
    assertRefused(Map.of("f", with("system.posix_acl_access", 5)), "damaged access control list");
    Node.Directory twice = new Node.Directory(Metadata.directory(0755), new TreeMap<>());
    assertRefused(Map.of("a", twice, "b", twice), "is in the tree twice");
    TreeMap<String, Node> links = new TreeMap<>();
    Node linked = file("");
    for (int i = 0; i <= 65_000; i++) {
      links.put("l" + i, linked);
    }
    assertRefused(links, "has more than 65000 hard links");
  }

  private static Node with(String xattr, int size) {
    List<Xattr> xattrs = List.of(new Xattr(OsPath.of(xattr), new byte[size]));
    return new Node.File(Metadata.file(0644).withXattrs(xattrs), Content.EMPTY);
  }

  private static void assertRefused(Map<String, Node> children, String why) {
    assertThatThrownBy(() -> Ext4Writer.minimum(tree(children), OPTIONS))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(why);
  }
}
