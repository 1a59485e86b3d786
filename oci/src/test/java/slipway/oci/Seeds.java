package slipway.oci;

import java.util.Random;

/** Random numbers whose seed is printed; {@code -Dtest.seed=N} repeats a run. */
final class Seeds {
  private Seeds() {}

  static Random random(String who) {
    long seed = Long.getLong("test.seed", System.nanoTime());
    System.out.println(who + " seed " + seed);
    return new Random(seed);
  }
}
