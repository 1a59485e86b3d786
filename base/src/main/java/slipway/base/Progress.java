package slipway.base;

/**
 * Listens to long work. Implementations are safe for use by many threads. The terminal's renderer,
 * the one for pipes and {@link #NONE} are the listeners that exist; workers never print.
 */
public interface Progress {
  /** Hears nothing. */
  Progress NONE =
      new Progress() {
        @Override
        public Task start(String name, long total) {
          return new Task() {
            @Override
            public void advance(long amount) {}

            @Override
            public void close() {}
          };
        }

        @Override
        public void note(String line) {}
      };

  /**
   * Begins a task that is measured in bytes.
   *
   * @param name what a person reads, such as {@code layer 3f1ac2d9}
   * @param total bytes to come, or -1 when unknown
   */
  Task start(String name, long total);

  /**
   * Begins a task that nobody can measure, so that it is told in words what it does. A listener
   * that shows no tasks leaves this as it is.
   *
   * @param name what a person reads, such as {@code packages}
   */
  default Phases phases(String name) {
    return new Phases() {
      @Override
      public void at(String what) {}

      @Override
      public void close() {}
    };
  }

  /** One line that stays on the terminal, such as {@code layers already present: 3}. */
  void note(String line);

  /**
   * One line that a program of a build printed: it stays on the terminal as the program wrote it,
   * colours too. All other lines are escaped.
   */
  default void output(String line) {
    note(line);
  }

  /** A running task; close ends it, after a failure too. */
  interface Task extends AutoCloseable {
    /** Adds bytes that are done; may be negative when a retry starts anew. */
    void advance(long amount);

    @Override
    void close();
  }

  /** A running task that goes from one phase to the next; close ends it, after a failure too. */
  interface Phases extends AutoCloseable {
    /** Tells what is done now, such as {@code installing essential packages}. */
    void at(String what);

    @Override
    void close();
  }
}
