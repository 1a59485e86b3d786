package slipway.disk.ext4;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import slipway.archive.tar.Metadata;
import slipway.base.ChildJvm;
import slipway.linux.posix.OsPath;
import slipway.linux.process.Command;
import slipway.tree.Content;
import slipway.tree.FileTree;
import slipway.tree.Node;

/** A large tree costs little memory beside itself. */
class Ext4MemoryTest extends Ext4Case {
  private static final int DIRECTORIES = 1000;
  private static final int FILES = 100;

  /** A child's main: writes 100,000 files. */
  static final class Child {
    private Child() {}

    public static void main(String[] arguments) throws Exception {
      TreeMap<OsPath, Node> directories = new TreeMap<>();
      for (int d = 0; d < DIRECTORIES; d++) {
        TreeMap<OsPath, Node> files = new TreeMap<>();
        for (int f = 0; f < FILES; f++) {
          Content content = Content.of(new byte[] {1, (byte) d, (byte) f});
          files.put(OsPath.of("file " + f), new Node.File(Metadata.file(0644), content));
        }
        directories.put(OsPath.of("d" + d), new Node.Directory(Metadata.directory(0755), files));
      }
      FileTree tree = new FileTree(new Node.Directory(Metadata.directory(0755), directories));
      Path file = Path.of(arguments[0]);
      long size = Ext4Writer.minimum(tree, OPTIONS);
      try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
        out.setLength(size);
      }
      Ext4Writer.write(tree, file, 0, size, OPTIONS);
    }
  }

  @Test
  @Tag("slow")
  void aHundredThousandFilesAreWrittenIn256MiB() throws Exception {
    Path file = directory.resolve("disk");
    Command.of(ChildJvm.line(Child.class, List.of("-Xmx256m"), file.toString())).run();
    assertClean(file);
    assertThat(Command.of("debugfs", "-R", "cat \"/d999/file 99\"", file.toString()).run().stdout())
        .containsExactly(1, 999 & 0xff, 99);
  }
}
