package slipway.registry.blobs;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import slipway.oci.model.Digest;

/** Small documents by digest that were asked for lately, up to a total. For use by many threads. */
public final class BytesCache {
  private final long limit;
  private final int largest;
  private final Map<Digest, byte[]> entries = new LinkedHashMap<>(64, 0.75f, true);
  private long total;

  /**
   * @param limit bytes of all entries
   * @param largest bytes of one; longer ones are not kept
   */
  public BytesCache(long limit, int largest) {
    this.limit = limit;
    this.largest = largest;
  }

  public synchronized byte @Nullable [] get(Digest digest) {
    return entries.get(digest);
  }

  public synchronized void put(Digest digest, byte[] bytes) {
    if (bytes.length > largest || entries.putIfAbsent(digest, bytes) != null) {
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
