package slipway.archive.tar;

import org.jspecify.annotations.Nullable;

/**
 * How a tar is written.
 *
 * @param clampEpoch latest modification time in seconds since the epoch (SOURCE_DATE_EPOCH); later
 *     ones become this; null for no limit
 * @param wholeSeconds whether fractions of modification times are dropped, as other image builders
 *     do; it saves 1 KiB a member before compression
 */
public record TarOptions(@Nullable Long clampEpoch, boolean wholeSeconds) {
  /** All times as they are. */
  public static final TarOptions EXACT = new TarOptions(null, false);

  /** Fractions kept. */
  public TarOptions(@Nullable Long clampEpoch) {
    this(clampEpoch, false);
  }

  public Metadata apply(Metadata metadata) {
    if (clampEpoch != null && metadata.mtimeSeconds() >= clampEpoch) {
      return metadata.withMtime(clampEpoch, 0);
    }
    return wholeSeconds ? metadata.withMtime(metadata.mtimeSeconds(), 0) : metadata;
  }
}
