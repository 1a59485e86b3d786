package slipway.builder.copy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.posix.FdInput;
import slipway.linux.posix.OsPath;

/** Files that ADD looks into, because they are compressed, and takes as they are. */
class PackedFileTest {
  @TempDir Path dir;

  /** A zstd frame with a window of 128 MiB (RFC 8878, 3.1.1) that holds four bytes. */
  private static final byte[] FRAME = {
    0x28, (byte) 0xb5, 0x2f, (byte) 0xfd, 0, (byte) (17 << 3), 4 << 3 | 1, 0, 0, 't', 'e', 'x', 't'
  };

  @Test
  void theMemoryOfOneThatIsNoArchiveIsFreed() throws IOException {
    Path file = Files.write(dir.resolve("text.zst"), FRAME);
    long before = dataKib();
    for (int i = 0; i < 40; i++) {
      assertThat(Archive.open(FdInput.open(OsPath.of(file)))).isEmpty();
    }
    assertThat(dataKib() - before).isLessThan(2L << 20); // Else over 5 GiB.
  }

  private static long dataKib() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmData:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
        .sum();
  }
}
