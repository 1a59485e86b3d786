package slipway.cli;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;
import slipway.base.Problem;
import slipway.base.Spelling;
import slipway.cli.command.ReferenceWords;
import slipway.cli.command.UsageFault;
import slipway.cli.machine.RpmOstree;
import slipway.cli.output.NarrowText;
import slipway.cli.output.Terminal;

/** What {@code help} and {@code --help} show. */
final class Help {
  private static final Set<String> ASKING = Set.of("--help", "-h");

  /** Of a command's page, unless the terminal has fewer. */
  private static final int COLUMNS = 80;

  /** In which every line of a command's page has room. */
  private static final int UNBROKEN = 2000;

  private Help() {}

  /**
   * A page of help.
   *
   * @param columns of the terminal that shows it, 0 of none
   * @param words the name of a command, such as {@code disk build}; without any it is the first
   *     page, of all commands
   * @throws Problem (USAGE) when there is no such command
   */
  static String page(Program program, List<String> words, int columns) {
    List<String> names =
        words.stream().filter(w -> !ASKING.contains(w) && !w.equals("--")).toList();
    if (names.isEmpty() || names.equals(List.of("help")) || names.equals(List.of("version"))) {
      return first(program, columns);
    }
    String word = names.getFirst();
    List<String> rest = names.subList(1, names.size());
    Verb verb = Verb.of(program, word);
    if (verb != null) {
      return page(line(program, verb, word), rest, columns);
    }
    Program other = Program.of(word);
    if (other != null && program.programs().contains(other)) {
      return page(other, rest, columns);
    }
    throw unknown(program, word);
  }

  private static String first(Program program, int columns) {
    return NarrowText.fit(Usage.of(program), columns);
  }

  private static String page(CommandLine line, List<String> words, int columns) {
    CommandLine at = line;
    for (String word : words) {
      CommandLine below = at.getSubcommands().get(word);
      if (below == null) {
        throw Problem.usage(UsageFault.unknown(word, at.getCommandSpec()));
      }
      at = below;
    }
    return page(at, columns);
  }

  /**
   * A command's page. Picocli makes none for less than 55 columns, and breaks names in two, behind
   * a colon or a point.
   */
  private static String page(CommandLine line, int columns) {
    boolean narrow = columns >= NarrowText.LEAST_COLUMNS && columns < COLUMNS;
    line.setUsageHelpWidth(UNBROKEN);
    return NarrowText.fit(line.getUsageMessage(), narrow ? columns : COLUMNS);
  }

  /** The page that a line asks for by {@code --help}, if it does. */
  static Optional<String> asked(ParseResult parsed, int columns) {
    return parsed.asCommandLineList().stream()
        .filter(CommandLine::isUsageHelpRequested)
        .findFirst()
        .map(line -> page(line, columns));
  }

  /**
   * The page of what takes no words, such as {@code version}, when it is asked for.
   *
   * @throws Problem (USAGE) when something else was said
   */
  static String pageOfNoWords(Program program, List<String> words, int columns) {
    for (String word : words) {
      if (!ASKING.contains(word)) {
        throw Problem.usage(
            "unexpected argument \"%s\"; %s --help lists the commands"
                .formatted(word, program.word()));
      }
    }
    return first(program, columns);
  }

  /** A command with the help that it has. */
  static CommandLine line(Program program, Verb verb, String word) {
    CommandLine line = verb.line();
    line.setCommandName(program.word() + " " + word);
    if (Terminal.isDumb()) {
      line.setColorScheme(CommandLine.Help.defaultColorScheme(CommandLine.Help.Ansi.OFF));
    }
    complete(line);
    return line;
  }

  /**
   * A command's footer is its examples. Below them stands {@code --limit}, which is taken before a
   * command sees its words, so that its model does not know of it.
   */
  private static void complete(CommandLine line) {
    UsageMessageSpec usage = line.getCommandSpec().usageMessage();
    StringBuilder footer = new StringBuilder();
    for (String example : usage.footer()) {
      footer
          .append(footer.isEmpty() ? "%nExamples:%n" : "")
          .append("  ")
          .append(example)
          .append("%n");
    }
    footer.append("%n--limit NAME=VALUE changes a bound on costs; --limit help lists the bounds.");
    usage.footer(footer.toString());
    // One with two names stands there twice.
    line.getSubcommands().values().stream().distinct().forEach(Help::complete);
  }

  /**
   * Of a line that asks for help picocli overlooks what it does not know. An argument too many may
   * stand there, for who has one too many asks for help; a misspelt option or command may not.
   */
  static void refuseUnknown(ParseResult parsed) {
    for (CommandLine line : parsed.asCommandLineList()) {
      List<String> words = line.getUnmatchedArguments();
      boolean command = !words.isEmpty() && !line.getSubcommands().isEmpty();
      if (command || UsageFault.option(words, parsed.originalArgs()).isPresent()) {
        throw new UnmatchedArgumentException(line, words);
      }
    }
  }

  /** That a program's first word is none that it knows. */
  static Problem unknown(Program program, String word) {
    Optional<Problem> instead =
        program == Program.RPM_OSTREE
            ? RpmOstree.instead(word)
            : ReferenceWords.instead(program.word(), word).map(Problem::usage);
    if (instead.isPresent()) {
      return instead.get();
    }
    String help = program.word() + " --help lists the commands";
    if (UsageFault.isOption(word)) {
      return Problem.usage(
          "unknown option %s; a command's options stand behind the command, %s"
              .formatted(word.replaceFirst("=.*", ""), help));
    }
    String hint = Spelling.hint(word, program.words(), "");
    return Problem.usage(
        "unknown command \"" + word + "\"" + (hint.isEmpty() ? "; " + help : hint));
  }
}
