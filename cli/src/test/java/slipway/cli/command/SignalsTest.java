package slipway.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.base.AtomicFile;
import slipway.base.Cleanup;
import slipway.base.Limit;
import slipway.base.Progress;
import slipway.cli.Main;
import slipway.cli.output.TerminalProgress;
import slipway.linux.process.Command;

/** What a signal and a failure in the background do to a process of its own. */
@Timeout(60)
class SignalsTest {
  @TempDir Path folder;

  /** Programs to be stopped; each says {@code ready} and then works for ever. */
  static final class Program {
    private Program() {}

    public static void main(String[] args) throws Exception {
      Signals signals = Signals.listen(System.err, Duration.ofSeconds(1));
      Thread.setDefaultUncaughtExceptionHandler((t, e) -> signals.fail(Main.sentence(e)));
      Path folder = Path.of(args[1]);
      try (AtomicFile file = AtomicFile.create(folder.resolve("unfinished"))) {
        file.out().write(1);
        Files.createFile(folder.resolve("left"));
        Cleanup.register("the file", () -> Files.delete(folder.resolve("left")));
        switch (args[0]) {
          case "waits" -> {
            System.out.println("ready");
            Command.of("sleep", "1000").run();
          }
          case "has-erased" -> {
            Cleanup.remark("nothing of this one").close();
            try (Cleanup.Remark remark = Cleanup.remark("the disk is erased")) {
              System.out.println("ready");
              Command.of("sleep", "1000").run();
            }
          }
          case "is-deaf" -> {
            Command.of("sh", "-c", "trap '' TERM; sleep 1000").start();
            System.out.println("ready");
            while (true) {
              Thread.onSpinWait();
            }
          }
          case "is-slow-to-clean" -> {
            Cleanup.register("the machine", () -> waitForEver());
            System.out.println("ready");
            waitForEver();
          }
          case "takes-its-time" -> {
            // Three times the usual grace.
            Signals.allow(Duration.ofSeconds(30));
            CountDownLatch never = new CountDownLatch(1);
            System.out.println("ready");
            try {
              never.await();
            } catch (InterruptedException e) {
              boolean unused = never.await(3, TimeUnit.SECONDS);
              System.err.println("ended in order");
            }
          }
          case "takes-too-long" -> {
            Signals.allow(Duration.ofSeconds(30));
            System.out.println("ready");
            waitForEver();
          }
          case "loses-a-thread" -> {
            Thread.ofPlatform()
                .start(
                    () -> {
                      System.out.println("ready");
                      throw new OutOfMemoryError("Java heap space");
                    });
            waitForEver();
          }
          case "tells-nobody" -> {
            Progress progress = TerminalProgress.forStderr(System.err, false);
            System.out.println("ready");
            while (true) {
              progress.note("x".repeat(1000));
            }
          }
          default -> throw new IllegalArgumentException(args[0]);
        }
      } finally {
        signals.done();
      }
    }

    private static void waitForEver() {
      while (true) {
        java.util.concurrent.locks.LockSupport.park();
      }
    }
  }

  private record Ended(int status, String err, double seconds) {}

