package slipway.cli.document;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** What documents take from picocli's model of a command. */
public final class CommandText {
  /** What ends the part of a description that says what a command does. */
  private static final Pattern END = Pattern.compile("[;.](?= |$)");

  private static final Pattern CHOICE = Pattern.compile("[a-z0-9.-]+(\\|[a-z0-9.-]+)*");

  private CommandText() {}

  /** The first sentence of a command's description, up to a semicolon, without a capital. */
  public static String summary(CommandSpec command) {
    String sentence = END.split(description(command), 2)[0];
    return sentence.substring(0, 1).toLowerCase(Locale.ROOT) + sentence.substring(1);
  }

  /** A command's description, one paragraph. */
  public static String description(CommandSpec command) {
    return joined(command.usageMessage().description());
  }

  /** An option's or argument's description, one paragraph, with the default value in its place. */
  static String description(ArgSpec arg) {
    return joined(arg.description());
  }

  /** picocli takes descriptions for formats. */
  private static String joined(String[] lines) {
    return String.format(Locale.ROOT, String.join(" ", lines)).strip().replaceAll("\\s+", " ");
  }

  /** The commands below a command that people may know of, in the model's order. */
  public static List<CommandSpec> children(CommandSpec command) {
    // One that has other names is there with each of them.
    Set<CommandSpec> children = new LinkedHashSet<>();
    for (CommandLine line : command.subcommands().values()) {
      if (!line.getCommandSpec().usageMessage().hidden()) {
        children.add(line.getCommandSpec());
      }
    }
    return List.copyOf(children);
  }

  /** The options that people may know of. */
  static List<OptionSpec> options(CommandSpec command) {
    return command.options().stream().filter(option -> !option.hidden()).toList();
  }

  /** The values that an option or argument takes, when its label names them: {@code raw|qcow2}. */
  static List<String> choices(ArgSpec arg) {
    return CHOICE.matcher(arg.paramLabel()).matches()
        ? List.of(arg.paramLabel().split("\\|"))
        : List.of();
  }
}
