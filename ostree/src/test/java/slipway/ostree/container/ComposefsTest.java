package slipway.ostree.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.archive.tar.Metadata;
import slipway.base.Problem;
import slipway.composefs.ComposefsDump;
import slipway.composefs.ErofsImage;
import slipway.composefs.FsVerity;
import slipway.composefs.XxHash32;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;
import slipway.ostree.Peers;
import slipway.ostree.Trees;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.Commit;
import slipway.ostree.repo.Repository;
import slipway.ostree.repo.RepositoryTest;
import slipway.tree.Content;
import slipway.tree.FileTree;
import slipway.tree.Node;

class ComposefsTest {
  private static final String HELLO_DIGEST =
      "9c76eecc7b76fcb46199cb27b90cf59a660e10575bb0412128905129d5b1c2aa";

  @TempDir Path dir;

  @Test
  void xxHash() {
    assertThat(XxHash32.hash(new byte[0], 0)).isEqualTo(0x02CC5D05);
    byte[] text = "Nobody inspects the spammish repetition".getBytes(StandardCharsets.US_ASCII);
    assertThat(XxHash32.hash(text, 0)).isEqualTo(0xE2293B2F);
    assertThat(XxHash32.hash("abc".getBytes(StandardCharsets.US_ASCII), 0)).isEqualTo(0x32D153FF);
  }

  @Test
  void knownImages() throws IOException {
    byte[] lone = image(new Trees.Builder().build(), (path, file) -> noData());
    assertThat(lone).hasSize(16384);
    assertThat(Checksum.sha256(lone).hex())
        .isEqualTo("c3dc5b0fc4afb0693a95e017fe5815e1f88f204d485df617541b5ea659aefb8b");
    assertThat(verity(lone))
        .isEqualTo("8f589e8f57ecb88823736b0d857ddca1e1068a23e264fad164b28f7038eb3682");

    byte[] second =
        image(
            secondGolden(),
            (path, file) ->
                new Composefs.Data.Backed("aa/bb.file", HexFormat.of().parseHex(HELLO_DIGEST)));
    assertThat(second).hasSize(24576);
    assertThat(verity(second))
        .isEqualTo("b4ee9e051eb3fbae573985ba15aa7b33c710bd332d049c4b64f04a8874ae988e");
  }

  private static Composefs.Data noData() {
    throw new AssertionError("no file");
  }

  private static FileTree secondGolden() {
    return new Trees.Builder()
        .dir("", labelled(Metadata.directory(0755), "system_u:object_r:root_t:s0\0"))
        .dir("usr", labelled(Metadata.directory(0755), "system_u:object_r:usr_t:s0\0"))
        .put(
            "usr/hello",
            Trees.file(labelled(Metadata.file(0644), "system_u:object_r:usr_t:s0\0"), "hello\n"))
        .link("usr/lnk", "hello")
        .put(
            "usr/zero",
            Trees.file(
                Metadata.file(0600)
                    .withOwner(70000, 0)
                    .withXattrs(List.of(Trees.xattr("user.a", "1"), Trees.xattr("user.b", "2"))),
                ""))
        .build();
  }

  private static Metadata labelled(Metadata metadata, String label) {
    return metadata.withXattrs(List.of(Trees.xattr("security.selinux", label)));
  }

