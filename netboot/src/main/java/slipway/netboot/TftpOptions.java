package slipway.netboot;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;

/**
 * What client and server agree on (RFC 2347 to 2349, 7440). What is not understood is not answered,
 * and so does not hold.
 *
 * @param block bytes
 * @param timeout seconds until something is sent again
 * @param window blocks that are sent for one acknowledgement
 * @param taken the answer; empty when the client asked for nothing that we know
 */
record TftpOptions(int block, int timeout, int window, Map<String, String> taken) {
  private static final int USUAL_BLOCK = 512;

  /** More would be cut to pieces on an Ethernet, which firmware may not put together. */
  private static final int LARGEST_BLOCK = 1468;

  /**
   * A longer one is not taken, for then a client that fell silent would keep its place too long.
   */
  private static final int LONGEST_TIMEOUT = 10;

  /** What a client without a place for it loses at once. */
  private static final int LARGEST_WINDOW = 16;

  static TftpOptions of(Map<String, String> asked, long size) {
    Map<String, String> taken = new LinkedHashMap<>();
    int block = take(asked, taken, "blksize", 8, 65464, LARGEST_BLOCK).orElse(USUAL_BLOCK);
    int timeout = take(asked, taken, "timeout", 1, LONGEST_TIMEOUT, LONGEST_TIMEOUT).orElse(1);
    int window = take(asked, taken, "windowsize", 1, 65535, LARGEST_WINDOW).orElse(1);
    if (asked.containsKey("tsize")) {
      taken.put("tsize", Long.toString(size));
    }
    return new TftpOptions(block, timeout, window, taken);
  }

  private static OptionalInt take(
      Map<String, String> asked,
      Map<String, String> taken,
      String name,
      int least,
      int most,
      int ours) {
    String value = asked.get(name);
    if (value == null || !value.matches("[0-9]{1,5}")) {
      return OptionalInt.empty();
    }
    int number = Integer.parseInt(value);
    if (number < least || number > most) {
      return OptionalInt.empty();
    }
    int agreed = Math.min(number, ours);
    taken.put(name, Integer.toString(agreed));
    return OptionalInt.of(agreed);
  }
}
