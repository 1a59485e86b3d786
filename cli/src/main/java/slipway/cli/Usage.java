package slipway.cli;

import java.util.List;

/** The first page of a program's help: every command in a line. */
final class Usage {
  private static final String LINE = "  %-12s %s\n";

  private static final String END =
      """

      %1$s help COMMAND tells a command's options, as %1$s COMMAND --help does. Every command takes
      --limit NAME=VALUE, which changes a bound on what images may cost; --limit help lists the bounds.
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
        lines.append(LINE.formatted("", String.join(", ", words(other))));
      }
    }
    return lines.toString();
  }

  private static List<String> words(Program program) {
    return program.verbs().stream().map(Verb::word).toList();
  }
}
