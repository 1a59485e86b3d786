package slipway.host.health;

import java.util.Locale;

/**
 * A check, and what came of it.
 *
 * @param name the script's path
 * @param kind what its failure means
 * @param seconds that it took
 * @param message what it said last; why it failed; empty for nothing
 */
public record HealthCheck(String name, Kind kind, Result result, double seconds, String message) {
  /** What a failure means. */
  public enum Kind {
    /** The start did not go well. */
    REQUIRED,
    /** A warning. */
    WANTED
  }

  /** What came of it. */
  public enum Result {
    PASSED,
    FAILED,
    /** It was not run; the message says why. */
    SKIPPED
  }

  /** Whether the start did not go well because of it. */
  public boolean isFatal() {
    return kind == Kind.REQUIRED && result == Result.FAILED;
  }

  /** A constant of this package as it is printed and stored. */
  public static String word(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }
}
