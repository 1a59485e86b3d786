package slipway.ostree.container;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.base.FileReason;
import slipway.base.KeyFile;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.lock.Flock;
import slipway.linux.lock.ScratchFolder;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.process.DiskUse;
import slipway.oci.model.Digest;
import slipway.ostree.repo.Repository;

/**
 * Layers of images that were imported once, for the next new repository that wants them: what was
 * decompressed and held to its digests need only be copied then. Nothing of it is needed, and
 * nothing of it is trusted to be as it was: see {@link CachedLayers}.
 *
 * <pre>
 *  FOLDER/lock        shared by imports, alone for who removes something
 *  FOLDER/repo        a repository in mode bare-user, so that root's and users' are alike; refs of
 *                     layers alone, whose files' times are when they were used last
 *  FOLDER/.removed-*  on the way out
 * </pre>
 */
public final class LayerCache {
  /** Layers that no image of the store has stay as long, for images that come from elsewhere. */
  private static final Duration KEPT = Duration.ofDays(7);

  private final Path folder;

  /**
   * @param folder made when a layer is kept
   */
  public LayerCache(Path folder) {
    this.folder = folder;
  }

  /**
   * For one import.
   *
   * @param missing bytes of the layers that it lacks, packed
   * @param progress is told why nothing is kept
   * @return empty when it cannot be used, which is no reason to fail
   */
  Optional<CachedLayers> use(long missing, Progress progress) {
    try {
      if (!Files.exists(folder)) {
        Files.createDirectories(folder);
        Posix.chmod(OsPath.of(folder), 0700); // Images may hold secrets.
      }
      Flock lock = Flock.tryFile(lock(), false);
      if (lock == null) {
        return Optional.empty(); // Somebody removes what is there.
      }
      try {
        return Optional.of(new CachedLayers(this, lock, repository(), missing, progress));
      } catch (IOException | RuntimeException e) {
        lock.close();
        throw e;
      }
    } catch (IOException | Problem e) {
      progress.note("layers are not kept in " + folder + ": " + FileReason.why(e));
      return Optional.empty();
    }
  }

  private Path lock() {
    return folder.resolve("lock");
  }

  private Path place() {
    return folder.resolve("repo");
  }

  private Repository repository() throws IOException {
    Repository repository = Repository.create(place(), Repository.Mode.BARE_USER);
    KeyFile config = repository.config();
    if (config.getBoolean("core", "fsync", true)) {
      // What a power cut damages is found by its digests, and fetched again.
      repository.writeConfig(config.with("core", "fsync", "false"));
    }
    return repository;
  }

  /** What there is; an import under way is busy with it. */
  public record Usage(DiskUse layers, boolean busy) {}

  /** Counts and measures the layers. */
  public Usage usage() throws IOException {
    if (!Files.isDirectory(place())) {
      return new Usage(new DiskUse(0, 0), false);
    }
    int count = count();
    long bytes = DiskUse.bytes(List.of(place())).getFirst();
    try (Flock alone = Flock.tryFile(lock(), true)) {
      return new Usage(new DiskUse(count, bytes), alone == null);
    }
  }

  /**
   * Removes layers, unless an import uses them.
   *
   * @param unusedSince only those that no import used since then; null removes all, damaged or not
   * @param progress is told what cannot be removed
   */
  public DiskUse.Removed prune(@Nullable Instant unusedSince, Progress progress)
      throws IOException {
    if (!Files.isDirectory(place())) {
      return new DiskUse.Removed(0, 0, false);
    }
    try (Flock alone = Flock.tryFile(lock(), true)) {
      if (alone == null) {
        return new DiskUse.Removed(0, 0, true);
      }
      return unusedSince == null ? clear(progress) : drop(unused(unusedSince, Set.of()));
    }
  }

  /** Removes everything, and reads nothing of it. */
  private DiskUse.Removed clear(Progress progress) throws IOException {
    long bytes = DiskUse.bytes(List.of(place())).getFirst();
    int count = count();
    // Moved away as a whole first, so that a kill leaves no half of it in place.
    try (ScratchFolder trash = ScratchFolder.create(folder, ".removed-", progress::note)) {
      Files.move(place(), trash.path().resolve("repo"), StandardCopyOption.ATOMIC_MOVE);
    }
    return new DiskUse.Removed(count, bytes, false);
  }

  private int count() {
    try {
      return Repository.open(place()).refs(ContainerRefs.LAYERS).size();
    } catch (IOException | Problem e) {
      return 0; // Damaged: whoever wants a layer finds out.
    }
  }

  private DiskUse.Removed drop(Set<String> refs) throws IOException {
    if (refs.isEmpty()) {
      return new DiskUse.Removed(0, 0, false);
    }
    Repository repository = Repository.open(place());
    for (String ref : refs) {
      repository.forgetRef(ref);
    }
    return new DiskUse.Removed(refs.size(), repository.prune(Set.of()).bytes(), false);
  }

  private Set<String> unused(Instant since, Set<String> needed) throws IOException {
    Set<String> unused = new HashSet<>();
    Repository.open(place())
        .refTimes(ContainerRefs.LAYERS)
        .forEach(
            (ref, time) -> {
              if (time.isBefore(since) && !needed.contains(ref)) {
                unused.add(ref);
              }
            });
    return unused;
  }

  /**
   * Lets those layers go that no image has any more, and the longest unused ones while there are
   * more bytes than {@link Limit#LAYER_CACHE_BYTES}. Does nothing while an import uses them, and
   * never fails: what is damaged is removed whole.
   *
   * @param images layers of images that are there
   */
  public void trim(Set<Digest> images, Progress progress) {
    try {
      if (!Files.isDirectory(place())) {
        return;
      }
      try (Flock alone = Flock.tryFile(lock(), true)) {
        if (alone != null) {
          trimAlone(images, progress);
        }
      }
    } catch (IOException | Problem e) {
      progress.note("layers that nobody needs stay in " + folder + ": " + FileReason.why(e));
    }
  }

  private void trimAlone(Set<Digest> images, Progress progress) throws IOException {
    try {
      Set<String> needed = new HashSet<>();
      images.forEach(layer -> needed.add(ContainerRefs.layer(layer)));
      drop(unused(Instant.now().minus(KEPT), needed));
      Repository repository = Repository.open(place());
      while (repository.contentBytes() > Limit.LAYER_CACHE_BYTES.value()) {
        Set<String> oldest = oldest(repository);
        if (oldest.isEmpty()) {
          return;
        }
        drop(oldest);
      }
    } catch (Problem e) {
      clear(progress);
    }
  }

  /** A quarter of the layers, for each removal looks at all that is left. */
  private static Set<String> oldest(Repository repository) throws IOException {
    Map<String, Instant> times = new TreeMap<>(repository.refTimes(ContainerRefs.LAYERS));
    return new HashSet<>(
        times.entrySet().stream()
            .sorted(Map.Entry.comparingByValue(Comparator.naturalOrder()))
            .limit((times.size() + 3) / 4)
            .map(Map.Entry::getKey)
            .toList());
  }

  /** Removes everything once the import that found it damaged is over. */
  void discard(Progress progress) {
    try {
      prune(null, progress);
    } catch (IOException | Problem e) {
      progress.note(folder + " is damaged and cannot be removed: " + FileReason.why(e));
    }
  }
}
