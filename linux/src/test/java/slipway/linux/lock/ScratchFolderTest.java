package slipway.linux.lock;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.posix.UnixException;

/** What processes leave that are killed goes, and nothing else. */
class ScratchFolderTest {
  private static final String PREFIX = "slipway-test-";

  @TempDir Path dir;
  private final List<String> notes = new ArrayList<>();

  private static List<Path> list(Path folder) throws Exception {
    try (Stream<Path> all = Files.list(folder)) {
      return all.sorted().toList();
    }
  }

  @Test
  void whatDeadProcessesLeftIsRemovedAndTheRestStays() throws Exception {
    Path dead = Files.createDirectories(dir.resolve(PREFIX + "1/deep/er"));
    Files.writeString(dead.resolve("file"), "x");
    Path other = Files.createDirectory(dir.resolve("slipway-other-1"));
    Path file = Files.writeString(dir.resolve(PREFIX + "file"), "somebody's");
    Path link = Files.createSymbolicLink(dir.resolve(PREFIX + "link"), other);
    try (ScratchFolder living = ScratchFolder.create(dir, PREFIX, notes::add);
        ScratchFolder second = ScratchFolder.create(dir, PREFIX, notes::add)) {
      assertThat(list(dir))
          .containsExactlyInAnyOrder(other, file, link, living.path(), second.path());
      assertThat(Files.getPosixFilePermissions(second.path())).hasSize(3);
    }
    assertThat(list(dir)).containsExactlyInAnyOrder(other, file, link);
    assertThat(notes).isEmpty();
  }

  /** As on a network file system without its lock service. */
  @Test
  void withoutLocksNobodyIsTakenForDead() throws Exception {
    ScratchFolder.Locks none =
        path -> {
          throw new UnixException("flock", path, UnixException.ENOLCK, "No locks available");
        };
    try (ScratchFolder living = ScratchFolder.create(dir, PREFIX, notes::add, none);
        ScratchFolder second = ScratchFolder.create(dir, PREFIX, notes::add, none)) {
      assertThat(list(dir)).containsExactlyInAnyOrder(living.path(), second.path());
    }
    assertThat(list(dir)).isEmpty();
    assertThat(notes).isEmpty();
  }
}
