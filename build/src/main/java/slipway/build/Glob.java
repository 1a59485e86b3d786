package slipway.build;

import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * File name patterns as Go's path.Match has them: {@code *}, {@code ?}, {@code [a-z]}, {@code
 * [^a-z]}, a backslash takes the meaning away; {@code *} and {@code ?} never match a slash. With
 * {@code **} for any number of directories where asked for.
 */
final class Glob {
  private Glob() {}

  /** Whether the text holds a character with a meaning. */
  static boolean isPattern(String text) {
    return text.chars().anyMatch(c -> c == '*' || c == '?' || c == '[' || c == '\\');
  }

  /**
   * Compiles for a whole match.
   *
   * @param doubleStar whether {@code **} crosses slashes
   * @return null when brackets or escapes are not complete
   */
  static @Nullable Pattern compile(String glob, boolean doubleStar) {
    StringBuilder regex = new StringBuilder();
    for (int i = 0; i < glob.length(); i++) {
      char c = glob.charAt(i);
      switch (c) {
        case '*' -> {
          if (doubleStar && glob.startsWith("**", i)) {
            i = stars(glob, i, regex);
          } else {
            regex.append("[^/]*");
          }
        }
        case '?' -> regex.append("[^/]");
        case '[' -> {
          i = brackets(glob, i, regex);
          if (i < 0) {
            return null;
          }
        }
        case '\\' -> {
          if (++i == glob.length()) {
            return null;
          }
          literal(glob.charAt(i), regex);
        }
        default -> literal(c, regex);
      }
    }
    try {
      return Pattern.compile(regex.toString(), Pattern.DOTALL);
    } catch (PatternSyntaxException e) {
      return null; // A range whose ends are the wrong way round.
    }
  }

  private static void literal(char c, StringBuilder regex) {
    regex.append(Pattern.quote(String.valueOf(c)));
  }

  /** Two stars or more; a slash after them belongs to them. Gives the last index used. */
  private static int stars(String glob, int at, StringBuilder regex) {
    int end = at;
    while (end + 1 < glob.length() && glob.charAt(end + 1) == '*') {
      end++;
    }
    if (end + 1 < glob.length() && glob.charAt(end + 1) == '/') {
      regex.append("(.*/)?");
      return end + 1;
    }
    regex.append(".*");
    return end;
  }

  /** A character class. Gives the index of its closing bracket, or -1. */
  private static int brackets(String glob, int at, StringBuilder regex) {
    int i = at + 1;
    StringBuilder set = new StringBuilder("[");
    if (i < glob.length() && glob.charAt(i) == '^') {
      set.append('^');
      i++;
    }
    int first = i;
    for (; i < glob.length() && (glob.charAt(i) != ']' || i == first); i++) {
      char c = glob.charAt(i);
      if (c == '-' && i > first && i + 1 < glob.length() && glob.charAt(i + 1) != ']') {
        set.append('-');
        continue;
      }
      if (c == '\\' && ++i == glob.length()) {
        return -1;
      }
      set.append('\\').append('Q').append(glob.charAt(i)).append("\\E");
    }
    if (i >= glob.length()) {
      return -1;
    }
    regex.append("(?!/)").append(set).append(']');
    return i;
  }
}
