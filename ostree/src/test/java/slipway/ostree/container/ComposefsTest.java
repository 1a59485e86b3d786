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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
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
import slipway.linux.posix.Stat;
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
    Path dump = Files.write(dir.resolve("dump"), dump(tree, backing));
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
  private static String objectPath(String name) {
    String path = "ab/" + name + ".file";
    return path.length() % 4 == 3 ? path + "s" : path;
  }

  private static Content sized(long size) {
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

  // ---- helpers ----

  private static byte[] image(FileTree tree, Composefs.Backing backing) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Composefs.write(tree, backing, out);
    return out.toByteArray();
  }

  private static String verity(byte[] bytes) throws IOException {
    return HexFormat.of().formatHex(FsVerity.sha256(new ByteArrayInputStream(bytes)));
  }

  /** The tree in the format of composefs-dump(5). */
  private static byte[] dump(FileTree tree, Composefs.Backing backing) throws IOException {
    StringBuilder text = new StringBuilder();
    Map<Node, OsPath> first = new IdentityHashMap<>();
    Map<Node, Integer> names = new IdentityHashMap<>();
    tree.walk((path, node) -> names.merge(node, 1, (a, b) -> a + b));
    tree.walk(
        (path, node) -> {
          Metadata m = node.metadata();
          OsPath linked = first.putIfAbsent(node, path);
          text.append(escape(("/" + latin1(path)).getBytes(StandardCharsets.ISO_8859_1)));
          if (linked != null) {
            text.append(" 0 @").append(Integer.toOctalString(m.mode()));
            text.append(" 0 0 0 0 0.0 ")
                .append(escape(("/" + latin1(linked)).getBytes(StandardCharsets.ISO_8859_1)));
            text.append(" - -\n");
            return;
          }
          text.append(fields(path, node, names.get(node), backing));
          for (Metadata.Xattr x : m.xattrs()) {
            text.append(' ').append(escape(x.name().bytes())).append('=').append(escape(x.value()));
          }
          text.append('\n');
        });
    return text.toString().getBytes(StandardCharsets.US_ASCII);
  }

  private static String fields(OsPath path, Node node, int names, Composefs.Backing backing)
      throws IOException {
    Metadata m = node.metadata();
    long size = 0;
    long rdev = 0;
    int nlink = names;
    String payload = "-";
    String content = "-";
    String digest = "-";
    switch (node) {
      case Node.File f -> {
        size = f.content().size();
        if (size > 0) {
          switch (backing.of(path, f)) {
            case Composefs.Data.Inline inline -> content = escape(inline.bytes());
            case Composefs.Data.Backed backed -> {
              payload = backed.path() == null ? "-" : backed.path();
              digest = backed.digest() == null ? "-" : HexFormat.of().formatHex(backed.digest());
            }
          }
        }
      }
      case Node.Symlink s -> {
        payload = escape(s.target().bytes());
        size = s.target().length();
      }
      case Node.Special s -> rdev = s.rdev();
      case Node.Directory d ->
          nlink =
              2
                  + (int)
                      d.children().values().stream()
                          .filter(c -> c instanceof Node.Directory)
                          .count();
      case Node.Whiteout w -> throw new AssertionError();
      case Node.LinkBelow l -> throw new AssertionError();
    }
    return " %d %o %d %s %s %d %d.%d %s %s %s"
        .formatted(
            size,
            m.mode(),
            nlink,
            Integer.toUnsignedString(m.uid()),
            Integer.toUnsignedString(m.gid()),
            rdev,
            m.mtimeSeconds(),
            m.mtimeNanos(),
            payload,
            content,
            digest);
  }

  private static String latin1(OsPath path) {
    return new String(path.bytes(), StandardCharsets.ISO_8859_1);
  }

  private static String escape(byte[] bytes) {
    StringBuilder text = new StringBuilder();
    for (byte b : bytes) {
      boolean plain = b > 0x20 && b < 0x7f && b != '\\' && b != '=';
      if (plain && !(bytes.length == 1 && b == '-')) {
        text.append((char) b);
      } else {
        text.append("\\x%02x".formatted(b & 0xff));
      }
    }
    return text.toString();
  }

  /** A tree of everything that can be in an image. */
  private static final class RandomTree {
    private final Random random;
    private final List<Node> linkable = new ArrayList<>();
    private final Map<Node, Composefs.Data> data = new IdentityHashMap<>();
    private final boolean oneTime;
    private final boolean withWhiteouts;
    private int nodes;

    RandomTree(int seed) {
      random = new Random(seed);
      oneTime = seed % 3 == 0;
      withWhiteouts = seed % 2 == 0;
    }

    Composefs.Data data(OsPath path, Node.File file) {
      return java.util.Objects.requireNonNull(data.get(file));
    }

    FileTree tree() {
      return new FileTree(directory(0));
    }

    private Node.Directory directory(int depth) {
      TreeMap<OsPath, Node> children = new TreeMap<>();
      int count = random.nextInt(12) == 0 ? random.nextInt(900) : random.nextInt(14);
      if (nodes > 4000) {
        count = 0;
      }
      for (int i = 0; i < count; i++) {
        nodes++;
        children.put(name(), child(depth));
      }
      if (depth == 0 && random.nextBoolean()) {
        children.put(OsPath.of("7f"), directory(3));
      }
      return new Node.Directory(metadata(Stat.S_IFDIR), children);
    }

    private OsPath name() {
      int length = random.nextInt(10) == 0 ? 1 + random.nextInt(255) : 1 + random.nextInt(20);
      byte[] bytes = new byte[length];
      for (int i = 0; i < length; i++) {
        do {
          bytes[i] =
              (byte) (random.nextInt(6) == 0 ? random.nextInt(256) : 'a' + random.nextInt(26));
        } while (bytes[i] == 0 || bytes[i] == '/' || (bytes[i] == '.' && length < 3));
      }
      return OsPath.ofBytes(bytes);
    }

    private Node child(int depth) {
      int kind = random.nextInt(20);
      if (kind < 4 && depth < 5) {
        return directory(depth + 1);
      }
      if (kind == 4 && !linkable.isEmpty()) {
        return linkable.get(random.nextInt(linkable.size()));
      }
      Node node =
          switch (kind) {
            case 5, 6, 7 -> {
              int length =
                  random.nextInt(5) == 0 ? 1 + random.nextInt(4095) : 1 + random.nextInt(60);
              yield new Node.Symlink(metadata(Stat.S_IFLNK), OsPath.of("t".repeat(length)));
            }
            case 8 -> special();
            default -> file();
          };
      if (!(node instanceof Node.Special s && s.rdev() == 0)) {
        linkable.add(node);
      }
      return node;
    }

    private Node special() {
      int type =
          new int[] {Stat.S_IFCHR, Stat.S_IFBLK, Stat.S_IFIFO, Stat.S_IFSOCK}[random.nextInt(4)];
      boolean device = type == Stat.S_IFCHR || type == Stat.S_IFBLK;
      long rdev = device ? Posix.makedev(1 + random.nextInt(255), random.nextInt(1000)) : 0;
      if (type == Stat.S_IFCHR && withWhiteouts) {
        rdev = 0;
      }
      return new Node.Special(metadata(type), rdev);
    }

    private Node.File file() {
      long size =
          switch (random.nextInt(6)) {
            case 0 -> 0;
            case 1 -> 4090 + random.nextInt(12);
            case 2 -> 1L << random.nextInt(40);
            case 3 -> (1L << random.nextInt(40)) + 1;
            default -> 1 + random.nextInt(100_000);
          };
      boolean inline = size > 0 && random.nextInt(4) == 0;
      if (inline) {
        size = 1 + random.nextInt(random.nextInt(4) == 0 ? 5000 : 64);
      }
      Node.File file = new Node.File(metadata(Stat.S_IFREG), sized(size));
      if (inline) {
        byte[] bytes = new byte[(int) size];
        random.nextBytes(bytes);
        data.put(file, new Composefs.Data.Inline(bytes));
      } else {
        byte[] digest = new byte[32];
        random.nextBytes(digest);
        data.put(
            file,
            new Composefs.Data.Backed(
                random.nextInt(8) == 0 ? null : objectPath("" + random.nextInt(1000)),
                random.nextInt(3) == 0 ? null : digest));
      }
      return file;
    }

    private Metadata metadata(int type) {
      int permissions = type == Stat.S_IFLNK ? 0777 : random.nextInt(010000);
      int uid = random.nextInt(10) == 0 ? random.nextInt() : random.nextInt(2000);
      int gid = random.nextInt(10) == 0 ? 65534 + random.nextInt(4) : random.nextInt(2000);
      long seconds = oneTime ? 0 : 1_000_000 + random.nextInt(5);
      int nanos = oneTime ? 0 : random.nextInt(3);
      return new Metadata(type | permissions, uid, gid, seconds, nanos, xattrs());
    }

    private List<Metadata.Xattr> xattrs() {
      Map<String, byte[]> xattrs = new TreeMap<>();
      String[] names = {
        "user.a",
        "user.b",
        "security.selinux",
        "security.capability",
        "trusted.t",
        "trusted.overlay.opaque",
        "trusted.overlay.redirect",
        "system.posix_acl_access",
        "system.posix_acl_default",
        "odd.name",
        "lustre.lov",
        "system.nfs4_acl",
        "system.posix_acl_accessory",
        "user." + "n".repeat(200)
      };
      for (int count = random.nextInt(3) * random.nextInt(4); count > 0; count--) {
        String name = names[random.nextInt(names.length)];
        // composefs-info 1.0.8 overlooks an entry of a header alone that is an inode's last.
        int least = name.startsWith("system.posix_acl") ? 1 : 0;
        byte[] value =
            new byte[least + (random.nextInt(6) == 0 ? random.nextInt(3000) : random.nextInt(3))];
        random.nextBytes(value);
        xattrs.put(name, value);
      }
      if (random.nextInt(40) == 0) {
        for (int i = 0; i < 150; i++) {
          xattrs.put("user.many" + i, new byte[] {1});
        }
      }
      return xattrs.entrySet().stream()
          .map(e -> new Metadata.Xattr(OsPath.of(e.getKey()), e.getValue()))
          .toList();
    }
  }
}
