package slipway.disk.format;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import slipway.archive.compress.BlockCompression;

/**
 * Compresses pieces on all processors and gives them back in their order. They go to a processor in
 * batches, because a piece alone is too little work; as many batches wait as 32 MiB of pieces hold,
 * so that with their results all stays below 64 MiB.
 */
final class Compressor implements AutoCloseable {
  private static final int BATCH = 1 << 20;
  private static final int MOST_BATCHES = 24;
  private static final int PROCESSORS = Runtime.getRuntime().availableProcessors();

  private final BlockCompression compression;
  private final Taker taker;
  private final int waiting = Math.min(2 * PROCESSORS, MOST_BATCHES);
  private final ExecutorService threads =
      Executors.newFixedThreadPool(
          Math.min(PROCESSORS, MOST_BATCHES),
          Thread.ofPlatform().name("compress-", 0).daemon().factory());
  private final Deque<Future<List<Piece>>> pending = new ArrayDeque<>();
  private List<Piece> batch = new ArrayList<>();
  private int filled;

  /**
   * @param data as it is on the disk; after compression, that too
   */
  private record Piece(long index, byte[] data, byte[] compressed) {}

  /** Takes what was compressed, in the order in which it was given, on the giver's thread. */
  @FunctionalInterface
  interface Taker {
    void take(long index, byte[] data, byte[] compressed) throws IOException;
  }

  Compressor(BlockCompression compression, Taker taker) throws IOException {
    compression.prepare();
    this.compression = compression;
    this.taker = taker;
  }

  void add(long index, byte[] data) throws IOException {
    batch.add(new Piece(index, data, data));
    filled += data.length;
    if (filled >= BATCH) {
      submit();
    }
  }

  private void submit() throws IOException {
    List<Piece> work = batch;
    pending.add(
        threads.submit(
            () ->
                work.stream()
                    .map(p -> new Piece(p.index, p.data, compression.compress(p.data)))
                    .toList()));
    batch = new ArrayList<>();
    filled = 0;
    while (pending.size() > waiting) {
      takeFirst();
    }
  }

  /** Gives back all that is left. */
  void finish() throws IOException {
    submit();
    while (!pending.isEmpty()) {
      takeFirst();
    }
  }

  private void takeFirst() throws IOException {
    try {
      for (Piece piece : pending.remove().get()) {
        taker.take(piece.index, piece.data, piece.compressed);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while compressing");
    } catch (ExecutionException e) {
      throw new IOException("cannot compress: " + e.getCause(), e);
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
