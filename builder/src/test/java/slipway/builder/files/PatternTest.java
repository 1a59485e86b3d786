package slipway.builder.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import slipway.base.Position;
import slipway.base.Problem;
import slipway.builder.language.Glob;

/** Patterns match as other programs have it, and in a time that the text bounds. */
@Timeout(20)
class PatternTest {
  private static final Position AT = new Position("Containerfile", 1);

  private static boolean glob(String pattern, String text) {
    return Glob.compile(pattern, true, AT).matches(text);
  }

  @Test
  void globsMatchAsGoHasThem() {
    for (String pair :
        List.of(
            "*.txt a.txt",
            "a?c abc",
            "[a-c]x bx",
            "[^a-c]x dx",
            "\\* *",
            "[]]x ]x",
            "[a-]x -x",
            "**/f f",
            "**/f a/b/f",
            "a/**/f a/f",
            "a/** a/b/c",
            "a**b a/x/b",
            "**/a/**/b x/a/b",
            "[\\]]x ]x",
            "?? ö😀")) {
      String[] two = pair.split(" ");
      assertThat(glob(two[0], two[1])).as(pair).isTrue();
    }
    for (String pair :
        List.of(
            "*.txt a/b.txt",
            "a?c a/c",
            "[^a]x /x",
            "[+-9]x /x",
            "**/f af",
            "a/**/f af",
            "\\* a",
            "* a/b",
            "a A",
            "[a-c]x dx",
            "a/** a")) {
      String[] two = pair.split(" ");
      assertThat(glob(two[0], two[1])).as(pair).isFalse();
    }
    for (String bad : List.of("[a", "[", "a\\", "[b-a]", "[a-", "[]")) {
      assertThatThrownBy(() -> Glob.compile(bad, true, AT))
          .isInstanceOf(Problem.class)
          .hasMessage(
              "Containerfile:1: \""
                  + bad
                  + "\" is not a pattern; check its brackets and"
                  + " backslashes");
    }
  }

  /** The JDK's globs are the judge; they backtrack, so the texts are short. */
  @Test
  void randomGlobsMatchAsTheJdkSays() {
    Random random = new Random(20);
    for (int i = 0; i < 5_000; i++) {
      String pattern = text(random, "ab*?/", 8);
      String name = text(random, "ab/", 8);
      if (pattern.contains("**") || name.isEmpty() || Path.of(name).toString().isEmpty()) {
        continue;
      }
      boolean expected =
          FileSystems.getDefault().getPathMatcher("glob:" + pattern).matches(Path.of(name));
      if (Path.of(name).toString().equals(name)) {
        assertThat(glob(pattern, name)).as(pattern + " " + name).isEqualTo(expected);
      }
    }
  }

  private static String text(Random random, String letters, int most) {
    StringBuilder text = new StringBuilder();
    for (int n = random.nextInt(most); n > 0; n--) {
      text.append(letters.charAt(random.nextInt(letters.length())));
    }
    return text.toString();
  }

  @Test
  void noPatternTakesForEver() {
    String stars = "a*".repeat(250);
    assertThat(glob(stars + "b", "a".repeat(4000))).isFalse();
    assertThat(glob("**/a".repeat(200) + "/b", "a/".repeat(2000))).isFalse();
    IgnoreRules rules = IgnoreRules.parse(".containerignore", stars + "b\n");
    assertThat(rules.excludes("a".repeat(4000))).isFalse();
  }

  @Test
  void patternsAreBounded() {
    assertThatThrownBy(() -> glob("*".repeat(1025), "a"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("Containerfile:1: more than 1024")
        .hasMessageContaining("--limit pattern-characters=N");
    assertThatThrownBy(() -> IgnoreRules.parse(".containerignore", "a\n".repeat(10_001)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(".containerignore:10001: more than 10000")
        .hasMessageContaining("--limit patterns=N");
  }
}
