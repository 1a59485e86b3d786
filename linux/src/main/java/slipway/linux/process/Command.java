package slipway.linux.process;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;

/**
 * An external process as a value: an argument list (never a shell string), changes to the
 * environment, what it reads, how long it may take. Immutable; each {@code with} method returns a
 * copy. A failure carries the command's name and the end of its stderr.
 */
public final class Command {
  /** The end of what the JVM says of a program that it cannot start. */
  private static final Pattern KERNEL_SAID =
      Pattern.compile("error[:=] ?[0-9]+,? \\(?([^()]+)\\)?$");

  private static final int STDERR_KEPT = 8 * 1024;
  private static final int STDOUT_LIMIT = 64 * 1024 * 1024;

  private static final List<String> ADMINISTRATORS =
      List.of("/usr/local/sbin", "/usr/sbin", "/sbin");

  private final List<String> argv;
  private final Map<String, @Nullable String> environment;
  private final @Nullable Path directory;
  private final byte @Nullable [] stdin;
  private final @Nullable Limit limit;

  /**
   * When a process is given up.
   *
   * @param idle whether only time counts in which it does nothing
   */
  private record Limit(Duration time, boolean idle) {}

  /** For what was printed and not read yet when a process ended. */
  private static final Duration REST = Duration.ofSeconds(2);

  private Command(
      List<String> argv,
      Map<String, @Nullable String> environment,
      @Nullable Path directory,
      byte @Nullable [] stdin,
      @Nullable Limit limit) {
    this.argv = List.copyOf(argv);
    this.environment = environment;
    this.directory = directory;
    this.stdin = stdin;
    this.limit = limit;
  }

  /** What a finished process left: its exit status, all of stdout, and the end of stderr. */
  public record Result(int status, byte[] stdout, String stderr) {
    public String text() {
      return new String(stdout, StandardCharsets.UTF_8);
    }
  }

  public static Command of(String... argv) {
    return of(List.of(argv));
  }

  public static Command of(List<String> argv) {
    if (argv.isEmpty()) {
      throw new IllegalArgumentException("a command has a name");
    }
    return new Command(argv, Map.of(), null, null, null);
  }

  /** With more arguments at the end. */
  public Command with(String... more) {
    List<String> all = new ArrayList<>(argv);
    all.addAll(List.of(more));
    return new Command(all, environment, directory, stdin, limit);
  }

  /** With a variable set, or removed when {@code value} is null. */
  public Command environment(String name, @Nullable String value) {
    Map<String, @Nullable String> all = new LinkedHashMap<>(environment);
    all.put(name, value);
    return new Command(argv, all, directory, stdin, limit);
  }

  public Command directory(Path working) {
    return new Command(argv, environment, working, stdin, limit);
  }

  /** With bytes to read; this is the way to hand over a secret. Without it stdin is empty. */
  public Command stdin(byte[] bytes) {
    return new Command(argv, environment, directory, bytes.clone(), limit);
  }

  public Command stdin(String text) {
    return stdin(text.getBytes(StandardCharsets.UTF_8));
  }

  /** With a limit after which the process and its children are killed and {@link #run} fails. */
  public Command timeout(Duration time) {
    return new Command(argv, environment, directory, stdin, new Limit(time, false));
  }

  /**
   * In place of {@link #timeout}: the process and its children are killed, and {@link #run} fails,
   * when they do nothing for so long. What takes its time on a slow machine goes on.
   */
  public Command idleLimit(Duration time) {
    return new Command(argv, environment, directory, stdin, new Limit(time, true));
  }

  public List<String> argv() {
    return argv;
  }

  /**
   * Runs to the end and returns what it printed.
   *
   * @throws Problem when it cannot be started, ends with a status other than 0, or takes too long
   */
  public Result run() {
    Result result = tryRun();
    if (result.status() != 0) {
      throw failed(result.status(), result.stderr().isBlank() ? result.text() : result.stderr());
    }
    return result;
  }

  /** Runs to the end and returns stdout without surrounding white space; fails as {@link #run}. */
  public String output() {
    return run().text().strip();
  }

  /** As {@link #run} but a status other than 0 is an answer, not a failure. */
  public Result tryRun() {
    return tryRun(line -> {});
  }

  /**
   * As {@link #tryRun()}, telling each line of stderr and stdout (decoded as UTF-8) to {@code
   * lines} as it comes.
   */
  public Result tryRun(Consumer<String> lines) {
    Process process = start();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Thread feeder = pump(() -> feed(process));
    Thread outReader = pump(() -> drain(process.getInputStream(), out, STDOUT_LIMIT, lines));
    Thread errReader = pump(() -> drain(process.getErrorStream(), err, STDERR_KEPT, lines));
    await(process, List.of(feeder, outReader, errReader), null);
    return new Result(process.exitValue(), out.toByteArray(), err.toString(StandardCharsets.UTF_8));
  }

  /**
   * A thread that waits at a pipe. Not a virtual one: the wait is in the kernel, where it keeps the
   * carrier, of which there are as many as processors, from every other virtual thread.
   */
  private static Thread pump(Runnable work) {
    return Thread.ofPlatform().daemon().name("pipe").start(work);
  }

