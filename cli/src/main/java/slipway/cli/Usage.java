package slipway.cli;

import java.util.ArrayList;
import java.util.List;

/** The first page of a program's help: every command in a line. */
final class Usage {
  /** Characters of the column of words, unless one of them is longer. */
  private static final int COLUMN = 14;

  /** Characters of a whole line. */
  private static final int ROOM = 99;

  private static final String END =
      """

      %1$s help COMMAND and %1$s COMMAND --help tell a command's options.
      Every command takes --limit NAME=VALUE, which changes a bound on what images may cost;
      --limit help lists the bounds.
      """;

  private Usage() {}

  static String of(Program program) {
    int column = program.words().stream().mapToInt(String::length).max().orElse(0);
    String format = "  %-" + Math.max(COLUMN, column) + "s %s\n";
    StringBuilder text = new StringBuilder();
    text.append("Usage: ").append(program.word()).append(" COMMAND [OPTIONS]\n");
    text.append(CommandModel.sentence(program.summary())).append('\n');
    for (Verb.Group group : Verb.Group.values()) {
      String lines = lines(program, group, format);
      if (!lines.isEmpty()) {
        text.append('\n').append(group.heading()).append('\n').append(lines);
      }
    }
    text.append("\nExamples\n");
    program.examples().forEach(example -> text.append("  ").append(example).append('\n'));
    return text.append(END.formatted(program.word())).toString();
  }

  private static String lines(Program program, Verb.Group group, String format) {
    StringBuilder lines = new StringBuilder();
    for (Verb verb : program.verbs()) {
      if (verb.group() == group) {
        String also =
            verb.aliases().isEmpty() ? "" : " (also: " + String.join(", ", verb.aliases()) + ")";
        lines.append(format.formatted(verb.word(), verb.summary() + also));
      }
    }
    for (Program other : program.programs()) {
      if (other.group() == group) {
        lines.append(format.formatted(other.word(), other.summary() + ":"));
        broken(words(other), ROOM - format.formatted("", "").length())
            .forEach(line -> lines.append(format.formatted("", line)));
      }
    }
    return lines.toString();
  }

  /** Words with commas between, in as many lines as they need. */
  private static List<String> broken(List<String> words, int room) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String word : words) {
      if (!line.isEmpty() && line.length() + word.length() + 3 > room) {
        lines.add(line.append(',').toString());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : ", ").append(word);
    }
    lines.add(line.toString());
    return lines;
  }

  private static List<String> words(Program program) {
    return program.verbs().stream().map(Verb::word).toList();
  }
}
