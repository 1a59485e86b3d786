package slipway.builder.language;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.Position;

/**
 * Makes logical lines of a Containerfile's text: directives at the top, comments, continuations and
 * inline documents.
 */
public final class LineReader {
  private static final Pattern DIRECTIVE =
      Pattern.compile("#\\s*([a-zA-Z][a-zA-Z0-9]*)\\s*=\\s*(.+)");
  private static final Set<String> DIRECTIVES = Set.of("syntax", "escape", "check");
  private static final Pattern HEREDOC = Pattern.compile("\\d*<<(-?)[ \t]*([^<]+)");

  /** What begins a document when its name is the next word, and what can be that name. */
  private static final Pattern APART = Pattern.compile("\\d*<<-?");

  private static final Pattern NAME = Pattern.compile("(['\"]?)[A-Za-z_][A-Za-z0-9_.-]*\\1");
  private static final Set<String> WITH_HEREDOC = Set.of("RUN", "COPY", "ADD");
  private static final int MAX_LINES = 1_000_000;

  private final String file;
  private final List<String> physical;
  private final Consumer<String> warnings;
  private final List<Line> logical = new ArrayList<>();
  private final int firstLine;
  private char escape = '\\';
  private int next;

  /**
   * @param firstLine the number of the text's first line in {@code file}
   * @param warnings hears of what is accepted but odd
   */
  LineReader(String file, String text, int firstLine, char escape, Consumer<String> warnings) {
    this.file = file;
    this.firstLine = firstLine;
    this.escape = escape;
    this.warnings = warnings;
    String body = text.startsWith("\uFEFF") ? text.substring(1) : text;
    List<String> lines = new ArrayList<>(List.of(body.split("\n", -1)));
    if (lines.getLast().isEmpty()) {
      lines.removeLast();
    }
    this.physical = lines;
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).indexOf('\0') >= 0) {
        throw position(i).problem("the line holds a NUL character, which no text has");
      }
    }
    if (lines.size() > MAX_LINES) {
      throw position(0).problem("the file has more than " + MAX_LINES + " lines");
    }
  }

  /** The escape character that a directive chose; right after {@link #read()}. */
  char escape() {
    return escape;
  }

  List<Line> read() {
    directives();
    while (next < physical.size()) {
      int start = next;
      String line = logicalLine();
      if (!line.isBlank()) {
        logical.add(new Line(position(start), line.strip(), heredocs(line, position(start))));
      }
    }
    return logical;
  }

  private Position position(int index) {
    return new Position(file, firstLine + index);
  }

  /** Reads {@code # key=value} lines, which count only before anything else. */
  private void directives() {
    Set<String> seen = new HashSet<>();
    for (; next < physical.size(); next++) {
      Matcher m = DIRECTIVE.matcher(chomp(physical.get(next)).strip());
      String key = m.matches() ? m.group(1).toLowerCase(Locale.ROOT) : "";
      if (!DIRECTIVES.contains(key)) {
        return;
      }
      if (!seen.add(key)) {
        throw position(next).problem("the directive " + key + " stands here a second time");
      }
      if (key.equals("escape")) {
        String value = m.group(2);
        if (value.charAt(0) != '\\' && value.charAt(0) != '`') {
          throw position(next)
              .problem("the escape character can be \\ or `, not \"" + value + "\"");
        }
        escape = value.charAt(0);
      }
    }
  }

  /** Joins a line with those it continues on. */
  private String logicalLine() {
    int start = next;
    StringBuilder joined = new StringBuilder();
    boolean emptyInside = false;
    boolean more = true;
    for (boolean first = true; more && next < physical.size(); next++, first = false) {
      String line = chomp(physical.get(next));
      if (line.stripLeading().startsWith("#")) {
        more = !first;
        continue;
      }
      if (!first && line.isBlank()) {
        emptyInside = true;
        continue;
      }
      int end = continuation(line);
      joined.append(end < 0 ? line : line.substring(0, end));
      more = end >= 0;
    }
    if (emptyInside) {
      warnings.accept(position(start) + ": an empty line inside a continued instruction");
    }
    return joined.toString();
  }

  /**
   * Where the line's continuation character stands, or -1: the last one but white space, and not
   * escaped by another just before it.
   */
  private int continuation(String line) {
    int last = line.length() - 1;
    while (last >= 0 && (line.charAt(last) == ' ' || line.charAt(last) == '\t')) {
      last--;
    }
    if (last < 0 || line.charAt(last) != escape) {
      return -1;
    }
    return last > 0 && line.charAt(last - 1) == escape ? -1 : last;
  }

  private List<Heredoc> heredocs(String line, Position at) {
    if (!line.contains("<<") || !mayHaveHeredoc(line, at)) {
      return List.of();
    }
    List<Heredoc> found = new ArrayList<>();
    int arithmetic = 0;
    for (String word : joined(Words.split(line, '\\'))) {
      Heredoc head = arithmetic > 0 ? null : heredoc(word);
      if (head != null) {
        found.add(head.withContent(content(head, at)));
      }
      arithmetic += count(word, "((") - count(word, "))");
    }
    return found;
  }

  private static int count(String word, String part) {
    return (word.length() - word.replace(part, "").length()) / part.length();
  }

  /** The words with {@code << NAME} as one, as shells and BuildKit have it. */
  static List<String> joined(List<String> words) {
    List<String> joined = new ArrayList<>();
    for (String word : words) {
      if (!joined.isEmpty()
          && APART.matcher(joined.getLast()).matches()
          && NAME.matcher(word).matches()) {
        joined.add(joined.removeLast() + " " + word);
      } else {
        joined.add(word);
      }
    }
    return joined;
  }

  private static boolean mayHaveHeredoc(String line, Position at) {
    String[] words = line.strip().split("\\s+", 3);
    int keyword = words[0].equalsIgnoreCase("ONBUILD") && words.length > 1 ? 1 : 0;
    if (!WITH_HEREDOC.contains(words[keyword].toUpperCase(Locale.ROOT))) {
      return false;
    }
    String rest =
        keyword + 1 < words.length ? line.strip().split("\\s+", keyword + 2)[keyword + 1] : "";
    return JsonArray.parse(rest, at) == null;
  }

  /** The head of an inline document when {@code word} is one; its content is still empty. */
  static @Nullable public Heredoc heredoc(String word) {
    Matcher m = HEREDOC.matcher(word);
    if (!m.matches()) {
      return null;
    }
    String raw = m.group(2);
    if (Words.split(raw, '\\').size() != 1) {
      return null; // More follows: the document is only a part of a command.
    }
    String name = Words.unquote(raw, '\\');
    boolean quoted = raw.indexOf('"') >= 0 || raw.indexOf('\'') >= 0;
    return name.isEmpty() ? null : new Heredoc(name, "", !quoted, !m.group(1).isEmpty());
  }

  /** Lines of a file that ends its lines as Windows does lose the carriage return, as all do. */
  private String content(Heredoc head, Position at) {
    boolean windows = physical.get(next - 1).endsWith("\r");
    StringBuilder content = new StringBuilder();
    while (next < physical.size()) {
      String line = physical.get(next++);
      String end = chomp(line);
      if ((head.stripTabs() ? end.replaceFirst("^\t+", "") : end).equals(head.name())) {
        return content.toString();
      }
      content.append(windows ? end : line).append('\n');
    }
    throw at.problem(
        "the document <<"
            + head.name()
            + " has no end; write "
            + head.name()
            + " on a line of its own after it");
  }

  private static String chomp(String line) {
    return line.endsWith("\r") ? line.substring(0, line.length() - 1) : line;
  }
}
