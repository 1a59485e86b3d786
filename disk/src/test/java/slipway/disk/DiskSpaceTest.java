package slipway.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Problem;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskLayout;
import slipway.disk.plan.DiskPlan;
import slipway.linux.mount.Mount;
import slipway.oci.model.Manifest;
import slipway.oci.store.LocalStore;

/** Failures of a disk build where little room is left: of which of them that is the reason. */
class DiskSpaceTest {
  @TempDir Path directory;
  private final AtomicInteger read = new AtomicInteger();
  private LocalStore store;
  private DiskSpace space;
  private Mount small;
  private Path scratch;

  @BeforeEach
  void fill() throws IOException {
    store = LocalStore.open(directory.resolve("store"));
    Path tree = Files.createDirectories(directory.resolve("tree/usr")).getParent();
    Manifest.Image image = TestImage.packed(store, tree, Map.of());
    small =
        Mount.of("tmpfs", Files.createDirectory(directory.resolve("small")), "tmpfs", 0, "size=8m");
    scratch = Files.createDirectory(small.target().resolve("scratch"));
    space =
        new DiskSpace(
            TestImage.counted(store.source(), image.layers().getFirst(), read),
            image,
            small.target(),
            true);
  }

  @AfterEach
  void empty() throws IOException {
    small.close();
    store.close();
  }

  @Test
  void whatHasAnotherReasonIsToldAsItIs() {
    for (Exception failure :
        new Exception[] {
          Problem.environment("cannot start mkfs.xfs: is it installed and on the PATH?"),
          Problem.full("the image does not fit on a disk of 2500 MiB"),
          new IOException("mount /dev/loop0: Invalid argument")
        }) {
      assertThat(space.explained(failure, scratch)).isSameAs(failure);
    }
    assertThat(read).describedAs("times that the layer was read for a figure").hasValue(0);
  }

  @ParameterizedTest
  @ValueSource(strings = {"No space left on device", "Input/output error", "Read-only file system"})
  void whatCouldNotBeWrittenIsForWantOfRoom(String words) {
    for (Exception failure :
        new Exception[] {
          new IOException("write: " + words),
          new IllegalStateException("no sentence", new IOException(words)),
          Problem.environment("mkfs.ext4 failed with status 1").withDetails("mkfs\n" + words)
        }) {
      assertThat(space.explained(failure, scratch))
          .hasMessageStartingWith("the file system of " + small.target() + " is full: ")
          .hasCause(failure);
    }
  }

  /** A user's files are put together elsewhere than the disk. */
  @Test
  void whereAUsersFilesAreIsFull() throws Exception {
    DiskPlan plan =
        DiskPlan.of(
            0,
            new DiskPlan.Least(0, 0),
            DiskLayout.USUAL,
            "amd64",
            BootLoader.GRUB,
            UUID::randomUUID);
    IOException failure = new IOException("write: No space left on device");
    assertThat(space.explainedFiles(failure, plan, scratch, 0))
        .hasMessageStartingWith("the file system of " + small.target() + ", where the disk's files")
        .hasMessageContaining("TMPDIR")
        .hasCause(failure);
    Path roomy = Files.createDirectory(directory.resolve("roomy"));
    assertThat(space.explainedFiles(failure, plan, roomy, 0)).isSameAs(failure);
    assertThat(space.explainedFiles(Problem.full("told"), plan, scratch, 0))
        .hasMessageContaining("give --size");
  }
}
