package slipway.cli;

import java.util.ArrayList;
import java.util.List;

/** The first page of a program's help: every command in a line. */
final class Usage {
  private static final String LINE = "  %-14s %s\n";

  /** Characters of a line behind the column of the words. */
  private static final int ROOM = 82;

  private static final String END =
      """

      %1$s help COMMAND tells a command's options, as %1$s COMMAND --help does.
      Every command takes --limit NAME=VALUE, which changes a bound on what images may cost;
      --limit help lists the bounds.
      """;

  private Usage() {}

  static String of(Program program) {
    StringBuilder text = new StringBuilder();
    text.append("Usage: ").append(program.word()).append(" COMMAND [OPTIONS]\n");
    text.append(CommandModel.sentence(program.summary())).append('\n');
    for (Verb.Group group : Verb.Group.values()) {
      String lines = lines(program, group);
      if (!lines.isEmpty()) {
        text.append('\n').append(group.heading()).append('\n').append(lines);
      }
    }
    text.append("\nExamples\n");
    program.examples().forEach(example -> text.append("  ").append(example).append('\n'));
    return text.append(END.formatted(program.word())).toString();
  }

  private static String lines(Program program, Verb.Group group) {
    StringBuilder lines = new StringBuilder();
    for (Verb verb : program.verbs()) {
      if (verb.group() == group) {
        String also =
            verb.aliases().isEmpty() ? "" : " (also: " + String.join(", ", verb.aliases()) + ")";
        lines.append(LINE.formatted(verb.word(), verb.summary() + also));
      }
    }
    for (Program other : program.programs()) {
      if (other.group() == group) {
        lines.append(LINE.formatted(other.word(), other.summary() + ":"));
        broken(words(other)).forEach(line -> lines.append(LINE.formatted("", line)));
      }
    }
    return lines.toString();
  }

  /** Words with commas between, in as many lines as they need. */
  private static List<String> broken(List<String> words) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String word : words) {
      if (!line.isEmpty() && line.length() + word.length() + 3 > ROOM) {
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
