package slipway.media.kickstart;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Finds dashes, spaces and quotes that a word processor or a web page put where those of ASCII were
 * meant. To a kickstart file they are letters.
 */
final class OddCharacters {
  private static final String DOUBLE_QUOTES = "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb\uff02";
  private static final String SINGLE_QUOTES = "\u2018\u2019\u201a\u201b\u2032\u2039\u203a\uff07";
  private static final String DASHES = "\u00ad\u2043\u2212";
  private static final String NO_WIDTH = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff";

  /** Beyond these one line tells nothing new. */
  private static final int MOST = 3;

  /**
   * A character that was hardly meant.
   *
   * @param surely whether it is wrong even in a line that is taken
   */
  record Odd(int index, String text, boolean surely) {}

  private OddCharacters() {}

  /** The first of a line outside its quotes and its comment. */
  static List<Odd> in(String line) {
    List<Odd> found = new ArrayList<>();
    char quote = 0;
    boolean word = false;
    for (int i = 0; i < line.length() && found.size() < MOST; i++) {
      char c = line.charAt(i);
      if (quote != 0) {
        if (c == quote) {
          quote = 0;
        } else if (c == '\\' && quote == '"') {
          i++;
        }
      } else if (c == '\'' || c == '"') {
        quote = c;
        word = true;
      } else if (c == '#') {
        break;
      } else if (c == '\\') {
        i++;
        word = true;
      } else {
        Odd odd = c < 0x80 ? null : odd(line, i, word);
        if (odd != null) {
          found.add(odd);
        }
        word = c > ' ' && (word || !isDash(c));
      }
    }
    return found;
  }

  private static boolean isDash(char c) {
    return c == '-' || Character.getType(c) == Character.DASH_PUNCTUATION || DASHES.indexOf(c) >= 0;
  }

  /**
   * @param word whether more than dashes stands before it in its word
   */
  private static @Nullable Odd odd(String line, int at, boolean word) {
    char c = line.charAt(at);
    boolean begins = !word || at > 0 && line.charAt(at - 1) == '=';
    if (isDash(c)) {
      return word ? null : new Odd(at, name(c) + " where " + dashes(line, at) + " was meant", true);
    }
    if (DOUBLE_QUOTES.indexOf(c) >= 0) {
      return new Odd(at, name(c) + " where \" was meant", begins);
    }
    if (SINGLE_QUOTES.indexOf(c) >= 0) {
      return new Odd(at, name(c) + " where ' was meant", begins);
    }
    if (Character.getType(c) == Character.SPACE_SEPARATOR) {
      return new Odd(at, name(c) + " where a space was meant", true);
    }
    if (NO_WIDTH.indexOf(c) >= 0) {
      return new Odd(at, name(c) + ", which is not seen, where nothing was meant", true);
    }
    return null;
  }

  private static String dashes(String line, int at) {
    boolean beside =
        at > 0 && isDash(line.charAt(at - 1))
            || at + 1 < line.length() && isDash(line.charAt(at + 1));
    return beside ? "-" : "--";
  }

  /** Such as U+2013 EN DASH. */
  static String name(char c) {
    return "U+%04X %s"
        .formatted((int) c, String.valueOf(Character.getName(c)))
        .toUpperCase(Locale.ROOT);
  }
}
