package slipway.builder.engine;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import slipway.base.ChildJvm;
import slipway.base.Cleanup;
import slipway.base.Progress;
import slipway.builder.session.BuildRequest;
import slipway.builder.session.ImagePuller;
import slipway.linux.process.Command;
import slipway.oci.store.LocalStore;

/** A build in a process of its own, which tests kill. */
public final class BuildProcess {
  private BuildProcess() {}

  /** Starts one over the directory of a {@link Lab}; what RUN prints comes out of it. */
  public static Process start(Path directory, Path context) {
    return command(directory, context).start();
  }

  public static Command command(Path directory, Path context) {
    return Command.of(
        ChildJvm.line(
            BuildProcess.class, List.of("-Xmx128m"), directory.toString(), context.toString()));
  }

  public static void main(String[] arguments) throws IOException {
    Path directory = Path.of(arguments[0]);
    Thread worker = Thread.currentThread();
    Runtime.getRuntime()
        .addShutdownHook(
            Thread.ofPlatform()
                .unstarted(
                    () ->
                        Cleanup.stop(
                            "a signal",
                            worker,
                            limit -> ended(worker, limit),
                            Duration.ofSeconds(20),
                            System.err::println)));
    try (LocalStore store = LocalStore.open(directory.resolve("store"))) {
      new Builder(
              store,
              directory.resolve("build"),
              ImagePuller.NONE,
              Clock.systemUTC(),
              Map.of(),
              new Random())
          .build(
              BuildRequest.of(Path.of(arguments[1])).build(),
              Progress.NONE,
              line -> {
                System.out.println(line);
                System.out.flush();
              });
    }
  }

  private static boolean ended(Thread worker, Duration limit) {
    try {
      return worker.join(limit);
    } catch (InterruptedException e) {
      return false;
    }
  }
}
