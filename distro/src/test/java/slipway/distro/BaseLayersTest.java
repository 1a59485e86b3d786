package slipway.distro;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.archive.tar.TarOptions;
import slipway.linux.posix.OsPath;
import slipway.tree.Content;
import slipway.tree.DirectoryReader;
import slipway.tree.FileTree;
import slipway.tree.Layer;
import slipway.tree.LayerReader;
import slipway.tree.Layers;
import slipway.tree.Node;
import slipway.tree.TarWriter;

class BaseLayersTest {
  @TempDir Path root;

  private void file(String path, String text) throws IOException {
    Path file = root.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private void owned(String name, String source, String... paths) throws IOException {
    for (String path : paths) {
      file(path.replaceFirst("^/(s?bin)/", "/usr/$1/").substring(1), name);
    }
    file(BaseImage.DPKG + "/info/" + name + ".list", "/.\n" + String.join("\n", paths) + "\n");
    Path status = root.resolve(BaseImage.DPKG + "/status");
    String old = Files.exists(status) ? Files.readString(status) : "";
    file(
        BaseImage.DPKG + "/status",
        old + "Package: " + name + "\nSource: " + source + " (1.0)\nVersion: 1\n\n");
  }

  private Map<String, FileTree> split() throws IOException {
    file("usr/lib/modules/6/vmlinuz", "k");
    file("usr/lib/modules/6/initramfs.img", "i");
    file("usr/lib/modules/6/kernel/a.ko", "a");
    file("usr/lib/slipway/lib/a.jar", "j");
    file("usr/bin/bootc", "#!");
    file("usr/lib/grub/i386-pc/boot.img", "g");
    file("etc/conf", "c");
    Files.createDirectories(root.resolve("proc"));
    owned("libone", "one", "/usr/lib/one.so", "/etc/one.conf");
    owned("one-bin", "one", "/bin/one");
    owned("two", "two", "/usr/bin/two");
    Files.createLink(root.resolve("usr/share-two"), root.resolve("usr/bin/two"));
    return BaseLayers.split(DirectoryReader.read(root));
  }

  @Test
  void eachPartHasWhatChangesTogether() throws IOException {
    Map<String, FileTree> parts = split();
    assertThat(parts.keySet()).startsWith("grub").endsWith("kernel", "initramfs", "agent", "rest");
    assertThat(parts.get("initramfs").find("usr/lib/modules/6/initramfs.img")).isPresent();
    assertThat(parts.get("kernel").find("usr/lib/modules/6/vmlinuz")).isPresent();
    assertThat(parts.get("kernel").find("usr/lib/modules/6/initramfs.img")).isEmpty();
    assertThat(parts.get("agent").find("usr/bin/bootc")).isPresent();
    assertThat(parts.get("rest").find("etc/one.conf")).isPresent();
    assertThat(parts.get("rest").find("proc")).isPresent();
    // Two packages of one source stay together, through the link from /bin too.
    FileTree one =
        parts.values().stream().filter(t -> t.find("usr/lib/one.so").isPresent()).findFirst().get();
    assertThat(one.find("usr/bin/one")).isPresent();
    // Names of one inode stay together.
    FileTree two =
        parts.values().stream().filter(t -> t.find("usr/bin/two").isPresent()).findFirst().get();
    assertThat(two.find("usr/share-two").get()).isSameAs(two.find("usr/bin/two").get());
  }

  @Test
  void laidOverEachOtherTheyAreTheTree() throws IOException {
    List<Layer> layers = new ArrayList<>();
    for (FileTree part : split().values()) {
      ByteArrayOutputStream tar = new ByteArrayOutputStream();
      TarWriter.write(tar, part, TarOptions.EXACT);
      layers.add(
          LayerReader.read(
              new ByteArrayInputStream(tar.toByteArray()),
              (path, metadata, size, in) -> Content.of(in.readAllBytes())));
    }
    assertThat(lines(Layers.merge(layers))).isEqualTo(lines(DirectoryReader.read(root)));
  }

  private static List<String> lines(FileTree tree) throws IOException {
    List<String> lines = new ArrayList<>();
    tree.walk(
        (OsPath path, Node node) ->
            lines.add(
                path
                    + " "
                    + node.metadata()
                    + (node instanceof Node.File f
                        ? new String(f.content().open().readAllBytes(), StandardCharsets.UTF_8)
                        : "")));
    return lines;
  }
}
