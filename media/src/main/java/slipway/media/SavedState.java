package slipway.media;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import slipway.base.Problem;
import tools.jackson.databind.JsonNode;

/**
 * A file with the processors, the memory and the devices of a paused machine (QEMU manual,
 * "Migration": a saved machine is one that moves to a QEMU which starts later). The disk is not in
 * it: whoever resumes gives the disk as it was when the machine was saved.
 */
final class SavedState {
  private static final Duration POLL = Duration.ofMillis(50);
  private static final Duration RENAME = Duration.ofMinutes(2);

  private SavedState() {}

  /**
   * Pauses a machine and writes its state; its QEMU is of no use any more then.
   *
   * @param file must not exist; is there when all of it is
   *     <p>The state goes through a shell because releases of QEMU before 8.2 write to no file of
   *     themselves; the names in it are quoted.
   * @throws Problem when QEMU cannot, or ends; the machine stays paused then
   */
  static void write(Process qemu, Qmp qmp, Path file) throws IOException {
    qmp.execute("stop", Map.of());
    String part = quoted(file.resolveSibling(file.getFileName() + ".part"));
    String shell = "cat > " + part + " && mv " + part + " " + quoted(file);
    qmp.execute("migrate", Map.of("uri", "exec:" + shell));
    while (!isWritten(qmp)) {
      pause(qemu);
    }
    // Told when the last bytes have left QEMU; the shell has to write and rename them still.
    long end = System.nanoTime() + RENAME.toNanos();
    while (!Files.exists(file)) {
      if (System.nanoTime() > end) {
        throw Problem.environment("the machine's state could not be written to " + file);
      }
      pause(qemu);
    }
  }

  private static boolean isWritten(Qmp qmp) throws IOException {
    JsonNode answer = qmp.execute("query-migrate", Map.of());
    return switch (answer.path("status").asString("")) {
      case "completed" -> true;
      case "failed", "cancelled" ->
          throw Problem.environment(
              "QEMU cannot save the machine: " + answer.path("error-desc").asString("no reason"));
      default -> false;
    };
  }

  /** What QEMU is to be told so that it waits for the state in a file. */
  static List<String> arguments(Path file) {
    return List.of("-incoming", "exec:cat < " + quoted(file));
  }

  /** Lets a machine go on that was started with {@link #arguments}, once it has its state. */
  static void proceed(Process qemu, Qmp qmp) throws IOException {
    while (qmp.execute("query-status", Map.of()).path("status").asString("").equals("inmigrate")) {
      pause(qemu);
    }
    qmp.execute("cont", Map.of());
  }

  private static void pause(Process qemu) {
    try {
      if (qemu.waitFor(POLL.toMillis(), TimeUnit.MILLISECONDS)) {
        throw Problem.environment("QEMU has ended while it moved the machine's state");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw Problem.environment("interrupted while QEMU moved the machine's state");
    }
  }

  /** For the shell. */
  private static String quoted(Path file) {
    return "'" + file.toAbsolutePath().toString().replace("'", "'\\''") + "'";
  }
}
