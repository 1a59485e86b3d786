package slipway.registry.catalog;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import slipway.oci.model.Digest;
import slipway.registry.catalog.Change.DeleteManifest;
import slipway.registry.catalog.Change.DeleteTag;
import slipway.registry.catalog.Change.LinkBlob;
import slipway.registry.catalog.Change.ManifestEntry;
import slipway.registry.catalog.Change.PutManifest;
import slipway.registry.catalog.Change.PutTag;
import slipway.registry.catalog.Change.UnlinkBlob;

/**
 * All repositories, and how often each digest is held by any of them. Any thread reads; one thread
 * applies changes, which are total: a change that finds its effect there already does nothing.
 */
public final class Catalog {
  private final NavigableMap<String, Repository> repositories = new ConcurrentSkipListMap<>();

  private final ConcurrentMap<Digest, Holders> holders = new ConcurrentHashMap<>();

  /**
   * Digests that are held but whose bytes are not there, or not all of them. They are hidden, not
   * forgotten, so that all is as before once the bytes are back or pushed again.
   */
  private final Set<Digest> lost = ConcurrentHashMap.newKeySet();

  /** Digests that lost a holder since the last {@link #takeUnheld()}. */
  private final Set<Digest> released = new HashSet<>();

  /** In how many repositories a digest is a blob, and in how many a manifest. */
  private record Holders(int blobs, int manifests, long size) {}

  @Nullable
  public Repository repository(String name) {
    return repositories.get(name);
  }

  /** In the order of their names. */
  public NavigableMap<String, Repository> repositories() {
    return repositories;
  }

  /** Bytes of a blob in whichever repository has it, or null. */
  @Nullable
  public Long sizeAnywhere(Digest digest) {
    Holders all = holders.get(digest);
    return all == null || all.blobs == 0 || lost.contains(digest) ? null : all.size;
  }

  /** Bytes that a digest should have, or -1 when nobody holds it. */
  long size(Digest digest) {
    Holders all = holders.get(digest);
    return all == null ? -1 : all.size;
  }

  /**
   * Hides a digest until {@link #found}.
   *
   * @return whether it was not hidden before
   */
  boolean lose(Digest digest) {
    return lost.add(digest);
  }

  /** Shows a digest again. */
  void found(Digest digest) {
    lost.remove(digest);
  }

  public void apply(Change change) {
    switch (change) {
      case LinkBlob(var name, var digest, var size) -> {
        if (obtain(name).blobs.putIfAbsent(digest, size) == null) {
          hold(digest, 1, 0, size);
        }
      }
      case UnlinkBlob(var name, var digest) ->
          with(
              name,
              r -> {
                if (r.blobs.remove(digest) != null) {
                  release(digest, 1, 0);
                }
              });
      case PutManifest(var name, var digest, var entry) -> put(obtain(name), digest, entry);
      case DeleteManifest(var name, var digest) -> with(name, r -> remove(r, digest));
      case PutTag(var name, var tag, var digest) ->
          with(
              name,
              r -> {
                if (r.manifests.containsKey(digest)) {
                  r.tags.put(tag, digest);
                }
              });
      case DeleteTag(var name, var tag) -> with(name, r -> r.tags.remove(tag));
    }
  }

  private void put(Repository repository, Digest digest, ManifestEntry entry) {
    ManifestEntry old = repository.manifests.put(digest, entry);
    if (old == null) {
      hold(digest, 0, 1, entry.size());
    }
    if (entry.subject() != null) {
      repository.addReferrer(entry.subject(), digest);
    }
  }

  private void remove(Repository repository, Digest digest) {
    repository.tags.values().removeIf(digest::equals);
    ManifestEntry old = repository.manifests.remove(digest);
    if (old != null) {
      release(digest, 0, 1);
      if (old.subject() != null) {
        repository.removeReferrer(old.subject(), digest);
      }
    }
  }

  private Repository obtain(String name) {
    return repositories.computeIfAbsent(name, n -> new Repository(n, lost));
  }

  private void with(String name, Consumer<Repository> action) {
    Repository repository = repositories.get(name);
    if (repository != null) {
      action.accept(repository);
      if (repository.isEmpty()) {
        repositories.remove(name);
      }
    }
  }

  private void hold(Digest digest, int blobs, int manifests, long size) {
    holders.merge(
        digest,
        new Holders(blobs, manifests, size),
        (a, b) -> new Holders(a.blobs + b.blobs, a.manifests + b.manifests, size));
  }

  private void release(Digest digest, int blobs, int manifests) {
    holders.computeIfPresent(
        digest,
        (d, all) -> {
          Holders left = new Holders(all.blobs - blobs, all.manifests - manifests, all.size);
          return left.blobs + left.manifests == 0 ? null : left;
        });
    if (!isHeld(digest)) {
      lost.remove(digest);
      released.add(digest);
    }
  }

  boolean isHeld(Digest digest) {
    return holders.containsKey(digest);
  }

  /** All digests that some repository holds. */
  public Collection<Digest> held() {
    return holders.keySet();
  }

  /** Digests that had a holder once and have none since the last call. */
  List<Digest> takeUnheld() {
    List<Digest> unheld = released.stream().filter(d -> !isHeld(d)).toList();
    released.clear();
    return unheld;
  }

  /** The changes that make this state from nothing, repository by repository. */
  void snapshot(Consumer<List<Change>> sink) {
    for (Repository repository : repositories.values()) {
      String name = repository.name();
      List<Change> changes = new ArrayList<>();
      repository.blobs.forEach((digest, size) -> changes.add(new LinkBlob(name, digest, size)));
      repository.manifests.forEach((digest, e) -> changes.add(new PutManifest(name, digest, e)));
      repository.tags.forEach((tag, digest) -> changes.add(new PutTag(name, tag, digest)));
      sink.accept(changes);
    }
  }
}
