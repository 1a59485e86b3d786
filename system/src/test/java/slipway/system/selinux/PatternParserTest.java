package slipway.system.selinux;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.junit.jupiter.api.Test;

/** What is compiled matches what Java says that the pattern itself does. */
class PatternParserTest {
  private static final int FLAGS = Pattern.DOTALL | Pattern.UNIX_LINES;
  private static final String[] PIECES = {
    "a",
    "b",
    "c",
    "/",
    ".",
    "\\.",
    "\\d",
    "\\w",
    "\\S",
    "\\n",
    "[ab]",
    "[^/]",
    "[a-c]",
    "[b-]",
    "[\\d_]",
    "[^\\w/]",
    "\\x61",
    "\\x2E",
    "[\\x61-\\x63]",
    "\\055",
    "\\040",
    "1",
    "_",
    "\u00e4",
    "-",
    "}",
    "]",
    "$",
    "^",
    "\\\\"
  };
  private static final String[] SIGNS = {
    "*", "+", "?", "*?", "+?", "??", "++", "*+", "{2}", "{0}", "{0,2}", "{1,}", "{0,1}?", "{2,3}+"
  };
  private static final String LETTERS = "abc/.1_-\n\u00e4\\}]";
  private static final String NOISE = "ab/()|*+?{}1,2^$\\.[]-dsxQE:=<!";

  private final Random random = new Random(20261201);

  private String pattern(int depth) {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(4); i >= 0; i--) {
      switch (depth > 3 ? 9 : random.nextInt(10)) {
        case 0 -> text.append('(').append(pattern(depth + 1)).append(')').append(sign());
        case 1 -> text.append("(?:").append(pattern(depth + 1)).append(')').append(sign());
        case 2 ->
            text.append('(')
                .append(pattern(depth + 1))
                .append('|')
                .append(pattern(depth + 1) + ")");
        default -> {
          String piece = PIECES[random.nextInt(PIECES.length)];
          text.append(piece).append(piece.equals("$") || piece.equals("^") ? "" : sign());
        }
      }
    }
    return text.toString();
  }

  private String sign() {
    return random.nextInt(3) == 0 ? SIGNS[random.nextInt(SIGNS.length)] : "";
  }

  private String of(String letters, int most) {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(most); i > 0; i--) {
      text.append(letters.charAt(random.nextInt(letters.length())));
    }
    return text.toString();
  }

  private void same(String pattern, Pattern java) {
    Pattern own = PatternParser.parse(pattern).compiled();
    for (int i = 0; i < 30; i++) {
      String text = of(LETTERS, 7);
      assertThat(own.matcher(text).matches())
          .as("%s, compiled as %s, on %s", pattern, own, text)
          .isEqualTo(java.matcher(text).matches());
    }
  }

  @Test
  void patternsMatchAsJavaSays() {
    for (int i = 0; i < 5_000; i++) {
      String pattern = pattern(0);
      same(pattern, Pattern.compile(pattern, FLAGS));
    }
  }

  /** What is taken of mere noise is the same, too. */
  @Test
  void whatIsNoPatternIsNotTakenForAnother() {
    int taken = 0;
    for (int i = 0; i < 40_000; i++) {
      String pattern = of(NOISE, 12);
      try {
        PatternParser.parse(pattern);
      } catch (IllegalArgumentException e) {
        continue;
      }
      // In a class Java has more of these than Perl has.
      if (pattern.matches("(?s).*\\[.*[\\[&].*|.*\\[\\^?].*")) {
        continue;
      }
      try {
        same(pattern, Pattern.compile(pattern, FLAGS));
        taken++;
      } catch (PatternSyntaxException e) {
        // Perl takes more: a repetition in braces that is none is text.
      }
    }
    assertThat(taken).isGreaterThan(200);
  }

  @Test
  void classesHaveTheirNames() {
    String[][] names = {
      {"alnum", "Alnum"}, {"alpha", "Alpha"}, {"blank", "Blank"}, {"cntrl", "Cntrl"},
      {"digit", "Digit"}, {"graph", "Graph"}, {"lower", "Lower"}, {"print", "Print"},
      {"punct", "Punct"}, {"upper", "Upper"}, {"xdigit", "XDigit"}, {"space", "Space"}
    };
    for (String[] name : names) {
      Pattern own = PatternParser.parse("[[:" + name[0] + ":]]").compiled();
      Pattern java = Pattern.compile("\\p{" + name[1] + "}");
      for (char c = 0; c < LabelPattern.CHARACTERS; c++) {
        String text = String.valueOf(c);
        assertThat(own.matcher(text).matches())
            .as("%s: %x", name[0], (int) c)
            .isEqualTo(java.matcher(text).matches());
      }
    }
  }
}
