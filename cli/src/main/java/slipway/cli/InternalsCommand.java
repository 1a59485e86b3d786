package slipway.cli;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine.Command;

/** What other parts of the product call; not for people. */
@Command(name = "internals", hidden = true, mixinStandardHelpOptions = true)
final class InternalsCommand {
  /** Loads the classes that short commands need, so that the AOT cache holds them. */
  @Command(name = "aot-training", description = "run short commands for the JVM's AOT cache")
  int aotTraining() {
    PrintStream nowhere =
        new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
    String[][] lines = {{"--version"}, {"--help"}, {"internals", "--help"}, {"no-such-command"}};
    for (String[] line : lines) {
      Main.run("slipway", line, nowhere, nowhere);
      Main.run("bootc", line, nowhere, nowhere);
    }
    return 0;
  }
}
