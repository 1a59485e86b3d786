package slipway.oci.chunked;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import slipway.base.BlockInput;
import slipway.base.Problem;
import slipway.oci.copy.Span;

/** Finds places of a blob in a stream of some of its parts, forward only. */
final class BlobCursor implements AutoCloseable {
  private final InputStream in;
  private final List<Span> spans;
  private final String where;
  private int index;
  private long at;

  /**
   * @param in the bytes of all spans, one after the other
   * @param spans in ascending order
   */
  BlobCursor(InputStream in, List<Span> spans, String where) {
    this.in = in;
    this.spans = List.copyOf(spans);
    this.where = where;
    this.at = spans.isEmpty() ? 0 : spans.getFirst().offset();
  }

  /**
   * The bytes of a part of the blob, which must lie within one of the spans. Closing it closes
   * nothing; the next call takes the place of it.
   *
   * @throws Problem of kind CORRUPT when it lies before what was read already
   */
  InputStream range(Span wanted) throws IOException {
    while (index < spans.size() && spans.get(index).end() <= wanted.offset()) {
      in.skipNBytes(spans.get(index).end() - at);
      index++;
      at = index < spans.size() ? spans.get(index).offset() : at;
    }
    if (index == spans.size() || wanted.offset() < at || wanted.end() > spans.get(index).end()) {
      throw Problem.corrupt(where + ": its files are in another order than their contents");
    }
    in.skipNBytes(wanted.offset() - at);
    at = wanted.offset();
    return new Range(wanted.end());
  }

  private final class Range extends BlockInput {
    private final long end;

    Range(long end) {
      this.end = end;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      if (at >= end) {
        return -1;
      }
      int n = in.read(buffer, offset, (int) Math.min(length, end - at));
      at += Math.max(0, n);
      return n;
    }
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
