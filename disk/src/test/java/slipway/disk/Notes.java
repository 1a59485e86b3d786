package slipway.disk;

import java.util.function.Consumer;
import slipway.base.Progress;

/** Work that is told of in notes alone. */
record Notes(Consumer<String> notes) implements Progress {
  @Override
  public Task start(String name, long total) {
    return Progress.NONE.start(name, total);
  }

  @Override
  public void note(String line) {
    notes.accept(line);
  }
}
