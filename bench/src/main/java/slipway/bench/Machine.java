package slipway.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.LocalDate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where it was measured.
 *
 * @param kernel its version without what a builder appended
 */
record Machine(
    LocalDate date, int cores, String processor, long memory, String kernel, String jdk) {
  static Machine here(Clock clock) throws IOException {
    String kernel = System.getProperty("os.version");
    return new Machine(
        LocalDate.now(clock),
        Runtime.getRuntime().availableProcessors(),
        first("/proc/cpuinfo", "model name\\s*:\\s*(.*)"),
        Long.parseLong(first("/proc/meminfo", "MemTotal:\\s*([0-9]+) kB")) * 1024,
        kernel.split("[^0-9.]", 2)[0],
        System.getProperty("java.vendor.version") + " (" + Runtime.version() + ")");
  }

  /** The load average of one minute. */
  static double load() throws IOException {
    return Double.parseDouble(Files.readString(Path.of("/proc/loadavg")).split(" ", 2)[0]);
  }

  private static String first(String file, String pattern) throws IOException {
    Matcher matcher = Pattern.compile(pattern).matcher(Files.readString(Path.of(file)));
    return matcher.find() ? matcher.group(1).strip() : "unknown";
  }
}
