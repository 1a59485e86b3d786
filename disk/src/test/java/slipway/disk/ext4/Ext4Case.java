package slipway.disk.ext4;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.io.TempDir;
import slipway.archive.tar.Metadata;
import slipway.linux.posix.OsPath;
import slipway.linux.process.Command;
import slipway.tree.Content;
import slipway.tree.FileTree;
import slipway.tree.Node;

/** A test that writes file systems into a file. */
abstract class Ext4Case {
  static final Ext4Options OPTIONS =
      new Ext4Options(
          UUID.fromString("12345678-9abc-def0-1234-56789abcdef0"),
          "root",
          UUID.fromString("0fedcba9-8765-4321-0fed-cba987654321"),
          1_700_000_000L,
          true);

  @TempDir Path directory;

  /** A new file. */
  final Path zeros(long size) throws Exception {
    Path file = directory.resolve("disk");
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.setLength(0);
      out.setLength(size);
    }
    return file;
  }

  final Path write(FileTree tree, long size) throws Exception {
    Path file = zeros(size);
    Ext4Writer.write(tree, file, 0, size, OPTIONS);
    return file;
  }

  static FileTree tree(Map<String, Node> children) {
    TreeMap<OsPath, Node> all = new TreeMap<>();
    children.forEach((name, node) -> all.put(OsPath.of(name), node));
    return new FileTree(new Node.Directory(Metadata.directory(0755), all));
  }

  static Node file(String text) {
    return new Node.File(
        Metadata.file(0644), Content.of(text.getBytes(java.nio.charset.StandardCharsets.UTF_8)));
  }

  /** As the writer writes it. */
  static FileTree withLostAndFound(FileTree tree) {
    TreeMap<OsPath, Node> children = new TreeMap<>(tree.root().children());
    Metadata metadata = Metadata.directory(0700).withMtime(OPTIONS.seconds(), 0);
    children.put(OsPath.of("lost+found"), new Node.Directory(metadata, new TreeMap<>()));
    return new FileTree(new Node.Directory(tree.root().metadata(), children));
  }

  static void assertClean(Path file) {
    assertClean(file.toString());
  }

  static void assertClean(String file) {
    Command.Result result = Command.of("e2fsck", "-fn", file).tryRun();
    assertThat(result.status()).as("%s%s", result.text(), result.stderr()).isZero();
  }
}
