package slipway.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.file.Files;
import java.util.Enumeration;
import java.util.List;
import java.util.function.IntFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import slipway.archive.tar.ImageTotals;
import slipway.base.Limit;
import slipway.base.Problem;

/** What a small archive may claim is refused before it costs much. */
@Timeout(30)
class TotalsTest extends OnDisk {
  @AfterEach
  void reset() {
    for (Limit limit : Limit.values()) {
      Limit.set(limit.label() + "=" + limit.preset(), "test");
    }
  }

  /** An archive without end that is made while it is read. */
  private static InputStream endless(IntFunction<byte[]> members) {
    return new SequenceInputStream(
        new Enumeration<InputStream>() {
          private int next;

          @Override
          public boolean hasMoreElements() {
            return true;
          }

          @Override
          public InputStream nextElement() {
            return new ByteArrayInputStream(members.apply(next++));
          }
        });
  }

  private static void assertRefused(InputStream tar, Limit limit) {
    assertThatThrownBy(() -> LayerReader.read(tar, OnDisk.MEMORY))
        .isInstanceOf(Problem.class)
        .hasMessageStartingWith("the layer: more than ")
        .hasMessageContaining(limit.what())
        .hasMessageContaining("--limit " + limit.label());
  }

  /** 2,300 directories of 1 MiB of attributes are a small layer once compressed. */
  @Test
  void attributesHaveATotal() {
    String[] records = new String[15];
    java.util.Arrays.setAll(records, i -> "SCHILY.xattr.user." + i + "=" + "v".repeat(65536));
    byte[] pax = new TarMaker().pax(records).open();
    assertRefused(
        endless(i -> i % 2 == 0 ? pax : new TarMaker().directory("d" + i, 0755).open()),
        Limit.XATTR_BYTES);
  }

  @Test
  @Tag("slow")
  void entriesHaveATotal() {
    byte[] same = new TarMaker().file("f", "").open();
    assertRefused(endless(i -> same), Limit.LAYER_ENTRIES);
  }

  private static InputStream deepPaths() {
    return endless(i -> new TarMaker().file("d" + i + "/x2345678".repeat(400), "").open());
  }

  @Test
  void directoriesThatPathsImplyAreEntries() {
    Limit.set("layer-entries=5000", "test");
    assertRefused(deepPaths(), Limit.LAYER_ENTRIES);
  }

  /** Each path of 4 KB makes 400 directories whose paths take 0.7 MB. */
  @Test
  void pathsHaveATotal() {
    assertRefused(deepPaths(), Limit.TREE_BYTES);
  }

  /** Layers that are small each, read one after the other or at once, are one image in memory. */
  @Test
  void theTreesOfAnImageHaveATotal() throws IOException {
    Limit.set("tree-bytes=1m", "test");
    TarMaker maker = new TarMaker();
    for (int i = 0; i < 900; i++) {
      maker.file("f" + i, "");
    }
    byte[] tar = maker.tar();
    ImageTotals image = new ImageTotals("the image's layers");
    Layer layer = LayerReader.read(new ByteArrayInputStream(tar), OnDisk.MEMORY, image);
    LayerReader.read(new ByteArrayInputStream(tar), OnDisk.MEMORY, image);
    assertThatThrownBy(() -> LayerReader.read(new ByteArrayInputStream(tar), OnDisk.MEMORY, image))
        .hasMessageStartingWith("the image's layers: more than 1 MiB")
        .hasMessageContaining("--limit tree-bytes");
    ImageTotals again = image.withoutTrees();
    layer.countIn(again);
    layer.countIn(again);
    assertThatThrownBy(() -> layer.countIn(again)).hasMessageContaining("--limit tree-bytes");
  }

  @Test
  void theContentOfAnImageHasATotal() throws IOException {
    Limit.set("image-bytes=100k", "test");
    byte[] tar = new TarMaker().file("f", "x".repeat(60_000)).tar();
    ImageTotals image = new ImageTotals("the image's layers");
    LayerReader.read(new ByteArrayInputStream(tar), OnDisk.MEMORY, image);
    assertThatThrownBy(
            () ->
                LayerReader.read(
                    new ByteArrayInputStream(tar), OnDisk.MEMORY, image.withoutTrees()))
        .hasMessageStartingWith("the image's layers: more than 100 KiB")
        .hasMessageContaining("--limit image-bytes");
  }

  @Test
  void contentHasATotal() {
    Limit.set("layer-bytes=64m", "test");
    byte[] one = new TarMaker().file("f", "x".repeat(1 << 20)).open();
    assertRefused(endless(i -> one), Limit.LAYER_BYTES);
  }

  /** Refused when they are claimed, not when they have been filled with zeros. */
  @Test
  @Timeout(10)
  void holesAreContent() {
    byte[] sparse =
        new TarMaker()
            .pax("GNU.sparse.size=64000000000", "GNU.sparse.map=0,0")
            .file("f", "")
            .open();
    assertRefused(endless(i -> sparse), Limit.LAYER_BYTES);
  }

  /** Blocks of zeros after the end of the archive are read, and counted. */
  @Test
  void whatFollowsTheEndIsCounted() {
    Limit.set("layer-bytes=64m", "test");
    byte[] zeros = new byte[1 << 20];
    assertRefused(endless(i -> zeros), Limit.LAYER_BYTES);
  }

  @Test
  void directoriesWithinEachOtherHaveATotal() throws IOException {
    Limit.set("tree-depth=10", "test");
    new TarMaker().file("x/".repeat(9) + "x", "").layer();
    assertRefused(
        new ByteArrayInputStream(new TarMaker().file("x/".repeat(10) + "x", "").tar()),
        Limit.TREE_DEPTH);
    Files.createDirectories(path("deep/" + "x/".repeat(11)));
    assertThatThrownBy(() -> DirectoryReader.read(path("deep")))
        .hasMessageContaining(Limit.TREE_DEPTH.what());
  }

  /** The deepest tree that is taken is not too deep for what walks it. */
  @Test
  @Tag("slow")
  void theDeepestPathCanBeWalked() throws IOException {
    byte[] tar = new TarMaker().file("x/".repeat(511) + "x", "deep").tar();
    Layer layer = LayerReader.read(new ByteArrayInputStream(tar), OnDisk.MEMORY);
    FileTree tree = Layers.merge(List.of(layer, layer));
    assertThat(FileTrees.diff(tree, new TreeBuilder(tree).build())).isEmpty();
    assertThat(FileTrees.diff(tree, readTree(writeTar("deep.tar", tree)))).isEmpty();
    DirectoryWriter.write(tree, path("written"));
    assertThat(FileTrees.diff(tree, DirectoryReader.read(path("written")))).isEmpty();
    LayerUnpacker.unpack(new ByteArrayInputStream(tar), path("unpacked"));
    assertThat(Files.readString(path("unpacked/" + "x/".repeat(511) + "x"))).isEqualTo("deep");
  }
}
