package slipway.builder.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Progress;

class CacheDurabilityTest {
  @TempDir Path root;

  @Test
  void onlyWhatWasSyncedCountsAfterTheNextStart() throws Exception {
    String first = UUID.randomUUID().toString();
    CacheDurability before = new CacheDurability(root, first);
    String early = before.stamp();
    before.sync();
    String late = before.stamp();
    assertThat(before.holds(early)).isTrue();
    assertThat(before.holds(late)).isTrue();
    CacheDurability after = new CacheDurability(root, UUID.randomUUID().toString());
    assertThat(after.holds(early)).isTrue();
    assertThat(after.holds(late)).isFalse();
    assertThat(after.holds("")).isFalse();
    assertThat(after.holds("half a sta")).isFalse();
    Files.writeString(root.resolve("synced").resolve(first), "");
    assertThat(after.holds(early)).isFalse();
  }

  @Test
  void whatADeadBuildLeftGoes() throws Exception {
    Path left = Files.createDirectory(root.resolve("synced")).resolve(".boot.1f.tmp");
    Files.writeString(left, "half");
    CacheDurability.of(root).sync();
    assertThat(left).doesNotExist();
  }

  /** Of each boot with a build there is a file, which would stay for ever. */
  @Test
  void theSyncsOfBootsWithoutSnapshotsAreForgotten() throws Exception {
    String old = UUID.randomUUID().toString();
    String needed = UUID.randomUUID().toString();
    CacheDurability here = CacheDurability.of(root);
    new CacheDurability(root, old).sync();
    CacheDurability before = new CacheDurability(root, needed);
    Path snapshot = Files.createDirectories(root.resolve("snapshots/x"));
    Files.writeString(snapshot.resolve("stamp"), before.stamp());
    before.sync();
    here.sync();
    assertThat(root.resolve("synced").toFile().list()).hasSize(3);
    new BuildStorage(root, new Random(1)).trim(Progress.NONE);
    assertThat(root.resolve("synced").resolve(old)).doesNotExist();
    assertThat(root.resolve("synced").toFile().list()).hasSize(2).contains(needed);
    new BuildStorage(root, new Random(1)).prune(null, false, Progress.NONE);
    assertThat(root.resolve("synced").toFile().list()).hasSize(1).doesNotContain(needed);
  }

  @Test
  void thisMachineHasABootId() throws Exception {
    CacheDurability here = CacheDurability.of(root);
    assertThat(here.holds(here.stamp())).isTrue();
  }
}
