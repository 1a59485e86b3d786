package slipway.build;

import java.util.regex.Pattern;

/**
 * The patterns of {@code ${v#p}}, {@code ${v%p}} and {@code ${v/p/r}}: {@code *} and {@code ?}
 * only, a backslash takes their meaning away (POSIX shell, 2.13, without bracket expressions).
 */
final class ShellPattern {
  private ShellPattern() {}

  /** What is wrong with a pattern. */
  static final class Invalid extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final String what;

    Invalid(String what) {
      super(what);
      this.what = what;
    }

    String what() {
      return what;
    }
  }

  /**
   * @param greedy whether {@code *} takes as much as it can
   * @throws Invalid for a backslash before another character
   */
  static Pattern compile(String pattern, boolean greedy) {
    StringBuilder regex = new StringBuilder();
    for (int i = 0; i < pattern.length(); i++) {
      char c = pattern.charAt(i);
      switch (c) {
        case '*' -> regex.append(greedy ? ".*" : ".*?");
        case '?' -> regex.append('.');
        case '\\' -> {
          char next = i + 1 < pattern.length() ? pattern.charAt(++i) : 0;
          if ("*?\\}/".indexOf(next) < 0 || next == 0) {
            throw new Invalid("invalid escape \\" + (next == 0 ? "" : next));
          }
          regex.append('\\').append(next);
        }
        default -> regex.append(Pattern.quote(String.valueOf(c)));
      }
    }
    return Pattern.compile(regex.toString(), Pattern.DOTALL);
  }

  /** The value without the part at its beginning that matches. */
  static String withoutPrefix(String value, String pattern, boolean longest) {
    var m = compile(pattern, longest).matcher(value);
    return m.lookingAt() ? value.substring(m.end()) : value;
  }

  /** The value without the part at its end that matches. */
  static String withoutSuffix(String value, String pattern, boolean longest) {
    Pattern compiled = compile(pattern, true);
    int from = longest ? 0 : value.length();
    int step = longest ? 1 : -1;
    for (int at = from; at >= 0 && at <= value.length(); at += step) {
      if (compiled.matcher(value).region(at, value.length()).matches()) {
        return value.substring(0, at);
      }
    }
    return value;
  }

  /** The value with the first match, or every one, replaced by a literal text. */
  static String replace(String value, String pattern, String replacement, boolean all) {
    var m = compile(pattern, true).matcher(value);
    String literal = java.util.regex.Matcher.quoteReplacement(replacement);
    return all ? m.replaceAll(literal) : m.replaceFirst(literal);
  }
}
