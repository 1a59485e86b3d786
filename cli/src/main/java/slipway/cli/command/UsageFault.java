package slipway.cli.command;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;
import slipway.base.Printable;
import slipway.base.Spelling;

/** What is wrong with a command line, in one sentence of the product's own style. */
public final class UsageFault {
  private UsageFault() {}

  public static String sentence(ParameterException e) {
    CommandSpec command = e.getCommandLine().getCommandSpec();
    return Printable.text(
        switch (e) {
          case UnmatchedArgumentException u when !u.getUnmatched().isEmpty() ->
              unmatched(firstOf(u.getUnmatched()), command);
          case MissingParameterException m when !m.getMissing().isEmpty() -> missing(m, command);
          default -> wrongValue(e, command);
        });
  }

  /** What looks like an option is what is wrong; words around it are often its value. */
  private static String firstOf(List<String> words) {
    return words.stream().filter(w -> w.startsWith("-")).findFirst().orElse(words.getFirst());
  }

  private static String unmatched(String word, CommandSpec command) {
    if (word.startsWith("-") && word.length() > 1) {
      String name = word.replaceFirst("=.*", "");
      if (name.equals("--version") || name.equals("-V")) {
        String program = command.qualifiedName().split(" ", 2)[0];
        return "unknown option " + name + "; " + program + " --version tells the version";
      }
      return "unknown option " + name + orHelp(hint(name, options(command)), command, "options");
    }
    Collection<String> below = command.subcommands().keySet();
    return below.isEmpty()
        ? "unexpected argument \"" + word + "\"" + help(command, "arguments")
        : "unknown command \"" + word + "\"" + orHelp(hint(word, below), command, "commands");
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
    List<String> names = e.getMissing().stream().map(UsageFault::name).toList();
    ArgSpec first = e.getMissing().getFirst();
    return String.valueOf(e.getMessage()).contains("for option")
        ? name(first) + " lacks its value, " + first.paramLabel() + help(command, "options")
        : String.join(" and ", names)
            + (names.size() == 1 ? " is" : " are")
            + " missing"
            + help(command, "arguments");
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
    return name(arg) + " takes " + expected(arg) + ", not \"" + value + "\"";
  }

  private static String expected(ArgSpec arg) {
    Class<?> type = arg.auxiliaryTypes()[arg.auxiliaryTypes().length - 1];
    if (type == int.class || type == long.class || type == Integer.class || type == Long.class) {
      return "a whole number";
    }
    return type == Double.class ? "a number" : arg.paramLabel().replace("|", " or ");
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
