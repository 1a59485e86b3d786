package slipway.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import slipway.archive.tar.ImageTotals;
import slipway.archive.tar.Metadata;
import slipway.base.Problem;
import slipway.linux.mount.Mount;
import slipway.linux.mount.Mounts;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;
import slipway.tree.FileTrees.Ignore;

/** Merging, judged by overlayfs, which sees the same layers unpacked, and by umoci. */
class LayersTest extends OnDisk {
  private static final int STACKS = 60;

  private static List<String> names(FileTree tree) throws IOException {
    List<String> names = new ArrayList<>();
    tree.walk((path, node) -> names.add(path + (node instanceof Node.Directory ? "/" : "")));
    return names;
  }

  private static FileTree merge(TarMaker... layers) throws IOException {
    List<Layer> all = new ArrayList<>();
    for (TarMaker layer : layers) {
      all.add(layer.layer());
    }
    return Layers.merge(all);
  }

  @Test
  void nothingMakesAnEmptyRoot() {
    FileTree tree = Layers.merge(List.of());
    assertThat(tree.root().metadata()).isEqualTo(Metadata.directory(0755));
    assertThat(tree.root().children()).isEmpty();
  }

  @Test
  void impliedDirectoriesTakeTheLowerOnesMetadata() throws Exception {
    FileTree tree =
        merge(
            new TarMaker().directory(".", 0700).directory("d", 01777),
            new TarMaker().file("d/f", "1").file("e/f", "1"));
    assertThat(tree.root().metadata().permissions()).isEqualTo(0700);
    assertThat(tree.find("d").orElseThrow().metadata().permissions()).isEqualTo(01777);
    assertThat(tree.find("e").orElseThrow().metadata()).isEqualTo(Metadata.directory(0755));
    assertThat(((Node.Directory) tree.find("e").orElseThrow()).implied()).isFalse();
  }

  @Test
  void opaqueImpliedDirectoriesKeepTheLowerOnesMetadataButNotItsFiles() throws Exception {
    FileTree tree =
        merge(
            new TarMaker().directory("d", 0700).file("d/old", ""),
            new TarMaker().file("d/.wh..wh..opq", "").file("d/new", ""));
    assertThat(names(tree)).containsExactly("/", "d/", "d/new");
    assertThat(tree.find("d").orElseThrow().metadata().permissions()).isEqualTo(0700);
  }

  @Test
  void whiteoutsOfWhatIsNotThereAreFine() throws Exception {
    assertThat(names(merge(new TarMaker().file(".wh.x", "").file("a/.wh.y", ""))))
        .containsExactly("/", "a/");
  }

  @Test
  void filesAndDirectoriesReplaceEachOther() throws Exception {
    FileTree tree =
        merge(
            new TarMaker().file("d/f", "").file("f", "").symlink("s", "d"),
            new TarMaker().file("d", "").file("f/x", "").file("s/x", ""));
    assertThat(names(tree)).containsExactly("/", "d", "f/", "f/x", "s/", "s/x");
  }

  @Test
  void linksResolveAgainstWhatIsBelowTheirLayer() throws Exception {
    FileTree tree =
        merge(
            new TarMaker().file("f", "1"),
            new TarMaker().link("g", "f").file("f", "2"),
            new TarMaker().link("h", "g").file(".wh.g", ""));
    assertThat(names(tree)).containsExactly("/", "f", "h");
    Node.File h = (Node.File) tree.find("h").orElseThrow();
    assertThat(h.content().open().readAllBytes()).isEqualTo(new byte[] {'1'});
  }

  @Test
  void linksToNowhereAreRefused() {
    assertThatThrownBy(() -> merge(new TarMaker().link("l", "x/y")))
        .isInstanceOf(Problem.class)
        .hasMessage("a hard link leads to \"x/y\", which no layer below holds");
    assertThatThrownBy(
            () -> merge(new TarMaker().directory("d", 0755), new TarMaker().link("l", "d")))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("leads to the directory");
  }

