package slipway.cli.document;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import slipway.base.Limit;

/**
 * A script for bash that completes a program's commands, options, those values of options and
 * arguments that their labels name, and the images of the local store for arguments labelled {@code
 * IMAGE}. Other values are completed as file names.
 */
public final class BashCompletion {
  /**
   * {@code NAME_words} sets what may follow a command. {@code NAME_values} sets what an option or
   * an argument, by its number, may be, and fails for what takes nothing; {@code @files} and {@code
   * @images} stand for those. {@code NAME_line} undoes bash's splitting of a line, which takes
   * equals signs and colons for words of their own where {@code COMP_WORDBREAKS} says so; of an
   * answer bash then wants the part behind the last of them. Aliases and settings of the shell that
   * it runs in may be any.
   */
  private static final String SCRIPT =
      """
      # Completes %1$s in bash. Made of its own table of commands.
      _%2$s_words() {
        commands= options=
        case $1 in
      %3$s  esac
      }

      _%2$s_values() {
        values=
        case $1 in
      %4$s    *' --limit' | *' --limit=') values='%5$s' ;;
          *) return 1 ;;
        esac
      }

      # Sets line to the words before the cursor.
      _%2$s_line() {
        local rest=${COMP_LINE:0:COMP_POINT} index word
        line=()
        for ((index = 0; index <= COMP_CWORD; index++)); do
          word=${COMP_WORDS[index]}
          if [[ $index = 0 || $rest = [[:space:]]* ]]; then
            line+=('')
            rest=${rest#"${rest%%%%[![:space:]]*}"}
          fi
          # The last word may go on behind the cursor.
          [ "$index" != "$COMP_CWORD" ] || word=$rest
          line[${#line[@]} - 1]+=$word
          rest=${rest#"$word"}
        done
      }

      # Sets values to the names of the local store's images. It only reads the store's index, so
      # that it neither waits nor changes anything; where there is none, there are no names.
      _%2$s_images() {
        local state=${root:-${SLIPWAY_STATE:-}}
        if [ -z "$state" ] && [ "$EUID" = 0 ]; then
          state=/var/lib/slipway
        elif [ -z "$state" ]; then
          case ${XDG_DATA_HOME:-} in
            /*) state=$XDG_DATA_HOME/slipway ;;
            *) state=${HOME:-}/.local/share/slipway ;;
          esac
        fi
        case $state in '~/'*) state=${HOME:-}${state:1} ;; esac
        values=
        [ -f "$state/store/index.json" ] || return 0
        values=$({
          command head -c 8388608 -- "$state/store/index.json" |
            LC_ALL=C command grep -aoE '"org\\.opencontainers\\.image\\.ref\\.name" *: *"[A-Za-z0-9][A-Za-z0-9._:/@-]*"' |
            command cut -d '"' -f 4
        } 2> /dev/null) || values=
      }

      # Answers with those values that begin with the current word, and what comes before them.
      _%2$s_offer() {
        local before=$1 match
        for match in $values; do
          [[ $match = "$2$current"* ]] || continue
          # More is to come.
          [[ $match != *= ]] || compopt -o nospace
          match=$prefix${match#"$2"}
          COMPREPLY+=("${match#"$before"}")
        done
      }

      # Bash's own completion of files, where it would not see that they stand behind an option.
      _%2$s_files() {
        local match
        compopt -o filenames
        while IFS= read -r match; do
          [ -n "$match" ] || continue
          [ ! -d "$match" ] || { match+=/ && compopt -o nospace; }
          COMPREPLY+=("$prefix$match")
        done <<< "$(compgen -f -- "$current")"
      }

      _%2$s() {
        local IFS=$' \\t\\n'
        local command=%1$s commands options values= line word before breaks=
        local root= option= asked= ended= arguments=0 current prefix=
        COMPREPLY=()
        _%2$s_line
        _%2$s_words "$command"
        for word in "${line[@]:1:${#line[@]}-2}"; do
          if [ -n "$option" ]; then
            [ "$option" != --root ] || root=$word
            option=
          elif [ -z "$ended" ] && [[ $word = -?* ]]; then
            case $word in
              --) ended=yes ;;
              --root=*) root=${word#*=} ;;
              *) ! _%2$s_values "$command $word" || option=$word ;;
            esac
          elif [ -z "$asked$ended" ] && [ "$word" = help ] && [[ " $commands " = *' help '* ]]; then
            asked=yes
          elif [[ " $commands " = *" $word "* ]]; then
            command+=" $word"
            _%2$s_words "$command"
          elif [ -n "$commands$asked" ]; then
            return # There is no such command.
          else
            arguments=$((arguments + 1))
          fi
        done
        current=${line[${#line[@]} - 1]}
        if [ -n "$asked" ]; then
          values=$commands
        elif [ -n "$option" ]; then
          _%2$s_values "$command $option" || :
        elif [ -z "$ended" ] && [[ $current = -*=* ]]; then
          prefix=${current%%%%=*}= current=${current#*=}
          _%2$s_values "$command $prefix" || :
        elif [ -z "$ended" ] && [[ $current = -* ]]; then
          values=$options
        elif [ -n "$commands" ]; then
          values=$commands
        else
          _%2$s_values "$command $arguments" || :
        fi
        for word in = : @; do
          [[ $COMP_WORDBREAKS != *"$word"* ]] || breaks+=$word
        done
        before=$prefix$current
        if [ -n "$breaks" ]; then before=${before%%"${before##*[$breaks]}"}; else before=; fi
        case $values in
          @files) if [[ -z $prefix || $breaks = *=* ]]; then compopt -o default; else _%2$s_files; fi ;;
          @images)
            _%2$s_images
            _%2$s_offer "$before" ''
            # A name without a host is one of this machine.
            [ "${#COMPREPLY[@]}" != 0 ] || _%2$s_offer "$before" localhost/
            ;;
          *) _%2$s_offer "$before" '' ;;
        esac
        return 0
      }

      complete -F _%2$s %1$s
      """;

  /** The label of what stands in the local store. */
  private static final String IMAGE = "IMAGE";

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
    return SCRIPT.formatted(
        name, name.replace('-', '_'), completion.words, completion.values, limits());
  }

  private static String limits() {
    return Stream.concat(
            Stream.of(Limit.values()).map(limit -> limit.label() + "="), Stream.of("help"))
        .collect(Collectors.joining(" "));
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
    if (children.isEmpty()) {
      command.positionalParameters().stream()
          .filter(argument -> !argument.hidden())
          .forEach(argument -> value(argument, lines));
    }
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
    values.append("    %s) values='%s' ;;%n".formatted(patterns(patterns), values(option)));
  }

  /** Arguments are counted from 0. Those before one that may stand many times have lines above. */
  private void value(PositionalParamSpec argument, List<String> lines) {
    int first = argument.index().min();
    boolean many = argument.index().max() > first || argument.arity().max() > 1;
    String number = many ? "[0-9]*" : String.valueOf(first);
    String patterns =
        lines.stream().map(line -> "'" + line + " '" + number).collect(Collectors.joining(" | "));
    values.append("    %s) values='%s' ;;%n".formatted(patterns, values(argument)));
  }

  private static String values(ArgSpec arg) {
    List<String> choices = CommandText.choices(arg);
    if (!choices.isEmpty()) {
      return String.join(" ", choices);
    }
    return arg.paramLabel().equals(IMAGE) ? "@images" : "@files";
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
