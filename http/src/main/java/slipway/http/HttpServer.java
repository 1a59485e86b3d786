package slipway.http;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.logging.Logger;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.GracefulHandler;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import slipway.base.Printable;
import slipway.base.Problem;

/**
 * An HTTP/1.1 server. Each request is handled on a virtual thread of its own, so handlers may
 * block. Nothing is printed; what is our fault goes to the {@link System.Logger} {@code
 * slipway.http}.
 */
public final class HttpServer implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("slipway.http");

  private static final String CARRIERS = "jdk.virtualThreadScheduler.parallelism";

  /** Bytes of a refused body that are read over before the answer. */
  private static final long DISCARDED = 64L * 1024 * 1024;

  /** Kept, because the logging system forgets loggers (and their levels) that nobody holds. */
  private static final Logger JETTY_LOG = Logger.getLogger("org.eclipse.jetty");

  static {
    // Handlers that compute or write to a disk hold their processor; with more carriers than
    // processors the system shares them out, so that a small request does not wait for large ones.
    if (System.getProperty(CARRIERS) == null) {
      int carriers = Math.max(8, 4 * Runtime.getRuntime().availableProcessors());
      System.setProperty(CARRIERS, Integer.toString(carriers));
    }
    if (JETTY_LOG.getLevel() == null) {
      JETTY_LOG.setLevel(java.util.logging.Level.WARNING);
    }
  }

  private final Server server;
  private final ServerConnector connector;

  private HttpServer(Server server, ServerConnector connector) {
    this.server = server;
    this.connector = connector;
  }

  /**
   * Starts listening.
   *
   * @throws Problem of kind ENVIRONMENT when the address cannot be had
   */
  public static HttpServer start(HttpOptions options, Handler handler) {
    // A few platform threads accept and select; the handlers run on virtual ones.
    QueuedThreadPool threads = new QueuedThreadPool(16, 2);
    threads.setName("http");
    threads.setDaemon(true);
    threads.setVirtualThreadsExecutor(
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("http-", 0).factory()));
    ClientEndPoint.prepare();
    Server server = new Server(threads);
    ClientConnector connector = new ClientConnector(server, options);
    server.addConnector(connector);
    server.setHandler(new GracefulHandler(new Bridge(options, handler)));
    server.setStopTimeout(options.stopTimeout().toMillis());
    server.setErrorHandler(HttpServer::refuse);
    try {
      server.start();
      connector.sweep(options.floor());
    } catch (Exception e) { // Jetty declares no less
      stop(server);
      throw cannotListen(options.address(), e);
    }
    return new HttpServer(server, connector);
  }

  /**
   * Refuses an address that cannot be listened on, for those who make something before they start.
   * It is bound and not listened on, so nobody who waits for the server takes this for it.
   *
   * @throws Problem of kind ENVIRONMENT
   */
  public static void requireFree(InetSocketAddress address) {
    try (SocketChannel socket = SocketChannel.open()) {
      // As the server does: connections of one before that still linger do not count.
      socket.setOption(StandardSocketOptions.SO_REUSEADDR, true);
      socket.bind(address);
    } catch (IOException e) {
      throw cannotListen(address, e);
    }
  }

  private static Problem cannotListen(InetSocketAddress address, Exception e) {
    Throwable root = e;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    String said = String.valueOf(root.getMessage());
    String reason =
        said.contains("already in use")
            ? "the port is in use; choose another, or stop what listens there"
            : said.contains("Cannot assign")
                ? "this machine does not have that address"
                : said.contains("ermission denied")
                    ? "permission denied; choose a port from 1024 on, or be root"
                    : said;
    String host = address.getHostString();
    return new Problem(
        Problem.Kind.ENVIRONMENT,
        "cannot listen on "
            + (host.contains(":") ? "[" + host + "]" : host)
            + ":"
            + address.getPort()
            + ": "
            + reason,
        e);
  }

  /** Where it listens, with the real port. */
  public InetSocketAddress address() {
    return new InetSocketAddress(
        java.util.Objects.requireNonNull(connector.getHost()), connector.getLocalPort());
  }

  /**
   * Refuses new requests, lets those under way finish for the stop time-out, and stops. In a thread
   * that was interrupted, whose process is told to end, it waits for none; the thread stays so.
   */
  @Override
  public void close() {
    stop(server);
  }

  private static void stop(Server server) {
    // Jetty would end its wait by the interrupt and forget it; what unwinds after this needs it.
    boolean hurried = Thread.interrupted();
    if (hurried) {
      server.setStopTimeout(0);
    }
    try {
      server.stop();
    } catch (Exception e) { // Jetty declares no less; requests were cut off by the time-out
      LOG.log(Level.DEBUG, "the server did not stop in order", e);
    } finally {
      if (hurried) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** What Jetty refuses before a handler sees it: malformed requests, headers too large. */
  private static boolean refuse(
      org.eclipse.jetty.server.Request request,
      org.eclipse.jetty.server.Response response,
      Callback callback) {
    response.getHeaders().put("Content-Type", "text/plain;charset=utf-8");
    String text = HttpStatus.getMessage(response.getStatus()) + "\n";
    org.eclipse.jetty.io.Content.Sink.write(response, true, text, callback);
    return true;
  }

  /** The way from Jetty's interface to ours. */
  private static final class Bridge extends org.eclipse.jetty.server.Handler.Abstract {
    private final HttpOptions options;
    private final Handler handler;

    Bridge(HttpOptions options, Handler handler) {
      this.options = options;
      this.handler = handler;
    }

    @Override
    public boolean handle(
        org.eclipse.jetty.server.Request jettyRequest,
        org.eclipse.jetty.server.Response jettyResponse,
        Callback callback) {
      Request request = new Request(jettyRequest);
      Response response = new Response(jettyResponse, request.method().equals("HEAD"));
      try {
        answer(request, response);
        callback.succeeded();
      } catch (ConnectionLost e) {
        LOG.log(Level.DEBUG, () -> line(request) + " was cut", e);
        // Else Jetty would still try to answer with a status of its own.
        jettyRequest.getConnectionMetaData().getConnection().getEndPoint().close(e);
        callback.failed(e);
      } finally {
        if (options.accessLog() != null) {
          options.accessLog().accept(access(jettyRequest, request, response));
        }
      }
      return true;
    }

    private void answer(Request request, Response response) throws ConnectionLost {
      try {
        try {
          handler.handle(request, response);
          response.complete();
        } catch (HttpProblem problem) {
          refuse(request, response, problem);
        } catch (Problem problem) {
          if (HttpProblem.of(problem).status() >= 500) {
            LOG.log(Level.ERROR, () -> line(request) + " failed", problem);
          }
          refuse(request, response, HttpProblem.of(problem));
        } catch (ConnectionLost e) {
          throw e;
        } catch (IOException | RuntimeException | OutOfMemoryError | StackOverflowError e) {
          LOG.log(Level.ERROR, () -> line(request) + " failed", e);
          refuse(request, response, new HttpProblem(500, "the server failed; its log says why"));
        }
      } catch (ConnectionLost e) {
        throw e;
      } catch (IOException e) {
        throw new ConnectionLost("the answer could not be sent", e);
      }
    }

    /** A cut connection is the only way to tell of a failure once the answer has begun. */
    private static void refuse(Request request, Response response, HttpProblem problem)
        throws IOException {
      if (response.committed()) {
        throw new ConnectionLost("the answer had begun", problem);
      }
      try {
        request.discardBody(DISCARDED);
      } catch (HttpProblem e) {
        // A body that is cut or malformed; the client may still read why it was refused before.
      }
      response.reset();
      problem.headers().forEach(response::header);
      response.status(problem.status()).end(problem.contentType(), problem.body());
    }

    /** For logs: clients choose both words. */
    private static String line(Request request) {
      return Printable.text(request.method() + " " + request.path());
    }

    private static HttpOptions.Access access(
        org.eclipse.jetty.server.Request jetty, Request request, Response response) {
      return new HttpOptions.Access(
          request.remote(),
          Printable.text(request.method()),
          Printable.text(request.path()),
          response.status(),
          response.sent(),
          Duration.ofNanos(System.nanoTime() - jetty.getHeadersNanoTime()));
    }
  }
}
