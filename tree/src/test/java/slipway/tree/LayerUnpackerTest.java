package slipway.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import slipway.archive.tar.ImageTotals;
import slipway.base.Problem;
import slipway.linux.mount.Mount;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.Xattrs;
import slipway.linux.process.Command;
import slipway.tree.FileTrees.Ignore;

class LayerUnpackerTest extends OnDisk {
  private static TarMaker tar() {
    return new TarMaker();
  }

  private Path unpack(TarMaker tar, String name, Path... below) throws IOException {
    LayerUnpacker.unpack(
        new ByteArrayInputStream(tar.tar()), path(name), List.of(below), new ImageTotals("test"));
    return path(name);
  }

  private void assertUnpacksAsItReads(TarMaker tar) throws IOException {
    Layer layer = LayerUnpacker.unpack(new ByteArrayInputStream(tar.tar()), path("diff"));
    FileTree expected = Layers.merge(List.of(tar.layer()));
    assertSame(expected, Layers.merge(List.of(layer)));
    assertSame(expected, Layers.merge(List.of(DirectoryReader.readOverlayUpper(path("diff")))));
    Posix.removeTree(dir.resolve("diff"));
  }

  @Test
  void linksOutOfTheTargetAreNotFollowed() throws Exception {
    Files.createDirectories(path("outside"));
    String outside = text("outside");
    assertUnpacksAsItReads(tar().symlink("l", outside).file("l/x", "evil"));
    assertUnpacksAsItReads(tar().symlink("l", outside).directory("l", 0700).file("l/x", "evil"));
    assertUnpacksAsItReads(tar().symlink("l", outside).link("m", "l").file("m/x", "evil"));
    assertUnpacksAsItReads(tar().file("l/x", "1").symlink("l", outside).file("l/x", "evil"));
    assertUnpacksAsItReads(tar().symlink("a", "..").symlink("a/b", "..").file("a/b/x", "evil"));
    assertThat(Posix.list(dir.resolve("outside"))).isEmpty();
    assertThat(Posix.list(dir)).containsExactly(OsPath.of("outside"));
  }

  @Test
  void filesThatDisplaceEachOtherEndInTheRightPlace() throws Exception {
    assertUnpacksAsItReads(tar().file("f", "1").link("g", "f").file("f", "2"));
    assertUnpacksAsItReads(tar().file("f", "1").link("g", "f").link("a", "f").symlink("f", "x"));
    assertUnpacksAsItReads(tar().file("f", "1").link("g", "f").file("f/x", "2"));
    assertUnpacksAsItReads(tar().file("d/f", "1").link("g", "d/f").file("d", "2"));
    assertUnpacksAsItReads(tar().file("d/f", "1").file("d", "2").file("d/f", "3"));
    assertUnpacksAsItReads(tar().file("f", "1").file("f", "2").file("f", "3").fifo("f"));
    assertUnpacksAsItReads(
        tar().file("z", "1").link("a", "z").fifo("p").link("q", "p").file("z/z/z", "2"));
    assertUnpacksAsItReads(
        tar()
            .directory(".wh..wh.plnk", 0700)
            .file(".wh..wh.plnk/1", "1")
            .link("f", ".wh..wh.plnk/1"));
  }

  /** Members that share no directory but the upper ones, and some that change places. */
  @Test
  void membersFarFromEachOtherAreFoundAgain() throws Exception {
    TarMaker tar = tar();
    for (int i = 0; i < 60; i++) {
      tar.file("a/b/" + "d/".repeat(i % 7) + i % 3 + "/f" + i, "" + i).file("a/x", "" + i);
    }
    assertUnpacksAsItReads(tar.file("a/b/d/d", "1").file("a/b/d/d/e/f", "2").file("a/b", "3"));
  }

