package slipway.registry.catalog;

import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ConcurrentSkipListSet;
import org.jspecify.annotations.Nullable;
import slipway.oci.model.Digest;
import slipway.registry.catalog.Change.ManifestEntry;

/**
 * What one repository holds, in memory. Read by any thread without locks; changed by {@link
 * Catalog} alone, on the store's thread.
 */
public final class Repository {
  private final String name;

  /** Digests whose bytes are lost; shared by all repositories. */
  private final Set<Digest> lost;

  /** Sizes by digest. */
  public final ConcurrentMap<Digest, Long> blobs = new ConcurrentHashMap<>();

  public final ConcurrentMap<Digest, ManifestEntry> manifests = new ConcurrentHashMap<>();
  final NavigableMap<String, Digest> tags = new ConcurrentSkipListMap<>();
  final ConcurrentMap<Digest, Set<Digest>> referrers = new ConcurrentHashMap<>();

  Repository(String name, Set<Digest> lost) {
    this.name = name;
    this.lost = lost;
  }

  public String name() {
    return name;
  }

  /** Bytes of a blob that can be pulled from here, or null. */
  @Nullable
  public Long blobSize(Digest digest) {
    return lost.contains(digest) ? null : blobs.get(digest);
  }

  @Nullable
  public Digest tag(String tag) {
    return tags.get(tag);
  }

  /** A manifest that can be pulled from here. */
  public Optional<ManifestEntry> manifest(Digest digest) {
    return lost.contains(digest) ? Optional.empty() : Optional.ofNullable(manifests.get(digest));
  }

  /** Tags in the order of their characters (Go's sort.Strings). */
  public NavigableMap<String, Digest> tags() {
    return tags;
  }

  /** Manifests whose subject is this digest, in the order of their digests. */
  public Set<Digest> referrers(Digest subject) {
    return referrers.getOrDefault(subject, Set.of());
  }

  void addReferrer(Digest subject, Digest manifest) {
    referrers.computeIfAbsent(subject, s -> new ConcurrentSkipListSet<>()).add(manifest);
  }

  void removeReferrer(Digest subject, Digest manifest) {
    Set<Digest> all = referrers.get(subject);
    if (all != null) {
      all.remove(manifest);
      if (all.isEmpty()) {
        referrers.remove(subject);
      }
    }
  }

  boolean isEmpty() {
    return blobs.isEmpty() && manifests.isEmpty();
  }
}
