package slipway.oci;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import slipway.oci.model.Reference;

/** A server in this process whose answers a test decides; it remembers what was asked. */
public final class HostileRegistry implements AutoCloseable {
  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final ConcurrentHashMap<String, AtomicInteger> counts = new ConcurrentHashMap<>();
  final List<String> asked = new CopyOnWriteArrayList<>();

  /** Answers a request; {@code count} says how often this path was asked before. */
  public interface Handler {
    void handle(HttpExchange exchange, int count) throws IOException;
  }

  public HostileRegistry(Handler handler) throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext(
        "/",
        exchange -> {
          try (exchange) {
            String path = exchange.getRequestURI().toString();
            asked.add(
                exchange.getRequestMethod()
                    + " "
                    + path
                    + " "
                    + exchange.getRequestHeaders().getFirst("Authorization"));
            if (path.equals("/v2/") && exchange.getRequestHeaders().get("Authorization") == null) {
              exchange.sendResponseHeaders(200, -1); // The look for plain HTTP.
              return;
            }
            int count = counts.computeIfAbsent(path, p -> new AtomicInteger()).getAndIncrement();
            handler.handle(exchange, count);
          }
        });
    server.start();
  }

  static void answer(HttpExchange exchange, int status, byte[] body) throws IOException {
    exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    if (body.length > 0) {
      try (OutputStream out = exchange.getResponseBody()) {
        out.write(body);
      }
    }
  }

  public static void answer(HttpExchange exchange, int status, String body) throws IOException {
    answer(exchange, status, body.getBytes(StandardCharsets.UTF_8));
  }

  /** Promises a length and cuts the connection after a part. */
  static void cut(HttpExchange exchange, int status, byte[] body, int from, int sent)
      throws IOException {
    exchange.sendResponseHeaders(status, body.length - from);
    OutputStream out = exchange.getResponseBody();
    out.write(body, from, sent);
    out.flush();
    throw new IOException("cut"); // The server closes the connection.
  }

  public static void header(HttpExchange exchange, String name, String value) {
    exchange.getResponseHeaders().add(name, value);
  }

  int port() {
    return server.getAddress().getPort();
  }

  public String host() {
    return "127.0.0.1:" + port();
  }

  public Reference reference() {
    return Reference.parse(host() + "/x:latest");
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
