package slipway.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LimitTest {
  @AfterEach
  void reset() {
    for (Limit limit : Limit.values()) {
      Limit.set(limit.label() + "=" + limit.preset(), "test");
    }
  }

  /** The table "Bounds" of docs/security.md is this enum: names, defaults and words. */
  @Test
  void thePageOnSecurityListsEveryLimit() throws IOException {
    List<String> rows = new ArrayList<>();
    boolean table = false;
    for (String line : Files.readAllLines(Path.of("../docs/security.md"))) {
      table |= line.equals("## Bounds");
      if (table && line.startsWith("| `")) {
        rows.add(line);
      }
    }
    assertThat(rows)
        .isEqualTo(
            Arrays.stream(Limit.values())
                .map(l -> "| `" + l.label() + "` | " + l.text() + " | " + l.what() + " |")
                .toList());
  }

  @Test
  void takesNumbersWithUnits() {
    Limit.set("layer-bytes=128GiB, layer-entries=3000000,,json-nodes=2k", "--limit");
    assertThat(Limit.LAYER_BYTES.value()).isEqualTo(128L << 30);
    assertThat(Limit.LAYER_BYTES.text()).isEqualTo("128 GiB");
    assertThat(Limit.LAYER_ENTRIES.value()).isEqualTo(3_000_000);
    assertThat(Limit.JSON_NODES.value()).isEqualTo(2048);
    Limit.set("tree-bytes=7t", "--limit");
    assertThat(Limit.TREE_BYTES.value()).isEqualTo(7L << 40);
    assertThat(Limit.TREE_BYTES.intValue()).isEqualTo(Integer.MAX_VALUE - 8);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "layer-bytes",
        "layer-bytes=",
        "layer-bytes=0",
        "layer-bytes=-1",
        "layer-bytes=1x",
        "layer-bytes=99999999999999999999",
        "layer-bytes=9999999999999999k",
        "layer-bytes=١",
        "no-such=1"
      })
  void refusesWhatIsNoLimit(String text) {
    assertThatThrownBy(() -> Limit.set(text, "--limit"))
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.USAGE))
        .hasMessageStartingWith("--limit: ");
    assertThat(Limit.LAYER_BYTES.value()).isEqualTo(Limit.LAYER_BYTES.preset());
  }

  /** Where that is what is missing, a larger limit alone would end in an OutOfMemoryError. */
  @Test
  void saysHowToHaveMoreMemory() {
    long heap = Runtime.getRuntime().maxMemory();
    Limit.set("tree-bytes=" + (heap / 8 * 5 + 1), "test");
    assertThatThrownBy(() -> Limit.TREE_BYTES.check(heap, "layer x"))
        .hasMessageMatching(
            "layer x: more than .*; if you trust it, give the command more memory, such as"
                + " SLIPWAY_HEAP=[0-9]+m");
    Limit.set("tree-bytes=1M", "test");
    assertThatThrownBy(() -> Limit.TREE_BYTES.check(heap, "layer x"))
        .hasMessageEndingWith("raise the limit with --limit tree-bytes=N");
  }

  @Test
  void saysHowToRaiseIt() {
    long most = Limit.LAYER_BYTES.preset();
    assertThatCode(() -> Limit.LAYER_BYTES.check(most, "layer x")).doesNotThrowAnyException();
    assertThatThrownBy(() -> Limit.LAYER_BYTES.check(most + 1, "layer x"))
        .hasMessage(
            "layer x: more than 16 GiB (bytes that one layer holds once decompressed, holes included); if you trust"
                + " it, raise the limit with --limit layer-bytes=N");
  }
}
