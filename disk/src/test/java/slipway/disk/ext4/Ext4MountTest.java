package slipway.disk.ext4;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import slipway.archive.tar.Metadata;
import slipway.archive.tar.Metadata.Xattr;
import slipway.linux.loop.LoopDevice;
import slipway.linux.mount.Mount;
import slipway.linux.mount.MountNamespace;
import slipway.linux.posix.OsPath;
import slipway.linux.process.Command;
import slipway.tree.Content;
import slipway.tree.DirectoryReader;
import slipway.tree.FileTree;
import slipway.tree.Node;

/** What is written is what the kernel sees, and the kernel and resize2fs can go on with it. */
class Ext4MountTest extends Ext4Case {
  private static final int MIB = 1 << 20;

  @FunctionalInterface
  private interface Work {
    void on(Path mounted) throws Exception;
  }

  private void mounted(Path file, Work work) throws Exception {
    Path point = Files.createDirectories(directory.resolve("mounted"));
    MountNamespace.call(
        "test",
        () -> {
          try (LoopDevice loop = LoopDevice.attach(file, 0, Files.size(file));
              Mount mount = Mount.of(loop.device().toString(), point, "ext4", 0, null)) {
            work.on(mount.target());
          }
          return null;
        });
  }

  @Test
  void theKernelSeesTheTree() throws Exception {
    long seed = new Random().nextLong();
    System.out.println("Ext4MountTest seed " + seed);
    FileTree tree = RandomTree.of(seed, 500);
    Path file = write(tree, Ext4Writer.minimum(tree, OPTIONS) + 300 * MIB);
    mounted(
        file,
        there ->
            assertThat(Listing.of(DirectoryReader.read(there)))
                .isEqualTo(Listing.of(withLostAndFound(tree))));
    assertClean(file);
  }

  /** As what nobody wrote reads in an encrypted volume. */
  @Test
  void aRegionOfNoiseServes() throws Exception {
    FileTree tree = RandomTree.of(11, 300);
    Path file = directory.resolve("disk");
    try (var out = Files.newOutputStream(file)) {
      Random random = new Random(12);
      byte[] noise = new byte[MIB];
      for (long left = Ext4Writer.minimum(tree, OPTIONS) + 400 * MIB; left > 0; left -= MIB) {
        random.nextBytes(noise);
        out.write(noise);
      }
    }
    Ext4Options options =
        new Ext4Options(
            OPTIONS.id(),
            "root",
            OPTIONS.hashSeed(),
            OPTIONS.seconds(),
            false,
            true,
            Set.of(),
            false);
    Ext4Writer.write(tree, file, 0, Files.size(file), options);
    assertClean(file);
    mounted(
        file,
        there -> {
          assertThat(Listing.of(DirectoryReader.read(there)))
              .isEqualTo(Listing.of(withLostAndFound(tree)));
          for (int i = 0; i < 3000; i++) {
            Files.writeString(Files.createDirectories(there.resolve("d" + i)).resolve("f"), "new");
          }
        });
    assertClean(file);
  }

  /** The attribute shows ids of all entries, the disk keeps those of some. */
  @Test
  void theKernelSeesAccessControlLists() throws Exception {
    byte[] list = {
      2, 0, 0, 0, 1, 0, 6, 0, -1, -1, -1, -1, 2, 0, 4, 0, -24, 3, 0, 0, 4, 0, 4, 0, -1, -1, -1, -1,
      8, 0, 4, 0, 100, 0, 0, 0, 16, 0, 6, 0, -1, -1, -1, -1, 32, 0, 4, 0, -1, -1, -1, -1
    };
    Node file =
        new Node.File(
            Metadata.file(0664)
                .withXattrs(List.of(new Xattr(OsPath.of("system.posix_acl_access"), list))),
            Content.EMPTY);
    FileTree tree = tree(Map.of("f", file));
    Path disk = write(tree, 16 * MIB);
    assertClean(disk);
    mounted(
        disk,
        there ->
            assertThat(Listing.of(DirectoryReader.read(there)))
                .isEqualTo(Listing.of(withLostAndFound(tree))));
  }

  @Test
  void itCanBeWrittenToAndGrow() throws Exception {
    TreeMap<OsPath, Node> children = new TreeMap<>();
    for (int i = 0; i < 3000; i++) {
      children.put(OsPath.of("file " + i), file("text " + i));
    }
    Node many = new Node.Directory(Metadata.directory(0755), children);
    Path file = write(tree(Map.of("many", many)), 200 * MIB);
    byte[] content = new byte[3 * MIB];
    Arrays.fill(content, (byte) 5);
    mounted(
        file,
        there -> {
          for (int i = 0; i < 500; i++) {
            Files.writeString(there.resolve("many/new " + i), "new");
            Files.delete(there.resolve("many/file " + i));
          }
          Files.write(there.resolve("large"), content);
          Files.createDirectories(there.resolve("a/b/c"));
        });
    assertClean(file);
    try (var out = new java.io.RandomAccessFile(file.toFile(), "rw")) {
      out.setLength(5L << 30);
    }
    Command.of("e2fsck", "-fp", file.toString()).run();
    Command.of("resize2fs", file.toString()).run();
    assertClean(file);
    mounted(
        file,
        there -> {
          assertThat(there.toFile().getTotalSpace()).isGreaterThan(4L << 30);
          assertThat(Files.readAllBytes(there.resolve("large"))).isEqualTo(content);
          assertThat(Files.readString(there.resolve("many/file 2999"))).isEqualTo("text 2999");
          assertThat(Files.readString(there.resolve("many/new 7"))).isEqualTo("new");
        });
    assertClean(file);
  }
}
