package slipway.ostree.container;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.ImageTotals;
import slipway.base.FileReason;
import slipway.base.FullDisk;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.oci.copy.ImageSource;
import slipway.ostree.object.Checksum;
import slipway.ostree.repo.Repository;
import slipway.ostree.repo.Transaction;

/**
 * Fetches the layers that the repository lacks, several at once, and tells what of them was left
 * out. After a failure those that were complete are kept. For one import.
 */
final class MissingLayers {
  private static final int MAX_PARALLEL = 4;

  /** How many attributes' names one line tells. */
  private static final int MAX_NAMED = 5;

  private static final long MEGABYTE = 1_000_000;

  private final Repository repository;
  private final Transaction transaction;
  private final ImageSource source;
  private final ImageTotals totals;
  private final Progress progress;
  private final ImageParts parts;
  private final @Nullable CachedLayers cache;
  private final Map<String, Integer> dropped = new TreeMap<>();
  private final Map<String, Integer> attributes = new TreeMap<>();

  /**
   * @param totals what the layers may hold together
   * @param parts where they go
   * @param cache of layers that came before, or null
   */
  MissingLayers(
      Repository repository,
      Transaction transaction,
      ImageSource source,
      ImageTotals totals,
      Progress progress,
      ImageParts parts,
      @Nullable CachedLayers cache) {
    this.repository = repository;
    this.transaction = transaction;
    this.source = source;
    this.totals = totals;
    this.progress = progress;
    this.parts = parts;
    this.cache = cache;
  }

  /** What a layer became. */
  private sealed interface Arrived {
    record Files(LayerFetch.Fetched fetched) implements Arrived {}

    /**
     * @param commit of a layer of content alone
     */
    record Objects(EncapsulatedLayer layer, Optional<Checksum> commit) implements Arrived {}
  }

  /**
   * Fetches them all.
   *
   * @param contents what files of them may be there already, or null
   * @return how many bytes came
   */
  long fetch(List<WantedLayer> missing, @Nullable ContentIndex contents) throws IOException {
    if (missing.isEmpty()) {
      return 0;
    }
    // The largest first, so that none of them is left to the end.
    List<WantedLayer> order = new ArrayList<>(missing);
    order.sort(Comparator.comparingLong((WantedLayer w) -> w.blob().size()).reversed());
    long bytes;
    ExecutorService threads =
        Executors.newFixedThreadPool(
            Math.min(MAX_PARALLEL, order.size()),
            Thread.ofPlatform().daemon().name("layer-", 0).factory());
    try (threads) {
      Map<WantedLayer, Future<Arrived>> running = new LinkedHashMap<>();
      for (WantedLayer w : order) {
        running.put(w, threads.submit(() -> fetch(w, contents)));
      }
      bytes = takeAll(running, threads);
    }
    reportDropped();
    reportAttributes();
    return bytes;
  }

  private Arrived fetch(WantedLayer wanted, @Nullable ContentIndex contents) throws IOException {
    if (!wanted.objects() && cache != null) {
      return new Arrived.Files(
          cache.bring(transaction, wanted, () -> new LayerFetch(source, totals, progress), totals));
    }
    if (!wanted.objects()) {
      return new Arrived.Files(
          new LayerFetch(source, totals, progress, contents)
              .run(transaction, wanted.blob(), wanted.diffId(), wanted.onCommit()));
    }
    EncapsulatedLayer layer =
        EncapsulatedLayer.read(
            transaction, source, wanted.blob(), wanted.diffId(), totals, progress);
    return new Arrived.Objects(
        layer,
        layer.commit().isPresent() ? Optional.empty() : Optional.of(layer.write(wanted.diffId())));
  }

  /** Waits for each, also after a failure: nothing may write any more when this returns. */
  private long takeAll(Map<WantedLayer, Future<Arrived>> running, ExecutorService threads)
      throws IOException {
    long bytes = 0;
    Throwable failure = null;
    for (Map.Entry<WantedLayer, Future<Arrived>> entry : running.entrySet()) {
      try {
        bytes += take(entry.getKey(), entry.getValue().get());
      } catch (ExecutionException e) {
        failure = failure == null ? e.getCause() : failure;
        stop(threads);
      } catch (CancellationException e) {
        // It had not begun when another one failed.
      } catch (InterruptedException e) {
        stop(threads);
        Thread.currentThread().interrupt();
        throw new Problem(Problem.Kind.ENVIRONMENT, "the import was interrupted", e);
      }
    }
    if (failure != null) {
      if (!isFull(repository, failure)) {
        keepComplete();
      }
      rethrow(failure);
    }
    return bytes;
  }

  /** Returns how many bytes came for it. */
  private long take(WantedLayer wanted, Arrived arrived) {
    return switch (arrived) {
      case Arrived.Files(LayerFetch.Fetched fetched) -> {
        parts.addFiles(wanted, fetched);
        fetched.dropped().forEach((name, count) -> dropped.merge(name, count, Integer::sum));
        fetched.attributes().forEach((name, count) -> attributes.merge(name, count, Integer::sum));
        yield fetched.bytes();
      }
      case Arrived.Objects(EncapsulatedLayer layer, Optional<Checksum> commit) -> {
        parts.addObjects(wanted, layer, commit);
        yield wanted.blob().size();
      }
    };
  }

  /** Interrupts what runs, and cancels what has not begun: nobody else would ever end that. */
  private static void stop(ExecutorService threads) {
    threads.shutdownNow().forEach(task -> ((Future<?>) task).cancel(false));
  }

  /** After a failure: publishes the layers that are complete, so that they need not come again. */
  private void keepComplete() {
    if (parts.count == 0) {
      return;
    }
    try {
      transaction.commit();
    } catch (IOException | Problem e) {
      // The failure that led here is the one to report; nothing that was there is lost.
      progress.note("the layers that were complete could not be kept: " + FileReason.why(e));
    }
  }

  /**
   * Whether an import failed because the repository's file system has no room for content. Not when
   * inodes or room for attributes ran out, which the sentence at hand tells better.
   */
  static boolean isFull(Repository repository, Throwable failure) throws IOException {
    return (failure instanceof Problem p && p.kind() == Problem.Kind.FULL)
        || (FullDisk.isCauseOf(failure)
            && Files.getFileStore(repository.path()).getUsableSpace() < MEGABYTE);
  }

  private static void rethrow(Throwable failure) throws IOException {
    switch (failure) {
      case Problem p -> throw p;
      case IOException e -> throw e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new IllegalStateException(failure);
    }
  }

  private void reportDropped() {
    if (!dropped.isEmpty()) {
      StringBuilder line = new StringBuilder("left out, because a running system makes its own:");
      String separator = " ";
      for (Map.Entry<String, Integer> entry : dropped.entrySet()) {
        line.append(separator).append(entry.getValue()).append(" below /").append(entry.getKey());
        separator = ", ";
      }
      progress.note(line.toString());
    }
  }

  private void reportAttributes() {
    if (attributes.isEmpty()) {
      return;
    }
    List<String> told = new ArrayList<>();
    for (Map.Entry<String, Integer> entry : attributes.entrySet()) {
      if (told.size() == MAX_NAMED) {
        told.add("and " + (attributes.size() - MAX_NAMED) + " more");
        break;
      }
      told.add(entry.getKey() + " (" + entry.getValue() + ")");
    }
    progress.note(
        "left out, because Linux has no such extended attributes: " + String.join(", ", told));
  }
}
