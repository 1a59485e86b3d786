package slipway.cli.output;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import slipway.base.Cleanup;
import slipway.base.Printable;

/** A story told step by step: a line with its time when a step is done, and a table at the end. */
public final class Steps {
  /** A step that is over. */
  record Done(String name, double seconds, String result) {}

  /** What a step gives: a value for the next steps, and words for the table. */
  public record Outcome<T extends @Nullable Object>(T value, String words) {}

  private final PrintWriter out;
  private final int total;
  private final List<Done> done = new ArrayList<>();

  /**
   * @param total how many steps there will be
   */
  public Steps(PrintWriter out, int total) {
    this.out = out;
    this.total = total;
  }

  /** Runs a step; its failure ends the story and says which step it was. */
  public <T extends @Nullable Object> T run(String name, Callable<Outcome<T>> work)
      throws Exception {
    out.printf(Locale.ROOT, "[%2d/%d] %s ...%n", done.size() + 1, total, name);
    out.flush();
    long start = System.nanoTime();
    Outcome<T> outcome;
    try {
      outcome = work.call();
    } catch (Exception e) {
      // Who stopped it knows, and has been told in a line of its own.
      if (!Cleanup.isStopped()) {
        out.printf(
            Locale.ROOT,
            "        failed after %.1f s: %s%n",
            (System.nanoTime() - start) / 1e9,
            name);
        out.flush();
      }
      throw e;
    }
    Done step = new Done(name, (System.nanoTime() - start) / 1e9, outcome.words());
    done.add(step);
    out.printf(Locale.ROOT, "        %6.1f s  %s%n", step.seconds(), Printable.text(step.result()));
    out.flush();
    return outcome.value();
  }

  /** Prints the table of steps, for people or as JSON. */
  public void table(boolean json) {
    if (json) {
      out.println(JsonText.steps(done));
      out.flush();
      return;
    }
    Table table = new Table("STEP", "SECONDS", "RESULT");
    double sum = 0;
    for (Done step : done) {
      table.row(step.name(), String.format(Locale.ROOT, "%.1f", step.seconds()), step.result());
      sum += step.seconds();
    }
    table.row("all", String.format(Locale.ROOT, "%.1f", sum), "");
    out.println();
    out.print(table);
    out.flush();
  }
}