  private Process start(String program) throws IOException {
    // A job in the background of a script has SIGINT ignored, and so have its children.
    return new ProcessBuilder(
            "env",
            "--default-signal=HUP,INT,TERM",
            Path.of(System.getProperty("java.home"), "bin/java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            Program.class.getName(),
            program,
            folder.toString())
        .start();
  }

  private Ended end(String program, String... signals) throws IOException, InterruptedException {
    Process process = start(program);
    try {
      BufferedReader out = process.inputReader();
      assertThat(out.readLine()).isEqualTo("ready");
      List<ProcessHandle> children = process.descendants().toList();
      long start = System.nanoTime();
      BufferedReader err = process.errorReader();
      StringBuilder said = new StringBuilder();
      for (String signal : signals) {
        Command.of("kill", "-" + signal, Long.toString(process.pid())).run();
        if (said.isEmpty()) {
          said.append(err.readLine()).append('\n');
        }
      }
      assertThat(process.waitFor(40, TimeUnit.SECONDS)).as("ends").isTrue();
      double seconds = (System.nanoTime() - start) / 1e9;
      assertThat(children).noneMatch(ProcessHandle::isAlive);
      err.lines().forEach(line -> said.append(line).append('\n'));
      return new Ended(process.exitValue(), said.toString(), seconds);
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly().waitFor();
    }
  }

  private void assertNothingLeft() throws IOException {
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({"TERM, 143", "INT, 130", "HUP, 129"})
  void aSignalEndsWorkAndCleansUp(String signal, int status) throws Exception {
    Ended ended = end("waits", signal);
    assertThat(ended.err()).isEqualTo("stopped by SIG" + signal + "; cleaning up\n");
    assertThat(ended.status()).isEqualTo(status);
    assertThat(ended.seconds()).isLessThan(5);
    assertNothingLeft();
  }

  @Test
  void whatIsLostIsToldWhenASignalEndsTheWork() throws Exception {
    Ended ended = end("has-erased", "INT");
    assertThat(ended.err())
        .isEqualTo("stopped by SIGINT; cleaning up\nwarning: the disk is erased\n");
    assertThat(ended.status()).isEqualTo(130);
  }

  @Test
  @Tag("slow")
  void workThatDoesNotListenEndsToo() throws Exception {
    Ended ended = end("is-deaf", "TERM");
    assertThat(ended.err()).isEqualTo("stopped by SIGTERM; cleaning up\n");
    assertThat(ended.status()).isEqualTo(143);
    assertThat(ended.seconds()).isLessThan(20);
    assertNothingLeft();
  }

  @Test
  @Tag("slow")
  void aCleanUpThatHangsIsTold() throws Exception {
    Ended ended = end("is-slow-to-clean", "TERM");
    assertThat(ended.err())
        .isEqualTo(
            "stopped by SIGTERM; cleaning up\n"
                + "warning: not all could be cleaned up within 1 s\n");
    assertThat(ended.status()).isEqualTo(143);
    assertThat(ended.seconds()).isLessThan(25);
  }

  @Test
  @Tag("slow")
  void aServerHasTheTimeThatItStatesToEndInOrder() throws Exception {
    Ended ended = end("takes-its-time", "TERM");
    assertThat(ended.err()).isEqualTo("stopped by SIGTERM; cleaning up\nended in order\n");
    assertThat(ended.status()).isEqualTo(143);
    assertThat(ended.seconds()).isLessThan(25);
    assertNothingLeft();
  }

  /** As with {@code 2>&1 | less} when nobody turns the page. */
  @Test
  @Tag("slow")
  void aSignalEndsWorkThatWaitsForAReaderOfItsMessages() throws Exception {
    Process process = start("tells-nobody");
    try {
      assertThat(process.inputReader().readLine()).isEqualTo("ready");
      awaitBlockedWriter(process);
      Command.of("kill", "-TERM", Long.toString(process.pid())).run();
      assertThat(process.waitFor(20, TimeUnit.SECONDS)).as("ends").isTrue();
      assertThat(process.exitValue()).isEqualTo(143);
      assertNothingLeft();
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  /** Waits until a thread of a process waits for room in a pipe. */
  private static void awaitBlockedWriter(Process process) throws IOException {
    Path threads = Path.of("/proc/" + process.pid() + "/task");
    while (true) {
      try (DirectoryStream<Path> all = Files.newDirectoryStream(threads)) {
        for (Path thread : all) {
          if (Files.readString(thread.resolve("wchan")).endsWith("pipe_write")) {
            return;
          }
        }
      } catch (NoSuchFileException | DirectoryIteratorException e) {
        // A thread has ended meanwhile.
      }
    }
  }

  @Test
  void aSecondSignalCutsThatTimeShort() throws Exception {
    Ended ended = end("takes-too-long", "TERM", "INT");
    assertThat(ended.err()).isEqualTo("stopped by SIGTERM; cleaning up\n");
    assertThat(ended.status()).isEqualTo(143);
    assertThat(ended.seconds()).isLessThan(25);
    assertNothingLeft();
  }

  @Test
  @Tag("slow")
  void anErrorOfAThreadInTheBackgroundEndsTheCommand() throws Exception {
    Ended ended = end("loses-a-thread");
    assertThat(ended.err())
        .startsWith("error: this needs more memory than the ")
        .containsPattern("; give the command more memory, such as SLIPWAY_HEAP=[0-9]+m ")
        .hasLineCount(1);
    assertThat(ended.status()).isEqualTo(1);
    assertNothingLeft();
  }

  /** Reads a Containerfile from a terminal that says nothing, and loses a thread meanwhile. */
  static final class Waiting {
    private Waiting() {}

    public static void main(String[] args) {
      Thread.ofPlatform()
          .start(
              () -> {
                while (Thread.getDefaultUncaughtExceptionHandler() == null) {
                  Thread.onSpinWait();
                }
                throw new OutOfMemoryError("Java heap space");
              });
      Main.main(new String[] {"build", "-f", "-", "serve"});
    }
  }

  @Test
  void aCommandIsNoServerBecauseOfAWordOnItsLine() throws Exception {
    Files.createDirectory(folder.resolve("serve"));
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Waiting.class.getName())
            .directory(folder.toFile())
            .start();
    try {
      assertThat(process.waitFor(20, TimeUnit.SECONDS)).as("ends").isTrue();
      assertThat(process.exitValue()).isEqualTo(1);
      assertThat(new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8))
          .contains("error: this needs more memory than the ");
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  @Test
  void everyErrorIsASentence() {
    assertThat(Main.sentence(new StackOverflowError())).startsWith("something is nested too deep");
    assertThat(
            Main.sentence(
                new IllegalStateException(
                    new java.util.concurrent.ExecutionException(new OutOfMemoryError()))))
        .startsWith("this needs more memory");
    assertThat(Main.sentence(new java.nio.file.InvalidPathException("a\0", "Nul character")))
        .isEqualTo("\"a\\x00\" is not a path: Nul character");
    assertThat(Main.sentence(new NoClassDefFoundError("x\u001b[2J")))
        .startsWith("internal error, please report it")
        .endsWith("x\\x1b[2J");
    assertThat(Main.sentence(Limit.LAYER_BYTES.exceeded("layer \u001b]0;x\u0007")))
        .startsWith("layer \\x1b]0;x\\x07: more than 16 GiB");
  }
}
