package slipway.cli.output;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import slipway.base.Progress;

class TerminalProgressTest {
  /**
   * As much of a terminal as bars need: lines, the cursor's way up, clearing, wrapping. A byte is a
   * column.
   */
  private static final class Screen extends OutputStream {
    private final int columns;
    private final List<StringBuilder> rows = new ArrayList<>(List.of(new StringBuilder()));
    private final StringBuilder sequence = new StringBuilder();
    private int row;
    private boolean wraps = true;

    Screen(int columns) {
      this.columns = columns;
    }

    @Override
    public synchronized void write(int b) {
      char c = (char) (b & 0xff);
      if (sequence.length() > 0 || c == '\033') {
        sequence.append(c);
        if (Character.isLetter(c)) {
          obey(sequence.substring(1));
          sequence.setLength(0);
        }
      } else if (c == '\n') {
        down();
      } else if (rows.get(row).length() < columns) {
        rows.get(row).append(c);
      } else if (wraps) {
        down();
        rows.get(row).append(c);
      }
    }

    private void down() {
      row++;
      if (row == rows.size()) {
        rows.add(new StringBuilder());
      }
    }

    private void obey(String order) {
      switch (order.charAt(order.length() - 1)) {
        case 'A' -> row -= Integer.parseInt(order.substring(1, order.length() - 1));
        case 'J' -> {
          rows.subList(row + 1, rows.size()).clear();
          rows.get(row).setLength(0);
        }
        case 'h' -> wraps = true;
        case 'l' -> wraps = false;
        default -> throw new AssertionError(order);
      }
    }

    synchronized List<String> lines() {
      return rows.stream().map(StringBuilder::toString).toList();
    }

    boolean shows(String text) {
      return lines().stream().anyMatch(l -> l.contains(text));
    }

    PrintStream stream() {
      return new PrintStream(this, true, StandardCharsets.UTF_8);
    }
  }

  @Test
  void showsBytesAndKeepsNotes() {
    Screen screen = new Screen(80);
    try (TerminalProgress progress = new TerminalProgress(screen.stream(), 80)) {
      try (Progress.Task task = progress.start("layer 12ab", 1000)) {
        task.advance(500);
        progress.note("layers already present: 3");
        await().until(() -> screen.shows("layer 12ab   50%  500 B of 1.0 kB  "));
        assertThat(screen.lines().getFirst()).isEqualTo("layers already present: 3");
      }
    }
    assertThat(screen.lines()).containsExactly("layers already present: 3", "");
  }

  @Test
  void showsWhatATaskIsAtAndForHowLong() {
    Screen screen = new Screen(90);
    try (TerminalProgress progress = new TerminalProgress(screen.stream(), 80);
        Progress.Phases phases = progress.phases("packages")) {
      await().until(() -> screen.lines().getFirst().matches("  packages  \\d+ s"));
      phases.at("extracting\033[2J archives");
      await()
          .until(
              () ->
                  screen
                      .lines()
                      .getFirst()
                      .matches("  packages  extracting\\\\x1b\\[2J archives  \\d+ s"));
      phases.at("x".repeat(200));
      await().until(() -> screen.lines().getFirst().matches("  packages  x+\\P{ASCII}+  \\d+ s"));
      assertThat(screen.lines()).hasSize(2);
    }
    assertThat(screen.lines()).containsExactly("");
  }

  /** Others print where the bars are when no task runs, and keep what they print. */
  @Test
  void leavesNothingBehindATask() {
    Screen screen = new Screen(60);
    // Wider than the terminal is: nobody tells a program the width for sure.
    try (TerminalProgress progress = new TerminalProgress(screen.stream(), 100)) {
      for (int i = 0; i < 20; i++) {
        try (Progress.Task one = progress.start("layer " + "1".repeat(70), 1000);
            Progress.Task two = progress.start("layer 2", 1000)) {
          one.advance(10);
          two.advance(20);
          if (i == 0) {
            await().until(() -> screen.shows("layer 2"));
          }
        }
        screen.stream().println("line " + i);
      }
    }
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      expected.add("line " + i);
    }
    expected.add("");
    assertThat(screen.lines()).isEqualTo(expected);
  }

  @Test
  void aTerminalWithoutAKnownNameGetsNoBars() {
    assertThat(Terminal.isDumb("dumb")).isTrue();
    assertThat(Terminal.isDumb("")).isTrue();
    assertThat(Terminal.isDumb((String) null)).isTrue();
    assertThat(Terminal.isDumb("xterm-256color")).isFalse();
  }

  @Test
  void timesAreShort() {
    assertThat(TerminalProgress.time(0.2)).isEqualTo("0 s");
    assertThat(TerminalProgress.time(59.4)).isEqualTo("59 s");
    assertThat(TerminalProgress.time(125)).isEqualTo("2 min 5 s");
  }
}
