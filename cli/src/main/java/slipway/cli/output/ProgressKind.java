package slipway.cli.output;

import java.io.PrintStream;
import java.util.Locale;
import slipway.base.Problem;
import slipway.base.Progress;

/** How long work is told on stderr, by the words of bootc-image-builder's {@code --progress}. */
public enum ProgressKind {
  /** Bars on a terminal, else notes. */
  AUTO,
  /** Notes, a line each. */
  VERBOSE,
  /** Bars, where there is a terminal for them. */
  TERM,
  /** Notes, and when each task begins and ends. */
  DEBUG,
  /** JSON, an object a line. */
  JSON;

  /**
   * @throws Problem of kind USAGE
   */
  public static ProgressKind parse(String text) {
    for (ProgressKind kind : values()) {
      if (kind.name().toLowerCase(Locale.ROOT).equals(text)) {
        return kind;
      }
    }
    throw Problem.usage(
        "unknown progress type: \"" + text + "\"; there are auto, verbose, term, debug and json");
  }

  /** What tells it; {@link TerminalProgress#finish} ends it. */
  public Progress to(PrintStream err) {
    return switch (this) {
      case AUTO, TERM -> TerminalProgress.forStderr(err, false);
      case VERBOSE -> TerminalProgress.notes(err);
      case DEBUG -> new TaskNotes(TerminalProgress.notes(err));
      case JSON -> new JsonProgress(err);
    };
  }

  /** Tells of tasks in notes, too. */
  private record TaskNotes(Progress notes) implements Progress {
    @Override
    public Task start(String name, long total) {
      note("begins: " + name + (total < 0 ? "" : ", " + total + " bytes"));
      return new Task() {
        @Override
        public void advance(long amount) {}

        @Override
        public void close() {
          note("ended: " + name);
        }
      };
    }

    @Override
    public Phases phases(String name) {
      return new Phases() {
        @Override
        public void at(String what) {
          note(name + ": " + what);
        }

        @Override
        public void close() {
          note("ended: " + name);
        }
      };
    }

    @Override
    public void note(String line) {
      notes.note(line);
    }

    @Override
    public void output(String line) {
      notes.output(line);
    }
  }
}
