package slipway.cli.output;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import slipway.base.Printable;
import slipway.base.Problem;

/**
 * Log records as one line each: time in UTC, level, logger, message, cause. What strangers put into
 * a message cannot begin a line of its own or reach the terminal. Where it came from follows for
 * what is a defect of ours, or for all with SLIPWAY_DEBUG.
 */
public final class LogLines extends Formatter {
  /** Makes all log records of this process such lines on stderr. */
  public static void install() {
    for (Handler handler : Logger.getLogger("").getHandlers()) {
      handler.setFormatter(new LogLines());
    }
  }

  @Override
  public String format(LogRecord record) {
    Instant time = record.getInstant().truncatedTo(ChronoUnit.SECONDS);
    StringBuilder line = new StringBuilder();
    line.append(time).append(' ').append(record.getLevel().getName()).append(' ');
    line.append(record.getLoggerName()).append(": ");
    line.append(Printable.text(formatMessage(record)));
    Throwable thrown = record.getThrown();
    if (thrown == null) {
      return line.append('\n').toString();
    }
    line.append(": ").append(Printable.text(thrown.toString())).append('\n');
    boolean ours = thrown instanceof Error || thrown instanceof RuntimeException;
    if ((ours && !(thrown instanceof Problem)) || areTracesShown()) {
      StringWriter trace = new StringWriter();
      thrown.printStackTrace(new PrintWriter(trace));
      line.append(Printable.lines(trace.toString()));
    }
    return line.toString();
  }

  /** Whether SLIPWAY_DEBUG asks where failures come from; one that is empty does not. */
  public static boolean areTracesShown() {
    String wanted = System.getenv("SLIPWAY_DEBUG");
    return wanted != null && !wanted.isEmpty();
  }
}
