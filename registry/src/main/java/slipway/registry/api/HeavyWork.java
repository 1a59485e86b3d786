package slipway.registry.api;

import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Work that takes milliseconds of a processor or megabytes of memory, such as parsing a manifest of
 * 4 MB. It runs on a few threads of the system: a virtual thread that computes is not taken from
 * its processor, so others would wait for it; and only so many such manifests are in memory at
 * once.
 */
public final class HeavyWork implements AutoCloseable {
  private final ExecutorService threads =
      Executors.newFixedThreadPool(
          Math.max(1, Runtime.getRuntime().availableProcessors() / 2),
          Thread.ofPlatform().daemon().name("registry-work-", 0).factory());

  /** Runs on one of the threads, and waits for it. */
  <T> T run(Callable<T> work) throws IOException {
    Future<T> result = threads.submit(work);
    try {
      return result.get();
    } catch (InterruptedException e) {
      result.cancel(false);
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case RuntimeException failure -> throw failure;
        case IOException failure -> throw failure;
        case Error failure -> throw failure;
        case null, default -> throw new IOException(e.getCause());
      }
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
