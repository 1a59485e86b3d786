package slipway.builder.language;

import java.math.BigDecimal;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Times as Go writes them: {@code 1m30s}, {@code 1.5h}, {@code 300ms}. */
final class Durations {
  private static final Pattern PART =
      Pattern.compile("([0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)(ns|us|µs|ms|s|m|h)");

  /** No time is longer in words; making a number takes time by the square of its digits. */
  private static final int LONGEST = 100;

  private Durations() {}

  /** Nanoseconds, or -1 when the text is no time. */
  static long nanoseconds(String text) {
    if (text.equals("0")) {
      return 0;
    }
    if (text.length() > LONGEST) {
      return -1;
    }
    Matcher m = PART.matcher(text);
    BigDecimal sum = BigDecimal.ZERO;
    int end = 0;
    while (m.lookingAt() || (m.find() && m.start() == end)) {
      sum = sum.add(new BigDecimal(m.group(1)).multiply(BigDecimal.valueOf(unit(m.group(2)))));
      end = m.end();
      m.region(end, text.length());
    }
    if (end == 0 || end != text.length() || sum.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0) {
      return -1;
    }
    return sum.longValue();
  }

  private static long unit(String name) {
    return switch (name) {
      case "ns" -> 1L;
      case "us", "µs" -> 1_000L;
      case "ms" -> 1_000_000L;
      case "s" -> 1_000_000_000L;
      case "m" -> 60_000_000_000L;
      default -> 3_600_000_000_000L;
    };
  }
}
