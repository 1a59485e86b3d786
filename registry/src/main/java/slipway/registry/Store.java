package slipway.registry;

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
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.oci.Digest;
import slipway.registry.BlobStorage.Publication;

/**
 * The registry's content: blobs in a {@link BlobStorage}, who holds them in a {@link Journal}, and
 * the same in memory for readers, who never wait. All commits run on one thread, which takes what
 * has gathered meanwhile as one batch: publish the batch's blobs, append one line to the journal,
 * sync both (the commit point), show the changes to readers, answer. So a reader sees only what is
 * durable, and a hundred small blobs cost a few syncs; the journal goes first because its sync
 * carries the renames with it where the file system has a journal too. A crash leaves at worst
 * blobs that nobody holds, which the next start removes, and a line that nobody was told of whose
 * blobs are not there, which the next start hides.
 */
final class Store implements AutoCloseable {
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

  /** Decides on the changes of a commit, or refuses it; sees all earlier commits. */
  @FunctionalInterface
  interface Plan {
    List<Change> changes(Catalog catalog) throws RegistryError;
  }

  /** Exclusive commits take away; they must not share a batch with one that relies on what is. */
  private record Commit(
      List<Publication> publications,
      boolean exclusive,
      Plan plan,
      CompletableFuture<@Nullable Void> done) {}

  private Store(FileChannel lock, BlobStorage blobs, Journal journal, Catalog catalog) {
    this.lock = lock;
    this.blobs = blobs;
    this.journal = journal;
    this.catalog = catalog;
    this.rewrittenLength = journal.length();
    this.committer = Thread.ofPlatform().daemon().name("registry-commit").unstarted(this::run);
  }

  /**
   * Opens the store below a directory, making it when it is not there.
   *
   * @throws Problem when another process uses it or its journal is damaged
   */
  static Store open(Path root) throws IOException {
    Files.createDirectories(root);
    FileChannel lock = lock(root);
    try {
      BlobStorage blobs = FileBlobStorage.open(root);
      Catalog catalog = new Catalog();
      Journal journal = Journal.open(root.resolve("journal"), catalog::apply);
      reconcile(blobs, catalog);
      Store store = new Store(lock, blobs, journal, catalog);
      store.rewriteIfLong();
      store.committer.start();
      return store;
    } catch (IOException | RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  private static FileChannel lock(Path root) throws IOException {
    FileChannel channel =
        FileChannel.open(root.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      if (channel.tryLock() != null) {
        return channel;
      }
    } catch (OverlappingFileLockException e) {
      // Held by this very process.
    }
    channel.close();
    throw Problem.environment(
        root + " is in use by another registry; stop that one or choose another directory");
  }

  /**
   * Hides what lost its bytes, so that clients push it again, and removes bytes that nobody holds.
   */
  private static void reconcile(BlobStorage blobs, Catalog catalog) throws IOException {
    Set<Digest> present = blobs.list();
    Set<Digest> missing = new HashSet<>(catalog.held());
    missing.removeAll(present);
    if (!missing.isEmpty()) {
      LOG.log(
          Level.WARNING,
          "{0} blobs or manifests have lost their files, {1} among them; push them again",
          missing.size(),
          missing.iterator().next());
      catalog.forget(missing);
    }
    present.removeIf(catalog::isHeld);
    catalog.takeUnheld();
    blobs.delete(present);
  }

  /** What there is; for reading. */
  Catalog catalog() {
    return catalog;
  }

  BlobStorage blobs() {
    return blobs;
  }

  /** Commits changes that add; returns once they are durable and visible. */
  void add(List<Publication> publications, Plan plan) throws IOException {
    commit(new Commit(publications, false, plan, new CompletableFuture<>()));
  }

  /** Commits changes that take away; returns once they are durable and visible. */
  void remove(Plan plan) throws IOException {
    commit(new Commit(List.of(), true, plan, new CompletableFuture<>()));
  }

  private void commit(Commit commit) throws IOException {
    synchronized (queue) {
      if (closed) {
        throw new IOException("the registry is shutting down");
      }
      queue.add(commit);
    }
    try {
      commit.done.join();
    } catch (CompletionException e) {
      switch (e.getCause()) {
        case RegistryError error -> throw error;
        case IOException failure -> throw new IOException("the commit failed", failure);
        case null, default -> throw e;
      }
    }
  }

  private void run() {
    List<Commit> batch = new ArrayList<>();
    while (true) {
      if (batch.isEmpty()) {
        batch.add(next());
      }
      Commit following = gather(batch);
      if (batch.getFirst() == stop) {
        stop.done.complete(null);
        return;
      }
      carryOut(batch);
      batch.clear();
      if (following != null) {
        batch.add(following);
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
        changes.addAll(commit.plan.changes(catalog));
        publications.addAll(commit.publications);
        accepted.add(commit);
      } catch (RuntimeException e) { // the one who asked for it is told
        commit.done.completeExceptionally(e);
      }
    }
    try {
      if (!changes.isEmpty()) {
        blobs.publish(publications);
        journal.append(changes);
        blobs.sync();
        changes.forEach(catalog::apply);
      }
    } catch (IOException | RuntimeException e) { // all who wait are told
      dropUnheld(publications.stream().map(Publication::digest).toList());
      accepted.forEach(commit -> commit.done.completeExceptionally(e));
      return;
    }
    dropUnheld(catalog.takeUnheld());
    accepted.forEach(commit -> commit.done.complete(null));
    rewriteIfLong();
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
        journal.rewrite(catalog::snapshot);
      } catch (IOException e) {
        LOG.log(Level.WARNING, "cannot rewrite the journal; it goes on as it is", e);
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
