package slipway.cli.build;

import java.time.Instant;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;

/** The variable SOURCE_DATE_EPOCH (reproducible-builds.org): seconds since 1970 for all times. */
public final class Epoch {
  private static final String VARIABLE = "SOURCE_DATE_EPOCH";

  private Epoch() {}

  /**
   * What the environment says.
   *
   * @throws Problem of kind USAGE for what is no time before the year 10000
   */
  public static @Nullable Instant ofEnvironment() {
    String text = System.getenv(VARIABLE);
    return text == null || text.isEmpty() ? null : parse(text);
  }

  public static Instant parse(String text) {
    if (!text.matches("[0-9]{1,12}") || Long.parseLong(text) > 253_402_300_799L) {
      throw Problem.usage(VARIABLE + " is \"" + text + "\", not a number of seconds since 1970");
    }
    return Instant.ofEpochSecond(Long.parseLong(text));
  }
}
