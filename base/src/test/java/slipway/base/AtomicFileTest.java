package slipway.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
  @TempDir Path folder;

  private long files() throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return all.count();
    }
  }

  @Test
  void aFileAppearsWholeOrNotAtAll() throws IOException {
    Path file = folder.resolve("file");
    try (AtomicFile open = AtomicFile.create(file)) {
      open.out().write(1);
    }
    assertThat(files()).isZero();
    AtomicFile.write(file, "text");
    assertThat(file).hasContent("text");
    assertThat(files()).isEqualTo(1);
  }

  @Test
  void aDirectoryThatCannotBeSyncedIsToldApart() throws IOException {
    Path file = folder.resolve("file");
    AtomicFile.write(file, "old");
    try (AtomicFile open = AtomicFile.create(file)) {
      open.out().write("new".getBytes(StandardCharsets.UTF_8));
      assertThatThrownBy(
              () ->
                  open.commit(
                      directory -> {
                        throw new IOException("Input/output error");
                      }))
          .isInstanceOf(AtomicFile.NotSynced.class)
          .hasMessage(
              file
                  + " is written, but its directory could not be synced, so that a power cut may"
                  + " undo it: Input/output error");
    }
    assertThat(file).hasContent("new");
    assertThat(files()).isEqualTo(1);
  }

  @Test
  void anyOtherFailureChangesNothing() throws IOException {
    Path file = folder.resolve("file");
    AtomicFile.write(file, "old");
    try (AtomicFile open = AtomicFile.create(file)) {
      open.out().write(1);
      Files.delete(open.temporary());
      assertThatThrownBy(open::commit)
          .isInstanceOf(NoSuchFileException.class)
          .isNotInstanceOf(AtomicFile.NotSynced.class);
    }
    assertThat(file).hasContent("old");
    assertThatThrownBy(() -> AtomicFile.rename(folder.resolve("none"), file))
        .isInstanceOf(NoSuchFileException.class);
    assertThat(file).hasContent("old");
    AtomicFile.rename(file, folder.resolve("other"));
    assertThat(folder.resolve("other")).hasContent("old");
  }
}
