package slipway.ostree.repo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import slipway.archive.tar.Metadata;
import slipway.linux.posix.OsPath;

class AbandonedObjectTest {
  @TempDir Path directory;

  /** An open file would keep the file system that it is on mounted. */
  @Test
  @Timeout(60)
  void aLargeFileThatEndsEarlyIsClosed() throws Exception {
    Repository repository = Repository.create(directory.resolve("repo"), Repository.Mode.BARE);
    byte[] part = new byte[3 << 20];
    Arrays.fill(part, (byte) 1); // zeros would be a hole, which nobody writes
    InputStream ending =
        new SequenceInputStream(new ByteArrayInputStream(part), new EndAfterWriting(part.length));
    try (Transaction transaction = repository.begin()) {
      assertThatThrownBy(
              () ->
                  transaction.store(
                      OsPath.of("usr/lib/large"), Metadata.file(0644), part.length + 1L, ending))
          .isInstanceOf(IOException.class);
    }
    assertThat(openFiles()).noneMatch(f -> f.contains(directory.toString()));
  }

  /**
   * Ends when all that was read before is written, so that no writer is left to see the failure.
   */
  private final class EndAfterWriting extends InputStream {
    private final long size;

    EndAfterWriting(long size) {
      this.size = size;
    }

    @Override
    public int read() throws IOException {
      while (!written() && !Thread.currentThread().isInterrupted()) {
        Thread.onSpinWait();
      }
      return -1;
    }

    /** Of an open file, which has no name yet. */
    private boolean written() throws IOException {
      try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
        return files
            .filter(f -> target(f).contains(directory.toString()))
            .anyMatch(f -> f.toFile().length() == size);
      }
    }
  }

  private static List<String> openFiles() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
      return files.map(AbandonedObjectTest::target).toList();
    }
  }

  private static String target(Path link) {
    try {
      return Files.readSymbolicLink(link).toString();
    } catch (IOException e) {
      return ""; // The folder's own descriptor is gone already.
    }
  }
}
