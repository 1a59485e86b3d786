package slipway.bench;

import org.jspecify.annotations.Nullable;

/**
 * A comparison.
 *
 * @param what such as "slipway / the floor"
 * @param unit empty for a ratio, else of both values
 * @param cpu by CPU seconds, or what is compared
 * @param wall by wall seconds; null when that says nothing
 * @param goal at most this by {@code cpu}; null when there is none
 */
record Ratio(String what, String unit, double cpu, @Nullable Double wall, @Nullable Double goal) {
  boolean isMissed() {
    return goal != null && cpu > goal;
  }
}
