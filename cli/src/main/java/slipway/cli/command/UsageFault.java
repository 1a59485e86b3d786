package slipway.cli.command;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.OverwrittenOptionException;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;
import slipway.base.Printable;
import slipway.base.Spelling;

/** What is wrong with a command line, in one sentence of the product's own style. */
public final class UsageFault {
  private UsageFault() {}

  /**
   * The sentence.
   *
   * @param line the words of the command line, in which options end at {@code --}
   */
  public static String sentence(ParameterException e, List<String> line) {
    CommandSpec command = e.getCommandLine().getCommandSpec();
    return Printable.text(
        switch (e) {
          case UnmatchedArgumentException u when !u.getUnmatched().isEmpty() ->
              unmatched(u.getUnmatched(), line, command);
          case MissingParameterException m when !m.getMissing().isEmpty() -> missing(m, command);
          case OverwrittenOptionException o -> name(o.getOverwritten()) + " may be given only once";
          default -> wrongValue(e, command);
        });
  }

  /**
   * A command of bootc that is not here is what is wrong, with its options; else what looks like an
   * option, for words around it are often its value.
   */
  private static String unmatched(List<String> words, List<String> line, CommandSpec command) {
    String first = words.getFirst();
    boolean below = !command.subcommands().isEmpty() && !isOption(first);
    return (below
            ? ReferenceWords.instead(command.qualifiedName(), first)
            : Optional.<String>empty())
        .or(() -> wrongOption(words, line, command))
        .orElseGet(() -> unknownWord(first, command));
  }

  private static Optional<String> wrongOption(
      List<String> words, List<String> line, CommandSpec command) {
    return option(words, line).map(option -> unknownOption(option, command));
  }

  /**
   * The first of some words that looks like an option.
   *
   * @param line the command line that they stand on, in which options end at {@code --}
   */
  public static Optional<String> option(List<String> words, List<String> line) {
    int end = line.indexOf("--");
    List<String> before = end < 0 ? line : line.subList(0, end);
    List<String> after = end < 0 ? List.of() : line.subList(end, line.size());
    return words.stream()
        .filter(w -> isOption(w) && (before.contains(w) || !after.contains(w)))
        .findFirst();
  }

  /** Whether it looks like one; a lone {@code -} is a word, which stands for stdin elsewhere. */
  public static boolean isOption(String word) {
    return word.startsWith("-") && word.length() > 1;
  }

  /** What is wrong with a word that a command does not take. */
  public static String unknown(String word, CommandSpec command) {
    return Printable.text(
        isOption(word) ? unknownOption(word, command) : unknownWord(word, command));
  }

  private static String unknownOption(String word, CommandSpec command) {
    String name = word.replaceFirst("=.*", "");
    Optional<String> instead = ReferenceWords.instead(command.qualifiedName(), name);
    if (instead.isPresent()) {
      return instead.get();
    }
    List<String> known = options(command);
    if (name.equals("--version") || name.equals("-V") || name.equals("-v")) {
      String program = command.qualifiedName().split(" ", 2)[0];
      return "unknown option " + name + "; " + program + " --version tells the version";
    }
    if (name.equals("--format") && known.contains("--json")) {
      return "unknown option --format; --json prints JSON";
    }
    return "unknown option " + name + orHelp(hint(name, known), command, "options");
  }

  private static String unknownWord(String word, CommandSpec command) {
    Collection<String> below = command.subcommands().keySet();
    return below.isEmpty()
        ? "unexpected argument \"" + word + "\"" + help(command, "arguments")
        : ReferenceWords.instead(command.qualifiedName(), word)
            .orElseGet(
                () ->
                    "unknown command \""
                        + word
                        + "\""
                        + orHelp(hint(word, below), command, "commands"));
  }

  private static List<String> options(CommandSpec command) {
    List<String> names = new ArrayList<>();
    for (OptionSpec option : command.options()) {
      names.addAll(List.of(option.names()));
    }
    return names;
  }

  /** One letter is near to every other letter. */
  private static String hint(String word, Collection<String> known) {
    List<String> words = known.stream().filter(k -> k.length() > 2).toList();
    return word.length() > 3 ? Spelling.hint(word, words, "") : "";
  }

  private static String missing(MissingParameterException e, CommandSpec command) {
    List<String> names = e.getMissing().stream().map(UsageFault::missingName).toList();
    ArgSpec first = e.getMissing().getFirst();
    return String.valueOf(e.getMessage()).contains("for option")
        ? withoutValue(first, command)
        : String.join(" and ", names)
            + (names.size() == 1 ? " is" : " are")
            + " missing"
            + help(command, "arguments");
  }

  /** A word that stands for itself, such as the name of a shell, would read as a program's. */
  private static String missingName(ArgSpec arg) {
    String label = arg.paramLabel();
    boolean itself = !arg.isOption() && label.equals(label.toLowerCase(Locale.ROOT));
    return itself ? "the argument " + label : name(arg);
  }

  private static String withoutValue(ArgSpec arg, CommandSpec command) {
    return arg.isOption()
        ? name(arg) + " lacks its value, " + arg.paramLabel() + help(command, "options")
        : name(arg) + " is empty" + help(command, "arguments");
  }

  private static String wrongValue(ParameterException e, CommandSpec command) {
    ArgSpec arg = e.getArgSpec();
    String value = e.getValue();
    if (arg == null || value == null) {
      String said = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
      return said.isEmpty()
          ? "the command line is wrong" + help(command, "options")
          : said.substring(0, 1).toLowerCase(Locale.ROOT) + said.substring(1);
    }
    if (value.isEmpty() && type(arg) == Path.class) {
      return withoutValue(arg, command);
    }
    return name(arg) + " takes " + expected(arg) + ", not \"" + value + "\"";
  }

  private static String expected(ArgSpec arg) {
    Class<?> type = type(arg);
    if (type == int.class || type == long.class || type == Integer.class || type == Long.class) {
      return "a whole number";
    }
    if (type == boolean.class || type == Boolean.class) {
      return "true or false";
    }
    if (type == Path.class && !arg.typeInfo().isMap()) {
      return switch (arg.paramLabel()) {
        case "DIR", "CONTEXT" -> "a folder";
        case "FILE", "DISK" -> "a file";
        default -> "a path";
      };
    }
    return type == Double.class ? "a number" : arg.paramLabel().replace("|", " or ");
  }

  /** Of the value; of a map of names to values, too. */
  private static Class<?> type(ArgSpec arg) {
    return arg.auxiliaryTypes()[arg.auxiliaryTypes().length - 1];
  }

  private static String name(ArgSpec arg) {
    return arg instanceof OptionSpec option ? option.longestName() : arg.paramLabel();
  }

  private static String orHelp(String hint, CommandSpec command, String what) {
    return hint.isEmpty() ? help(command, what) : hint;
  }

  private static String help(CommandSpec command, String what) {
    return "; " + command.qualifiedName() + " --help lists the " + what;
  }
}
