package slipway.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.Model.CommandSpec;
import slipway.cli.document.CommandText;
import slipway.linux.process.Command;

/** Help in terminals of all widths. */
class HelpTest {
  private static final List<String> PAGE = List.of("base", "build");

  /** Nothing is lost, and what can be broken is. */
  @ParameterizedTest
  @EnumSource
  void everyPageFitsIntoANarrowTerminal(Program program) {
    for (List<String> words : pages(program)) {
      String whole = Help.page(program, words, 0);
      for (int columns : new int[] {40, 46, 52, 60, 79}) {
        String narrow = Help.page(program, words, columns);
        assertThat(narrow.lines())
            .as("%s in %d columns", words, columns)
            .allMatch(line -> line.length() <= columns || !name(line).contains(" "));
        assertThat(words(narrow)).isEqualTo(words(whole));
      }
    }
  }

  /** Commands with a second name, too. */
  @ParameterizedTest
  @EnumSource
  void noPageSaysAnythingTwice(Program program) {
    for (List<String> words : pages(program)) {
      assertThat(Help.page(program, words, 0))
          .as("%s", words)
          .doesNotContain("Examples:\n\n")
          .containsOnlyOnce("--limit NAME=VALUE");
    }
  }

  /** An option and what it takes, such as {@code -v, --volume=A:B}, stay together. */
  private static String name(String line) {
    return line.strip().replaceFirst("^-\\w, ", "");
  }

  /** None is broken in two, such as {@code docker://HOST} behind its colon. */
  private static List<String> words(String page) {
    return List.of(page.replace(" \\\n", "\n").strip().split("\\s+"));
  }

  private static List<List<String>> pages(Program program) {
    List<List<String>> pages = new ArrayList<>();
    collect(CommandModel.of(program), List.of(), pages);
    return pages;
  }

  private static void collect(CommandSpec command, List<String> words, List<List<String>> pages) {
    pages.add(words);
    for (CommandSpec child : CommandText.children(command)) {
      List<String> below = new ArrayList<>(words);
      below.add(child.name());
      collect(child, below, pages);
    }
  }

  @Test
  void aWideTerminalGetsWhatAPipeGets() {
    String whole = Help.page(Program.SLIPWAY, PAGE, 0);
    assertThat(whole.lines()).allMatch(line -> line.length() <= 80);
    for (int columns : new int[] {1, 39, 80, 81, 200}) {
      assertThat(Help.page(Program.SLIPWAY, PAGE, columns)).isEqualTo(whole);
    }
  }

  /** On a terminal of its own, which {@code script} makes. */
  @ParameterizedTest
  @Tag("slow")
  @CsvSource({"50,,50", "50,60,60", "50,no,50", "120,,0", "0,,0"})
  void theTerminalTellsItsWidthUnlessTheShellDoes(int columns, String exported, int expected) {
    assertThat(shown("stty cols " + columns + "; ", exported, "base build --help"))
        .isEqualTo(Help.page(Program.SLIPWAY, PAGE, expected));
  }

  @ParameterizedTest
  @ValueSource(strings = {"--help", "help", "version --help"})
  void soDoesItForTheFirstPage(String line) {
    assertThat(shown("stty cols 60; ", null, line))
        .isEqualTo(Help.page(Program.SLIPWAY, List.of(), 60));
  }

  @Test
  void aPipeHasNoWidth() {
    assertThat(shown("stty cols 50; ", "50", "help base build | cat"))
        .isEqualTo(Help.page(Program.SLIPWAY, PAGE, 0));
  }

  private static String shown(String before, String columns, String line) {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String run = before + java + " --enable-native-access=ALL-UNNAMED slipway.cli.Main " + line;
    return Command.of("script", "-qec", run, "/dev/null")
        .environment("CLASSPATH", System.getProperty("java.class.path"))
        .environment("SHELL", "/bin/sh")
        .environment("TERM", "dumb")
        .environment("COLUMNS", columns)
        .run()
        .text()
        .replace("\r", "");
  }
}
