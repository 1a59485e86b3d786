package slipway.e2e;

import java.nio.file.Files;
import java.nio.file.Path;

/** A script of {@code examples/scenarios}, whose README.md says how it is written. */
final class Scenario {
  static final Path SCRIPTS = Cli.ROOT.resolve("examples/scenarios");
  private static final String DIRECTION = "#: ";

  private Scenario() {}

  /** Where a script is played. */
  interface Stage {
    /** What it is typed into now. */
    UpgradingMachine machine();

    /** Lines that every part begins with. */
    String head();

    /** Does what a direction asks for. */
    void follow(String[] words) throws Exception;

    /** Holds the machine to what must be after every change. */
    void judge() throws Exception;
  }

  /**
   * Plays it.
   *
   * @param name of the script without its ending
   */
  static void play(String name, Stage stage) throws Exception {
    StringBuilder part = new StringBuilder();
    for (String line : Files.readAllLines(SCRIPTS.resolve(name + ".sh"))) {
      if (!line.startsWith(DIRECTION)) {
        part.append(line).append('\n');
        continue;
      }
      String[] words = line.substring(DIRECTION.length()).split(" ");
      type(part.toString(), words[0].equals("restarted"), stage);
      part = new StringBuilder();
      stage.follow(words);
    }
    type(part.toString(), false, stage);
  }

  private static void type(String part, boolean ends, Stage stage) throws Exception {
    if (part.lines().allMatch(line -> line.isBlank() || line.startsWith("#"))) {
      return;
    }
    System.out.print(stage.machine().type(stage.head() + part, ends));
    if (!ends) {
      stage.judge();
    }
  }
}
