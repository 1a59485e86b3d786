package slipway.base;

import java.util.function.Consumer;

/**
 * Hears of work in notes alone.
 *
 * @param lines takes them, one after the other
 */
public record Notes(Consumer<String> lines) implements Progress {
  @Override
  public Task start(String name, long total) {
    return NONE.start(name, total);
  }

  @Override
  public synchronized void note(String line) {
    lines.accept(line);
  }
}
