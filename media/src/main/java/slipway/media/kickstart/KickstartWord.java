package slipway.media.kickstart;

import java.util.ArrayList;
import java.util.List;

/**
 * A word of a line, without its quotes and backslashes.
 *
 * @param index where it begins in the line
 */
record KickstartWord(String text, int index) {
  /**
   * The words of a line, as Python's shlex splits it: quotes and backslashes as in a shell, and a
   * hash begins a comment even within a word.
   *
   * @param comments whether a hash does that at all
   * @throws KickstartFault when a quote or a backslash has no end
   */
  static List<KickstartWord> split(String line, boolean comments) throws KickstartFault {
    List<KickstartWord> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    int at = 0;
    while (at < line.length()) {
      char first = line.charAt(at);
      if (isBlank(first)) {
        at++;
        continue;
      }
      if (comments && first == '#') {
        break;
      }
      int from = at;
      word.setLength(0);
      at = read(line, at, comments, word);
      words.add(new KickstartWord(word.toString(), from));
    }
    return words;
  }

  private static boolean isBlank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
  }

  /** Reads one word, and tells where what follows it begins. */
  private static int read(String line, int from, boolean comments, StringBuilder word)
      throws KickstartFault {
    int at = from;
    while (at < line.length()) {
      char c = line.charAt(at);
      if (isBlank(c) || comments && c == '#') {
        return at;
      }
      if (c == '\'' || c == '"') {
        at = quoted(line, at, word);
      } else if (c == '\\') {
        if (at + 1 == line.length()) {
          throw new KickstartFault("No escaped character", at, "take the last backslash away");
        }
        word.append(line.charAt(at + 1));
        at += 2;
      } else {
        word.append(c);
        at++;
      }
    }
    return at;
  }

  private static int quoted(String line, int from, StringBuilder word) throws KickstartFault {
    char quote = line.charAt(from);
    int at = from + 1;
    while (at < line.length() && line.charAt(at) != quote) {
      char c = line.charAt(at);
      if (quote == '"' && c == '\\') {
        if (at + 1 == line.length()) {
          throw new KickstartFault("No escaped character", at, "take the last backslash away");
        }
        char next = line.charAt(at + 1);
        if (next != '"' && next != '\\') {
          word.append(c);
        }
        word.append(next);
        at += 2;
      } else {
        word.append(c);
        at++;
      }
    }
    if (at == line.length()) {
      throw new KickstartFault(
          "No closing quotation", from, "the quote that begins here needs another in this line");
    }
    return at + 1;
  }
}
