package slipway.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import slipway.cli.document.BashCompletion;
import slipway.cli.document.CommandText;
import slipway.linux.process.Command;

/** The script in a real bash. */
class BashCompletionTest {
  /** What bash offers for the last word of a line, which is split as bash does it. */
  private static List<String> offered(Program program, List<String> line) {
    List<String> argv =
        new ArrayList<>(
            List.of(
                "bash",
                "--norc",
                "-c",
                "set -u; eval \"$1\"; shift; COMP_WORDS=(\"$@\") COMP_CWORD=$(($# - 1));"
                    + " \"_$1\"; printf '%s\\n' \"${COMPREPLY[@]}\"",
                "bash",
                BashCompletion.of(CommandModel.whole(program))));
    argv.addAll(line);
    Command.Result result = Command.of(argv).run();
    assertThat(result.stderr()).isEmpty();
    return result.text().lines().filter(l -> !l.isEmpty()).toList();
  }

  /** An underscore stands for a word that is not begun yet. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          slipway bui                        | build
          slipway disk build --ty            | --type
          slipway disk build --type _        | raw qcow2
          slipway disk build --type = q      | qcow2
          slipway disk build --type =        | raw qcow2
          slipway disk build --type raw --co | --config
          slipway build --pull =             | missing always never
          slipway build --pull --no          | --no-cache
          slipway build --file _             | ''
          slipway build _                    | ''
          slipway help dis                   | disk
          slipway help disk _                | build
          slipway --limit a = 1 regis        | registry
          slipway bootc upg                  | upgrade
          slipway bootc update --che         | --check
          slipway nonsense --he              | --help
          """)
  void completes(String line, String expected) {
    List<String> words =
        List.of(line.split(" +")).stream().map(word -> word.equals("_") ? "" : word).toList();
    assertThat(String.join(" ", offered(Program.SLIPWAY, words))).isEqualTo(expected);
  }

  @ParameterizedTest
  @EnumSource
  void everyCommandAndOptionIsThere(Program program) {
    check(program, CommandModel.whole(program));
  }

  private static void check(Program program, CommandSpec command) {
    List<String> line = new ArrayList<>(List.of(command.qualifiedName().split(" ")));
    List<String> words = new ArrayList<>();
    for (CommandSpec child : CommandText.children(command)) {
      words.add(child.name());
      words.addAll(List.of(child.aliases()));
      check(program, child);
    }
    if (command.userObject() == null) {
      words.addAll(List.of("help", "version"));
    }
    line.add("");
    assertThat(offered(program, line)).containsExactlyInAnyOrderElementsOf(words);
    List<String> options = new ArrayList<>(List.of("--limit"));
    for (OptionSpec option : command.options()) {
      options.addAll(List.of(option.names()));
    }
    if (command.userObject() == null) {
      options.addAll(List.of("--help", "--version"));
    }
    line.set(line.size() - 1, "-");
    assertThat(offered(program, line)).containsExactlyInAnyOrderElementsOf(options);
  }
}
