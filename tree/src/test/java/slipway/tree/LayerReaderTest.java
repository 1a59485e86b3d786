package slipway.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.archive.tar.Metadata;
import slipway.archive.tar.Metadata.Xattr;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;

class LayerReaderTest {
  private static TarMaker tar() {
    return new TarMaker();
  }

  /** The layer in words: a directory's name ends with a slash, then come its flags. */
  private static List<String> describe(Layer layer) throws IOException {
    List<String> lines = new ArrayList<>();
    layer.walk((path, node) -> lines.add(path + describe(node)));
    return lines;
  }

  private static String describe(Node node) throws IOException {
    return switch (node) {
      case Node.Directory d ->
          "/"
              + (d.implied() ? " implied" : " " + Integer.toOctalString(d.metadata().permissions()))
              + (d.opaque() ? " opaque" : "");
      case Node.File f -> {
        try (var in = f.content().open()) {
          yield "=" + new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
      }
      case Node.Symlink s -> "->" + s.target();
      case Node.Special s -> "!";
      case Node.Whiteout w -> " gone";
      case Node.LinkBelow l -> "=>" + l.target();
    };
  }

  private static Node node(Layer layer, OsPath path) {
    return new FileTree(layer.root()).find(path).orElseThrow();
  }

  private static Metadata metadata(Layer layer, String path) {
    return node(layer, OsPath.of(path)).metadata();
  }

  private static void assertCorrupt(byte[] tar, String message) {
    assertThatThrownBy(() -> LayerReader.read(new ByteArrayInputStream(tar), OnDisk.MEMORY))
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.CORRUPT))
        .hasMessageContaining(message);
  }

  @Test
  void namesAreTakenFromTheRoot() throws Exception {
    Layer layer =
        tar()
            .directory(".", 0700)
            .file("./a/./b//c", "1")
            .file("/abs", "2")
            .file("x/", "3")
            .layer();
    assertThat(describe(layer))
        .containsExactly("/ 700", "a/ implied", "a/b/ implied", "a/b/c=1", "abs=2", "x=3");
  }

  @ParameterizedTest
  @ValueSource(strings = {"..", "../x", "a/../../x", "/..", "a/.."})
  void namesThatLeaveTheRootAreRefused(String name) {
    assertCorrupt(tar().file(name, "").tar(), "leaves the root");
    assertCorrupt(tar().file("f", "").link("l", name).tar(), "leaves the root");
  }

  @Test
  void longNamesAreRefused() {
    assertCorrupt(tar().file("n".repeat(256), "").tar(), "255 are possible");
    assertCorrupt(tar().file("n/".repeat(2049) + "n", "").tar(), "at most 4096");
    assertCorrupt(tar().symlink("l", "t".repeat(4096)).tar(), "a target of 4096 bytes");
    assertCorrupt(tar().symlink("l", "").tar(), "a target of 0 bytes");
  }

  @Test
  void whiteoutsActOnLowerLayersWhereverTheyStand() throws Exception {
    assertThat(describe(tar().file(".wh.f", "").file("f", "1").layer()))
        .containsExactly("/ implied", "f=1");
    assertThat(describe(tar().file("f", "1").file(".wh.f", "").layer()))
        .containsExactly("/ implied", "f=1");
    List<String> replaced = List.of("/ implied", "d/ 755 opaque", "d/f=1");
    assertThat(describe(tar().file(".wh.d", "").file("d/f", "1").layer())).isEqualTo(replaced);
    assertThat(describe(tar().file("d/f", "1").file(".wh.d", "").layer())).isEqualTo(replaced);
    assertThat(describe(tar().file(".wh.gone", "").layer()))
        .containsExactly("/ implied", "gone gone");
  }

  @Test
  void opaqueDirectoriesHideWhatIsBelow() throws Exception {
    assertThat(
            describe(
                tar().directory("d", 0700).file("d/.wh..wh..opq", "").file("d/f", "1").layer()))
        .containsExactly("/ implied", "d/ 700 opaque", "d/f=1");
    assertThat(describe(tar().file("d/f", "1").file("d/.wh..wh..opq", "").layer()))
        .containsExactly("/ implied", "d/ implied opaque", "d/f=1");
    assertThat(describe(tar().file(".wh..wh..opq", "").layer()))
        .containsExactly("/ implied opaque");
  }

  @Test
  void whatAufsLeftIsIgnoredButItsLinksWork() throws Exception {
    Layer layer =
        tar()
            .directory(".wh..wh.plnk", 0700)
            .file(".wh..wh.plnk/12.34", "text")
            .file(".wh..wh.aufs", "")
            .link("f", ".wh..wh.plnk/12.34")
            .layer();
    assertThat(describe(layer)).containsExactly("/ implied", "f=text");
  }

  @ParameterizedTest
  @ValueSource(strings = {".wh.", ".wh..", ".wh...", "d/.wh.."})
  void whiteoutsOfNothingAreRefused(String name) {
    assertCorrupt(tar().file(name, "").tar(), "names no file");
  }

  @Test
  void nothingStandsBelowAWhiteout() {
    assertCorrupt(tar().file(".wh.d/f", "").tar(), "below a whiteout");
  }

  @Test
  void theLastOfSeveralMembersCounts() throws Exception {
    assertThat(describe(tar().file("f", "1").file("f", "2").layer()))
        .containsExactly("/ implied", "f=2");
    assertThat(describe(tar().directory("d", 0700).file("d/f", "1").directory("d", 0711).layer()))
        .containsExactly("/ implied", "d/ 711", "d/f=1");
    assertThat(describe(tar().directory("d", 0700).file("d/f", "1").symlink("d", "x").layer()))
        .containsExactly("/ implied", "d->x");
    assertThat(describe(tar().file("d", "1").directory("d", 0700).layer()))
        .containsExactly("/ implied", "d/ 700 opaque");
  }

  @Test
  void parentsThatAreNoDirectoriesAreReplacedNotFollowed() throws Exception {
    assertThat(describe(tar().symlink("d", "/etc").file("d/passwd", "1").layer()))
        .containsExactly("/ implied", "d/ 755 opaque", "d/passwd=1");
    assertThat(describe(tar().file("d", "0").file("d/e/f", "1").layer()))
        .containsExactly("/ implied", "d/ 755 opaque", "d/e/ implied", "d/e/f=1");
  }

  @Test
  void hardLinksShareTheInode() throws Exception {
    Layer layer =
        tar()
            .file("f", "1")
            .link("./g", "/f")
            .symlink("s", "f")
            .link("t", "s")
            .fifo("p")
            .link("q", "p")
            .layer();
    var children = layer.root().children();
    assertThat(children.get(OsPath.of("g"))).isSameAs(children.get(OsPath.of("f")));
    assertThat(children.get(OsPath.of("t"))).isSameAs(children.get(OsPath.of("s")));
    assertThat(children.get(OsPath.of("q"))).isSameAs(children.get(OsPath.of("p")));
  }

  @Test
  void aHardLinkKeepsTheInodeThatWasThereThen() throws Exception {
    assertThat(describe(tar().file("f", "1").link("g", "f").file("f", "2").layer()))
        .containsExactly("/ implied", "f=2", "g=1");
    assertThat(describe(tar().file("f", "1").link("f", "f").layer()))
        .containsExactly("/ implied", "f=1");
  }

  @Test
  void hardLinksToWhatIsNotThereLeadBelow() throws Exception {
    assertThat(describe(tar().link("g", "x/f").file(".wh.h", "").link("i", "h").layer()))
        .containsExactly("/ implied", "g=>x/f", "h gone", "i=>h");
    assertThat(describe(tar().link("g", "f").link("h", "g").file("f", "2").layer()))
        .containsExactly("/ implied", "f=2", "g=>f", "h=>f");
  }

  @Test
  void hardLinksToDirectoriesOfTheLayerLeadToFilesBelow() throws Exception {
    assertThat(describe(tar().directory("d", 0755).link("d/l", "d").layer()))
        .containsExactly("/ implied", "d/ 755", "d/l=>d");
    assertCorrupt(tar().link("l", "/").tar(), "leads to the root");
  }

  @Test
  void attributesAreBytes() throws Exception {
    Layer layer =
        tar()
            .pax(
                "SCHILY.xattr.user.a=\0=\n\u00ff",
                "SCHILY.xattr.user.x%3Dy%25=1",
                "LIBARCHIVE.xattr.user.b%20c=AAECAw",
                "LIBARCHIVE.xattr.user.a=AAAA",
                "SCHILY.xattr.user.empty=")
            .file("f", "")
            .layer();
    assertThat(metadata(layer, "f").xattrs())
        .containsExactly(
            new Xattr(OsPath.of("user.a"), new byte[] {0, '=', '\n', (byte) 0xff}),
            new Xattr(OsPath.of("user.b c"), new byte[] {0, 1, 2, 3}),
            new Xattr(OsPath.of("user.empty"), new byte[0]),
            new Xattr(OsPath.of("user.x=y%"), new byte[] {'1'}));
  }

  @Test
  void extendedHeadersWinOverTheHeader() throws Exception {
    Layer layer =
        tar()
            .raw("g", 'g', "13 uid=70000\n17 comment=hello\n".getBytes(StandardCharsets.US_ASCII))
            .pax(
                "path=other/\u00ff",
                "gid=4294967294",
                "mtime=-1.25",
                "atime=5",
                "path=other/\u00fe")
            .file("f", "")
            .file("g", "")
            .layer();
    OsPath odd = OsPath.ofBytes(new byte[] {(byte) 0xfe});
    Metadata m = node(layer, OsPath.of("other").resolve(odd)).metadata();
    assertThat(m.uid()).isEqualTo(70000);
    assertThat(m.gid()).isEqualTo(-2);
    assertThat(m.mtimeSeconds()).isEqualTo(-2);
    assertThat(m.mtimeNanos()).isEqualTo(750_000_000);
    assertThat(metadata(layer, "g").uid()).isEqualTo(70000);
  }

  @Test
  void gnuNumbersMayBeBase256() throws Exception {
    Layer layer =
        tar()
            .patched(
                "f",
                block -> {
                  for (int i = 0; i < 12; i++) {
                    block[136 + i] = (byte) 0xff;
                  }
                  java.util.Arrays.fill(block, 108, 116, (byte) 0);
                  block[108] = (byte) 0x80;
                  block[113] = 1;
                })
            .layer();
    Metadata m = metadata(layer, "f");
    assertThat(m.mtimeSeconds()).isEqualTo(-1);
    assertThat(m.uid()).isEqualTo(65536);
  }

  @Test
  void oldDirectoriesEndWithASlash() throws Exception {
    Layer layer =
        tar()
            .patched(
                "d/",
                block -> {
                  block[156] = 0;
                  java.util.Arrays.fill(block, 257, 512, (byte) 0);
                })
            .layer();
    assertThat(describe(layer)).containsExactly("/ implied", "d/ 644");
  }

  @Test
  void prefixesAreShorterInStarHeaders() throws Exception {
    for (boolean star : new boolean[] {false, true}) {
      Layer layer =
          tar()
              .patched(
                  "f",
                  block -> {
                    java.util.Arrays.fill(block, 345, 345 + 140, (byte) 'p');
                    if (star) {
                      System.arraycopy(new byte[] {'t', 'a', 'r', 0}, 0, block, 508, 4);
                    }
                  })
              .layer();
      assertThat(describe(layer))
          .contains(
              "p".repeat(star ? 131 : 140) + "/ implied", "p".repeat(star ? 131 : 140) + "/f=");
    }
  }

  @Test
  void theStreamIsReadToItsVeryEnd() throws Exception {
    byte[] tar = java.util.Arrays.copyOf(tar().file("f", "1").tar(), 3_000_000);
    long[] read = new long[1];
    LayerReader.read(
        new FilterInputStream(new ByteArrayInputStream(tar)) {
          @Override
          public int read(byte[] b, int off, int len) throws IOException {
            int n = super.read(b, off, len);
            read[0] += Math.max(n, 0);
            return n;
          }
        },
        OnDisk.MEMORY);
    assertThat(read[0]).isEqualTo(3_000_000);
  }

  @Test
  void aStoreThatReadsLittleDoesNoHarm() throws Exception {
    Layer layer =
        LayerReader.read(
            new ByteArrayInputStream(tar().file("f", "x".repeat(5000)).file("g", "1").tar()),
            (path, metadata, size, in) -> Content.EMPTY);
    assertThat(layer.root().children()).hasSize(2);
  }

  @Test
  void failuresOfTheStreamAndTheStoreComeThrough() {
    IOException broken = new IOException("broken");
    assertThatThrownBy(
            () ->
                LayerReader.read(
                    new FilterInputStream(new ByteArrayInputStream(tar().file("f", "").tar())) {
                      @Override
                      public int read(byte[] b, int off, int len) throws IOException {
                        throw broken;
                      }
                    },
                    OnDisk.MEMORY))
        .isSameAs(broken);
    assertThatThrownBy(
            () ->
                LayerReader.read(
                    new ByteArrayInputStream(tar().file("f", "").tar()),
                    (path, metadata, size, in) -> {
                      throw broken;
                    }))
        .isSameAs(broken);
  }

  @Test
  void archivesCutOffAnywhereAreDamaged() throws Exception {
    byte[] tar = tar().pax("mtime=1.5").file("f", "x".repeat(600)).open();
    for (int length = 1; length < tar.length; length++) {
      byte[] cut = java.util.Arrays.copyOf(tar, length);
      assertCorrupt(cut, "the tar archive is damaged");
    }
    LayerReader.read(new ByteArrayInputStream(tar), OnDisk.MEMORY);
    LayerReader.read(new ByteArrayInputStream(new byte[0]), OnDisk.MEMORY);
  }

  @Test
  void damageIsTold() {
    byte[] wrongSum = tar().file("f", "").tar();
    wrongSum[0] ^= 1;
    assertCorrupt(wrongSum, "at byte 0: the header's checksum is wrong");
    assertCorrupt(
        tar().patched("f", b -> b[130] = '9').tar(), "a number in the header is not octal");
    assertCorrupt(
        tar().patched("f", b -> java.util.Arrays.fill(b, 124, 136, (byte) 0xff)).tar(),
        "a size is out of range");
    assertCorrupt(
        tar().patched("f", b -> java.util.Arrays.fill(b, 124, 136, (byte) 0xbf)).tar(),
        "a number in the header is too large");
    assertCorrupt(tar().raw("f", 'M', new byte[0]).tar(), "of unknown type 77");
    assertCorrupt(tar().patched("f", b -> b[0] = 0).tar(), "a member has no name");
    assertCorrupt(
        tar().bytes(new byte[512]).file("f", "").tar(), "members follow a block of zeros");
    assertCorrupt(tar().raw("x", 'x', new byte[(1 << 20) + 1]).tar(), "at most 1 MiB");
    assertCorrupt(
        tar().raw("x", 'x', "5 a=b\n".getBytes(StandardCharsets.US_ASCII)).tar(), "wrong length");
    assertCorrupt(
        tar().raw("x", 'x', "6 abc\n".getBytes(StandardCharsets.US_ASCII)).tar(),
        "without a keyword");
    assertCorrupt(tar().pax("uid=4294967295").file("f", "").tar(), "out of range");
    assertCorrupt(tar().pax("uid=-1").file("f", "").tar(), "not a number");
    assertCorrupt(tar().pax("path=a\0b").file("f", "").tar(), "NUL");
    assertCorrupt(tar().pax("mtime=yesterday").file("f", "").tar(), "not a time");
    assertCorrupt(
        tar().raw("g", 'g', "10 path=f\n".getBytes(StandardCharsets.US_ASCII)).tar(),
        "all members");
    assertCorrupt(tar().pax("LIBARCHIVE.xattr.user.a=?").file("f", "").tar(), "not base64");
    assertCorrupt(
        tar().pax("SCHILY.xattr.user.a=" + "v".repeat(65537)).file("f", "").tar(),
        "longer than any");
    String[] many = new String[1025];
    java.util.Arrays.setAll(many, i -> "SCHILY.xattr.user." + i + "=");
    assertCorrupt(tar().pax(many).file("f", "").tar(), "more than 1024 extended attributes");
    assertCorrupt(
        tar().pax("GNU.sparse.size=1000000000000", "GNU.sparse.map=0,0").file("f", "").tar(),
        "the layer: more than 16 GiB");
    assertCorrupt(
        tar().pax("SCHILY.xattr.user.a\0b=x").file("f", "").tar(), "name holds a NUL byte");
    assertCorrupt(
        tar().pax("GNU.sparse.size=10", "GNU.sparse.map=0,11").file("f", "").tar(),
        "the map of a sparse file is wrong");
    assertCorrupt(tar().file(".", "").tar(), "root is not a directory");
  }
}
