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
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;

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

  /** A descriptor that a writer holds says nothing to who shall make room. */
  @Test
  void whatIsWrittenByDescriptorIsNamed() throws IOException {
    Path folder = Files.createDirectory(directory.resolve("full"));
    try (Mount full = Mount.of("tmpfs", folder, "tmpfs", 0, "size=4k")) {
      Path file = Files.createFile(folder.resolve("file"));
      int fd = Posix.open(OsPath.of(file), Posix.O_WRONLY, 0);
      try {
        for (int i = 0; i < 2; i++) { // The second time it is deleted already.
          assertThatThrownBy(() -> Posix.write(fd, new byte[8192], 0, 8192))
              .isInstanceOfSatisfying(
                  IOException.class,
                  e ->
                      assertThat(FullDisk.sentence(e))
                          .isEqualTo(
                              "no space is left on the file system of "
                                  + file
                                  + "; make room there"));
          Files.deleteIfExists(file);
        }
      } finally {
        Posix.close(fd);
      }
    }
  }
}
