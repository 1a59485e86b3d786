package slipway.tree;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Streams that are read in a thread of their own. */
class ReadAheadTest {
  /** Answers a read only when whoever closes the stream has ended or waits. */
  private static final class Slow extends InputStream {
    private final CountDownLatch begun = new CountDownLatch(1);
    private final List<String> events;
    private volatile @Nullable Thread closing;

    Slow(List<String> events) {
      this.events = events;
    }

    @Override
    public int read() {
      begun.countDown();
      while (!isWaitingOrGone(closing)) {
        Thread.onSpinWait();
      }
      events.add("read");
      return 'x';
    }

    private static boolean isWaitingOrGone(@Nullable Thread thread) {
      return thread != null
          && (thread.getState() == Thread.State.WAITING
              || thread.getState() == Thread.State.TERMINATED);
    }

    @Override
    public int read(byte[] target, int offset, int length) {
      target[offset] = (byte) read();
      return 1;
    }
  }

  @Test
  void nothingIsReadAnyMoreOnceItIsClosed() throws Exception {
    List<String> events = new CopyOnWriteArrayList<>();
    Slow slow = new Slow(events);
    ReadAhead ahead = new ReadAhead(slow);
    Thread closing =
        Thread.ofPlatform()
            .unstarted(
                () -> {
                  Thread.currentThread().interrupt();
                  ahead.close();
                  events.add(Thread.currentThread().isInterrupted() ? "closed" : "uninterrupted");
                });
    slow.begun.await();
    closing.start();
    slow.closing = closing;
    closing.join();
    assertThat(events).containsExactly("read", "closed");
  }
}
