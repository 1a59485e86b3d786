package slipway.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
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

  private Path left(String name, Duration age) throws IOException {
    Path file = Files.writeString(folder.resolve(name), "half");
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().minus(age)));
    return file;
  }

  /** What a power cut left goes when the file is written again, and nothing of another writer. */
  @Test
  void whatIsOldOfTheSameFileGoesWithTheNextOne() throws IOException {
    Path old = left(".auth.json.1f.tmp", Duration.ofDays(2));
    Path young = left(".auth.json.2f.tmp", Duration.ofHours(23));
    Path other = left(".other.1f.tmp", Duration.ofDays(2));
    Path longer = left(".my.auth.json.1f.tmp", Duration.ofDays(2));
    Path foreign = left(".auth.json.xyz.tmp", Duration.ofDays(2));
    AtomicFile.write(folder.resolve("auth.json"), "x");
    assertThat(old).doesNotExist();
    assertThat(List.of(young, other, longer, foreign)).allMatch(Files::exists);
    AtomicFile.sweepOf(folder.resolve("auth.json"));
    assertThat(young).doesNotExist();
    assertThat(List.of(other, longer, foreign)).allMatch(Files::exists);
  }

  @Test
  void aFolderIsSweptOfTemporaryFilesAlone() throws IOException {
    Path young = left(".a.1f.tmp", Duration.ZERO);
    Path old = left(".b.1f.tmp", Duration.ofDays(2));
    Path file = left("c.1f.tmp", Duration.ofDays(2));
    Path directory = Files.createDirectory(folder.resolve(".d.1f.tmp"));
    AtomicFile.sweepOld(folder);
    assertThat(old).doesNotExist();
    assertThat(young).exists();
    AtomicFile.sweep(folder);
    assertThat(young).doesNotExist();
    assertThat(List.of(file, directory)).allMatch(Files::exists);
    AtomicFile.sweep(folder.resolve("none"));
  }
}
