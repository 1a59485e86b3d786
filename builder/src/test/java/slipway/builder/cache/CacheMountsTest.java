package slipway.builder.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Notes;
import slipway.base.Position;
import slipway.base.Progress;
import slipway.builder.language.RunMount;
import slipway.linux.lock.Flock;

class CacheMountsTest {
  @TempDir Path directory;

  @Test
  void aStampThatCannotBeWrittenFailsNothingAndHoldsNoLock() throws Exception {
    List<String> notes = new ArrayList<>();
    Progress progress = new Notes(notes::add);
    List<Path> caches = new ArrayList<>();
    try (CacheMounts mounts = new CacheMounts(directory, progress)) {
      for (String target : List.of("/a", "/b")) {
        RunMount mount =
            RunMount.parse(
                "type=cache,sharing=locked,target=" + target, new Position("f", 1), text -> text);
        caches.add(mounts.open(mount, fresh -> {}).getParent());
      }
      Files.createDirectory(caches.getFirst().resolve(BuildStorage.MOUNT_STAMP));
    }
    assertThat(notes).hasSize(1);
    assertThat(notes.getFirst()).startsWith("a cache of RUN --mount will count as long unused: ");
    for (Path cache : caches) {
      try (Flock free = Flock.tryFile(cache.resolve("lock"), true)) {
        assertThat(free).isNotNull();
      }
    }
    assertThat(caches.getLast().resolve(BuildStorage.MOUNT_STAMP)).exists();
  }
}
