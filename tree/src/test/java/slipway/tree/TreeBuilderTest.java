package slipway.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import slipway.archive.tar.Metadata;
import slipway.archive.tar.Metadata.Xattr;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.tree.FileTrees.Difference;
import slipway.tree.FileTrees.Ignore;

class TreeBuilderTest {
  private static List<String> names(FileTree tree) throws IOException {
    List<String> names = new ArrayList<>();
    tree.walk((path, node) -> names.add(path.toString()));
    return names;
  }

  private static FileTree sample() {
    return new TreeBuilder()
        .file("usr/lib/os-release", 0644, new byte[] {1})
        .symlink("etc/os-release", "../usr/lib/os-release")
        .file("usr/bin/sh", 0755, new byte[] {2})
        .link("usr/bin/sh", "usr/bin/bash")
        .mkdirs("/var/tmp/")
        .directory("var/tmp", Metadata.directory(01777))
        .build();
  }

  @Test
  void parentsAreMade() throws Exception {
    FileTree tree = sample();
    assertThat(names(tree))
        .containsExactly(
            "",
            "etc",
            "etc/os-release",
            "usr",
            "usr/bin",
            "usr/bin/bash",
            "usr/bin/sh",
            "usr/lib",
            "usr/lib/os-release",
            "var",
            "var/tmp");
    assertThat(tree.find("usr/bin").orElseThrow().metadata()).isEqualTo(Metadata.directory(0755));
    assertThat(tree.find("var/tmp").orElseThrow().metadata().permissions()).isEqualTo(01777);
    assertThat(tree.find("usr/bin/bash").orElseThrow())
        .isSameAs(tree.find("usr/bin/sh").orElseThrow());
    tree.walk(
        (path, node) -> assertThat(node instanceof Node.Directory d && d.implied()).isFalse());
  }

  @Test
  void whatIsNotTouchedIsShared() {
    FileTree before = sample();
    TreeBuilder builder = new TreeBuilder(before);
    assertThat(builder.find("usr/lib/os-release")).isPresent();
    assertThat(builder.build().root()).isSameAs(before.root());
    assertThat(builder.remove("etc/os-release")).isTrue();
    assertThat(builder.remove("etc/os-release")).isFalse();
    assertThat(builder.remove("no/such")).isFalse();
    FileTree after = builder.build();
    assertThat(after.find("etc/os-release")).isEmpty();
    assertThat(after.find("usr").orElseThrow()).isSameAs(before.find("usr").orElseThrow());
    assertThat(before.find("etc/os-release")).isPresent();
  }

  @Test
  void metadataOfADirectoryChangesWithoutItsFiles() throws Exception {
    FileTree tree = new TreeBuilder(sample()).directory("usr", Metadata.directory(0700)).build();
    assertThat(FileTrees.diff(sample(), tree).stream().map(Difference::toString))
        .containsExactly("/usr: mode 40755 became 40700");
  }

  @Test
  void filesAreNoParents() {
    assertThatThrownBy(() -> new TreeBuilder(sample()).file("usr/bin/sh/x", 0644, new byte[0]))
        .isInstanceOf(Problem.class)
        .hasMessage("cannot make \"usr/bin/sh/x\": \"sh\" is not a directory");
    assertThatThrownBy(() -> new TreeBuilder(sample()).symlink("/", "x"))
        .isInstanceOf(Problem.class);
    assertThatThrownBy(() -> new TreeBuilder(sample()).symlink("a/../b", "x"))
        .isInstanceOf(Problem.class);
    assertThatThrownBy(() -> new TreeBuilder(sample()).link("usr", "x"))
        .isInstanceOf(Problem.class)
        .hasMessage("cannot link \"x\": no file \"usr\"");
  }

  @Test
  void noDirectoryHoldsANameThatLeadsElsewhere() {
    for (String name : List.of("", ".", "..", "a/b", "/")) {
      var children = new java.util.TreeMap<OsPath, Node>();
      children.put(OsPath.of(name), new Node.Symlink(Metadata.symlink(), OsPath.of("x")));
      assertThatThrownBy(() -> new Node.Directory(Metadata.directory(0755), children))
          .isInstanceOf(Problem.class)
          .hasMessageContaining("impossible name");
    }
  }

  @Test
  void layersKeepWhiteoutsAndImpliedParents() throws Exception {
    Layer layer =
        new TreeBuilder()
            .put("etc/os-release", Node.Whiteout.INSTANCE)
            .opaque("usr/bin")
            .file("usr/bin/dash", 0755, new byte[0])
            .layer();
    assertThat(names(Layers.apply(sample(), layer)))
        .containsExactly(
            "",
            "etc",
            "usr",
            "usr/bin",
            "usr/bin/dash",
            "usr/lib",
            "usr/lib/os-release",
            "var",
            "var/tmp");
  }

  @Test
  void everyDifferenceIsTold() throws Exception {
    FileTree left =
        new TreeBuilder()
            .file("a", 0644, new byte[] {1, 2})
            .file("b", 0644, new byte[] {1})
            .symlink("c", "x")
            .file("d", 0644, new byte[0])
            .file("e", 0644, new byte[0])
            .link("e", "f")
            .file("gone", 0644, new byte[0])
            .build();
    Metadata other =
        new Metadata(0100600, 1, 2, 3, 4, List.of(new Xattr(OsPath.of("user.x"), new byte[] {10})));
    FileTree right =
        new TreeBuilder()
            .file("a", 0644, new byte[] {1, 3})
            .file("b", 0644, new byte[] {1, 1})
            .symlink("c", "y")
            .file("d", other, Content.EMPTY)
            .file("e", 0644, new byte[0])
            .file("f", 0644, new byte[0])
            .mkdirs("new")
            .build();
    assertThat(FileTrees.diff(left, right).stream().map(Difference::toString))
        .containsExactly(
            "/a: content differs at byte 1",
            "/b: size 1 became 2",
            "/c: target x became y",
            "/d: mode 100644 became 100600",
            "/d: owner 0:0 became 1:2",
            "/d: mtime 0 s 0 ns became 3 s 4 ns",
            "/d: xattrs {} became {user.x=0a}",
            "/gone: removed, a file",
            "/new: added, a directory",
            "/f: same inode as /e became same inode as /f");
    assertThat(FileTrees.diff(left, left)).isEmpty();
    assertThat(
            FileTrees.diff(
                left,
                right,
                Ignore.CONTENT,
                Ignore.OWNER,
                Ignore.MTIME,
                Ignore.XATTRS,
                Ignore.HARD_LINKS))
        .hasSize(4);
  }
}
