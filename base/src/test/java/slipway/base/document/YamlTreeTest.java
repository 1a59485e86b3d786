package slipway.base.document;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import tools.jackson.databind.JsonNode;

class YamlTreeTest {
  private static JsonNode parse(String text) {
    return ConfigDocument.yaml(text, "d.yaml").root();
  }

  @Test
  void whatIsReferredToStandsThere() {
    JsonNode root =
        parse(
            """
            .common: &c
              id: "21686148"
            list:
              - *c
              - {n: 7, t: true, f: 1.5, none: null, s: 1_048_576, day: 2026-01-02}
            """);
    assertThat(root.at("/list/0/id").stringValue()).isEqualTo("21686148");
    assertThat(root.at("/list/1").toString())
        .isEqualTo(
            "{\"n\":7,\"t\":true,\"f\":1.5,\"none\":null,\"s\":\"1_048_576\",\"day\":\"2026-01-02\"}");
    assertThat(parse("").isObject()).isTrue();
  }

  /** Each line has ten of the one before, and the last one all of itself. */
  @Test
  void itStaysSmall() {
    StringBuilder text = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 6; i++) {
      String before = "*a" + (i - 1);
      text.append(
          "a%d: &a%d [%s]\n"
              .formatted(
                  i,
                  i,
                  String.join(
                      ", ", before, before, before, before, before, before, before, before)));
    }
    for (String hostile :
        new String[] {
          text.toString(),
          "a: &a [*a]",
          "[".repeat(60) + "]".repeat(60),
          "[".repeat(500_000),
          "- ".repeat(500_000),
          "{a: ".repeat(500_000)
        }) {
      assertThatThrownBy(() -> parse(hostile))
          .isInstanceOf(Problem.class)
          .hasMessageStartingWith("d.yaml");
    }
  }

  @Test
  void whatIsNoYamlIsToldWithItsLine() {
    for (String broken :
        new String[] {"a: 1\nb: [", "a: 1\na: 2", "a: 1\nb: *none", "a: 1\n\tb: 2"}) {
      assertThatThrownBy(() -> parse(broken))
          .isInstanceOf(Problem.class)
          .hasMessageMatching("(?s)d\\.yaml:[123]: this is no YAML: .+");
    }
    assertThatThrownBy(() -> parse("a: \u0007")).isInstanceOf(Problem.class);
  }
}
