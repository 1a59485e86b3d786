package slipway.e2e;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import slipway.linux.process.Command;

/** The product as a user has it: the launcher of this checkout, run as a process. */
final class Cli {
  /** Of commands that hang. One that waits for a machine judges by that machine's progress. */
  static final Duration IDLE_LIMIT = Duration.ofMinutes(5);

  /** The top of the checkout. */
  static final Path ROOT = findRoot();

  /**
   * State that outlives a checkout, so that the base image is built once a machine: {@code
   * SLIPWAY_TEST_STATE}, else below the user's cache folder.
   */
  static final Path SHARED_STATE = sharedState();

  private final Path state;

  private Cli(Path state) {
    this.state = state;
  }

  static Cli withState(Path state) {
    return new Cli(state);
  }

  static Cli withSharedState() {
    return new Cli(SHARED_STATE);
  }

  private static Path findRoot() {
    for (Path p = Path.of("").toAbsolutePath(); p != null; p = p.getParent()) {
      if (Files.isExecutable(p.resolve("slipway"))) {
        return p;
      }
    }
    throw new IllegalStateException(
        "the launcher ./slipway was not found above the working directory");
  }

  private static Path sharedState() {
    String own = System.getenv("SLIPWAY_TEST_STATE");
    if (own != null) {
      return Path.of(own);
    }
    String cache = System.getenv("XDG_CACHE_HOME");
    return (cache == null ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(cache))
        .resolve("slipway/test-state");
  }

  Path state() {
    return state;
  }

  /** The command line as a process value, for those who start it and end it themselves. */
  Command command(String... arguments) {
    List<String> argv = new ArrayList<>(List.of(ROOT.resolve("slipway").toString()));
    argv.addAll(List.of(arguments));
    return Command.of(argv).environment("SLIPWAY_STATE", state.toString());
  }

  /** Runs and returns what came out, whatever the status. */
  Command.Result run(String... arguments) {
    return command(arguments).idleLimit(IDLE_LIMIT).tryRun();
  }

  /** Runs, and fails the test with stderr when the status is not 0. */
  String must(String... arguments) {
    return command(arguments).idleLimit(IDLE_LIMIT).run().text();
  }
}
