package slipway.media.kickstart;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What Python makes of text, since the judges of kickstart files are written in it. */
final class PythonText {
  private static final Pattern INTEGER = Pattern.compile("[+-]?[0-9]+(_[0-9]+)*");

  /** Python refuses longer numbers, because reading them takes time quadratic in their length. */
  private static final int DIGITS = 4300;

  private PythonText() {}

  /** A text as Python's {@code repr} shows it. */
  static String repr(String text) {
    char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
    StringBuilder out = new StringBuilder(text.length() + 2).append(quote);
    text.codePoints().forEach(c -> append(out, c, quote));
    return out.append(quote).toString();
  }

  private static void append(StringBuilder out, int c, char quote) {
    switch (c) {
      case '\\' -> out.append("\\\\");
      case '\n' -> out.append("\\n");
      case '\r' -> out.append("\\r");
      case '\t' -> out.append("\\t");
      default -> {
        if (c == quote) {
          out.append('\\').append(quote);
        } else if (isShown(c)) {
          out.appendCodePoint(c);
        } else {
          out.append((c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x").formatted(c));
        }
      }
    }
  }

  private static boolean isShown(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      case Character.SPACE_SEPARATOR -> c == ' ';
      default -> true;
    };
  }

  /** Texts as Python shows a list of them. */
  static String repr(List<String> texts) {
    return texts.stream().map(PythonText::repr).collect(Collectors.joining(", ", "[", "]"));
  }

  /** A number as {@code int} takes it, if it does. */
  static Optional<BigInteger> integer(String text) {
    String stripped = strip(text);
    if (stripped.length() > DIGITS || !INTEGER.matcher(stripped).matches()) {
      return Optional.empty();
    }
    return Optional.of(new BigInteger(stripped.replace("_", "").replace("+", "")));
  }

  /** Whether {@code isspace} holds for it. */
  static boolean isSpace(int c) {
    return c >= '\t' && c <= '\r'
        || c >= 0x1c && c <= 0x1f
        || c == 0x85
        || Character.isSpaceChar(c);
  }

  static String strip(String text) {
    int from = start(text);
    int to = text.length();
    while (to > from && isSpace(text.charAt(to - 1))) {
      to--;
    }
    return text.substring(from, to);
  }

  /** Where the first character stands that is no space; the length when there is none. */
  static int start(String text) {
    int at = 0;
    while (at < text.length() && isSpace(text.charAt(at))) {
      at++;
    }
    return at;
  }

  /** The lines of a text with what ends each, as {@code splitlines(True)} cuts it. */
  static List<String> lines(String text) {
    List<String> lines = new ArrayList<>();
    int from = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\r' && i + 1 < text.length() && text.charAt(i + 1) == '\n') {
        continue;
      }
      if (endsLine(c)) {
        lines.add(text.substring(from, i + 1));
        from = i + 1;
      }
    }
    if (from < text.length()) {
      lines.add(text.substring(from));
    }
    return lines;
  }

  private static boolean endsLine(char c) {
    return c >= '\n' && c <= '\r'
        || c >= 0x1c && c <= 0x1e
        || c == 0x85
        || c == 0x2028
        || c == 0x2029;
  }

  /** Parts between commas without the space around them; empty ones are left out. */
  static List<String> commas(String text) {
    List<String> parts = new ArrayList<>();
    for (String part : text.split(",", -1)) {
      String stripped = strip(part);
      if (!stripped.isEmpty()) {
        parts.add(stripped);
      }
    }
    return parts;
  }

  /** {@code normpath} of an absolute path. */
  static String path(String text) {
    List<String> names = new ArrayList<>();
    for (String name : text.split("/", -1)) {
      if (name.equals("..")) {
        if (!names.isEmpty()) {
          names.removeLast();
        }
      } else if (!name.isEmpty() && !name.equals(".")) {
        names.add(name);
      }
    }
    // Two slashes at the front have a meaning of their own in POSIX, and stay.
    String root = text.startsWith("//") && !text.startsWith("///") ? "//" : "/";
    return root + String.join("/", names);
  }
}
