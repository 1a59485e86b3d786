package slipway.disk.ext4;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.archive.tar.Metadata;
import slipway.linux.process.Command;
import slipway.tree.FileTree;
import slipway.tree.Node;

/** File systems that e2fsck finds nothing to say of. */
class Ext4WriterTest {
  static final Ext4Options OPTIONS =
      new Ext4Options(
          UUID.fromString("12345678-9abc-def0-1234-56789abcdef0"),
          "root",
          UUID.fromString("0fedcba9-8765-4321-0fed-cba987654321"),
          1_700_000_000L,
          true);
  private static final FileTree EMPTY =
      new FileTree(new Node.Directory(Metadata.directory(0755), new TreeMap<>()));

  @TempDir Path directory;

  private Path write(FileTree tree, long size) throws Exception {
    Path file = directory.resolve("disk");
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.setLength(0);
      out.setLength(size);
    }
    Ext4Writer.write(tree, file, 0, size, OPTIONS);
    return file;
  }

  static void assertClean(Path file) {
    var result = Command.of("e2fsck", "-fn", file.toString()).tryRun();
    assertThat(result.status()).as("%s%s", result.text(), result.stderr()).isZero();
  }

  @Test
  void anEmptyTreeIsClean() throws Exception {
    for (long size : new long[] {1 << 20, 4 << 20, 64 << 20, 1 << 30, 21L << 30}) {
      assertClean(write(EMPTY, size));
    }
  }

  @Test
  void randomTreesAreClean() throws Exception {
    long seed = new Random().nextLong();
    System.out.println("Ext4WriterTest seed " + seed);
    for (int i = 0; i < 3; i++) {
      FileTree tree = RandomTree.of(seed + i, 400);
      assertClean(write(tree, Ext4Writer.minimum(tree, OPTIONS) + (i << 27)));
    }
  }
}
