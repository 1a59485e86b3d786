package slipway.host.status;

import java.time.Duration;
import java.util.Locale;

/** Sizes and times as the reference prints them: GLib's decimal ones and binary ones. */
public final class Sizes {
  private static final String NO_BREAK_SPACE = "\u00a0";

  private Sizes() {}

  /** As g_format_size does: {@code 12 bytes}, {@code 1.2 MB}, with a space that does not break. */
  public static String decimal(long bytes) {
    if (bytes < 1000) {
      return bytes + (bytes == 1 ? " byte" : " bytes");
    }
    String[] units = {"kB", "MB", "GB", "TB", "PB", "EB"};
    double value = bytes / 1000.0;
    int unit = 0;
    while (value >= 1000 && unit < units.length - 1) {
      value /= 1000;
      unit++;
    }
    return String.format(Locale.ROOT, "%.1f", value) + NO_BREAK_SPACE + units[unit];
  }

  /** {@code 12 B}, {@code 1.20 MiB}. */
  public static String binary(double bytes) {
    if (bytes < 1024) {
      return (long) bytes + " B";
    }
    String[] units = {"KiB", "MiB", "GiB", "TiB", "PiB"};
    double value = bytes / 1024;
    int unit = 0;
    while (value >= 1024 && unit < units.length - 1) {
      value /= 1024;
      unit++;
    }
    return String.format(Locale.ROOT, "%.2f", value) + " " + units[unit];
  }

  /** In the largest unit that holds it at least one and a half times: {@code 90 seconds}. */
  public static String duration(Duration time) {
    long seconds = time.toSeconds();
    if (seconds < 90) {
      return seconds + (seconds == 1 ? " second" : " seconds");
    }
    long minutes = Math.round(seconds / 60.0);
    return minutes < 90 ? minutes + " minutes" : Math.round(minutes / 60.0) + " hours";
  }
}
