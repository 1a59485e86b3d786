package slipway.base;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.Assertions;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileReasonTest {
  @TempDir Path folder;

  private static String reason(ThrowingCallable work) {
    return FileReason.of((IOException) Assertions.catchThrowable(work));
  }

  @Test
  void noReasonIsAPathAlone() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    Path none = folder.resolve("none");
    assertThat(reason(() -> Files.readSymbolicLink(file))).isEqualTo(file + " is no link");
    assertThat(reason(() -> Files.newDirectoryStream(file))).isEqualTo(file + " is not a folder");
    assertThat(reason(() -> Files.delete(folder))).isEqualTo(folder + " is not empty");
    assertThat(reason(() -> Files.size(none))).isEqualTo(none + " does not exist");
    assertThat(reason(() -> Files.createFile(file))).isEqualTo(file + " exists already");
  }

  @Test
  void aStepAfterTheCommitTellsTheReason() {
    List<String> told = new ArrayList<>();
    Path none = folder.resolve("none");
    new AfterCommit(told::add).attempt("it stays", () -> Files.delete(none));
    assertThat(told).containsExactly("warning: it stays: " + none + " does not exist");
  }
}
