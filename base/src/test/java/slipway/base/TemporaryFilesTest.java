package slipway.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TemporaryFilesTest {
  private static final Path USUAL = Path.of("/usual");

  @TempDir Path directory;

  @Test
  void theVariableGoesBeforeTheUsualFolder() {
    assertThat(TemporaryFiles.folder(Map.of("TMPDIR", directory.toString()), USUAL))
        .isEqualTo(directory);
    assertThat(TemporaryFiles.folder(Map.of(), USUAL)).isEqualTo(USUAL);
    assertThat(TemporaryFiles.folder(Map.of("TMPDIR", ""), USUAL)).isEqualTo(USUAL);
  }

  @Test
  void whatIsNoFolderIsToldInOneSentence() throws Exception {
    Path file = Files.createFile(directory.resolve("file"));
    for (Path wrong : new Path[] {directory.resolve("missing"), file}) {
      assertThatThrownBy(() -> TemporaryFiles.folder(Map.of("TMPDIR", wrong.toString()), USUAL))
          .isInstanceOf(Problem.class)
          .hasMessage(
              "TMPDIR names " + wrong + ", which is not a folder; make it, or unset TMPDIR");
    }
  }
}