  /**
   * Waits for the end of a process, and of what it prints: what it has started may go on, and hold
   * the pipes.
   *
   * @param rest how long those are waited for when the process has ended in its time; null for what
   *     is left of that. Without a limit of time they are waited for.
   */
  private void await(Process process, List<Thread> pumps, @Nullable Duration rest) {
    long start = System.nanoTime();
    try {
      if (limit == null) {
        process.waitFor();
      } else if (limit.idle()) {
        awaitWork(process, limit.time());
      } else if (!process.waitFor(limit.time().toMillis(), TimeUnit.MILLISECONDS)) {
        throw givenUp(process, "did not end within", limit.time());
      }
      for (Thread pump : pumps) {
        if (limit == null || limit.idle()) {
          pump.join();
        } else {
          Duration left = limit.time().minusNanos(System.nanoTime() - start);
          pump.join(rest == null || left.compareTo(rest) < 0 ? positive(left) : rest);
        }
      }
    } catch (InterruptedException e) {
      kill(process);
      Thread.currentThread().interrupt();
      throw new Problem(Problem.Kind.ENVIRONMENT, argv.getFirst() + " was interrupted", e);
    }
  }

  private static Duration positive(Duration time) {
    return time.isPositive() ? time : Duration.ofMillis(1);
  }

  private void awaitWork(Process process, Duration time) throws InterruptedException {
    Activity before = Activity.of(process);
    while (!process.waitFor(time.toMillis(), TimeUnit.MILLISECONDS)) {
      Activity now = Activity.of(process);
      if (now.isIdle(before, time)) {
        throw givenUp(process, "did nothing for", time);
      }
      before = now;
    }
  }

  private Problem givenUp(Process process, String how, Duration time) {
    kill(process);
    return Problem.environment(argv.getFirst() + " " + how + " " + time.toSeconds() + " s");
  }

  /**
   * Runs to the end with stderr in stdout, telling each line (decoded as UTF-8, cut at 16 KiB) to
   * {@code lines} as it comes and keeping nothing. With a {@link #timeout} the end of the process
   * is the end, also when something that it has started holds the pipe.
   *
   * @return the status
   * @throws Problem when it cannot be started, takes too long, or this thread is interrupted; the
   *     process is dead then
   */
  public int stream(Consumer<String> lines) {
    Process process = start(new ProcessBuilder(argv).redirectErrorStream(true));
    Thread feeder = pump(() -> feed(process));
    Thread reader =
        pump(() -> drain(process.getInputStream(), new ByteArrayOutputStream(), 0, lines));
    await(process, List.of(feeder, reader), REST);
    return process.exitValue();
  }

  /**
   * Starts and returns the process with pipes on all three streams (stdin is closed by the caller
   * when {@link #stdin} was not used). The caller ends it.
   */
  public Process start() {
    return start(new ProcessBuilder(found()));
  }

  /** Starts with stdin, stdout and stderr of this process. */
  public Process startInherited() {
    return start(new ProcessBuilder(found()).inheritIO());
  }

  /** With the place of a tool for administrators, where the user's PATH has it not (Debian). */
  private List<String> found() {
    String path = System.getenv().getOrDefault("PATH", "/usr/bin:/bin");
    List<String> all = new ArrayList<>(argv);
    all.set(0, found(argv.getFirst(), path));
    return all;
  }

  static String found(String program, String path) {
    if (program.contains("/") || isIn(program, List.of(path.split(":")))) {
      return program;
    }
    return ADMINISTRATORS.stream()
        .filter(folder -> isIn(program, List.of(folder)))
        .findFirst()
        .map(folder -> folder + "/" + program)
        .orElse(program);
  }

  private static boolean isIn(String program, List<String> folders) {
    return folders.stream().anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
  }

  private Process start(ProcessBuilder builder) {
    environment.forEach(
        (name, value) -> {
          if (value == null) {
            builder.environment().remove(name);
          } else {
            builder.environment().put(name, value);
          }
        });
    if (directory != null) {
      builder.directory(directory.toFile());
    }
    try {
      return builder.start();
    } catch (IOException e) {
      throw new Problem(
          Problem.Kind.ENVIRONMENT,
          "cannot start "
              + argv.getFirst()
              + ": is it installed and on the PATH? ("
              + reason(e)
              + ")",
          e);
    }
  }

  /** What the kernel said; the JVM's message names the program and a number, too. */
  private static String reason(IOException e) {
    String message = String.valueOf(e.getMessage()).strip();
    Matcher said = KERNEL_SAID.matcher(message);
    return said.find() ? said.group(1) : message;
  }

  /** Kills a process and all that it started. */
  public static void kill(Process process) {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }

  private Problem failed(int status, String stderr) {
    String text = stderr.strip();
    String sentence = argv.getFirst() + " failed with status " + status;
    // What fits the sentence stands in it.
    return text.lines().count() < 2
        ? Problem.environment(text.isEmpty() ? sentence : sentence + ": " + text)
        : Problem.environment(sentence).withDetails(text);
  }

  private void feed(Process process) {
    try (OutputStream in = process.getOutputStream()) {
      if (stdin != null) {
        in.write(stdin);
      }
    } catch (IOException e) {
      // The process ended without reading all of it; its status tells what that means.
    }
  }

  /** Reads to the end, keeping the last {@code limit} bytes. */
  private static void drain(
      InputStream in, ByteArrayOutputStream kept, int limit, Consumer<String> lines) {
    byte[] buffer = new byte[16 * 1024];
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    try (in) {
      for (int n; (n = in.read(buffer)) >= 0; ) {
        kept.write(buffer, 0, n);
        if (kept.size() > 2L * limit) {
          byte[] all = kept.toByteArray();
          kept.reset();
          kept.write(all, all.length - limit, limit);
        }
        for (int i = 0; i < n; i++) {
          if (buffer[i] == '\n') {
            lines.accept(line.toString(StandardCharsets.UTF_8));
            line.reset();
          } else if (line.size() < 16 * 1024) {
            line.write(buffer[i]);
          }
        }
      }
    } catch (IOException e) {
      // The pipe broke because the process was killed.
    }
    if (line.size() > 0) {
      lines.accept(line.toString(StandardCharsets.UTF_8));
    }
  }
}