  /** As many levels as a limit allows nearly, each held open while its members are written. */
  @Test
  @Tag("slow")
  @Timeout(60)
  void deepMembersWithoutDirectoriesAreUnpacked() throws Exception {
    TarMaker tar = tar();
    for (int i = 0; i < 50; i++) {
      tar.file("d" + i + "/d".repeat(300) + "/f", "");
    }
    byte[] bytes = tar.tar();
    long files = 50;
    Layer layer = LayerUnpacker.unpack(new ByteArrayInputStream(bytes), path("deep"));
    long[] found = {0};
    layer.walk((path, node) -> found[0] += node instanceof Node.File ? 1 : 0);
    assertThat(found[0]).isEqualTo(files);
  }

  @Test
  void whiteoutsTakeTheFormOfOverlayfs() throws Exception {
    Path base = unpack(tar().file("d/f", "1").file("e/f", "1"), "base");
    unpack(tar().file("d/.wh.f", "").directory("e", 0755).file("e/.wh..wh..opq", ""), "top", base);
    Stat whiteout = Posix.lstat(dir.resolve("top/d/f"));
    assertThat(whiteout.mode()).isEqualTo(Stat.S_IFCHR);
    assertThat(whiteout.rdev()).isZero();
    assertThat(Xattrs.lgetxattr(dir.resolve("top/e"), OsPath.of("trusted.overlay.opaque")))
        .isEqualTo(new byte[] {'y'});
  }

  @Test
  void attributesOfOverlayfsAreEscaped() throws Exception {
    TarMaker tar =
        tar()
            .pax(
                "SCHILY.xattr.trusted.overlay.opaque=y", "SCHILY.xattr.trusted.overlay.redirect=/x")
            .directory("d", 0755);
    unpack(tar.file("d/f", ""), "diff");
    assertThat(Xattrs.llistxattr(dir.resolve("diff/d")))
        .containsExactlyInAnyOrder(
            OsPath.of("trusted.overlay.overlay.opaque"),
            OsPath.of("trusted.overlay.overlay.redirect"));
    assertSame(
        Layers.merge(List.of(tar.layer())),
        Layers.merge(List.of(DirectoryReader.readOverlayUpper(path("diff")))));
  }

  @Test
  void aFailureOfTheLayerLeavesOnlyTheTarget() {
    assertThatThrownBy(() -> unpack(tar().file("f", "1").link("g", "nowhere"), "diff"))
        .isInstanceOf(Problem.class)
        .hasMessage("a hard link leads to \"nowhere\", which is no file of a layer below");
    byte[] cut = java.util.Arrays.copyOf(tar().file("f", "x".repeat(9000)).tar(), 5000);
    assertThatThrownBy(() -> LayerUnpacker.unpack(new ByteArrayInputStream(cut), path("other")))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("it is cut off");
  }

  @Test
  void theUpperDirectoryOfAMountIsTheLayerThatWasMade() throws Exception {
    SampleTree.create(dir.resolve("source"));
    FileTree base = DirectoryReader.read(path("source"));
    for (String name : List.of("upper", "work", "merged")) {
      Posix.mkdir(dir.resolve(name), 0755);
    }
    String options =
        "lowerdir=" + path("source") + ",upperdir=" + path("upper") + ",workdir=" + path("work");
    try (Mount mount = Mount.of("overlay", path("merged"), "overlay", 0, options)) {
      String script =
          """
          rm -r names; mkdir names; echo new > names/new
          rm secret; rm -r tmp; echo file > tmp
          rm xattrs; mkdir xattrs; touch xattrs/x
          chmod 0711 setgid; chown 5:6 usr/bin/wall
          ln usr/bin/ping ping2; mv empty moved; rm dev/null; mknod dev/zero c 1 5
          setfattr -n user.added -v 1 setgid; ln -s x dev/null; rm aaa-su
          """;
      Command.of("sh", "-ec", script).directory(mount.target()).run();
      Layer layer = DirectoryReader.readOverlayUpper(path("upper"));
      FileTree merged = DirectoryReader.read(mount.target());
      // Overlayfs breaks up hard links of a lower layer when it copies one of them.
      assertSame(merged, Layers.merge(List.of(asLayer(base), layer)), Ignore.HARD_LINKS);
      writeTar("layer.tar", layer);
    }
    assertSame(
        Layers.merge(List.of(DirectoryReader.readOverlayUpper(path("upper")))),
        readTree(path("layer.tar")));
  }

