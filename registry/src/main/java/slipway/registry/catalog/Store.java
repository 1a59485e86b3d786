package slipway.registry.catalog;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.oci.model.Digest;
import slipway.registry.blobs.BlobStorage;
import slipway.registry.blobs.BlobStorage.Blob;
import slipway.registry.blobs.BlobStorage.Publication;
import slipway.registry.catalog.RegistryError.Code;

/**
 * The registry's content: blobs in a {@link BlobStorage}, who holds them in a {@link Journal}, and
 * the same in memory for readers, who never wait. All commits run on one thread, which takes what
 * has gathered meanwhile as one batch: publish the batch's blobs and make them durable, append one
 * line to the journal and sync it (the commit point), show the changes to readers, settle the
 * blobs, answer. So a reader sees only what is durable, a line never names blobs that a power cut
 * may take, and a hundred small blobs cost a few syncs. A commit that fails before its line may be
 * on the disk is taken back, and the next one goes on; once that is unknown the registry only
 * reads, and says so.
 */
public final class Store implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("slipway.registry");
  private static final int BATCH = 512;

  /** The journal is rewritten when it has grown by so much, and to more than double its size. */
  private static final long SLACK = 16L * 1024 * 1024;

  private final FileChannel lock;
  private final BlobStorage blobs;
  private final Journal journal;
  private final Catalog catalog;
  private final BlockingQueue<Commit> queue = new LinkedBlockingQueue<>();
  private final Thread committer;
  private final Commit stop =
      new Commit(List.of(), true, catalog -> List.of(), new CompletableFuture<>());
  private long rewrittenLength;
  private volatile boolean closed;

  /** Whether what is on the disk and what is in memory may differ, so that nothing is written. */
  private volatile boolean broken;

  /** Decides on the changes of a commit, or refuses it; sees all earlier commits. */
  @FunctionalInterface
  public interface Plan {
    List<Change> changes(Catalog catalog) throws RegistryError;
  }

  /** Exclusive commits take away; they must not share a batch with one that relies on what is. */
  private record Commit(
      List<Publication> publications,
      boolean exclusive,
      Plan plan,
      CompletableFuture<@Nullable Void> done) {}

  private Store(FileChannel lock, StoreDirectory.Opened opened) {
    this.lock = lock;
    this.blobs = opened.blobs();
    this.journal = opened.journal();
    this.catalog = opened.catalog();
    this.rewrittenLength = journal.length();
    this.committer = Thread.ofPlatform().daemon().name("registry-commit").unstarted(this::run);
  }

  /**
   * Opens the store below a directory, making it when it is not there.
   *
   * @throws Problem when another process uses it or it is damaged
   */
  public static Store open(Path root) throws IOException {
    StoreDirectory directory = StoreDirectory.lock(root);
    try {
      return start(directory, directory.open());
    } catch (IOException | RuntimeException e) {
      directory.lock().close();
      throw e;
    }
  }

  /** As {@link #open}, with what was opened. */
  static Store start(StoreDirectory directory, StoreDirectory.Opened opened) {
    Store store = new Store(directory.lock(), opened);
    store.rewriteIfLong();
    store.committer.start();
    return store;
  }

  /** What there is; for reading. */
  public Catalog catalog() {
    return catalog;
  }

  public BlobStorage blobs() {
    return blobs;
  }

  /**
   * The content of a digest that some repository holds. Empty when it was deleted meanwhile, and
   * when the bytes are not all there: then it is hidden from now on, so that clients push it again.
   *
   * @param size that it should have
   */
  public Optional<Blob> open(Digest digest, long size) throws IOException {
    Optional<Blob> blob = openWhole(digest, size);
    if (blob.isPresent() || broken) {
      return blob;
    }
    // Between two commits: a blob that is deleted and pushed again meanwhile is not lost.
    List<Blob> found = new ArrayList<>();
    remove(
        now -> {
          openAgain(digest, size).ifPresent(found::add);
          if (found.isEmpty() && now.isHeld(digest) && now.lose(digest)) {
            LOG.log(Level.WARNING, "{0} has lost its bytes; push it again", digest);
          }
          return List.of();
        });
    return found.stream().findFirst();
  }

  private Optional<Blob> openAgain(Digest digest, long size) {
    try {
      return openWhole(digest, size);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Optional<Blob> openWhole(Digest digest, long size) throws IOException {
    Optional<Blob> blob = blobs.open(digest);
    if (blob.isPresent() && blob.get().size() != size) {
      blob.get().close();
      return Optional.empty();
    }
    return blob;
  }

  /** Commits changes that add; returns once they are durable and visible. */
  public void add(List<Publication> publications, Plan plan) throws IOException {
    commit(new Commit(publications, false, plan, new CompletableFuture<>()));
  }

  /** Commits changes that take away; returns once they are durable and visible. */
  public void remove(Plan plan) throws IOException {
    commit(new Commit(List.of(), true, plan, new CompletableFuture<>()));
  }

  private void commit(Commit commit) throws IOException {
    synchronized (queue) {
      if (closed) {
        throw new RegistryError(Code.UNAVAILABLE, "the registry is shutting down");
      }
      if (broken) {
        throw outOfOrder();
      }
      queue.add(commit);
    }
    try {
      commit.done.join();
    } catch (CompletionException e) {
      switch (e.getCause()) {
        case RegistryError error -> throw error;
        case IOException failure -> throw failure;
        case null, default -> throw new IOException("the commit failed", e.getCause());
      }
    }
  }

  private static RegistryError outOfOrder() {
    return new RegistryError(
        Code.UNAVAILABLE,
        "the registry takes no writes since one failed (its log says why); restart it once the"
            + " disk is well");
  }

  /** Ends with {@link #stop} alone: whatever goes wrong is told to those who wait for it. */
  private void run() {
    List<Commit> batch = new ArrayList<>();
    @Nullable Commit following = null;
    while (true) {
      batch.clear();
      batch.add(following == null ? next() : following);
      following = null;
      try {
        following = gather(batch);
        if (batch.getFirst() == stop) {
          stop.done.complete(null);
          return;
        }
        carryOut(batch);
      } catch (Throwable e) { // Errors too: nobody else answers those who wait
        breakDown(e);
        batch.forEach(commit -> commit.done.completeExceptionally(e));
      }
    }
  }

  private Commit next() {
    while (true) {
      try {
        return queue.take();
      } catch (InterruptedException e) {
        // Nobody interrupts this thread with a purpose: it would close the files it writes.
      }
    }
  }

  /** Adds to the batch what may join it; returns the first that may not. */
  private @Nullable Commit gather(List<Commit> batch) {
    boolean exclusive = batch.getFirst().exclusive;
    while (!exclusive && batch.size() < BATCH) {
      Commit next = queue.poll();
      if (next == null) {
        return null;
      }
      if (next.exclusive) {
        return next;
      }
      batch.add(next);
    }
    return null;
  }

  private void carryOut(List<Commit> batch) {
    List<Commit> accepted = new ArrayList<>();
    List<Change> changes = new ArrayList<>();
    List<Publication> publications = new ArrayList<>();
    for (Commit commit : batch) {
      try {
        if (broken) {
          throw outOfOrder();
        }
        changes.addAll(commit.plan.changes(catalog));
        publications.addAll(commit.publications);
        accepted.add(commit);
      } catch (RuntimeException | Error e) { // the one who asked for it is told
        commit.done.completeExceptionally(e);
      }
    }
    if (!changes.isEmpty() && !write(publications, changes, accepted)) {
      return;
    }
    dropUnheld(catalog.takeUnheld());
    accepted.forEach(commit -> commit.done.complete(null));
    rewriteIfLong();
  }

  /** Makes changes durable and visible; otherwise tells all who wait and gives false. */
  private boolean write(
      List<Publication> publications, List<Change> changes, List<Commit> accepted) {
    try {
      blobs.publish(publications);
      journal.append(changes);
    } catch (IOException | RuntimeException | Error e) { // all who wait are told
      if (journal.isBroken()) {
        breakDown(e);
      } else {
        withdraw(publications);
      }
      accepted.forEach(commit -> commit.done.completeExceptionally(e));
      return false;
    }
    // An Error from here on breaks the store: readers and disk would differ.
    changes.forEach(catalog::apply);
    publications.forEach(publication -> catalog.found(publication.digest()));
    try {
      blobs.settle(publications);
    } catch (IOException e) {
      LOG.log(Level.WARNING, "cannot remove names of uploads; the next start does", e);
    }
    return true;
  }

  private void breakDown(Throwable cause) {
    broken = true;
    LOG.log(
        Level.ERROR,
        "a write failed half-way; the registry only reads until it is restarted",
        cause);
  }

  private void withdraw(List<Publication> publications) {
    try {
      blobs.withdraw(publications, catalog::isHeld);
    } catch (IOException e) {
      LOG.log(Level.WARNING, "cannot take back what was not committed; the next start does", e);
    }
  }

  /** Not part of any commit: what cannot be removed now is removed by the next start. */
  private void dropUnheld(List<Digest> digests) {
    try {
      blobs.delete(digests.stream().filter(d -> !catalog.isHeld(d)).toList());
    } catch (IOException e) {
      LOG.log(Level.WARNING, "cannot remove blobs that nobody holds", e);
    }
  }

  private void rewriteIfLong() {
    if (journal.length() > 2 * rewrittenLength + SLACK) {
      try {
        journal.rewrite(Objects.requireNonNull(journal.id()), catalog::snapshot);
      } catch (IOException e) {
        if (journal.isBroken()) {
          breakDown(e);
        } else {
          LOG.log(Level.WARNING, "cannot rewrite the journal; it goes on as it is", e);
        }
      }
      rewrittenLength = journal.length();
    }
  }

  /** Carries out what was asked for before, then lets go of the directory. */
  @Override
  public void close() throws IOException {
    synchronized (queue) {
      if (closed) {
        return;
      }
      closed = true;
      queue.add(stop);
    }
    stop.done.join();
    journal.close();
    blobs.close();
    lock.close();
  }
}
