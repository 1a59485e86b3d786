package slipway.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import slipway.host.Training;
import slipway.linux.OsPath;
import slipway.linux.Posix;

/** What other parts of the product call; not for people. */
@Command(name = "internals", hidden = true, mixinStandardHelpOptions = true)
final class InternalsCommand {
  /** For which commands an AOT cache is trained. */
  enum Commands {
    /** Those that tell something and are done. */
    QUICK,
    /** Those that work for seconds too. */
    RUN
  }

  /** Does what commands do, so that the AOT cache holds what they need. */
  @Command(name = "aot-training", description = "run commands for the JVM's AOT cache")
  int aotTraining(@Parameters(paramLabel = "quick|run") Commands commands) throws IOException {
    train(commands);
    return 0;
  }

  static void train(Commands commands) throws IOException {
    PrintStream nowhere =
        new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
    Path state = Files.createTempDirectory("slipway-training-");
    String[][] lines = {
      {"--version"},
      {"--help"},
      {"no-such-command"},
      {"images", "--root", state.toString()},
      {"inspect", "--root", state.toString(), "no-such-image"},
    };
    for (String[] line : lines) {
      Main.run("slipway", line, nowhere, nowhere);
    }
    String[][] verbs = {
      {"--version"},
      {"--help"},
      {"status", "--json"},
      {"status", "--format=yaml"},
      {"status"},
      {"upgrade", "--check"}
    };
    for (String[] line : verbs) {
      Main.run("bootc", line, nowhere, nowhere);
    }
    Training.status(Files.createDirectory(state.resolve("status")));
    if (commands == Commands.RUN) {
      Training.upgrade(Files.createDirectory(state.resolve("upgrade")));
    }
    Posix.removeTree(OsPath.of(state));
  }
}
