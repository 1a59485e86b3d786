package slipway.builder.engine;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import slipway.base.Progress;

/** Tells a progress task how much was read. */
final class CountedStream extends FilterInputStream {
  private final Progress.Task task;

  CountedStream(InputStream in, Progress.Task task) {
    super(in);
    this.task = task;
  }

  @Override
  public int read() throws IOException {
    int b = super.read();
    task.advance(b < 0 ? 0 : 1);
    return b;
  }

  @Override
  public int read(byte[] b, int offset, int length) throws IOException {
    int n = super.read(b, offset, length);
    task.advance(Math.max(0, n));
    return n;
  }
}
