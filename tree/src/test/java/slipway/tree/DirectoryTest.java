package slipway.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.InputStream;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;

class DirectoryTest extends OnDisk {
  @Test
  void aTreeWrittenIsTheTreeRead() throws Exception {
    SampleTree.create(dir.resolve("source"));
    FileTree tree = DirectoryReader.read(path("source"));
    DirectoryWriter.write(tree, path("copy"));
    assertSame(tree, DirectoryReader.read(path("copy")));
  }

  @Test
  void aTarUnpackedIsTheTreeRead() throws Exception {
    SampleTree.create(dir.resolve("source"));
    FileTree tree = DirectoryReader.read(path("source"));
    writeTar("tar", tree);
    try (InputStream in = Files.newInputStream(path("tar"))) {
      Layer layer = LayerUnpacker.unpack(in, path("diff"));
      assertSame(tree, Layers.merge(List.of(layer)));
    }
    assertSame(tree, DirectoryReader.read(path("diff")));
  }

  @Test
  void holesStayHoles() throws Exception {
    byte[] content = new byte[8 << 20];
    content[3 << 20] = 1;
    FileTree tree = new TreeBuilder().file("sparse", 0644, content).build();
    DirectoryWriter.write(tree, path("copy"));
    assertSame(tree, DirectoryReader.read(path("copy")), FileTrees.Ignore.ROOT);
    Stat stat = Posix.lstat(dir.resolve("copy/sparse"));
    assertThat(stat.size()).isEqualTo(8 << 20);
    assertThat(stat.blocks() * 512).isLessThan(1 << 20);
  }

  @Test
  void aDirectoryWithSomethingInItIsNotWrittenTo() throws Exception {
    Files.createDirectories(path("target/x"));
    FileTree tree = new TreeBuilder().build();
    assertThatThrownBy(() -> DirectoryWriter.write(tree, path("target")))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("is not empty");
  }

  @Test
  void aFileThatChangesWhileItIsReadIsNoticed() throws Exception {
    Files.createDirectories(path("source"));
    Files.writeString(path("source/f"), "abc");
    FileTree tree = DirectoryReader.read(path("source"));
    Files.writeString(path("source/f"), "abcd");
    assertThatThrownBy(() -> writeTar("tar", tree))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("changed while it was read");
  }

  @Test
  void whatIsNotIncludedIsLeftOut() throws Exception {
    Files.createDirectories(path("source/proc/1"));
    Files.writeString(path("source/f"), "abc");
    FileTree tree = DirectoryReader.read(path("source"), p -> !p.is("proc/1"));
    assertThat(tree.find("proc")).isPresent();
    assertThat(tree.find("proc/1")).isEmpty();
    assertThat(tree.find("f")).isPresent();
  }

  @Test
  void linksAreNotFollowedWhenReading() throws Exception {
    Files.createDirectories(path("source"));
    Files.createSymbolicLink(path("source/etc"), java.nio.file.Path.of("/etc"));
    FileTree tree = DirectoryReader.read(path("source"));
    assertThat(tree.find("etc").orElseThrow()).isInstanceOf(Node.Symlink.class);
    assertThat(tree.find("etc/passwd")).isEmpty();
    assertThat(tree.find(OsPath.of("/etc")).orElseThrow()).isInstanceOf(Node.Symlink.class);
  }
}
