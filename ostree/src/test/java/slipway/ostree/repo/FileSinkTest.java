package slipway.ostree.repo;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.mount.Mount;
import slipway.linux.posix.OsPath;

class FileSinkTest {
  @TempDir Path directory;

  @Test
  void aFileThatDoesNotFitIsNamed() throws IOException {
    Path folder = Files.createDirectory(directory.resolve("full"));
    try (Mount full = Mount.of("tmpfs", folder, "tmpfs", 0, "size=4k")) {
      Files.write(folder.resolve("there"), new byte[4096]);
      Path file = folder.resolve("file");
      assertThatThrownBy(() -> FileSink.write(OsPath.of(file), 0644, new byte[10], true))
          .hasMessage("write " + file + ": No space left on device");
    }
  }
}
