package slipway.oci.chunked;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.oci.copy.Span;
import slipway.oci.copy.Validate;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;

/**
 * What the annotations of a layer say of where its table of contents lies. They are covered by the
 * digest of the image's manifest.
 *
 * @param checksum of the packed table
 * @param tarSplit where tar-split's part lies; null when the writer kept none
 */
record PositionNotes(Span table, Digest checksum, @Nullable Span tarSplit) {
  /** The prefix of today, and that of podman before 4.6. */
  private static final List<String> PREFIXES =
      List.of("io.github.containers.zstd-chunked.", "io.containers.zstd-chunked.");

  private static final String TABLE = "manifest-position";
  private static final String CHECKSUM = "manifest-checksum";
  private static final String TAR_SPLIT = "tarsplit-position";

  private static final Pattern POSITION =
      Pattern.compile("([0-9]{1,18}):([0-9]{1,18}):[0-9]{1,18}(:1)?");

  /** RFC 8878, 3.1.2: the magic number and the size of a skippable frame. */
  private static final int FRAME_HEADER = 8;

  /** Packed bytes of the table and of tar-split's part: 200,000 files have about 20 MiB. */
  private static final long MAX_PACKED = 32L << 20;

  /** The prefix of a layer's notes, if it has any, whatever they say. */
  static Optional<String> prefix(Descriptor layer) {
    Set<String> names = layer.annotations().keySet();
    return PREFIXES.stream()
        .filter(p -> names.contains(p + TABLE) && names.contains(p + CHECKSUM))
        .filter(p -> layer.mediaType().endsWith("zstd"))
        .findFirst();
  }

  /**
   * Reads them.
   *
   * @return empty for a layer that is not zstd:chunked
   * @throws Problem when they say what cannot be
   */
  static Optional<PositionNotes> of(Descriptor layer) {
    return prefix(layer).map(prefix -> read(layer, prefix));
  }

  private static PositionNotes read(Descriptor layer, String prefix) {
    Map<String, String> annotations = layer.annotations();
    String tarSplit = annotations.get(prefix + TAR_SPLIT);
    return new PositionNotes(
        span(String.valueOf(annotations.get(prefix + TABLE)), layer),
        Digest.parse(String.valueOf(annotations.get(prefix + CHECKSUM))),
        tarSplit == null ? null : span(tarSplit, layer));
  }

  private static Span span(String text, Descriptor layer) {
    Matcher position = POSITION.matcher(text);
    if (position.matches()) {
      long offset = Long.parseLong(position.group(1));
      long length = Long.parseLong(position.group(2));
      if (offset >= FRAME_HEADER
          && length > 0
          && length <= MAX_PACKED
          && offset <= layer.size() - length) {
        return new Span(offset, offset + length);
      }
    }
    throw Problem.corrupt(Validate.name(layer) + ": its table of contents lies nowhere in it");
  }

  /** Where the layer's own frames end, before the header of the first skippable frame. */
  long end() {
    long first = tarSplit == null ? table.offset() : Math.min(table.offset(), tarSplit.offset());
    return first - FRAME_HEADER;
  }
}
