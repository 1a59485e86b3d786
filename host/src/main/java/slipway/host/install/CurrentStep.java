package slipway.host.install;

import slipway.base.Progress;

/** Remembers what an installation is doing, so that a failure can say what it was. */
final class CurrentStep implements Progress {
  private final Progress listener;
  private volatile String what = "";

  CurrentStep(Progress listener) {
    this.listener = listener;
  }

  void at(String step) {
    what = step;
  }

  /** Such as {@code making file systems}; empty before anything was done. */
  String what() {
    return what;
  }

  @Override
  public Task start(String name, long total) {
    return listener.start(name, total);
  }

  @Override
  public Phases phases(String name) {
    Phases phases = listener.phases(name);
    return new Phases() {
      @Override
      public void at(String step) {
        what = step;
        phases.at(step);
      }

      @Override
      public void close() {
        phases.close();
      }
    };
  }

  @Override
  public void note(String line) {
    listener.note(line);
  }

  @Override
  public void output(String line) {
    listener.output(line);
  }
}
