package slipway.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.cli.Main;

/** What strangers wrote is shown, and obeyed by no terminal. */
class PrintedTest {
  private static final String BAD = "a\u001b]0;x\u0007\r\nerror: b\u009b2J";
  private static final String SHOWN = "a\\x1b]0;x\\x07\\r\\nerror: b\\x9b2J";

  @Test
  void aCellOfATableIsOneLine() {
    Table table = new Table("NAME", "SIZE");
    table.row(BAD, "1");
    table.row("🚢", "2");
    assertThat(table.toString())
        .isEqualTo(
            "NAME"
                + " ".repeat(SHOWN.length() - 1)
                + "SIZE\n"
                + SHOWN
                + "   1\n🚢"
                + " ".repeat(SHOWN.length() + 2)
                + "2\n");
  }

  @Test
  void aProblemIsOneLineAndWhatAToolSaidIsBelow() {
    assertThat(Main.sentence(Problem.corrupt("media type " + BAD)))
        .isEqualTo("media type " + SHOWN);
    assertThat(Main.sentence(Problem.environment("x failed").withDetails("one\u001b\ntwo\n")))
        .isEqualTo("x failed\n  one\\x1b\n  two");
    assertThat(Main.sentence(new IOException(BAD))).isEqualTo(SHOWN);
  }

  @Test
  void aLogRecordIsOneLine() {
    LogRecord record = new LogRecord(Level.WARNING, "cannot serve " + BAD);
    record.setLoggerName("slipway.registry");
    record.setThrown(new IOException(BAD));
    assertThat(new LogLines().format(record))
        .endsWith(
            " WARNING slipway.registry: cannot serve "
                + SHOWN
                + ": java.io.IOException: "
                + SHOWN
                + "\n")
        .hasLineCount(1);
    record.setThrown(new IllegalStateException("x"));
    assertThat(new LogLines().format(record)).contains("\n\\tat ");
  }
}
