package slipway.registry;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import slipway.base.FileReason;
import slipway.base.Problem;
import slipway.http.HttpOptions;
import slipway.http.HttpServer;
import slipway.linux.posix.Posix;
import slipway.registry.api.HeavyWork;
import slipway.registry.api.RegistryApi;
import slipway.registry.catalog.Store;
import slipway.registry.catalog.Uploads;

/**
 * A registry server (OCI distribution-spec 1.1, with Docker's catalog) that keeps its content below
 * one directory, which it alone uses. Killed at any time it has, when started again, all that it
 * answered with success.
 */
public final class RegistryServer implements AutoCloseable {
  /** How long {@link #close} lets requests under way finish. */
  public static final Duration STOP_TIME = Duration.ofSeconds(10);

  /** An upload that nobody touched for so long is dropped. */
  private static final Duration UPLOAD_EXPIRY = Duration.ofHours(1);

  private static final long CACHE_LIMIT = 32L * 1024 * 1024;

  private final Store store;
  private final Uploads uploads;
  private final HeavyWork work;
  private final HttpServer server;
  private final ScheduledExecutorService sweeper;

  private RegistryServer(
      Store store,
      Uploads uploads,
      HeavyWork work,
      HttpServer server,
      ScheduledExecutorService sweeper) {
    this.store = store;
    this.uploads = uploads;
    this.work = work;
    this.server = server;
    this.sweeper = sweeper;
  }

  /**
   * Starts a registry that anyone who reaches it may pull from and push to, over plain HTTP.
   *
   * @param root made when it is not there
   * @param address where to listen; port 0 takes a free one
   * @throws Problem when the directory is in use or damaged, or the address cannot be had
   */
  public static RegistryServer start(Path root, InetSocketAddress address) {
    return start(root, address, HttpOptions.CONNECTIONS);
  }

  /**
   * As above.
   *
   * @param connections at once; a further one takes the place of one of the client that has the
   *     most
   */
  public static RegistryServer start(Path root, InetSocketAddress address, int connections) {
    HttpServer.requireFree(address); // Before anything is made.
    return start(
        root,
        HttpOptions.at(address).withStopTimeout(STOP_TIME).withConnections(connections),
        InstantSource.system(),
        () -> UUID.randomUUID().toString(),
        UPLOAD_EXPIRY);
  }

  /** As above with all that it takes from its surroundings; ids must be unguessable. */
  public static RegistryServer start(
      Path root, HttpOptions options, InstantSource clock, Supplier<String> ids, Duration expiry) {
    Posix.useEnglishErrors(); // RegistryApi tells a full disk by them
    Store store = open(root);
    Uploads uploads = new Uploads(store.blobs(), clock, ids, expiry);
    HeavyWork work = new HeavyWork();
    long cache = Math.min(CACHE_LIMIT, Runtime.getRuntime().maxMemory() / 8);
    try {
      HttpServer server = HttpServer.start(options, new RegistryApi(store, uploads, work, cache));
      ScheduledExecutorService sweeper =
          Executors.newSingleThreadScheduledExecutor(
              Thread.ofPlatform().daemon().name("registry-sweep").factory());
      long period = Math.max(1, expiry.toMillis() / 10);
      var unused =
          sweeper.scheduleWithFixedDelay(uploads::sweep, period, period, TimeUnit.MILLISECONDS);
      return new RegistryServer(store, uploads, work, server, sweeper);
    } catch (RuntimeException e) {
      work.close();
      close(uploads, store);
      throw e;
    }
  }

  private static Store open(Path root) {
    try {
      return Store.open(root);
    } catch (IOException e) {
      throw new Problem(
          Problem.Kind.ENVIRONMENT,
          "cannot keep a registry in " + root + ": " + FileReason.ofFolder(e),
          e);
    }
  }

  /** Where it listens, with the real port. */
  public InetSocketAddress address() {
    return server.address();
  }

  /** Lets requests under way finish for a while, then stops. */
  @Override
  public void close() {
    server.close();
    sweeper.shutdown();
    work.close();
    close(uploads, store);
  }

  private static void close(Uploads uploads, Store store) {
    try (store) {
      uploads.close();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot close the registry's store", e);
    }
  }
}
