package slipway.ostree.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.archive.compress.Compression;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.process.Command;
import slipway.oci.copy.LayerSpace;
import slipway.oci.model.Digest;
import slipway.oci.model.MediaTypes;
import slipway.ostree.TestImage;
import slipway.ostree.Trees;
import slipway.ostree.repo.Repository;
import slipway.tree.TreeBuilder;

/** Room for layers is looked for before they come, by the size that they have unpacked. */
class LayerSpaceTest {
  private static final Path PLACE = Path.of("/sysroot/ostree/repo");

  /** Content that gzip packs to about a third. */
  private static byte[] content(int blocks) {
    ByteBuffer bytes = ByteBuffer.allocate(blocks * 3 * 8192);
    for (int i = 0; i < blocks; i++) {
      byte[] block = Trees.bytes(i, 8192);
      bytes.put(block).put(block).put(block);
    }
    return bytes.array();
  }

  private static void require(TestImage image, long available) throws IOException {
    require(image, available, 0);
  }

  private static void require(TestImage image, long available, long held) throws IOException {
    new LayerSpace(image, image.layers(), () -> held).require(available, "the image", PLACE);
  }

  @Test
  void aGzippedLayerTellsItsSizeAtItsEnd() throws IOException {
    byte[] tar = TestImage.tar(new TreeBuilder().file("usr/f", 0644, content(50)).layer());
    TestImage image = new TestImage().tarLayer(tar, Compression.GZIP);
    assertThat(image.layers().getFirst().size()).isLessThan(tar.length / 2);
    int certain = tar.length - tar.length / 4;
    assertThatCode(() -> require(image, certain)).doesNotThrowAnyException();
    assertThatThrownBy(() -> require(image, certain - 1))
        .isInstanceOf(Problem.class)
        .hasMessage(
            "the image needs at least 1 MB in /sysroot/ostree/repo, where 1 MB may be written: free"
                + " some space there")
        .extracting(e -> ((Problem) e).kind())
        .isEqualTo(Problem.Kind.FULL);
    // What the repository holds may be all of it.
    assertThatCode(() -> require(image, certain - 1, 1)).doesNotThrowAnyException();
    image.takeServed();
    require(image, 9L * tar.length);
    assertThat(image.takeServed()).as("nobody asks where there is room for all").isEmpty();
  }

  @Test
  void aZstdFrameMayTellItsSizeAtItsBegin() throws IOException {
    assertThatThrownBy(() -> frame(0xA0, rest().putInt(5_000_000)))
        .hasMessageContaining("needs at least 4 MB");
    // A window, a dictionary of two bytes and a size of two bytes, which counts from 256.
    ByteBuffer size = rest().put((byte) 0).putShort((short) 7).putShort((short) 40_000);
    assertThatThrownBy(() -> frame(0x42, size)).hasMessageContaining("needs at least 1 MB");
    assertThatThrownBy(() -> frame(0xC0, rest().put((byte) 0).putLong(70_000_000)))
        .hasMessageContaining("needs at least 53 MB");
    // One that tells nothing counts as it is.
    frame(0x00, rest().putLong(70_000_000));
  }

  private static ByteBuffer rest() {
    return ByteBuffer.allocate(13).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Looks for room of eight times the packed size but a byte. */
  private static void frame(int descriptor, ByteBuffer rest) throws IOException {
    byte[] blob =
        ByteBuffer.allocate(200)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(0xFD2FB528)
            .put((byte) descriptor)
            .put(rest.array())
            .array();
    require(
        new TestImage().blob(blob, MediaTypes.OCI_LAYER_ZSTD, Digest.sha256(new byte[0])),
        8 * blob.length - 1);
  }

  @Test
  void nothingIsFetchedWhereItDoesNotFit(@TempDir Path dir) throws IOException {
    Path small = Files.createDirectory(dir.resolve("small"));
    Command.of("mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", small.toString()).run();
    try {
      Repository repository = Repository.create(small.resolve("repo"), Repository.Mode.BARE);
      TestImage image =
          new TestImage()
              .layer(
                  new TreeBuilder().file("usr/f", 0644, content(1000)).layer(), Compression.GZIP);
      assertThatThrownBy(
              () ->
                  ContainerImport.run(
                      repository,
                      image,
                      image.manifest(),
                      image.config(),
                      ImportCase.NAME,
                      Progress.NONE))
          .isInstanceOf(Problem.class)
          .hasMessageContaining("/test:1 needs at least 19 MB in ")
          .hasMessageContaining("may be written: free some space there");
      assertThat(Files.list(small.resolve("repo/objects"))).isEmpty();
    } finally {
      Command.of("umount", small.toString()).run();
    }
  }

  private static Imported imported(Repository repository, TestImage image) throws IOException {
    return ContainerImport.run(
        repository, image, image.manifest(), image.config(), ImportCase.NAME, Progress.NONE);
  }

  /** As a build makes it that gathers all in one layer anew: only a part is there already. */
  @Test
  @Tag("slow")
  void anImageRebuiltAsOneLayerHasRoomWhenItsFilesAreThere(@TempDir Path dir) throws IOException {
    Path small = Files.createDirectory(dir.resolve("small"));
    Command.of("mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", small.toString()).run();
    try {
      Repository repository = Repository.create(small.resolve("repo"), Repository.Mode.BARE);
      TreeBuilder tree = new TreeBuilder();
      for (int i = 0; i < 40; i++) {
        // Large ones, which are on the disk twice for a moment.
        tree.file("usr/f" + i, 0644, Trees.bytes(i, 512 << 10));
      }
      imported(repository, new TestImage().layer(tree.layer(), Compression.GZIP));
      tree.file("usr/more", 0644, new byte[100]);
      TestImage rebuilt = new TestImage().layer(tree.layer(), Compression.GZIP);
      assertThat(imported(repository, rebuilt).layersFetched()).isEqualTo(1);
      assertThat(repository.fsck(Progress.NONE).isClean()).isTrue();
    } finally {
      Command.of("umount", small.toString()).run();
    }
  }

  /** Whoever tells less than it is ends at the reserve; then nothing of it stays. */
  @Test
  @Tag("slow")
  void whatIsFoundOutWhileWritingLeavesNothing(@TempDir Path dir) throws IOException {
    Path small = Files.createDirectory(dir.resolve("small"));
    Command.of("mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", small.toString()).run();
    try {
      Repository repository = Repository.create(small.resolve("repo"), Repository.Mode.BARE);
      TreeBuilder first = new TreeBuilder().file("usr/f", 0644, Trees.bytes(1, 1 << 20));
      // Just below the part that is certain.
      TreeBuilder second = new TreeBuilder();
      for (int i = 0; i < 34; i++) {
        second.file("usr/g" + i, 0644, Trees.bytes(i + 2, 512 << 10));
      }
      TestImage image =
          new TestImage()
              .layer(first.layer(), Compression.GZIP)
              .layer(second.layer(), Compression.GZIP);
      assertThatThrownBy(() -> imported(repository, image))
          .isInstanceOf(Problem.class)
          .hasMessageContaining("/test:1 needs at least 1")
          .hasMessageContaining("may be written: free some space there");
      assertThat(repository.refs("ostree/container")).isEmpty();
      assertThat(Files.list(small.resolve("repo/objects"))).isEmpty();
      assertThat(small.resolve("repo/tmp")).isDirectoryNotContaining("glob:**slipway*");
    } finally {
      Command.of("umount", small.toString()).run();
    }
  }
}
