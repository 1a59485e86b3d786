package slipway.build;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DurabilityTest {
  @TempDir Path root;

  @Test
  void onlyWhatWasSyncedCountsAfterTheNextStart() throws Exception {
    String first = UUID.randomUUID().toString();
    Durability before = new Durability(root, first);
    String early = before.stamp();
    before.sync();
    String late = before.stamp();
    assertThat(before.holds(early)).isTrue();
    assertThat(before.holds(late)).isTrue();
    Durability after = new Durability(root, UUID.randomUUID().toString());
    assertThat(after.holds(early)).isTrue();
    assertThat(after.holds(late)).isFalse();
    assertThat(after.holds("")).isFalse();
    assertThat(after.holds("half a sta")).isFalse();
    Files.writeString(root.resolve("synced").resolve(first), "");
    assertThat(after.holds(early)).isFalse();
  }

  @Test
  void thisMachineHasABootId() throws Exception {
    Durability here = Durability.of(root);
    assertThat(here.holds(here.stamp())).isTrue();
  }
}
