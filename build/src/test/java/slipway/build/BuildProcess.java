package slipway.build;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import java.util.Random;
import slipway.base.Progress;
import slipway.linux.Command;
import slipway.oci.LocalStore;

/** A build in a process of its own, which tests kill. */
final class BuildProcess {
  private BuildProcess() {}

  /** Starts one over the directory of a {@link Lab}; what RUN prints comes out of it. */
  static Process start(Path directory, Path context) {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    return Command.of(
            java,
            "--enable-native-access=ALL-UNNAMED",
            "-Xmx128m",
            "-cp",
            System.getProperty("java.class.path"),
            BuildProcess.class.getName(),
            directory.toString(),
            context.toString())
        .start();
  }

  public static void main(String[] arguments) throws IOException {
    Path directory = Path.of(arguments[0]);
    try (LocalStore store = LocalStore.open(directory.resolve("store"))) {
      new Builder(
              store,
              directory.resolve("build"),
              ImagePuller.NONE,
              Clock.systemUTC(),
              Map.of(),
              new Random())
          .build(
              BuildRequest.of(Path.of(arguments[1])).request(),
              Progress.NONE,
              line -> {
                System.out.println(line);
                System.out.flush();
              });
    }
  }
}
