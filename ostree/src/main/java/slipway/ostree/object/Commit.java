package slipway.ostree.object;

import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.ostree.gvariant.GVariant;

/**
 * A commit as read.
 *
 * @param metadata values by key, not wrapped in a variant
 * @param timestamp seconds since the epoch
 */
public record Commit(
    Checksum checksum,
    Map<String, GVariant> metadata,
    @Nullable Checksum parent,
    String subject,
    String body,
    long timestamp,
    TreeRoot root) {
  /** A metadata value that is a string; empty when the key is missing or of another type. */
  public Optional<String> string(String key) {
    GVariant value = metadata.get(key);
    return value != null && value.type().equals("s")
        ? Optional.of(value.asString())
        : Optional.empty();
  }

  /** A metadata value that is a byte array; empty when the key is missing or of another type. */
  public Optional<byte[]> bytes(String key) {
    GVariant value = metadata.get(key);
    return value != null && value.type().equals("ay")
        ? Optional.of(value.asBytes())
        : Optional.empty();
  }
}
