package slipway.linux.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.AtomicFile;
import slipway.base.FullDisk;

/** What is written where no room is. */
class FullMountTest {
  @TempDir Path directory;

  @Test
  void aWholeFileThatDoesNotFitIsNamedAndLeavesNothing() throws IOException {
    Path folder = Files.createDirectory(directory.resolve("full"));
    try (Mount full = Mount.of("tmpfs", folder, "tmpfs", 0, "size=4k")) {
      Path there = Files.write(folder.resolve("there"), new byte[4096]);
      Path file = folder.resolve("file");
      assertThatThrownBy(() -> AtomicFile.write(file, "text"))
          .isInstanceOf(FileSystemException.class)
          .hasMessage(file + ": No space left on device")
          .matches(FullDisk::isCauseOf);
      try (Stream<Path> left = Files.list(folder)) {
        assertThat(left.toList()).isEqualTo(List.of(there));
      }
    }
  }
}
