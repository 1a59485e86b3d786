package slipway.cli.document;

import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import slipway.cli.command.ExitCodes;

/** A page of the manual for a command, in roff with the macros of man(7). */
public final class ManPage {
  private static final int TITLE = 25;

  private static final String LIMIT =
      "changes a bound on what images may cost; --limit help lists the bounds; may stand anywhere";

  private final StringBuilder page = new StringBuilder();
  private final CommandSpec command;
  private final int section;

  private ManPage(CommandSpec command, int section) {
    this.command = command;
    this.section = section;
  }

  /**
   * Writes a page.
   *
   * @param command with the command that it is a word of, if there is one
   * @param section of the manual, which the pages that it names belong to, too
   * @param version of the product
   * @param date of the product, which the page shows
   */
  public static String of(CommandSpec command, int section, String version, LocalDate date) {
    ManPage page = new ManPage(command, section);
    page.head(version, date);
    page.synopsis();
    page.section("DESCRIPTION");
    page.text(CommandText.description(command));
    page.arguments();
    page.options();
    page.commands();
    page.examples();
    page.exitStatus();
    page.seeAlso();
    return page.page.toString();
  }

  private void head(String version, LocalDate date) {
    String product = command.root().name();
    request(
        "TH",
        title(command.qualifiedName("-").toUpperCase(Locale.ROOT)),
        String.valueOf(section),
        date.toString(),
        product + " " + version,
        "");
    unbroken();
    section("NAME");
    line(
        escaped(String.join(", ", names(command)))
            + " \\- "
            + escaped(CommandText.summary(command)));
  }

  /** Head and foot of a page show it beside other things; a long one goes without its program. */
  private static String title(String name) {
    String title = name;
    while (title.length() > TITLE && title.indexOf('-') >= 0) {
      title = title.substring(title.indexOf('-') + 1);
    }
    return title;
  }

  /** Words are typed as they stand: none is split at the end of a line, so lines end unevenly. */
  private void unbroken() {
    page.append(".nh\n.ad l\n");
  }

  /** The names of a command's page: its own, and one for each other name of the command. */
  public static List<String> names(CommandSpec command) {
    List<String> names = new ArrayList<>(List.of(command.qualifiedName("-")));
    if (command.parent() != null) {
      String above = command.parent().qualifiedName("-") + "-";
      Stream.of(command.aliases()).forEach(alias -> names.add(above + alias));
    }
    return names;
  }

  private void synopsis() {
    section("SYNOPSIS");
    Stream<String> arguments =
        command.positionalParameters().stream().filter(p -> !p.hidden()).map(ManPage::argument);
    Stream<String> below =
        CommandText.children(command).isEmpty() ? arguments : Stream.of(italic("COMMAND"));
    line(
        Stream.concat(
                Stream.of(bold(command.qualifiedName()), "[" + italic("OPTIONS") + "]"), below)
            .collect(Collectors.joining(" ")));
  }

  private static String argument(PositionalParamSpec argument) {
    String label = italic(argument.paramLabel()) + (argument.arity().max() > 1 ? " ..." : "");
    return argument.arity().min() == 0 ? "[" + label + "]" : label;
  }

  private void arguments() {
    List<PositionalParamSpec> arguments =
        command.positionalParameters().stream().filter(p -> !p.hidden()).toList();
    if (!arguments.isEmpty()) {
      section("ARGUMENTS");
      arguments.forEach(a -> item(italic(a.paramLabel()), CommandText.description(a)));
    }
  }

  private void options() {
    section("OPTIONS");
    CommandText.options(command).stream()
        .sorted(Comparator.comparing(option -> option.longestName().replaceFirst("^-+", "")))
        .forEach(option -> item(names(option), CommandText.description(option)));
    item(bold("--limit") + "=" + italic("NAME=VALUE"), LIMIT);
  }

  private static String names(OptionSpec option) {
    String names =
        Stream.of(option.names())
            .sorted(Comparator.comparingInt(String::length))
            .map(ManPage::bold)
            .collect(Collectors.joining(", "));
    return names + value(option);
  }

  private static String value(ArgSpec option) {
    if (option.arity().max() == 0) {
      return "";
    }
    String value = "=" + italic(option.paramLabel());
    return option.arity().min() == 0 ? "[" + value + "]" : value;
  }

  private void commands() {
    List<CommandSpec> children = CommandText.children(command);
    if (children.isEmpty()) {
      return;
    }
    section("COMMANDS");
    for (CommandSpec child : children) {
      item(
          Stream.concat(Stream.of(child.name()), Stream.of(child.aliases()))
              .map(ManPage::bold)
              .collect(Collectors.joining(", ")),
          CommandText.summary(child));
    }
  }

  private void examples() {
    String[] examples = command.usageMessage().footer();
    if (examples.length > 0) {
      section("EXAMPLES");
      request("EX");
      Stream.of(examples).forEach(example -> text(whole(example)));
      request("EE");
      unbroken(); // Which EE ends.
    }
  }

  /** A program below another, as bootc is below slipway, has examples that start with its name. */
  private String whole(String example) {
    String first = command.root().name() + " ";
    return example.startsWith(first) ? example : first + example;
  }

  private void exitStatus() {
    section("EXIT STATUS");
    item("0", "done");
    item("1", "a problem, told in one sentence on standard error");
    item("2", "wrong usage");
    if (command.userObject() instanceof ExitCodes) {
      item(Integer.toString(ExitCodes.LATER), "with --exit-code: trying again later may help");
      item(Integer.toString(ExitCodes.NOTHING), "with --exit-code: there was nothing to do");
      item(Integer.toString(ExitCodes.REFUSED), "with --exit-code: refused, nothing was changed");
    }
    item("128+" + italic("N"), "ended by signal N");
  }

  private void seeAlso() {
    List<String> pages = new ArrayList<>();
    if (command.parent() != null) {
      pages.add(page(command.parent()));
    }
    CommandText.children(command).forEach(child -> pages.add(page(child)));
    if (!pages.isEmpty()) {
      section("SEE ALSO");
      text(String.join(", ", pages));
    }
  }

  private String page(CommandSpec other) {
    return other.qualifiedName("-") + "(" + section + ")";
  }

  private void section(String heading) {
    request("SH", heading);
  }

  private void item(String tag, String text) {
    request("TP");
    line(tag);
    text(text);
  }

  private void request(String name, String... arguments) {
    page.append('.').append(name);
    for (String argument : arguments) {
      page.append(" \"").append(escaped(argument)).append('"');
    }
    page.append('\n');
  }

  private void text(String text) {
    line(escaped(text));
  }

  private void line(String roff) {
    // A full stop that starts a line makes a request of it.
    page.append(roff.startsWith(".") ? "\\&" : "").append(roff).append('\n');
  }

  private static String bold(String text) {
    return "\\fB" + escaped(text) + "\\fR";
  }

  private static String italic(String text) {
    return "\\fI" + escaped(text) + "\\fR";
  }

  /** Text in which roff finds no requests and prints every character as it is. */
  static String escaped(String text) {
    StringBuilder escaped = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '\\' -> escaped.append("\\(rs");
                case '-' -> escaped.append("\\-");
                case '\'' -> escaped.append("\\(aq");
                case '`' -> escaped.append("\\(ga");
                case '^' -> escaped.append("\\(ha");
                case '~' -> escaped.append("\\(ti");
                case '"' -> escaped.append("\\(dq");
                default -> {
                  if (c < 0x80) {
                    escaped.appendCodePoint(c);
                  } else {
                    escaped.append("\\[u%04X]".formatted(c));
                  }
                }
              }
            });
    return escaped.toString();
  }
}