  @Test
  void whatNoLayerTouchesIsShared() throws Exception {
    FileTree base = merge(new TarMaker().file("a/f", "").file("b/f", ""));
    FileTree tree = Layers.apply(base, new TarMaker().file("a/g", "").layer());
    assertThat(tree.find("b").orElseThrow()).isSameAs(base.find("b").orElseThrow());
    assertThat(tree.find("a/f").orElseThrow()).isSameAs(base.find("a/f").orElseThrow());
  }

  @Test
  void randomStacksLookAsOverlayfsShowsThem() throws Exception {
    long first = System.nanoTime();
    for (long seed = first; seed < first + STACKS; seed++) {
      List<Layer> layers = new RandomLayers(seed, true).stack();
      OsPath stack = dir.resolve("stack");
      Posix.mkdir(stack, 0755);
      List<Path> unpacked = unpack(layers);
      Files.createDirectories(path("stack/none"));
      Files.createDirectories(path("stack/mount"));
      StringBuilder options = new StringBuilder("lowerdir=");
      unpacked.forEach(layer -> options.append(layer).append(':'));
      options.append(path("stack/none"));
      try (Mount mount =
          Mount.of(
              "overlay", path("stack/mount"), "overlay", Mounts.MS_RDONLY, options.toString())) {
        assertThat(FileTrees.diff(Layers.merge(layers), DirectoryReader.read(mount.target())))
            .as("seed %d", seed)
            .isEmpty();
      }
      Posix.removeTree(stack);
    }
  }

  /** Writes and unpacks layers, bottom first; gives their directories, the topmost first. */
  private List<Path> unpack(List<Layer> layers) throws IOException {
    List<Path> unpacked = new ArrayList<>();
    for (Layer layer : layers) {
      Path tar = writeTar("stack/tar" + unpacked.size(), layer);
      try (InputStream in = Files.newInputStream(tar)) {
        Path diff = path("stack/diff" + unpacked.size());
        LayerUnpacker.unpack(in, diff, unpacked, new ImageTotals("test"));
        unpacked.addFirst(diff);
      }
    }
    return unpacked;
  }

  @Test
  void randomLayersSurviveTarAndOverlayForm() throws Exception {
    long first = System.nanoTime();
    for (long seed = first; seed < first + STACKS; seed++) {
      Posix.mkdir(dir.resolve("stack"), 0755);
      List<Layer> layers = new RandomLayers(seed, true).stack();
      List<Path> unpacked = unpack(layers);
      for (int i = 0; i < layers.size(); i++) {
        Layer read = readTar(path("stack/tar" + i));
        assertThat(FileTrees.diff(new FileTree(layers.get(i).root()), new FileTree(read.root())))
            .as("seed %d, layer %d", seed, i)
            .isEmpty();
      }
      List<Layer> uppers = new ArrayList<>();
      for (Path diff : unpacked.reversed()) {
        uppers.add(DirectoryReader.readOverlayUpper(diff));
      }
      assertThat(FileTrees.diff(Layers.merge(layers), Layers.merge(uppers), Ignore.HARD_LINKS))
          .as("seed %d", seed)
          .isEmpty();
      Posix.removeTree(dir.resolve("stack"));
    }
  }

  @Test
  void randomStacksLookAsUmociUnpacksThem() throws Exception {
    long first = System.nanoTime();
    for (long seed = first; seed < first + 8; seed++) {
      Posix.mkdir(dir.resolve("stack"), 0755);
      List<Layer> layers = new RandomLayers(seed, false).stack();
      String image = text("stack/layout") + ":t";
      Command.of("umoci", "init", "--layout", text("stack/layout")).run();
      Command.of("umoci", "new", "--image", image).run();
      for (int i = 0; i < layers.size(); i++) {
        Path tar = writeTar("stack/tar" + i, layers.get(i));
        Command.of("umoci", "raw", "add-layer", "--image", image, tar.toString()).run();
      }
      Command.of("umoci", "raw", "unpack", "--image", image, text("stack/rootfs")).run();
      assertThat(
              FileTrees.diff(
                  Layers.merge(layers),
                  DirectoryReader.read(path("stack/rootfs")),
                  Ignore.DIRECTORY_MTIME))
          .as("seed %d", seed)
          .isEmpty();
      Posix.removeTree(dir.resolve("stack"));
    }
  }
}
