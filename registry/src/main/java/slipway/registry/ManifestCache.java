package slipway.registry;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import slipway.oci.Digest;

/** Bytes of manifests that were asked for lately, up to a total. Safe for use by many threads. */
final class ManifestCache {
  /** Larger ones are read from the disk each time. */
  private static final int LARGEST = 256 * 1024;

  private final long limit;
  private final Map<Digest, byte[]> entries = new LinkedHashMap<>(64, 0.75f, true);
  private long total;

  ManifestCache(long limit) {
    this.limit = limit;
  }

  synchronized byte @Nullable [] get(Digest digest) {
    return entries.get(digest);
  }

  synchronized void put(Digest digest, byte[] bytes) {
    if (bytes.length > LARGEST || entries.putIfAbsent(digest, bytes) != null) {
      return;
    }
    total += bytes.length;
    Iterator<byte[]> oldest = entries.values().iterator();
    while (total > limit) {
      total -= oldest.next().length;
      oldest.remove();
    }
  }
}
