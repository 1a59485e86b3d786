package slipway.builder.language;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import slipway.base.Position;
import slipway.base.Problem;

/** Patterns match as regular expressions do, and in a time that the text bounds. */
@Timeout(20)
class ShellPatternTest {
  private static final Position AT = new Position("Containerfile", 1);

  private static String text(Random random, String letters, int most) {
    StringBuilder text = new StringBuilder();
    for (int n = random.nextInt(most); n > 0; n--) {
      text.append(letters.charAt(random.nextInt(letters.length())));
    }
    return text.toString();
  }

  private static Pattern regex(String shell, boolean greedy) {
    return Pattern.compile(shell.replace("*", greedy ? ".*" : ".*?"));
  }

  /** Regular expressions are the judge. */
  @Test
  void randomShellPatternsMatchAsRegularExpressionsSay() {
    Random random = new Random(21);
    for (int i = 0; i < 5_000; i++) {
      String pattern = text(random, "ab*", 6);
      String value = text(random, "ab", 10);
      for (boolean longest : new boolean[] {false, true}) {
        Matcher m = regex(pattern, longest).matcher(value);
        String expected = m.lookingAt() ? value.substring(m.end()) : value;
        assertThat(ShellPattern.withoutPrefix(value, pattern, longest, AT))
            .as("${%s#%s} %s".formatted(value, pattern, longest))
            .isEqualTo(expected);
        assertThat(ShellPattern.withoutSuffix(value, pattern, longest, AT))
            .as("${%s%%%s} %s".formatted(value, pattern, longest))
            .isEqualTo(withoutSuffix(value, pattern, longest));
      }
      assertThat(ShellPattern.replace(value, pattern, "<>", false, AT))
          .as("${%s/%s}", value, pattern)
          .isEqualTo(regex(pattern, true).matcher(value).replaceFirst("<>"));
    }
  }

  private static String withoutSuffix(String value, String pattern, boolean longest) {
    String best = value;
    for (int at = value.length(); at >= 0; at--) {
      if (regex(pattern, true).matcher(value.substring(at)).matches()) {
        best = value.substring(0, at);
        if (!longest) {
          return best;
        }
      }
    }
    return best;
  }

  @Test
  void everyMatchIsReplaced() {
    Map<String, String> cases =
        Map.of("a", "xRbRb", "a*", "xR", "?b", "xRR", "", "RxRaRbRaRbR", "*", "R", "c", "xabab");
    cases.forEach(
        (pattern, expected) ->
            assertThat(ShellPattern.replace("xabab", pattern, "R", true, AT))
                .as(pattern)
                .isEqualTo(expected));
  }

  @Test
  void noPatternTakesForEver() {
    String stars = "a*".repeat(250);
    String value = "a".repeat(50_000);
    assertThat(ShellPattern.withoutPrefix(value, stars + "b", true, AT)).isEqualTo(value);
    assertThat(ShellPattern.withoutSuffix(value, "b" + stars, false, AT)).isEqualTo(value);
    assertThat(ShellPattern.replace(value, stars + "b", "", true, AT)).isEqualTo(value);
  }

  @Test
  void whatIsReplacedIsBounded() {
    assertThatThrownBy(
            () -> ShellPattern.replace("a".repeat(2000), "a", "b".repeat(1000), true, AT))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("--limit word-characters=N");
  }
}
