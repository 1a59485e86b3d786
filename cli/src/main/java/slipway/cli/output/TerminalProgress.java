package slipway.cli.output;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import slipway.base.Printable;
import slipway.base.Progress;

/**
 * Bars on a terminal: one line a running task, with bytes, rate and time left or with what it is
 * at, redrawn ten times a second by one thread that ends with {@link #close()}. Notes scroll by
 * above the bars. What others print between two tasks stays: a bar is gone when its task has ended.
 */
public final class TerminalProgress implements Progress, AutoCloseable {
  private static final int MAX_LINES = 8;
  private static final long REDRAW_MILLIS = 100;

  /** A line that is too long after all must not become two, which {@link #erase} does not know. */
  private static final String WRAP_OFF = "\033[?7l";

  private static final String WRAP_ON = "\033[?7h";

  private final PrintStream out;
  private final int width;
  private final List<Bar> bars = new CopyOnWriteArrayList<>();
  private final Thread painter;

  /** The bars that are on the terminal, for {@link #stopBars}. */
  private static final AtomicReference<@Nullable TerminalProgress> SHOWN = new AtomicReference<>();

  private int painted;
  private boolean closed;

  TerminalProgress(PrintStream out, int width) {
    this.out = out;
    this.width = width;
    SHOWN.set(this);
    this.painter = Thread.ofPlatform().daemon().name("progress").start(this::paintUntilClosed);
  }

  /** What to use for {@code stderr}: bars on a terminal that can show them, else notes only. */
  public static Progress forStderr(PrintStream err, boolean quiet) {
    if (quiet) {
      return NONE;
    }
    return Terminal.stderrIsTerminal() && !Terminal.isDumb()
        ? new TerminalProgress(err, Terminal.width())
        : notes(err);
  }

  /** Notes only, a line each. */
  static Progress notes(PrintStream err) {
    return new Notes(err);
  }

  /** Ends the painter of {@code progress} if it has one. */
  public static void finish(Progress progress) {
    if (progress instanceof TerminalProgress terminal) {
      terminal.close();
    }
  }

  @Override
  public Task start(String name, long total) {
    Bytes bar = new Bytes(name, total);
    bars.add(bar);
    return bar;
  }

  @Override
  public Phases phases(String name) {
    Words bar = new Words(name);
    bars.add(bar);
    return bar;
  }

  private synchronized void end(Bar bar) {
    bars.remove(bar);
    if (!closed) {
      paint();
    }
  }

  @Override
  public void note(String line) {
    output(Printable.text(line));
  }

  @Override
  public synchronized void output(String line) {
    erase();
    out.println(line);
    out.flush();
  }

  @Override
  public void close() {
    stop();
    SHOWN.compareAndSet(this, null);
    try {
      painter.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Takes the bars away for good, because the process ends and has something to say. */
  public static void stopBars() {
    TerminalProgress shown = SHOWN.get();
    if (shown != null) {
      shown.stop();
    }
  }

  private synchronized void stop() {
    closed = true;
    erase();
    notifyAll();
  }

  private synchronized void paintUntilClosed() {
    while (!closed) {
      paint();
      try {
        wait(REDRAW_MILLIS);
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private void paint() {
    List<Bar> shown = new ArrayList<>(bars);
    int hidden = Math.max(0, shown.size() - MAX_LINES);
    erase();
    if (shown.isEmpty()) {
      return;
    }
    StringBuilder text = new StringBuilder(WRAP_OFF);
    for (Bar bar : shown.subList(0, shown.size() - hidden)) {
      text.append(bar.line(width)).append('\n');
    }
    if (hidden > 0) {
      text.append("  and ").append(hidden).append(" more\n");
    }
    out.print(text.append(WRAP_ON));
    out.flush();
    painted = shown.size() - hidden + (hidden > 0 ? 1 : 0);
  }

  private void erase() {
    if (painted > 0) {
      out.print("\033[" + painted + "A\033[J");
      out.flush();
      painted = 0;
    }
  }

  /** Bytes as a person reads them, in powers of 1000: {@code 12.3 MB}. */
  public static String bytes(long count) {
    if (count < 1000) {
      return count + " B";
    }
    double value = count;
    String[] units = {"kB", "MB", "GB", "TB"};
    int unit = -1;
    while (value >= 1000 && unit < units.length - 1) {
      value /= 1000;
      unit++;
    }
    return String.format(Locale.ROOT, "%.1f %s", value, units[unit]);
  }

  /** As a person reads it: {@code 34 s}, {@code 2 min 5 s}. */
  static String time(double seconds) {
    long s = Math.round(seconds);
    return s < 60 ? s + " s" : s / 60 + " min " + s % 60 + " s";
  }

  /**
   * Bytes, rate and time left.
   *
   * @param total 0 or less when nobody knows
   */
  static String measured(long now, long total, double seconds) {
    double rate = seconds > 0 ? now / seconds : 0;
    StringBuilder s = new StringBuilder();
    if (total > 0) {
      s.append(String.format(Locale.ROOT, "%3d%%  ", Math.min(100, now * 100 / total)));
      s.append(bytes(now)).append(" of ").append(bytes(total));
    } else if (now > 0) {
      s.append(bytes(now));
    }
    if (now > 0) {
      s.append("  ").append(bytes((long) rate)).append("/s");
    }
    if (total > now && rate > 0) {
      s.append("  ").append(time((total - now) / rate)).append(" left");
    } else if (now == 0) {
      s.append("  ").append(time(seconds));
    }
    return s.toString();
  }

  private abstract class Bar implements AutoCloseable {
    private final String name;
    private final long started = System.nanoTime();

    Bar(String name) {
      this.name = Printable.text(name);
    }

    @Override
    public void close() {
      end(this);
    }

    double seconds() {
      return (System.nanoTime() - started) / 1e9;
    }

    /** What stands behind the name, in that many columns. */
    abstract String rest(int columns);

    String line(int columns) {
      String start = "  " + name + "  ";
      return cut(start + rest(columns - start.length()), columns);
    }

    static String cut(String text, int columns) {
      int most = Math.max(1, columns - 1);
      return text.length() <= most ? text : text.substring(0, most - 1) + "…";
    }
  }

  private final class Bytes extends Bar implements Task {
    private final long total;
    private final AtomicLong done = new AtomicLong();

    Bytes(String name, long total) {
      super(name);
      this.total = total;
    }

    @Override
    public void advance(long amount) {
      done.addAndGet(amount);
    }

    @Override
    String rest(int columns) {
      return measured(done.get(), total, seconds());
    }
  }

  private final class Words extends Bar implements Phases {
    private volatile String what = "";

    Words(String name) {
      super(name);
    }

    @Override
    public void at(String what) {
      this.what = Printable.text(what);
    }

    @Override
    String rest(int columns) {
      String time = time(seconds());
      String now = what;
      return now.isEmpty() ? time : cut(now, columns - time.length() - 2) + "  " + time;
    }
  }

  /** For pipes and dumb terminals: no bars, only the notes. */
  private record Notes(PrintStream out) implements Progress {
    @Override
    public Task start(String name, long total) {
      return NONE.start(name, total);
    }

    @Override
    public void note(String line) {
      output(Printable.text(line));
    }

    @Override
    public void output(String line) {
      out.println(line);
    }
  }
}
