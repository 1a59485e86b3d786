package slipway.tree;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.Command;

class LayerReaderTest {
  private static final ContentStore MEMORY =
      (path, metadata, size, in) -> Content.of(in.readAllBytes());

  @TempDir Path dir;

  private static Layer read(byte[] tar) throws IOException {
    return LayerReader.read(new ByteArrayInputStream(tar), MEMORY);
  }

  private static List<String> names(FileTree tree) throws IOException {
    List<String> names = new ArrayList<>();
    tree.walk((path, node) -> names.add(path + (node instanceof Node.Directory ? "/" : "")));
    return names;
  }

  @Test
  void readsWhatGnuTarWrites() throws Exception {
    Files.createDirectories(dir.resolve("t/a/b"));
    Files.writeString(dir.resolve("t/a/f"), "hello");
    Files.createLink(dir.resolve("t/a/hard"), dir.resolve("t/a/f"));
    Files.createSymbolicLink(dir.resolve("t/link"), Path.of("a/f"));
    byte[] tar = Command.of("tar", "--posix", "-C", dir + "/t", "-c", ".").run().stdout();
    FileTree tree = Layers.merge(List.of(read(tar)));
    assertThat(names(tree)).containsExactly("/", "a/", "a/b/", "a/f", "a/hard", "link");
    assertThat(tree.find("a/f").orElseThrow()).isSameAs(tree.find("a/hard").orElseThrow());
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    TarWriter.write(out, tree, TarOptions.EXACT);
    assertThat(names(Layers.merge(List.of(read(out.toByteArray()))))).isEqualTo(names(tree));
  }
}
