package slipway.oci.registry;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import slipway.base.BlockInput;

/**
 * Ends a read that gets nothing for too long, or next to nothing ({@link SpeedFloor}); the JDK's
 * client has no such limit for bodies. Time between reads does not count: a slow consumer is no
 * fault of the peer. All ways to read, skipping too, lead through the one method that is watched;
 * so this is no FilterInputStream.
 */
final class StallGuard extends BlockInput {
  /** One daemon thread for all; it only has streams closed. */
  private static final class Watch {
    static final ScheduledExecutorService THREAD =
        Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("stall-watch").daemon().factory());
  }

  private final InputStream in;
  private final Duration limit;
  private final SpeedFloor floor;
  private volatile long readingSince;
  private volatile boolean stalled;

  // Guarded by this: a stream may be closed by another thread than reads it.
  private @Nullable ScheduledFuture<?> check;
  private boolean ended;

  StallGuard(InputStream in, Duration limit) {
    this.in = in;
    this.limit = limit;
    this.floor = new SpeedFloor(limit);
  }

  private synchronized void watch() {
    if (check == null && !ended) {
      long period = Math.max(limit.toMillis() / 4, 1);
      check =
          Watch.THREAD.scheduleWithFixedDelay(this::look, period, period, TimeUnit.MILLISECONDS);
    }
  }

  private synchronized void stop() {
    ended = true;
    if (check != null) {
      check.cancel(false);
      check = null;
    }
  }

  private void look() {
    long since = readingSince;
    if (since != 0 && System.nanoTime() - since > limit.toNanos()) {
      stalled = true;
      stop();
      // Elsewhere, because it may take its time and other streams are watched from here too.
      Thread.ofVirtual().start(this::abort);
    }
  }

  private void abort() {
    try {
      in.close();
    } catch (IOException e) {
      // The reader gets its own failure.
    }
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    watch();
    long begin = System.nanoTime();
    readingSince = begin | 1;
    int n;
    try {
      n = in.read(buffer, offset, length);
    } catch (IOException e) {
      throw stalled ? timeout(e) : e;
    } finally {
      readingSince = 0;
    }
    if (n < 0) {
      if (stalled) {
        throw timeout(null);
      }
      stop();
    } else if (!floor.holds(System.nanoTime() - begin, n)) {
      close();
      throw floor.tooSlow();
    }
    return n;
  }

  private HttpTimeoutException timeout(@Nullable IOException cause) {
    HttpTimeoutException e =
        new HttpTimeoutException("nothing came for " + limit.toSeconds() + " s");
    if (cause != null) {
      e.initCause(cause);
    }
    return e;
  }

  @Override
  public void close() throws IOException {
    stop();
    in.close();
  }
}
