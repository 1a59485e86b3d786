package slipway.ostree.object;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import slipway.ostree.gvariant.GVariant;

/**
 * What a commit is made of.
 *
 * @param metadata values by key (not wrapped in a variant), written in this order
 * @param parent the commit before it, or null
 * @param timestamp seconds since the epoch
 */
public record CommitSpec(
    Map<String, GVariant> metadata,
    @Nullable Checksum parent,
    String subject,
    String body,
    long timestamp,
    TreeRoot root) {
  public CommitSpec {
    metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
  }
}