  private static Layer asLayer(FileTree tree) {
    return new Layer(tree.root());
  }

  @Test
  void redirectedDirectoriesAreRefused() throws Exception {
    Files.createDirectories(path("upper/d"));
    Xattrs.lsetxattr(
        dir.resolve("upper/d"), OsPath.of("trusted.overlay.redirect"), new byte[] {'/', 'x'});
    assertThatThrownBy(() -> DirectoryReader.readOverlayUpper(path("upper")))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("redirect_dir=off,metacopy=off");
  }

  /** Two layers made by buildah, unpacked by umoci and by us. */
  @Test
  @Tag("slow")
  void layersMadeByBuildahUnpackAsUmociUnpacksThem() throws Exception {
    SampleTree.create(dir.resolve("context"));
    // What containers/storage or umoci do not carry over, or only with a fraction of it.
    for (String name : List.of("ancient", "future")) {
      Posix.unlink(dir.resolve("context").resolve(name));
    }
    Files.writeString(
        path("Containerfile"),
        """
        FROM scratch
        COPY context /
        COPY Containerfile /usr/
        """);
    String storage = text("storage");
    Command buildah =
        Command.of(
            "buildah", "--root", storage, "--runroot", text("run"), "--storage-driver", "vfs");
    try {
      buildah
          .with("build", "--layers", "-t", "sample", "-f", text("Containerfile"), text(""))
          .run();
      buildah.with("push", "sample", "oci:" + text("layout") + ":t").run();
    } finally {
      buildah.with("rmi", "-a", "-f").tryRun();
    }
    Command.of("umoci", "raw", "unpack", "--image", text("layout") + ":t", text("rootfs")).run();
    FileTree expected = DirectoryReader.read(path("rootfs"));
    List<Layer> layers = new java.util.ArrayList<>();
    for (String digest : layerDigests()) {
      try (var in =
          new java.util.zip.GZIPInputStream(
              Files.newInputStream(path("layout/blobs/sha256/" + digest)))) {
        layers.add(LayerUnpacker.unpack(in, path("diff" + layers.size())));
      }
    }
    assertThat(layers).hasSize(2);
    assertSame(expected, Layers.merge(layers), Ignore.DIRECTORY_MTIME);
    assertThat(expected.find("usr/Containerfile")).isPresent();
    assertThat(
            HexFormat.of()
                .formatHex(
                    expected
                        .find("usr/bin/ping")
                        .orElseThrow()
                        .metadata()
                        .xattr("security.capability")
                        .orElseThrow()))
        .startsWith("01000002");
  }

  @Test
  void podmanUnpacksWhatWeWrite() throws Exception {
    SampleTree.create(dir.resolve("source"));
    // Go's tar reader drops empty attributes, and podman times before 1970 and that of the root.
    Posix.unlink(dir.resolve("source/ancient"));
    Xattrs.lremovexattr(dir.resolve("source/xattrs"), OsPath.of("user.empty"));
    FileTree source = DirectoryReader.read(path("source"));
    writeTar("tar", source);
    Command podman =
        Command.of(
            "podman",
            "--root",
            text("storage"),
            "--runroot",
            text("run"),
            "--storage-driver",
            "vfs");
    try {
      podman.with("import", text("tar"), "sample").run();
      String mounted = podman.with("image", "mount", "sample").output();
      assertSame(source, DirectoryReader.read(Path.of(mounted)), Ignore.ROOT);
    } finally {
      podman.with("image", "unmount", "-a").tryRun();
      podman.with("rmi", "-a", "-f").tryRun();
    }
  }

  private List<String> layerDigests() {
    String layers =
        Command.of("skopeo", "inspect", "--format", "{{.Layers}}", "oci:" + text("layout") + ":t")
            .output();
    return List.of(layers.replaceAll("[\\[\\]]|sha256:", "").split(" "));
  }
}
