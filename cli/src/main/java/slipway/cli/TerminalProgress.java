package slipway.cli;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import slipway.base.Progress;

/**
 * Bars on a terminal: one line a running task with bytes, rate and time left, redrawn ten times a
 * second by one thread that ends with {@link #close()}. Notes scroll by above the bars.
 */
final class TerminalProgress implements Progress, AutoCloseable {
  private static final int MAX_LINES = 8;
  private static final long REDRAW_MILLIS = 100;

  private final PrintStream out;
  private final int width;
  private final List<Bar> bars = new CopyOnWriteArrayList<>();
  private final Thread painter;
  private int painted;
  private boolean closed;

  TerminalProgress(PrintStream out, int width) {
    this.out = out;
    this.width = width;
    this.painter = Thread.ofPlatform().daemon().name("progress").start(this::paintUntilClosed);
  }

  /** What to use for {@code stderr}: bars on a terminal, notes only in a pipe. */
  static Progress forStderr(PrintStream err, boolean quiet) {
    if (quiet) {
      return NONE;
    }
    return Terminal.stderrIsTerminal()
        ? new TerminalProgress(err, Terminal.width())
        : new Notes(err);
  }

  /** Ends the painter of {@code progress} if it has one. */
  static void finish(Progress progress) {
    if (progress instanceof TerminalProgress terminal) {
      terminal.close();
    }
  }

  @Override
  public Task start(String name, long total) {
    Bar bar = new Bar(name, total);
    bars.add(bar);
    return bar;
  }

  @Override
  public synchronized void note(String line) {
    erase();
    out.println(line);
    out.flush();
  }

  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      erase();
      notifyAll();
    }
    try {
      painter.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
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
    StringBuilder text = new StringBuilder();
    for (Bar bar : shown.subList(0, shown.size() - hidden)) {
      text.append(bar.line(width)).append('\n');
    }
    if (hidden > 0) {
      text.append("  and ").append(hidden).append(" more\n");
    }
    out.print(text);
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
  static String bytes(long count) {
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

  private final class Bar implements Task {
    private final String name;
    private final long total;
    private final long started = System.nanoTime();
    private final AtomicLong done = new AtomicLong();

    Bar(String name, long total) {
      this.name = name;
      this.total = total;
    }

    @Override
    public void advance(long amount) {
      done.addAndGet(amount);
    }

    @Override
    public void close() {
      bars.remove(this);
    }

    String line(int columns) {
      long now = done.get();
      double seconds = (System.nanoTime() - started) / 1e9;
      double rate = seconds > 0 ? now / seconds : 0;
      StringBuilder s = new StringBuilder("  ").append(name).append("  ");
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
        s.append("  ").append(left((total - now) / rate));
      } else if (now == 0) {
        s.append(String.format(Locale.ROOT, "%.0f s", seconds));
      }
      return s.length() < columns ? s.toString() : s.substring(0, columns - 1);
    }

    private static String left(double seconds) {
      long s = Math.round(seconds);
      return s < 60 ? s + " s left" : s / 60 + " min " + s % 60 + " s left";
    }
  }

  /** For pipes: no bars, only the notes. */
  private record Notes(PrintStream out) implements Progress {
    @Override
    public Task start(String name, long total) {
      return NONE.start(name, total);
    }

    @Override
    public void note(String line) {
      out.println(line);
    }
  }
}
