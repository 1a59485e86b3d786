package slipway.base;

import java.io.IOException;
import java.io.InputStream;
import java.util.function.LongConsumer;

/** Tells how much is read of a stream: to a progress task, a limit or a sum. */
public final class CountedInput extends BlockFilter {
  private final LongConsumer count;

  /**
   * @param in closed with this
   * @param count is told the bytes of each read that gave some, before the reader has them
   */
  public CountedInput(InputStream in, LongConsumer count) {
    super(in);
    this.count = count;
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    int n = in.read(buffer, offset, length);
    if (n > 0) {
      count.accept(n);
    }
    return n;
  }
}
