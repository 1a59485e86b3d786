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
