package slipway.registry.catalog;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.registry.blobs.BlobStorage;
import slipway.registry.blobs.BlobStorage.Blob;
import slipway.registry.blobs.BlobStorage.Stored;
import slipway.registry.blobs.FileBlobStorage;
import slipway.registry.blobs.StoreId;
import slipway.registry.catalog.Change.ManifestEntry;
import slipway.registry.catalog.Change.PutManifest;
import slipway.registry.catalog.Change.ReferrerFields;

/**
 * The directory of a registry: {@code journal}, {@code blobs/} and {@code lock}. Opening it checks
 * that journal and blobs are there and belong together, and refuses with nothing changed when they
 * do not: an unmounted or lost half must not be taken for an empty one.
 */
record StoreDirectory(Path root, FileChannel lock) {
  private static final System.Logger LOG = System.getLogger("slipway.registry");

  /** What is open: the content and who holds it. */
  public record Opened(BlobStorage blobs, Journal journal, Catalog catalog) {}

  /**
   * Takes the directory for this process, making it when it is not there.
   *
   * @throws Problem when another process has it
   */
  public static StoreDirectory lock(Path root) throws IOException {
    Files.createDirectories(root);
    FileChannel channel =
        FileChannel.open(root.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      if (channel.tryLock() != null) {
        return new StoreDirectory(root, channel);
      }
    } catch (OverlappingFileLockException e) {
      // Held by this very process.
    }
    channel.close();
    throw Problem.environment(
        root + " is in use by another registry; stop that one or choose another directory");
  }

  /**
   * Opens what is there, or makes it.
   *
   * @throws Problem of kind CORRUPT when the journal is damaged or missing, or the blobs are not
   *     those that it speaks of
   */
  public Opened open() throws IOException {
    Path path = Journal.path(root);
    String mark = FileBlobStorage.id(root);
    if (!Files.exists(path)) {
      if (!FileBlobStorage.isEmpty(root)) {
        throw Problem.corrupt(
            path + " is missing although there are blobs; nothing was changed; " + repair());
      }
      String id = mark == null ? newId() : mark;
      FileBlobStorage.open(root, id).close();
      Journal.create(path, id);
      mark = id;
    }
    Catalog catalog = new Catalog();
    Journal journal = Journal.open(path, catalog::apply);
    try {
      String id = check(journal, mark, catalog);
      BlobStorage blobs = FileBlobStorage.open(root, id);
      reconcile(blobs, catalog);
      AtomicFile.sweepOf(path);
      if (journal.id() == null) {
        fillIn(blobs, catalog);
        journal.rewrite(id, catalog::snapshot);
        LOG.log(Level.INFO, "{0} was brought to the second version", path);
      }
      return new Opened(blobs, journal, catalog);
    } catch (IOException | RuntimeException e) {
      journal.close();
      throw e;
    }
  }

  private static String newId() {
    return UUID.randomUUID().toString();
  }

  private String repair() {
    return StoreId.repair(root);
  }

  /** The id that journal and blobs share. */
  private String check(Journal journal, @Nullable String mark, Catalog catalog) throws IOException {
    Path blobs = root.resolve("blobs");
    String id = journal.id();
    if (id == null) {
      // Version 1, whose blobs have no mark.
      if (mark == null && !catalog.held().isEmpty() && FileBlobStorage.isEmpty(root)) {
        throw Problem.corrupt(notMounted(blobs));
      }
      return mark == null ? newId() : mark;
    }
    if (mark == null) {
      throw Problem.corrupt(notMounted(blobs));
    }
    if (!mark.equals(id)) {
      throw Problem.corrupt(
          blobs
              + " belongs to the registry "
              + mark
              + ", the journal to "
              + id
              + "; nothing was changed; mount the right one, or "
              + repair());
    }
    return id;
  }

  private String notMounted(Path blobs) {
    return blobs
        + " is not what it was: its file id is missing; nothing was changed; if it is a file"
        + " system of its own, mount it, else "
        + repair();
  }

  /**
   * Hides what lost its bytes, so that clients push it again, and removes what an unfinished commit
   * or an unfinished removal left. Anything else that nobody holds stays: it may be all that is
   * left of what a journal once named that was cut or came from an old backup.
   */
  private void reconcile(BlobStorage blobs, Catalog catalog) throws IOException {
    Map<Digest, Stored> present = blobs.list();
    List<Digest> lost = new ArrayList<>();
    for (Digest digest : catalog.held()) {
      Stored stored = present.remove(digest);
      if (stored == null || stored.size() != catalog.size(digest)) {
        catalog.lose(digest);
        lost.add(digest);
      }
    }
    if (!lost.isEmpty()) {
      LOG.log(
          Level.WARNING,
          "{0} blobs or manifests have lost their bytes, {1} among them; push them again",
          lost.size(),
          lost.getFirst());
    }
    Set<Digest> removed = new HashSet<>(catalog.takeUnheld());
    present.forEach(
        (digest, stored) -> {
          if (stored.provisional()) {
            removed.add(digest);
          }
        });
    blobs.delete(removed);
    blobs.forgetStaged();
    present.keySet().removeAll(removed);
    if (!present.isEmpty()) {
      LOG.log(
          Level.WARNING,
          "{0} blobs are named by no line of the journal, {1} among them; they are kept; if the"
              + " journal was cut or is an old one, {2}",
          present.size(),
          present.keySet().iterator().next(),
          repair());
    }
  }

  /** Version 1 did not keep what lists of referrers tell. */
  private static void fillIn(BlobStorage blobs, Catalog catalog) throws IOException {
    for (Repository repository : catalog.repositories().values()) {
      for (Map.Entry<Digest, ManifestEntry> e : repository.manifests.entrySet()) {
        ManifestEntry old = e.getValue();
        Blob open = old.subject() == null ? null : blobs.open(e.getKey()).orElse(null);
        if (open == null) {
          continue;
        }
        try (Blob blob = open) {
          Manifest manifest = Manifest.parse(blob.bytes(), old.mediaType());
          ManifestEntry entry =
              new ManifestEntry(
                  old.mediaType(), old.size(), old.subject(), ReferrerFields.of(manifest).kept());
          catalog.apply(new PutManifest(repository.name(), e.getKey(), entry));
        } catch (Problem notReadable) {
          LOG.log(Level.WARNING, "cannot read the manifest {0}: {1}", e.getKey(), notReadable);
        }
      }
    }
  }
}
