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
 * @param atLeast whether the goal is at least this instead
 */
record Ratio(
    String what,
    String unit,
    double cpu,
    @Nullable Double wall,
    @Nullable Double goal,
    boolean atLeast) {
  Ratio(String what, String unit, double cpu, @Nullable Double wall, @Nullable Double goal) {
    this(what, unit, cpu, wall, goal, false);
  }

  boolean isMissed() {
    return goal != null && (atLeast ? cpu < goal : cpu > goal);
  }
}
