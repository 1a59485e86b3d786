package slipway.cli.command;

import java.io.PrintStream;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import slipway.base.Cleanup;
import slipway.cli.output.TerminalProgress;
import sun.misc.Signal;

/**
 * SIGTERM, SIGINT and SIGHUP end the process in order ({@link Cleanup}), with one line on stderr
 * and the exit code 128 + the signal's number. So does an error that ends a thread of the
 * background while others wait for it, with code 1.
 */
public final class Signals {
  /** For unwinding, and as much again for what was not reached. */
  private static final Duration GRACE = Duration.ofSeconds(5);

  /** What the command that runs needs to end in order, when that is longer. */
  private static volatile Duration asked = Duration.ZERO;

  /** A registry answers the other requests when one fails; a command would wait for ever. */
  private static volatile boolean serves;

  /**
   * For what is told at the end to be printed, which a reader of stderr who waits would prevent.
   */
  private static final Duration PRINTING = Duration.ofSeconds(1);

  private final Thread worker;
  private final PrintStream err;
  private final Duration grace;
  private final CompletableFuture<@Nullable Void> unwound = new CompletableFuture<>();

  /** Done by the second signal. */
  private final CompletableFuture<@Nullable Void> hurry = new CompletableFuture<>();

  /** Set by the first signal or failure, before anything is told: what comes later is a second. */
  private final AtomicBoolean ending = new AtomicBoolean();

  private boolean waited;

  private Signals(Thread worker, PrintStream err, Duration grace) {
    this.worker = worker;
    this.err = err;
    this.grace = grace;
  }

  /** Listens from now on; the calling thread is the one that works. */
  public static Signals listen(PrintStream err) {
    return listen(err, GRACE);
  }

  static Signals listen(PrintStream err, Duration grace) {
    Signals signals = new Signals(Thread.currentThread(), err, grace);
    for (String name : new String[] {"TERM", "INT", "HUP"}) {
      try {
        Signal.handle(new Signal(name), signals::handle);
      } catch (IllegalArgumentException e) {
        // The JVM was told to leave this one alone (-Xrs, or nohup for HUP).
      }
    }
    return signals;
  }

  /**
   * States how long the command that runs may take to end in order, such as a server with requests
   * under way. A second signal cuts that time short.
   */
  public static void allow(Duration time) {
    asked = time;
  }

  /** Told by a command that goes on for others when a thread of it ends in an error. */
  public static void serve() {
    serves = true;
  }

  /** Whether the command goes on when a thread of it ends in an error. */
  public static boolean serves() {
    return serves;
  }

  private void handle(Signal signal) {
    String name = "SIG" + signal.getName();
    if (!end(name, "stopped by " + name + "; cleaning up", 128 + signal.getNumber())) {
      hurry.complete(null);
    }
  }

  /** Ends the process because a thread in the background died and others may wait for it. */
  public void fail(String sentence) {
    Thread.ofPlatform()
        .daemon()
        .name("failure")
        .start(() -> end("an internal error", "error: " + sentence, 1));
  }

  /** Ends the process; returns only when that is under way already, with false. */
  private boolean end(String why, String line, int status) {
    if (!ending.compareAndSet(false, true)) {
      return false;
    }
    LastWords words = new LastWords(err);
    words.tell(line);
    words.await(PRINTING);
    boolean first =
        Cleanup.stop(
            why, worker, this::awaitUnwound, grace, text -> words.tell("warning: " + text));
    if (first) {
      words.await(PRINTING);
      Runtime.getRuntime().halt(status);
    }
    return false;
  }

  /**
   * Prints lines from a thread of its own. Whoever holds the progress or stderr may be printing to
   * somebody who reads no more, such as a pager: the end must not wait for that.
   */
  private static final class LastWords {
    private final ExecutorService printer =
        Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("last-words").factory());
    private final PrintStream err;
    private Future<?> last;

    LastWords(PrintStream err) {
      this.err = err;
      this.last = printer.submit(TerminalProgress::stopBars);
    }

    synchronized void tell(String line) {
      last = printer.submit(() -> err.println(line));
    }

    /** Waits until all is printed, for some time. */
    void await(Duration limit) {
      Future<?> all;
      synchronized (this) {
        all = last;
      }
      try {
        all.get(limit.toMillis(), TimeUnit.MILLISECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } catch (ExecutionException | TimeoutException e) {
        // Nobody reads it.
      }
    }
  }

  private boolean awaitUnwound(Duration limit) {
    boolean patient = !waited && asked.compareTo(limit) > 0;
    waited = true;
    try {
      CompletableFuture.anyOf(unwound, hurry)
          .get((patient ? asked : limit).toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      return false;
    }
    return unwound.isDone();
  }

  /**
   * Tells that the work is over. When the process was told to end meanwhile, this does not return:
   * the handler ends the process.
   */
  public void done() {
    unwound.complete(null);
    CountDownLatch never = new CountDownLatch(1);
    while (Cleanup.isStopped()) {
      try {
        never.await();
      } catch (InterruptedException e) {
        // The handler asks once more; it ends the process in a moment.
      }
    }
  }
}
