package slipway.oci.copy;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A part of a blob.
 *
 * @param offset of its first byte
 * @param end offset of the byte behind its last one
 */
public record Span(long offset, long end) {
  public Span {
    if (offset < 0 || end <= offset) {
      throw new IllegalArgumentException(offset + " to " + end + " is no part of a blob");
    }
  }

  public long length() {
    return end - offset;
  }

  /** Bytes of all of them. */
  public static long sum(List<Span> spans) {
    return spans.stream().mapToLong(Span::length).sum();
  }

  /**
   * In ascending order and without overlaps; those that are near each other become one.
   *
   * @param near bytes between two that are not worth leaving out
   */
  public static List<Span> joined(List<Span> spans, long near) {
    List<Span> sorted = new ArrayList<>(spans);
    sorted.sort(Comparator.comparingLong(Span::offset));
    List<Span> joined = new ArrayList<>();
    for (Span span : sorted) {
      Span last = joined.isEmpty() ? null : joined.getLast();
      if (last != null && span.offset - last.end <= near) {
        joined.set(joined.size() - 1, new Span(last.offset, Math.max(last.end, span.end)));
      } else {
        joined.add(span);
      }
    }
    return joined;
  }
}
