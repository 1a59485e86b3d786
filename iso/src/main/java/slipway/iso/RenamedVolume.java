package slipway.iso;

import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of a volume that becomes another, in the lines of boot menus. A name may have blanks and
 * more that means something there, so it is written as its place takes it.
 *
 * @param from the old name, empty where none was
 */
record RenamedVolume(String from, String to) {
  /** What udev leaves as it is in a label, besides letters and digits (libudev-util.c). */
  private static final String LABEL = "#+-.:=@_";

  private static final String BEFORE_ARGUMENTS = "LABEL=";

  /** Behind which arguments of kernels name a volume, as in {@code root=live:CDLABEL=NAME}. */
  private static final List<String> PLACES = List.of(BEFORE_ARGUMENTS, "by-label/");

  /** As udev writes a label, which is how arguments of kernels name it. */
  static String escaped(String label) {
    StringBuilder out = new StringBuilder();
    for (char c : label.toCharArray()) {
      boolean plain = c < 128 && (Character.isLetterOrDigit(c) || LABEL.indexOf(c) >= 0);
      out.append(plain ? String.valueOf(c) : "\\x%02x".formatted((int) c));
    }
    return out.toString();
  }

  /**
   * A line with the new name.
   *
   * @param isKernels whether it has a kernel's arguments
   */
  String in(String line, BootMenu menu, boolean isKernels) {
    if (from.isEmpty() || from.equals(to)) {
      return line;
    }
    String escaped = escaped(from);
    // As GRUB has it without quotes, as other menus have it, and as it is: the longest first. A
    // short name is often a part of other words.
    Pattern names =
        Pattern.compile(
            "(?<![A-Za-z0-9_-])(?:%s|%s|%s)(?![A-Za-z0-9_-])"
                .formatted(
                    Pattern.quote(escaped.replace("\\", "\\\\")),
                    Pattern.quote(escaped),
                    Pattern.quote(from)));
    return names
        .matcher(line)
        .replaceAll(
            found ->
                Matcher.quoteReplacement(
                    isName(line, found.start(), isKernels)
                        ? name(line, found, menu, isKernels)
                        : found.group()));
  }

  /** Not a command, and of a kernel's line no path. */
  private static boolean isName(String line, int at, boolean isKernels) {
    return isKernels
        ? PLACES.stream().anyMatch(p -> line.regionMatches(true, at - p.length(), p, 0, p.length()))
        : !line.substring(0, at).isBlank();
  }

  private String name(String line, MatchResult found, BootMenu menu, boolean isKernels) {
    int at = found.start();
    boolean isArgument =
        isKernels
            || !found.group().equals(from)
            || line.startsWith(BEFORE_ARGUMENTS, at - BEFORE_ARGUMENTS.length());
    String name = isArgument ? escaped(to) : to;
    return menu == BootMenu.GRUB ? quoted(name, quote(line, at)) : name;
  }

  /** GRUB manual, "Quoting". */
  private static String quoted(String name, char quote) {
    return switch (quote) {
      case '\'' -> name.replace("'", "'\\''");
      case '"' -> name.replaceAll("[\"$\\\\]", "\\\\$0");
      default -> name.replaceAll("[^A-Za-z0-9#+.:=@_-]", "\\\\$0");
    };
  }

  /** The quote that a place of GRUB's lines stands in, or a blank. */
  private static char quote(String line, int at) {
    char quote = ' ';
    for (int i = 0; i < at; i++) {
      char c = line.charAt(i);
      if (c == '\\' && quote != '\'') {
        i++;
      } else if (c == quote) {
        quote = ' ';
      } else if (quote == ' ' && (c == '\'' || c == '"')) {
        quote = c;
      }
    }
    return quote;
  }
}
