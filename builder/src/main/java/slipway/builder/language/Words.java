package slipway.builder.language;

import java.util.ArrayList;
import java.util.List;

/** Splits text into words at white space that is neither quoted nor escaped. */
final class Words {
  private Words() {}

  /**
   * Splits; quotes and escapes stay in the words. An escape at the very end is dropped.
   *
   * @param escape the escape character, a backslash or a backtick
   */
  static List<String> split(String text, char escape) {
    List<String> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    char quote = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (quote == 0 && Character.isWhitespace(c)) {
        flush(words, word);
        continue;
      }
      if (c == escape && quote != '\'') {
        if (++i < text.length()) {
          word.append(c).append(text.charAt(i));
        }
        continue;
      }
      if (c == quote) {
        quote = 0;
      } else if (quote == 0 && (c == '"' || c == '\'')) {
        quote = c;
      }
      word.append(c);
    }
    flush(words, word);
    return words;
  }

  private static void flush(List<String> words, StringBuilder word) {
    if (!word.isEmpty()) {
      words.add(word.toString());
      word.setLength(0);
    }
  }

  /** Takes quotes and escapes away, replacing nothing else. */
  static String unquote(String word, char escape) {
    StringBuilder out = new StringBuilder();
    char quote = 0;
    for (int i = 0; i < word.length(); i++) {
      char c = word.charAt(i);
      if (c == quote) {
        quote = 0;
      } else if (quote == 0 && (c == '"' || c == '\'')) {
        quote = c;
      } else if (c == escape && quote != '\'' && i + 1 < word.length()) {
        out.append(word.charAt(++i));
      } else {
        out.append(c);
      }
    }
    return out.toString();
  }
}
