package slipway.base.document;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import slipway.base.Printable;
import slipway.base.Problem;
import tools.jackson.core.JacksonException;

/** What is wrong with a text that is no TOML or JSON, in words instead of a parser's names. */
public final class SyntaxFault {
  private static final Pattern TOKENS =
      Pattern.compile("Unexpected token: Got ([A-Z_]+), expected ([A-Z_, ]+)");

  /** Where a bound of the parser's comes from. */
  private static final Pattern SOURCE = Pattern.compile(", from `[A-Za-z.()]+`");

  private SyntaxFault() {}

  /** What a parser said: its first line, without the name of a method that it likes to add. */
  public static String said(JacksonException e) {
    String line = String.valueOf(e.getOriginalMessage()).lines().findFirst().orElse("");
    return SOURCE.matcher(line).replaceAll("");
  }

  static Problem problem(String file, String text, JacksonException e) {
    String said = said(e);
    int line = e.getLocation() == null ? 1 : Math.max(1, e.getLocation().getLineNr());
    boolean before = said.startsWith("Unexpected token") || said.startsWith("Unexpected end");
    if (before && e.getLocation() != null && e.getLocation().getColumnNr() <= 1) {
      line = lastLineWithText(text, line - 1);
    }
    return new Problem(
        Problem.Kind.INPUT, file + ":" + line + ": " + Printable.text(words(said)), e);
  }

  /** The parser has read on to the next line when it sees what is missing at the end of one. */
  private static int lastLineWithText(String text, int upTo) {
    String[] lines = text.split("\n", -1);
    int line = Math.clamp(upTo, 1, lines.length);
    while (line > 1 && lines[line - 1].isBlank()) {
      line--;
    }
    return line;
  }

  private static String words(String said) {
    Matcher tokens = TOKENS.matcher(said);
    if (tokens.matches()) {
      return "found " + token(tokens.group(1)) + " where " + expected(tokens.group(2)) + " belongs";
    }
    if (said.startsWith("Unexpected end-of-input")) {
      return "the file ends too early; a bracket, brace or quote is not closed";
    }
    if (said.startsWith("Premature end of file")) {
      return "the file ends too early; a value, bracket or quote is missing";
    }
    if (said.startsWith("Newline not permitted")) {
      return "the line ends too early; a value, bracket or quote is missing";
    }
    if (said.startsWith("Unknown token")) {
      return "this is neither a key nor a value; texts stand in quotes";
    }
    if (said.startsWith("More data after value")) {
      return "something follows a value that is whole already";
    }
    return said;
  }

  private static String expected(String names) {
    return String.join(
        " or ", java.util.Arrays.stream(names.split(", ")).map(SyntaxFault::token).toList());
  }

  /** The lexer's names of jackson-dataformat-toml (TomlToken). */
  private static String token(String name) {
    return switch (name) {
      case "STD_TABLE_OPEN", "ARRAY_OPEN" -> "\"[\"";
      case "STD_TABLE_CLOSE", "ARRAY_CLOSE" -> "\"]\"";
      case "ARRAY_TABLE_OPEN" -> "\"[[\"";
      case "ARRAY_TABLE_CLOSE" -> "\"]]\"";
      case "INLINE_TABLE_OPEN" -> "\"{\"";
      case "INLINE_TABLE_CLOSE" -> "\"}\"";
      case "KEY_VAL_SEP" -> "\"=\"";
      case "DOT_SEP" -> "a dot";
      case "COMMA" -> "a comma";
      case "STRING" -> "a text";
      case "UNQUOTED_KEY" -> "a key";
      default -> "a " + name.toLowerCase(java.util.Locale.ROOT).replace('_', ' ');
    };
  }
}
