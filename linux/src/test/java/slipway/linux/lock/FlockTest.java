package slipway.linux.lock;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.posix.OsPath;

/** Locks exclude each other, in one process too. */
class FlockTest {
  @TempDir Path dir;

  @Test
  void aFileIsLockedByOneOrShared() throws Exception {
    Path file = dir.resolve("lock");
    try (Flock one = Flock.tryFile(file, true)) {
      assertThat(one).isNotNull();
      assertThat(Flock.tryFile(file, false)).isNull();
    }
    try (Flock one = Flock.tryFile(file, false);
        Flock two = Flock.file(file, false)) {
      assertThat(one).isNotNull();
      assertThat(two).isNotNull();
      assertThat(Flock.tryFile(file, true)).isNull();
    }
  }

  @Test
  void theFirstOfThoseWhoShareIsAloneForAMoment() throws Exception {
    Path file = dir.resolve("lock");
    AtomicInteger alone = new AtomicInteger();
    Flock.Alone check =
        () -> {
          alone.incrementAndGet();
          assertThat(Flock.tryFile(file, false)).isNull();
        };
    try (Flock one = Flock.shared(OsPath.of(file), 0600, check);
        Flock two = Flock.shared(OsPath.of(file), 0600, check)) {
      assertThat(Flock.tryFile(file, true)).isNull();
    }
    assertThat(alone).hasValue(1);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
  }
}
