package slipway.cli.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import slipway.base.Limit;

class LimitsTest {
  @AfterEach
  void reset() {
    for (Limit limit : Limit.values()) {
      Limit.set(limit.label() + "=" + limit.preset(), "test");
    }
  }

  @Test
  void standsAnywhere() {
    String[] line = {"--limit", "layer-bytes=1g", "images", "--limit=layer-entries=7", "--json"};
    assertThat(Limits.take(line)).containsExactly("images", "--json");
    assertThat(Limit.LAYER_BYTES.value()).isEqualTo(1L << 30);
    assertThat(Limit.LAYER_ENTRIES.value()).isEqualTo(7);
  }

  @Test
  void whatFollowsTwoDashesIsNotOurs() {
    String[] line = {"tag", "--", "--limit", "x"};
    assertThat(Limits.take(line)).isEqualTo(line);
  }

  @Test
  void helpListsThem() {
    assertThat(Limits.take(new String[] {"images", "--limit", "help"})).isNull();
    assertThat(Limits.text()).startsWith("NAME").contains("layer-bytes").contains("16 GiB");
  }

  @Test
  void refusesWhatIsNone() {
    assertThatThrownBy(() -> Limits.take(new String[] {"--limit"}))
        .hasMessageContaining("--limit takes NAME=VALUE");
    assertThatThrownBy(() -> Limits.take(new String[] {"images", "--limit", "x=1"}))
        .hasMessageStartingWith("--limit: unknown limit \"x\"");
  }
}
