package slipway.tree;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.OsPath;
import slipway.linux.Posix;

class DirectoryTest {
  @TempDir Path temporary;
  private OsPath dir;

  @BeforeEach
  void makeDirectory() throws Exception {
    dir = OsPath.of(temporary).resolve("t");
    Posix.mkdir(dir, 0755);
  }

  /** The JDK cannot delete names that are not in its charset. */
  @AfterEach
  void removeDirectory() throws Exception {
    Posix.removeTree(dir);
  }

  private Path path(String name) {
    return dir.resolve(name).toPath();
  }

  private static void assertSame(FileTree left, FileTree right) throws Exception {
    assertThat(FileTrees.diff(left, right)).isEmpty();
  }

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
    ByteArrayOutputStream tar = new ByteArrayOutputStream();
    TarWriter.write(tar, tree, TarOptions.EXACT);
    Layer layer = LayerUnpacker.unpack(new ByteArrayInputStream(tar.toByteArray()), path("diff"));
    assertSame(tree, Layers.merge(List.of(layer)));
    assertSame(tree, DirectoryReader.read(path("diff")));
  }
}
