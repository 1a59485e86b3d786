package slipway.oci;

import java.util.Random;

/** Random numbers whose seed is printed; {@code -Dtest.seed=N} repeats a run. */
public final class Seeds {
  private Seeds() {}

  public static Random random(String who) {
    long seed = Long.getLong("test.seed", System.nanoTime());
    System.out.println(who + " seed " + seed);
    return new Random(seed);
  }
}
