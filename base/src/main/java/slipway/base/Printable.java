package slipway.base;

/**
 * Text of strangers made safe for a terminal and a log: one line, and nothing in it that a terminal
 * obeys or that turns what a reader sees around.
 */
public final class Printable {
  private Printable() {}

  /**
   * The text with control characters, line ends, direction marks, invisible characters and lone
   * surrogates written as {@code \n}, {@code \t}, {@code \r}, {@code \x1b} or {@code \}{@code
   * u202e}. All else stays as it is, so honest text is returned unchanged.
   */
  public static String text(String text) {
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      if (isUnsafe(c)) {
        return escape(text, i);
      }
      i += Character.charCount(c);
    }
    return text;
  }

  /**
   * A JSON document that a terminal can be shown: what is unsafe in its strings is written {@code
   * \}{@code u009b}, which means the same. Line ends and blanks between values stay.
   *
   * @param json whose control characters below 0x20 are escaped already, as JSON demands
   */
  public static String json(String json) {
    StringBuilder out = null;
    for (int i = 0; i < json.length(); ) {
      int c = json.codePointAt(i);
      int next = i + Character.charCount(c);
      if (c >= 0x7f && isUnsafe(c)) {
        if (out == null) {
          out = new StringBuilder(json.length() + 64).append(json, 0, i);
        }
        for (; i < next; i++) {
          out.append("\\u%04x".formatted((int) json.charAt(i)));
        }
      } else if (out != null) {
        out.append(json, i, next);
      }
      i = next;
    }
    return out == null ? json : out.toString();
  }

  /** As {@link #text} line by line, for text of ours that spans several and holds strangers'. */
  public static String lines(String text) {
    StringBuilder out = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); ) {
      int end = text.indexOf('\n', i);
      out.append(text(text.substring(i, end < 0 ? text.length() : end)));
      if (end < 0) {
        break;
      }
      out.append('\n');
      i = end + 1;
    }
    return out.toString();
  }

  private static String escape(String text, int from) {
    StringBuilder out = new StringBuilder(text.length() + 16).append(text, 0, from);
    for (int i = from; i < text.length(); ) {
      int c = text.codePointAt(i);
      i += Character.charCount(c);
      if (!isUnsafe(c)) {
        out.appendCodePoint(c);
        continue;
      }
      switch (c) {
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        default -> out.append(c < 0x100 ? "\\x%02x".formatted(c) : "\\u%04x".formatted(c));
      }
    }
    return out.toString();
  }

  private static boolean isUnsafe(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          true;
      default -> false;
    };
  }
}
