package slipway.builder.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import slipway.base.Limit;
import slipway.base.Progress;
import slipway.builder.engine.BaseCase;
import slipway.linux.lock.Flock;
import slipway.linux.process.Command;
import slipway.linux.process.DiskUse;

/** What builds keep is measured, bounded and removed. */
class BuildStorageTest extends BaseCase {
  private static final String FILE =
      """
      FROM base:1
      RUN --mount=type=cache,target=/c dd if=/dev/urandom of=/c/big bs=1M count=3 2>/dev/null
      RUN dd if=/dev/urandom of=/big bs=1M count=2 2>/dev/null
      """;

  private BuildStorage storage;

  @BeforeEach
  void open() throws Exception {
    storage = new BuildStorage(directory.resolve("build"), new Random(5));
  }

  private List<Path> snapshots() throws Exception {
    try (var list = Files.list(directory.resolve("build/snapshots"))) {
      return list.toList();
    }
  }

  @Test
  void nothingIsThereBeforeTheFirstBuild() {
    assertThat(storage.usage().snapshots()).isEqualTo(new DiskUse(0, 0));
    assertThat(storage.prune(null, true, Progress.NONE).count()).isZero();
  }

  @Test
  void whatIsKeptIsMeasuredAndRemoved() throws Exception {
    lab.build(FILE);
    BuildStorage.Usage usage = storage.usage();
    assertThat(usage.busy()).isFalse();
    assertThat(usage.snapshots().count()).isEqualTo(2);
    long byDu =
        Long.parseLong(
            Command.of("du", "-s", "-B1", directory.resolve("build/snapshots").toString())
                .output()
                .split("\t")[0]);
    assertThat(usage.snapshots().bytes()).isBetween(byDu - 50_000, byDu + 200_000);
    assertThat(usage.mounts().count()).isEqualTo(1);
    assertThat(usage.mounts().bytes()).isBetween(3L << 20, (3L << 20) + 50_000);

    DiskUse.Removed removed = storage.prune(null, false, Progress.NONE);
    assertThat(removed.bytes()).isBetween(2L << 20, byDu + 300_000);
    assertThat(snapshots()).isEmpty();
    assertThat(storage.usage().mounts()).isEqualTo(usage.mounts());
    assertThat(storage.prune(null, true, Progress.NONE).count()).isEqualTo(1);
    assertThat(storage.usage().mounts().count()).isZero();
    assertThat(directory.resolve("build/work")).isEmptyDirectory();
    lab.notes.clear();
    lab.build(FILE);
    assertThat(lab.cached()).isZero();
  }

  @Test
  void aBuildUnderWayKeepsItAll() throws Exception {
    lab.build(FILE);
    try (Flock build = BuildStorage.use(directory.resolve("build"))) {
      assertThat(storage.usage().busy()).isTrue();
      assertThat(storage.prune(null, true, Progress.NONE).busy()).isTrue();
      assertThat(snapshots()).hasSize(2);
    }
    assertThat(storage.usage().busy()).isFalse();
  }

  @Test
  @Tag("slow")
  void onlyWhatIsOldCanBeRemoved() throws Exception {
    lab.build(FILE);
    List<Path> before = snapshots();
    Path old = before.getFirst();
    Files.setLastModifiedTime(
        old.resolve("stamp"), FileTime.from(Instant.now().minus(Duration.ofHours(25))));
    Instant yesterday = Instant.now().minus(Duration.ofHours(24));
    assertThat(storage.prune(yesterday, true, Progress.NONE).count()).isEqualTo(1);
    assertThat(snapshots()).hasSize(1).doesNotContain(old);
    lab.build(FILE);
    assertThat(lab.output).isEmpty();
  }

  @Test
  void theLongestUnusedGoesWhenThereIsTooMuch() throws Exception {
    lab.build(FILE);
    for (Path snapshot : snapshots()) {
      Files.setLastModifiedTime(
          snapshot.resolve("stamp"), FileTime.from(Instant.now().minus(Duration.ofDays(2))));
    }
    lab.build("FROM base:1\nRUN echo new > /new\n"); // Uses the base, not the others.
    List<Path> kept = snapshots();
    assertThat(kept).hasSize(3);
    Limit.set("build-cache-bytes=6M", "a test");
    try {
      lab.build("FROM base:1\nRUN echo newer > /newer\n");
      assertThat(snapshots()).hasSize(3);
      assertThat(storage.usage().snapshots().bytes() + storage.usage().mounts().bytes())
          .isLessThan(6L << 20);
    } finally {
      Limit.set("build-cache-bytes=" + Limit.BUILD_CACHE_BYTES.preset(), "a test");
    }
    lab.notes.clear();
    lab.build("FROM base:1\nRUN echo newer > /newer\n");
    assertThat(lab.cached()).isEqualTo(1);
  }
}
