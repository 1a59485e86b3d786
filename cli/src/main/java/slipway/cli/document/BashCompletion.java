package slipway.cli.document;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * A script for bash that completes a program's commands, options and those values of options that
 * the options' labels name. Everything else is completed as file names, by bash itself.
 */
public final class BashCompletion {
  /**
   * {@code NAME_words} sets what may follow a command; {@code NAME_values} what an option takes,
   * and fails for one that takes nothing. Bash takes an equals sign for a word of its own.
   */
  private static final String SCRIPT =
      """
      # Completes %1$s in bash. Made of its own table of commands.
      _%2$s_words() {
        case $1 in
      %3$s  esac
      }

      _%2$s_values() {
        values=
        case $1 in
      %4$s    *' --limit' | *' --limit=') : ;;
          *) return 1 ;;
        esac
      }

      _%2$s() {
        local current=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}
        local command=%1$s commands= options= values= word
        _%2$s_words "$command"
        for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
          [ "$word" != help ] || continue
          case " $commands " in
            *" $word "*)
              command="$command $word"
              _%2$s_words "$command"
              ;;
          esac
        done
        if [ "$current" = = ]; then
          current='' option+='='
        elif [ "$option" = = ]; then
          option=${COMP_WORDS[COMP_CWORD - 2]}=
        fi
        if ! _%2$s_values "$command $option"; then
          case $current in -*) values=$options ;; *) values=$commands ;; esac
        fi
        COMPREPLY=($(compgen -W "$values" -- "$current"))
      }

      complete -o default -F _%2$s %1$s
      """;

  private final StringBuilder words = new StringBuilder();
  private final StringBuilder values = new StringBuilder();

  private BashCompletion() {}

  /**
   * Writes the script.
   *
   * @param program the model of a whole program
   */
  public static String of(CommandSpec program) {
    BashCompletion completion = new BashCompletion();
    completion.add(program, List.of(program.name()), true);
    String name = program.name();
    return SCRIPT.formatted(name, name.replace('-', '_'), completion.words, completion.values);
  }

  /**
   * @param lines the ways to write this command, with its own other names and those above
   * @param answers whether it is a program, which answers to help and version
   */
  private void add(CommandSpec command, List<String> lines, boolean answers) {
    List<CommandSpec> children = CommandText.children(command);
    List<String> commands = new ArrayList<>();
    children.forEach(child -> commands.addAll(names(child)));
    List<String> options = new ArrayList<>(List.of("--limit"));
    if (answers) {
      commands.addAll(List.of("help", "version"));
      options.addAll(List.of("--help", "--version"));
    }
    for (OptionSpec option : CommandText.options(command)) {
      options.addAll(List.of(option.names()));
      value(option, lines);
    }
    words.append(
        "    %s)%n      commands='%s'%n      options='%s'%n      ;;%n"
            .formatted(
                patterns(lines.stream()), String.join(" ", commands), String.join(" ", options)));
    for (CommandSpec child : children) {
      List<String> below =
          lines.stream()
              .flatMap(line -> names(child).stream().map(name -> line + " " + name))
              .toList();
      add(child, below, child.userObject() == null);
    }
  }

  private void value(OptionSpec option, List<String> lines) {
    if (option.arity().max() == 0) {
      return;
    }
    // What an option may do without stands behind an equals sign only.
    List<String> ends = option.arity().min() == 0 ? List.of("=") : List.of("", "=");
    Stream<String> patterns =
        lines.stream()
            .flatMap(
                line ->
                    Stream.of(option.names())
                        .flatMap(name -> ends.stream().map(end -> line + " " + name + end)));
    List<String> choices = CommandText.choices(option);
    values.append(
        "    %s) %s ;;%n"
            .formatted(
                patterns(patterns),
                choices.isEmpty() ? ":" : "values='" + String.join(" ", choices) + "'"));
  }

  private static List<String> names(CommandSpec command) {
    List<String> names = new ArrayList<>(List.of(command.name()));
    names.addAll(List.of(command.aliases()));
    return names;
  }

  private static String patterns(Stream<String> lines) {
    return lines.map(line -> "'" + line + "'").collect(Collectors.joining(" | "));
  }
}
