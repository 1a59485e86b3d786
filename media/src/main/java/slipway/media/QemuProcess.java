package slipway.media;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.linux.process.Command;

/**
 * One run of QEMU, from power on to power off.
 *
 * @param qmp asks it and tells it what to do
 * @param console the machine's serial port
 * @param ports of this machine, by the port of the guest that each leads to
 */
record QemuProcess(Process process, Qmp qmp, Console console, Map<Integer, Integer> ports) {
  private static final Duration KILL_LIMIT = Duration.ofSeconds(30);

  /**
   * Starts QEMU; returns when the processor runs.
   *
   * @param command made of {@link QemuArguments}
   * @param server where QEMU connects for its protocol
   * @throws Problem of kind ENVIRONMENT with what QEMU says when it refuses
   */
  static QemuProcess start(Command command, VmSpec spec, ServerSocketChannel server)
      throws IOException {
    OutputStream log = openLog(spec.serialLog());
    CompletableFuture<Process> started = new CompletableFuture<>();
    CompletableFuture<Console> attached = new CompletableFuture<>();
    // The kernel kills QEMU when the thread that started it ends, so this thread stays with it.
    Thread.ofPlatform()
        .daemon()
        .name("console of " + spec.disk().getFileName())
        .start(() -> attend(command, log, started, attached));
    Process process = get(started);
    StringBuffer errors = new StringBuffer();
    // Not virtual: a thread that waits at a pipe would keep its carrier from all others.
    Thread complaints = Thread.ofPlatform().daemon().start(() -> drainErrors(process, errors));
    // QEMU connects when it has understood its arguments; when it has not, it ends.
    process.onExit().thenRun(() -> closeQuietly(server));
    try {
      Qmp qmp = new Qmp(server.accept());
      return new QemuProcess(process, qmp, get(attached), ports(qmp));
    } catch (IOException | Problem e) {
      endAfterRefusal(process);
      join(complaints);
      throw new Problem(
          Problem.Kind.ENVIRONMENT,
          "QEMU does not start: " + (errors.isEmpty() ? e.getMessage() : errors.toString().strip()),
          e);
    }
  }

  /** A QEMU that refuses is ending by itself and still says why. */
  private static void endAfterRefusal(Process process) {
    try {
      if (!process.waitFor(2, TimeUnit.SECONDS)) {
        Command.kill(process);
      }
    } catch (InterruptedException e) {
      Command.kill(process);
      Thread.currentThread().interrupt();
    }
  }

  private static OutputStream openLog(@Nullable Path file) throws IOException {
    if (file == null) {
      return OutputStream.nullOutputStream();
    }
    Path parent = file.toAbsolutePath().getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    return Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }

  private static void attend(
      Command command,
      OutputStream log,
      CompletableFuture<Process> started,
      CompletableFuture<Console> attached) {
    try (log) {
      Process process = command.start();
      Console console = new Console(process.getOutputStream());
      started.complete(process);
      attached.complete(console);
      console.pump(process.getInputStream(), log);
    } catch (IOException e) {
      // The console ends with the machine; whoever waits for it sees that.
    } catch (RuntimeException e) {
      started.completeExceptionally(e);
    }
  }

  private static void drainErrors(Process process, StringBuffer errors) {
    try (var lines = process.errorReader()) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (errors.length() < 4096) {
          errors.append(line).append('\n');
        }
      }
    } catch (IOException e) {
      // The process is gone.
    }
  }

  private static <T> T get(CompletableFuture<T> future) {
    try {
      return future.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Problem(Problem.Kind.ENVIRONMENT, "interrupted while QEMU started", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Problem p) {
        throw p;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void closeQuietly(ServerSocketChannel server) {
    try {
      server.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Asks QEMU which ports the system chose: lines such as {@code TCP[HOST_FORWARD] 12 127.0.0.1
   * 40123 10.0.2.15 22 0 0}.
   */
  static Map<Integer, Integer> ports(Qmp qmp) throws IOException {
    String text =
        qmp.execute("human-monitor-command", Map.of("command-line", "info usernet")).asString("");
    Matcher line =
        Pattern.compile("TCP\\[HOST_FORWARD]\\s+\\S+\\s+\\S+\\s+(\\d+)\\s+\\S+\\s+(\\d+)")
            .matcher(text);
    Map<Integer, Integer> ports = new HashMap<>();
    while (line.find()) {
      ports.put(Integer.valueOf(line.group(2)), Integer.valueOf(line.group(1)));
    }
    return Map.copyOf(ports);
  }

  /** Kills it between two instructions of the guest. */
  void kill() throws IOException {
    Command.kill(process);
    awaitEnd(process);
    qmp.close();
  }

  private static void awaitEnd(Process process) {
    try {
      if (!process.waitFor(KILL_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
        throw Problem.environment("QEMU, process " + process.pid() + ", does not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
