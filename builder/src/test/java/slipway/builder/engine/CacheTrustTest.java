package slipway.builder.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.builder.cache.CacheDurability;
import slipway.builder.session.BuildRequest;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;

/** The cache never stands one thing in for another: not a forged layer, not a similar command. */
class CacheTrustTest extends BaseCase {
  /** An image of one layer, whose config says {@code diffId} of it; written past all checks. */
  private void image(String name, byte[] tar, Digest diffId) throws IOException {
    Descriptor layer = lab.store.putBlob(MediaTypes.OCI_LAYER, tar);
    ImageDraft draft = ImageDraft.scratch(Platform.host());
    draft.labels.put("name", name);
    lab.put(name, draft.toConfig("2020-09-13T12:26:40Z", List.of(diffId)), layer);
  }

  @Test
  void aLayerThatIsNotWhatItsConfigSaysPoisonsNothing() throws Exception {
    byte[] good = lab.layerOf("good\n");
    byte[] evil = lab.layerOf("evil\n");
    image("localhost/good:1", good, Digest.sha256(good));
    try {
      image("localhost/evil:1", evil, Digest.sha256(good));
      assertThatThrownBy(() -> lab.build("FROM evil:1\nCOPY <<EOF /x\ntext\nEOF\n"))
          .isInstanceOf(Problem.class)
          .hasMessageContaining(Digest.sha256(evil).toString())
          .hasMessageContaining(Digest.sha256(good).toString());
    } catch (Problem refusedAtTheDoor) {
      assertThat(refusedAtTheDoor).hasMessageContaining(Digest.sha256(good).toString());
    }
    Manifest.Image built = lab.build("FROM base:1\nCOPY --from=good:1 /who /who\nRUN cat /who\n");
    assertThat(lab.text(built, "who")).isEqualTo("good\n");
    assertThat(lab.output).containsExactly("good");
  }

  @Test
  void aSnapshotUnderAnUncheckedNameIsNotTaken() throws Exception {
    byte[] good = lab.layerOf("good\n");
    image("localhost/good:1", good, Digest.sha256(good));
    Path old = directory.resolve("build/snapshots/chain-" + Digest.sha256(good).hex());
    Files.createDirectories(old.resolve("diff"));
    Files.writeString(old.resolve("diff/who"), "evil\n");
    Files.writeString(old.resolve("stamp"), CacheDurability.of(directory.resolve("build")).stamp());
    Manifest.Image built = lab.build("FROM base:1\nCOPY --from=good:1 /who /who\n");
    assertThat(lab.text(built, "who")).isEqualTo("good\n");
    assertThat(old).doesNotExist();
  }

  @Test
  void commandsThatReadAlikeWhenJoinedAreTwo() throws Exception {
    lab.build("FROM base:1\nRUN [\"touch\",\"/a b\"]\n");
    Manifest.Image two = lab.build("FROM base:1\nWORKDIR /\nRUN [\"touch\",\"/a b\"]\n");
    assertThat(lab.tree(two).find("a b")).isPresent();
    Manifest.Image apart = lab.build("FROM base:1\nRUN [\"touch\",\"/a\",\"b\"]\n");
    assertThat(lab.tree(apart).find("a")).isPresent();
    assertThat(lab.tree(apart).find("a b")).isEmpty();
  }

  @Test
  void variablesThatReadAlikeWhenJoinedAreTwo() throws Exception {
    String run = "RUN echo \"$A/$B\" > /seen\n";
    for (String keyword : List.of("ENV", "ARG")) {
      String one = "FROM base:1\n" + keyword + " A=\"1 B=2\"\n" + run;
      String both = "FROM base:1\n" + keyword + " A=1 B=2\n" + run;
      assertThat(lab.text(lab.build(one), "seen")).isEqualTo("1 B=2/\n");
      assertThat(lab.text(lab.build(both), "seen")).isEqualTo("1/2\n");
    }
  }

  @Test
  void anArgumentOfABuildDoesNotPassForAWordOfTheCommand() throws Exception {
    String file = "FROM base:1\nARG A\nARG B\nRUN echo \"$A/$B\" > /seen\n";
    Manifest.Image one =
        lab.build(BuildRequest.of(lab.context(file)).arguments(Map.of("A", "1 B=2", "B", "")));
    Manifest.Image two =
        lab.build(BuildRequest.of(lab.context(file)).arguments(Map.of("A", "1", "B", "2")));
    assertThat(lab.text(one, "seen")).isEqualTo("1 B=2/\n");
    assertThat(lab.text(two, "seen")).isEqualTo("1/2\n");
  }
}
