package slipway.oci.registry;

import java.net.http.HttpTimeoutException;
import java.time.Duration;

/**
 * The least speed of a transfer, as curl's low-speed limit: over a whole window of waiting for the
 * peer it must move {@value #BYTES_A_SECOND} bytes a second. Without it a peer that sends a byte
 * now and then is never silent for long and never ends. Not safe for use by several threads.
 */
public final class SpeedFloor {
  /** Slower is nobody's line. */
  public static final int BYTES_A_SECOND = 1024;

  private final Duration window;
  private long waited;
  private long moved;

  /**
   * @param window how long the peer may be slower
   */
  SpeedFloor(Duration window) {
    this.window = window;
  }

  /**
   * Counts.
   *
   * @param nanos how long the peer was waited for
   * @param bytes what moved meanwhile
   * @return whether the peer is still fast enough
   */
  boolean holds(long nanos, long bytes) {
    waited += nanos;
    moved += bytes;
    if (waited < window.toNanos()) {
      return true;
    }
    double least = BYTES_A_SECOND * (waited / 1e9);
    boolean enough = moved >= least;
    waited = 0;
    moved = 0;
    return enough;
  }

  /** The failure of a peer that is too slow; trying again may help. */
  TooSlow tooSlow() {
    return new TooSlow(
        "less than " + BYTES_A_SECOND + " bytes a second moved for " + window.toSeconds() + " s");
  }

  /** A transfer that was given up for its speed. */
  static final class TooSlow extends HttpTimeoutException {
    private static final long serialVersionUID = 1;

    TooSlow(String message) {
      super(message);
    }
  }
}