  /** Seed 8 is left out: mkcomposefs 1.0.8 itself fails on its tree ("result out of range"). */
  @ParameterizedTest
  @Tag("slow")
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13})
  void randomTreesAreMkcomposefss(int seed) throws IOException {
    RandomTree random = new RandomTree(seed);
    assertSameImage(random.tree(), random::data);
  }

  /** The sizes at which padding, tails and chunks change. */
  enum Edge {
    SIZES {
      @Override
      void fill(Trees.Builder b) {
        for (int bits = 0; bits < 45; bits++) {
          for (int more = -1; more < 2; more++) {
            long size = (1L << bits) + more;
            if (size > 0) {
              b.put("sizes/" + size, new Node.File(Metadata.file(0644), sized(size)));
            }
          }
        }
      }
    },
    LINKS {
      @Override
      void fill(Trees.Builder b) {
        for (int length = 3900; length < 4096; length++) {
          b.link("links/" + length, "l".repeat(length));
        }
      }
    },
    FILE_ATTRIBUTES {
      @Override
      void fill(Trees.Builder b) {
        for (int length = 1; length < 9000; length += length < 3900 || length > 4150 ? 37 : 1) {
          b.put("files/" + length, new Node.File(value(Metadata.file(0644), length), sized(5)));
        }
      }
    },
    EMPTY_FILE_ATTRIBUTES {
      @Override
      void fill(Trees.Builder b) {
        for (int length = 1; length < 9000; length += length < 3900 || length > 4150 ? 37 : 1) {
          b.put("empty/" + length, Trees.file(value(Metadata.file(0644), length), ""));
        }
      }
    },
    LINK_ATTRIBUTES {
      @Override
      void fill(Trees.Builder b) {
        for (int length = 1; length < 9000; length += length < 3900 || length > 4150 ? 37 : 1) {
          b.put(
              "links/" + length,
              new Node.Symlink(value(Metadata.symlink(), length), OsPath.of("target")));
        }
      }
    },
    DIRECTORY_ATTRIBUTES {
      @Override
      void fill(Trees.Builder b) {
        for (int length = 1; length < 9000; length += length < 3900 || length > 4150 ? 37 : 1) {
          b.dir("directories/" + length, value(Metadata.directory(0755), length));
        }
      }
    },
    NAMES_LIKE_THOSE_OF_ACCESS_LISTS {
      @Override
      void fill(Trees.Builder b) {
        List<Metadata.Xattr> xattrs =
            List.of(
                Trees.xattr("system.nfs4_acl", "v"),
                Trees.xattr("system.posix_acl_accessory", "v"));
        b.put("f", Trees.file(Metadata.file(0644).withXattrs(xattrs), ""));
      }
    },
    COUNTS {
      @Override
      void fill(Trees.Builder b) {
        for (int count = 1; count < 400; count += 11) {
          for (int i = 0; i < count; i++) {
            b.file("counts/" + count + "/name-" + i, 0644, "");
          }
        }
      }
    };

    abstract void fill(Trees.Builder b);

    static Metadata value(Metadata metadata, int length) {
      String value = (length + "v".repeat(length)).substring(0, length);
      return metadata.withXattrs(List.of(Trees.xattr("user.x", value)));
    }
  }

  @ParameterizedTest
  @Tag("slow")
  @EnumSource
  void edgesAreMkcomposefss(Edge edge) throws IOException {
    Trees.Builder b = new Trees.Builder();
    edge.fill(b);
    FileTree tree = b.build();
    Composefs.Backing backing =
        (path, file) -> new Composefs.Data.Backed(objectPath(path.name().toString()), null);
    assertSameImage(tree, backing);
  }

  private void assertSameImage(FileTree tree, Composefs.Backing backing) throws IOException {
    Path dump = Files.write(dir.resolve("dump"), DumpText.of(tree, backing));
    Path theirs = dir.resolve("theirs");
    Peers.mkcomposefs().with("--from-file", dump.toString(), theirs.toString()).run();
    Path ours = Files.write(dir.resolve("ours"), image(tree, backing));
    assertThat(Files.mismatch(ours, theirs)).as("first difference").isEqualTo(-1);
    assertReadAsComposefsInfoReads(ours);
  }

  private static void assertReadAsComposefsInfoReads(Path image) throws IOException {
    StringBuilder ours = new StringBuilder();
    ComposefsDump.write(ErofsImage.read(Files.readAllBytes(image), image.toString()), ours);
    String theirs = Peers.composefsInfo().with("dump", image.toString()).output();
    List<String> expected = inOrder(theirs);
    List<String> actual = inOrder(ours.toString());
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < expected.size(); i++) {
      assertThat(actual.get(i)).isEqualTo(expected.get(i));
    }
  }

  /** The lines with their attributes in one order: the tool tells those that are shared last. */
  private static List<String> inOrder(String dump) {
    return dump.lines()
        .map(
            line -> {
              String[] words = line.split(" ", -1);
              Arrays.sort(words, 11, words.length);
              return String.join(" ", words);
            })
        .toList();
  }

  /** composefs-info 1.0.8 reads two bytes beyond a path that no padding follows. */
  static String objectPath(String name) {
    String path = "ab/" + name + ".file";
    return path.length() % 4 == 3 ? path + "s" : path;
  }

  static Content sized(long size) {
    return new Content() {
      @Override
      public long size() {
        return size;
      }

      @Override
      public InputStream open() {
        throw new AssertionError("only the size is looked at");
      }
    };
  }

  @Test
  void theKernelMountsIt() throws IOException {
    Path image =
        Files.write(
            dir.resolve("image"),
            image(secondGolden(), (path, file) -> new Composefs.Data.Backed("aa/bb.file", null)));
    Path objects = Files.createDirectories(dir.resolve("objects/aa"));
    Files.writeString(objects.resolve("bb.file"), "hello\n");
    Path erofs = Files.createDirectory(dir.resolve("erofs"));
    Path merged = Files.createDirectory(dir.resolve("merged"));
    Command.of("mount", "-t", "erofs", "-o", "ro,loop", image.toString(), erofs.toString()).run();
    try {
      Command.of(
              "mount",
              "-t",
              "overlay",
              "overlay",
              "-o",
              "ro,metacopy=on,redirect_dir=on,lowerdir=" + erofs + "::" + dir.resolve("objects"),
              merged.toString())
          .run();
      try {
        assertThat(merged.resolve("usr/hello")).hasContent("hello\n");
        assertThat(Command.of("ls", "-A", merged.toString()).output()).isEqualTo("usr");
        assertThat(Posix.lstat(OsPath.of(merged.resolve("usr/zero"))).uid()).isEqualTo(70000);
      } finally {
        Command.of("umount", merged.toString()).run();
      }
    } finally {
      Command.of("umount", erofs.toString()).run();
    }
  }

  @Test
  void whatErofsCannotHoldIsRefused() {
    FileTree longValue =
        new Trees.Builder()
            .put(
                "f",
                Trees.file(
                    Metadata.file(0644)
                        .withXattrs(
                            List.of(new Metadata.Xattr(OsPath.of("user.x"), new byte[65536]))),
                    ""))
            .build();
    assertThatThrownBy(() -> image(longValue, (p, f) -> noData())).isInstanceOf(Problem.class);
  }

  // ---- ostree's form ----

  @Test
  void deploymentImagesAreOstrees() throws IOException {
    Path path = dir.resolve("repo");
    Repository repository = Repository.create(path, Repository.Mode.BARE);
    Checksum nasty = RepositoryTest.commit(repository, Trees.nasty(), "os/nasty");
    assertImageIsOstrees(repository, nasty);
    FileTree bare =
        new Trees.Builder()
            .dir("", Metadata.directory(0750).withOwner(3, 4))
            .dir("etc", Metadata.directory(0711))
            .file("usr/a", 0644, "a")
            .build();
    assertImageIsOstrees(repository, RepositoryTest.commit(repository, bare, "os/bare"));
  }

  private void assertImageIsOstrees(Repository repository, Checksum commit) throws IOException {
    for (boolean digests : new boolean[] {true, false}) {
      Path theirs = dir.resolve("theirs-" + commit.hex().substring(0, 6) + "-" + digests);
      Peers.ostree(
              repository.path(),
              "checkout",
              digests ? "--composefs" : "--composefs-noverity",
              commit.hex(),
              theirs.toString())
          .run();
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      Composefs.writeDeployment(repository.readTree(commit), digests, out);
      Path ours = Files.write(Path.of(theirs + "-ours"), out.toByteArray());
      assertThat(Files.mismatch(ours, theirs)).as("digests %s", digests).isEqualTo(-1);
    }
  }

  @Test
  void commitDigestIsOstrees() throws IOException {
    Path path = dir.resolve("repo");
    Repository repository = Repository.create(path, Repository.Mode.BARE);
    Checksum commit = RepositoryTest.commit(repository, Trees.nasty(), "os/nasty");
    Peers.ostree(
            path,
            "commit",
            "--branch=signed",
            "--generate-composefs-metadata",
            "--tree=ref=" + commit.hex())
        .run();
    Commit theirs = repository.readCommit(repository.resolveRef("signed").orElseThrow());
    assertThat(HexFormat.of().formatHex(Composefs.deploymentDigest(repository.readTree(commit))))
        .isEqualTo(
            HexFormat.of().formatHex(theirs.bytes("ostree.composefs.digest.v0").orElseThrow()));
  }

  private static byte[] image(FileTree tree, Composefs.Backing backing) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Composefs.write(tree, backing, out);
    return out.toByteArray();
  }

  private static String verity(byte[] bytes) throws IOException {
    return HexFormat.of().formatHex(FsVerity.sha256(new ByteArrayInputStream(bytes)));
  }
}
