package slipway.cli.output;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Help in a terminal that is narrower than its lines: paragraphs, rows of a name and what it means,
 * and examples, of which every one is still a command line when it stands in two.
 *
 * <pre>
 *   -f, --file=FILE  Containerfile, also        -f, --file=FILE
 *                    relative to the                 Containerfile, also
 *                    context                         relative to the context
 * </pre>
 */
public final class NarrowText {
  /** Less is no window for reading. */
  public static final int LEAST_COLUMNS = 40;

  /** What a text needs beside its name; with less it stands below. */
  private static final int ROOM = 24;

  private static final int BELOW = 8;

  /** Where help's second column begins in any case. */
  private static final int SECOND_COLUMN = 15;

  private static final Pattern STYLE = Pattern.compile("\033\\[[0-9;]*m");
  private static final Pattern NAME = Pattern.compile(" *\\S+(?: \\S+)* {2,}(?=\\S)");
  private static final Pattern EXAMPLE = Pattern.compile("  (?=(slipway|bootc) \\S)");
  private static final Pattern USAGE = Pattern.compile("Usage: ");

  private final StringBuilder fitted = new StringBuilder();
  private final int columns;

  private NarrowText(int columns) {
    this.columns = columns;
  }

  /**
   * Breaks what is too long.
   *
   * @param columns of the terminal; with fewer than {@link #LEAST_COLUMNS} all stays as it is
   */
  public static String fit(String text, int columns) {
    if (columns < LEAST_COLUMNS) {
      return text;
    }
    NarrowText narrow = new NarrowText(columns);
    text.lines().forEach(narrow::line);
    return narrow.fitted.toString();
  }

  private void line(String line) {
    String plain = STYLE.matcher(line).replaceAll("");
    int indent = plain.length() - plain.stripLeading().length();
    Matcher name = NAME.matcher(plain);
    if (name.lookingAt()) {
      row(line, name.end());
    } else if (indent >= SECOND_COLUMN) {
      String text = line.substring(index(line, indent));
      int column = column(indent, text);
      wrap(" ".repeat(column), text, column, "");
    } else if (EXAMPLE.matcher(plain).lookingAt()) {
      wrap(" ".repeat(indent), line.substring(index(line, indent)), indent + 4, " \\");
    } else {
      Matcher usage = USAGE.matcher(plain);
      int column = usage.lookingAt() ? usage.end() : indent;
      wrap(" ".repeat(indent), line.substring(index(line, indent)), column, "");
    }
    fitted.append('\n');
  }

  /** A name and a text that begins at some column, or below it. */
  private void row(String line, int start) {
    String name = line.substring(0, index(line, start));
    String text = line.substring(name.length());
    int column = column(start, text);
    if (column == start) {
      wrap(name, text, column, "");
    } else {
      fitted.append(name.stripTrailing()).append('\n');
      wrap(" ".repeat(column), text, column, "");
    }
  }

  private int column(int wanted, String text) {
    int longest = Stream.of(text.split(" ")).mapToInt(NarrowText::width).max().orElse(0);
    return columns - wanted < Math.max(ROOM, longest) ? BELOW : wanted;
  }

  /**
   * Appends words.
   *
   * @param start what stands before the first
   * @param column where further lines begin
   * @param end what ends a line that goes on
   */
  private void wrap(String start, String text, int column, String end) {
    fitted.append(start);
    int at = width(start);
    boolean first = true;
    for (String word : text.split(" ")) {
      int width = width(word);
      if (!first && at + 1 + width + end.length() > columns) {
        fitted.append(end).append('\n').append(" ".repeat(column));
        at = column;
      } else if (!first) {
        fitted.append(' ');
        at++;
      }
      fitted.append(word);
      at += width;
      first = false;
    }
  }

  private static int width(String text) {
    return STYLE.matcher(text).replaceAll("").length();
  }

  /** Where a line has the character that can be seen at some column, with its style. */
  private static int index(String line, int column) {
    Matcher style = STYLE.matcher(line);
    int index = 0;
    int seen = 0;
    while (seen < column) {
      if (style.region(index, line.length()).lookingAt()) {
        index = style.end();
      } else {
        index++;
        seen++;
      }
    }
    return index;
  }
}
