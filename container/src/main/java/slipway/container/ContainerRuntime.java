package slipway.container;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import slipway.base.Problem;
import slipway.linux.process.Command;
import slipway.oci.model.Json;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * runc, or crun where there is no runc: both read the same bundle and have the same commands.
 *
 * @param program its path
 */
public record ContainerRuntime(Path program) {
  private static final List<String> NAMES = List.of("runc", "crun");
  private static final List<String> MORTAL =
      List.of(
          "setpriv",
          "--pdeathsig",
          "KILL",
          "unshare",
          "--fork",
          "--kill-child",
          "--pid",
          "--mount-proc");

  /**
   * Begins what runc says when it could not remove the control groups of a container that ended.
   */
  private static final String GROUPS_LEFT = "Failed to remove paths: ";

  private static final int DELETE_ATTEMPTS = 20;
  private static final Duration DELETE_PAUSE = Duration.ofMillis(50);
  private static final List<String> PLACES =
      List.of("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin");

  /**
   * The first that this machine has.
   *
   * @throws Problem of kind ENVIRONMENT that says what to install
   */
  public static ContainerRuntime find() {
    for (String name : NAMES) {
      for (String place : PLACES) {
        Path program = Path.of(place, name);
        if (Files.isExecutable(program)) {
          return new ContainerRuntime(program);
        }
      }
    }
    throw Problem.environment("RUN needs runc or crun; install one of them (apt install runc)");
  }

  /**
   * Runs a container to its end. It does not outlive this thread: the kernel kills the runtime with
   * the thread that waits for it, and with the runtime, which is the first of a process namespace,
   * all that it started. The container has a session keyring of its own.
   *
   * @param bundle an empty directory for its config.json
   * @param state where the runtime keeps what it knows of running containers
   * @param id of the container
   * @param output hears the lines that it prints
   * @return the status of its command
   * @throws Problem when the container could not be made
   */
  public int run(ContainerSpec spec, Path bundle, Path state, String id, Consumer<String> output)
      throws IOException {
    Files.write(bundle.resolve("config.json"), spec.toJson());
    Path log = bundle.resolve("log.json");
    boolean ended = false;
    try {
      int status =
          Command.of(MORTAL)
              .with(command(state, log, "run", "--bundle", bundle.toString(), id))
              .stream(output);
      ended = true;
      removeGroups(log, id);
      String trouble = status == 0 ? "" : trouble(log);
      if (!trouble.isEmpty()) {
        throw Problem.environment(trouble);
      }
      return status;
    } finally {
      if (!ended) {
        // Interrupted: the runtime was killed; its files and control groups are still there.
        boolean interrupted = Thread.interrupted();
        delete(state, id);
        if (interrupted) {
          Thread.currentThread().interrupt();
        }
      }
    }
  }

  /**
   * Kills and forgets a container, if there is one of that id. Its control groups can be removed
   * when the kernel is done with the last of its processes, so a few attempts may be needed.
   */
  void delete(Path state, String id) {
    Command delete =
        Command.of(program.toString(), "--root", state.toString(), "delete", "--force", id);
    for (int i = 0; i < DELETE_ATTEMPTS && delete.tryRun().status() != 0; i++) {
      LockSupport.parkNanos(DELETE_PAUSE.toNanos());
    }
  }

  /**
   * Removes the control groups that the runtime gave up on, because the kernel was not done with
   * the last of the container's processes on a busy machine. The container has ended as it should.
   */
  private static void removeGroups(Path log, String id) throws IOException {
    if (!Files.exists(log)) {
      return;
    }
    Pattern group = Pattern.compile("/sys/fs/cgroup/[^\\s:\"\\]]*" + Pattern.quote(id));
    for (String line : Files.readAllLines(log)) {
      Matcher path = group.matcher(line.contains(GROUPS_LEFT) ? line : "");
      while (path.find()) {
        Path left = Path.of(path.group());
        for (int i = 0; i < DELETE_ATTEMPTS && Files.exists(left); i++) {
          try {
            Files.deleteIfExists(left);
          } catch (IOException e) {
            LockSupport.parkNanos(DELETE_PAUSE.toNanos());
          }
        }
      }
    }
  }

  /** Kills all containers of a state directory; for those whose builder died. */
  public void deleteAll(Path state) {
    Command.Result list =
        Command.of(program.toString(), "--root", state.toString(), "list", "--quiet").tryRun();
    list.text().lines().forEach(id -> delete(state, id));
  }

  private String[] command(Path state, Path log, String... arguments) {
    List<String> argv =
        new ArrayList<>(
            List.of(
                program.toString(),
                "--root",
                state.toString(),
                "--log",
                log.toString(),
                "--log-format",
                "json"));
    argv.addAll(List.of(arguments));
    return argv.toArray(String[]::new);
  }

  /** What the runtime itself says went wrong, or nothing when the command in it failed. */
  private static String trouble(Path log) throws IOException {
    if (!Files.exists(log)) {
      return "";
    }
    String last = "";
    for (String line : Files.readAllLines(log)) {
      try {
        JsonNode node = Json.read(line);
        String message = node.path("msg").asString("");
        if (node.path("level").asString("").equals("error") && !message.contains(GROUPS_LEFT)) {
          last = message;
        }
      } catch (JacksonException e) {
        last = line; // A runtime that does not keep to its own format; still worth telling.
      }
    }
    return last;
  }
}
