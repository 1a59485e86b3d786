package slipway.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.linux.lock.ScratchFolder;
import slipway.oci.store.LocalStore;
import slipway.startup.BuildTraining;
import slipway.startup.Training;

/** What other parts of the product call; not for people. */
@Command(name = "internals", hidden = true, mixinStandardHelpOptions = true)
final class InternalsCommand {
  private static final PrintStream NOWHERE =
      new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);

  @Spec CommandSpec spec;

  /** For which commands an AOT cache is trained. */
  public enum Commands {
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

  /** Documents and scripts that are made of the table of commands. */
  @Command(
      name = "documents",
      description = "write manual pages, completion and the launcher's script into a folder")
  int documents(@Parameters(paramLabel = "DIR") Path folder) throws IOException {
    Documents.write(folder);
    return 0;
  }

  @Command(name = "readme-table", description = "print the table of commands for README.md")
  int readmeTable() {
    var out = spec.commandLine().getOut();
    out.print(Documents.readmeTable());
    out.flush();
    return 0;
  }

  public static void train(Commands commands) throws IOException {
    try (ScratchFolder made = ScratchFolder.small("slipway-training-", note -> {})) {
      Path folder = made.path();
      LocalStore.open(folder.resolve("empty/store")).close();
      verbs(folder.resolve("empty").toString(), "no-such-image", 1);
      List.of(
              List.of("--version"),
              List.of("--help"),
              List.of("status", "--json"),
              List.of("status", "--format=yaml"),
              List.of("status"))
          .forEach(line -> Main.run("bootc", line.toArray(String[]::new), NOWHERE, NOWHERE));
      Training.status(Files.createDirectory(folder.resolve("status")));
      if (commands == Commands.RUN) {
        // A machine's agent goes without the builder.
        if (InternalsCommand.class.getResource("/slipway/builder/engine/Builder.class") != null) {
          builds(folder);
        }
        Training.upgrade(Files.createDirectory(folder.resolve("upgrade")));
      }
    }
  }

  /** A build that finds all in the cache, and the short verbs on what it made. */
  private static void builds(Path folder) throws IOException {
    Path state = folder.resolve("state");
    Path context = folder.resolve("context");
    BuildTraining.prepare(state, context);
    String root = state.toString();
    String image = "localhost/training/built:1";
    run(0, "build", "--quiet", "--root", root, "-t", image, context.toString());
    run(0, "build", "--quiet", "--root", root, "-t", image, context.toString());
    verbs(root, image, 0);
    run(0, "tag", "--root", root, image, "localhost/training/built:2");
    run(0, "rmi", "--root", root, "localhost/training/built:2");
  }

  private static void verbs(String root, String image, int status) {
    run(0, "--version");
    run(0, "--help");
    run(2, "no-such-command");
    run(0, "images", "--root", root);
    run(status, "inspect", "--root", root, image);
    run(status, "history", "--root", root, image);
  }

  private static void run(int expected, String... line) {
    var said = new ByteArrayOutputStream();
    int status =
        Main.run("slipway", line, NOWHERE, new PrintStream(said, true, StandardCharsets.UTF_8));
    if (status != expected) {
      throw new IllegalStateException(
          String.join(" ", line)
              + " ended with status "
              + status
              + ": "
              + said.toString(StandardCharsets.UTF_8));
    }
  }
}
