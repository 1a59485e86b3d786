package slipway.cli.output;

import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import slipway.base.Printable;
import slipway.base.Progress;

/**
 * For the console of a machine, which the kernel writes to as well and which is often recorded: no
 * bars, but a line when work comes to its next phase, and now and then one for each task that runs,
 * with bytes, rate and time left. One thread tells them, which ends with {@link #close()}.
 */
public final class ConsoleProgress implements Progress, AutoCloseable {
  private static final Duration PERIOD = Duration.ofSeconds(10);

  private final PrintStream out;
  private final long millis;
  private final List<Running> tasks = new CopyOnWriteArrayList<>();
  private final List<Running> phases = new CopyOnWriteArrayList<>();
  private final Thread teller;
  private boolean closed;

  public ConsoleProgress(PrintStream out) {
    this(out, PERIOD);
  }

  ConsoleProgress(PrintStream out, Duration period) {
    this.out = out;
    this.millis = period.toMillis();
    this.teller = Thread.ofPlatform().daemon().name("progress").start(this::tellUntilClosed);
  }

  @Override
  public Task start(String name, long total) {
    Bytes task = new Bytes(Printable.text(name), total);
    tasks.add(task);
    return task;
  }

  @Override
  public Phases phases(String name) {
    Words words = new Words();
    phases.add(words);
    return words;
  }

  @Override
  public void note(String line) {
    output(Printable.text(line));
  }

  @Override
  public synchronized void output(String line) {
    out.println(line);
    out.flush();
  }

  private synchronized void tellUntilClosed() {
    long next = System.nanoTime();
    while (!closed) {
      next += millis * 1_000_000;
      try {
        for (long left = millis; left > 0 && !closed; left = left(next)) {
          wait(left);
        }
      } catch (InterruptedException e) {
        return;
      }
      if (!closed) {
        (tasks.isEmpty() ? phases : tasks)
            .forEach(
                each -> {
                  if (each.isTold()) {
                    output("  " + each.line());
                  }
                });
      }
    }
  }

  private static long left(long next) {
    return (next - System.nanoTime()) / 1_000_000;
  }

  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      notifyAll();
    }
    try {
      teller.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private abstract static class Running {
    private final long started = System.nanoTime();

    double seconds() {
      return (System.nanoTime() - started) / 1e9;
    }

    abstract String line();

    /** Whether there is something to say of it. */
    boolean isTold() {
      return true;
    }
  }

  private final class Bytes extends Running implements Task {
    private final String name;
    private final long total;
    private final AtomicLong done = new AtomicLong();

    Bytes(String name, long total) {
      this.name = name;
      this.total = total;
    }

    @Override
    public void advance(long amount) {
      done.addAndGet(amount);
    }

    @Override
    String line() {
      return name + "  " + TerminalProgress.measured(done.get(), total, seconds());
    }

    @Override
    public void close() {
      tasks.remove(this);
    }
  }

  private final class Words extends Running implements Phases {
    private volatile String what = "";

    @Override
    public void at(String what) {
      this.what = Printable.text(what);
      output(this.what);
    }

    @Override
    boolean isTold() {
      return !what.isEmpty();
    }

    @Override
    String line() {
      return what + "  " + TerminalProgress.time(seconds());
    }

    @Override
    public void close() {
      phases.remove(this);
    }
  }
}
