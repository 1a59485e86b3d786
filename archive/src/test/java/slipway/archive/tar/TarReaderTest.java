package slipway.archive.tar;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.posix.OsPath;
import slipway.linux.process.Command;

/** GNU tar's headers of files that no test can store; what is small is in {@code tree}. */
class TarReaderTest {
  @TempDir Path dir;

  private void big(long size) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(dir.resolve("big").toFile(), "rw")) {
      file.setLength(size);
    }
  }

  @Test
  void readsTheHeaderOfASparseFileOfTenGigabytes() throws Exception {
    big(10L << 30);
    for (String format : List.of("gnu", "posix")) {
      Command.of(
              "tar",
              "-S",
              "--format=" + format,
              "-C",
              dir.toString(),
              "-cf",
              dir.resolve(format).toString(),
              "big")
          .run();
      try (var in = Files.newInputStream(dir.resolve(format))) {
        TarEntry entry = requireNonNull(new TarReader(in).next());
        assertThat(entry.size()).isEqualTo(10L << 30);
        assertThat(entry.name()).isEqualTo(OsPath.of("big"));
      }
    }
  }

  @Test
  void readsSizesAboveEightGigabytesAsBase256AndPax() throws Exception {
    // The stream is cut right after the headers; what is there was read by then.
    big(9L << 30);
    for (String format : List.of("gnu", "posix")) {
      Process tar =
          Command.of("tar", "--format=" + format, "-C", dir.toString(), "-cf", "-", "big").start();
      try (var in = tar.getInputStream()) {
        TarEntry entry = requireNonNull(new TarReader(in).next());
        assertThat(entry.size()).isEqualTo(9L << 30);
      } finally {
        Command.kill(tar);
        tar.waitFor();
      }
    }
  }
}
