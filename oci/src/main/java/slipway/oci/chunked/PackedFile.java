package slipway.oci.chunked;

import java.util.List;
import slipway.oci.copy.Span;
import slipway.oci.model.Digest;

/**
 * A regular file that is not empty, as a table of contents has it.
 *
 * @param name in the layer, without what may stand before its first directory
 * @param content sha256
 * @param size bytes of the content
 * @param chunks at least one, in order; together they are the content
 */
record PackedFile(String name, Digest content, long size, List<Chunk> chunks) {
  /**
   * A part of the content.
   *
   * @param span where it lies packed
   * @param size bytes of it
   * @param zeros whether all of them are 0, so that it need not be fetched
   */
  record Chunk(Span span, long size, boolean zeros) {}

  PackedFile {
    chunks = List.copyOf(chunks);
  }

  /** Where its packed content lies. */
  Span span() {
    return new Span(chunks.getFirst().span().offset(), chunks.getLast().span().end());
  }
}
