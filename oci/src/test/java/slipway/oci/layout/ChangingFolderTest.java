package slipway.oci.layout;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;

/** A folder that is read while its owner changes it. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ChangingFolderTest {
  private static final int READS = 20_000;

  @TempDir Path dir;

  /** Puts a file and a pipe in its place by turns. */
  private void change(Path file, Path pipe, AtomicBoolean over) throws IOException {
    Path next = dir.resolve("next");
    for (boolean even = true; !over.get(); even = !even) {
      Files.createLink(next, even ? pipe : file);
      Files.move(next, dir.resolve("blob"), StandardCopyOption.ATOMIC_MOVE);
    }
  }

  @Test
  void aPipeThatTakesAFilesPlaceIsNotOpened() throws Exception {
    Path file = Files.writeString(dir.resolve("file"), "content");
    Path pipe = dir.resolve("pipe");
    Posix.mknod(OsPath.of(pipe), Stat.S_IFIFO | 0600, 0);
    Files.createLink(dir.resolve("blob"), file);
    AtomicBoolean over = new AtomicBoolean();
    Thread owner = Thread.ofPlatform().daemon().start(() -> quietly(file, pipe, over));
    try {
      for (int i = 0; i < READS; i++) {
        try (InputStream in = BlobDirectory.openFile(dir, "blob", 0)) {
          assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8)).isEqualTo("content");
        } catch (Problem e) {
          assertThat(e).hasMessageEndingWith("blob is a pipe, not a regular file");
        }
      }
    } finally {
      over.set(true);
      owner.join();
    }
  }

  private void quietly(Path file, Path pipe, AtomicBoolean over) {
    try {
      change(file, pipe, over);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
