package slipway.archive.tar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.linux.process.Command;

class TarIndexTest {
  @TempDir Path dir;

  /** However an archive tells holes, the files after it are where they are. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "--format=gnu",
        "--sparse-version=0.0",
        "--sparse-version=0.1",
        "--sparse-version=1.0"
      })
  void filesBehindASparseOneAreFound(String form) throws Exception {
    try (RandomAccessFile file = new RandomAccessFile(dir.resolve("holes").toFile(), "rw")) {
      file.seek(1_000_000);
      file.write(1);
      file.setLength(3_000_000);
    }
    Files.writeString(dir.resolve("after"), "hello");
    Path tar = dir.resolve("holes.tar");
    Command.of("tar", "-C", dir.toString(), "-cSf", tar.toString(), form, "holes", "after").run();
    try (TarIndex index = TarIndex.open(tar)) {
      assertThat(index.read("after", Limit.SMALL_FILE_BYTES)).asString().isEqualTo("hello");
      assertThat(index.has("holes")).isTrue();
      assertThatThrownBy(() -> index.open("holes", 0).close())
          .isInstanceOf(Problem.class)
          .hasMessageContaining("pack it again without tar's --sparse");
    }
  }
}
