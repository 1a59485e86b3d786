package slipway.http;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a Range header asks for (RFC 9110 section 14), resolved against a length. */
sealed interface ByteRanges {
  /** So many ranges in one request are honoured; a header has no room for many more. */
  int MAX = 1024;

  /** Everything: no header, another unit, a malformed header, or one that asks for too much. */
  record Whole() implements ByteRanges {}

  /** None of the ranges touches the content. */
  record Unsatisfiable() implements ByteRanges {}

  /** One or more parts, in the order asked for. */
  record Parts(List<Part> parts) implements ByteRanges {
    public Parts {
      parts = List.copyOf(parts);
    }
  }

  /**
   * A part that lies inside the content.
   *
   * @param offset of its first byte
   * @param length bytes, at least one
   */
  record Part(long offset, long length) {
    /** The value of a Content-Range header. */
    String contentRange(long size) {
      return "bytes " + offset + "-" + (offset + length - 1) + "/" + size;
    }
  }

  /**
   * Reads a header.
   *
   * @param header or null
   * @param size bytes of the content
   */
  static ByteRanges parse(@Nullable String header, long size) {
    if (header == null || !header.regionMatches(true, 0, "bytes=", 0, 6)) {
      return new Whole();
    }
    String[] specs = header.substring(6).split(",", -1);
    if (specs.length > MAX) {
      return new Whole();
    }
    List<Part> parts = new ArrayList<>();
    long sum = 0;
    for (String spec : specs) {
      String text = spec.strip();
      int dash = text.indexOf('-');
      long first = dash <= 0 ? -1 : number(text.substring(0, dash));
      long last = dash < 0 ? -1 : number(text.substring(dash + 1));
      boolean suffix = dash == 0 && last >= 0;
      boolean open = dash > 0 && dash == text.length() - 1;
      if (!suffix && (first < 0 || (last < 0 && !open))) {
        return new Whole();
      }
      Part part = suffix ? suffix(last, size) : range(first, open ? Long.MAX_VALUE : last, size);
      if (part != null) {
        parts.add(part);
        sum += part.length();
        if (sum > size) {
          // Overlapping ranges only multiply work (RFC 9110 section 17.15).
          return new Whole();
        }
      }
    }
    return parts.isEmpty() ? new Unsatisfiable() : new Parts(parts);
  }

  private static @Nullable Part suffix(long length, long size) {
    long taken = Math.min(length, size);
    return taken == 0 ? null : new Part(size - taken, taken);
  }

  /** A last before the first is malformed by the RFC; registries answer it as out of reach. */
  private static @Nullable Part range(long first, long last, long size) {
    return first >= size || last < first
        ? null
        : new Part(first, Math.min(last, size - 1) - first + 1);
  }

  /** A number, saturated, or -1 when it is none. */
  private static long number(String text) {
    if (text.isEmpty()) {
      return -1;
    }
    long value = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < '0' || c > '9') {
        return -1;
      }
      value = value > Long.MAX_VALUE / 10 - 9 ? Long.MAX_VALUE / 10 - 9 : value * 10 + (c - '0');
    }
    return value;
  }
}
