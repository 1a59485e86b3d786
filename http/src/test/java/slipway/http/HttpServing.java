package slipway.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;

/**
 * A server with one handler for each thing that tests ask for, which runs while a class of them
 * does.
 */
abstract class HttpServing {
  static final InetSocketAddress LOOPBACK = new InetSocketAddress("127.0.0.1", 0);

  static final HttpClient CLIENT = HttpClient.newHttpClient();

  static final byte[] CONTENT = new byte[40 * 1024 * 1024];

  static final List<HttpOptions.Access> LOG = new CopyOnWriteArrayList<>();

  /** One test fails a handler on purpose. */
  private static final Logger QUIET = Logger.getLogger("slipway.http");

  @TempDir static Path dir;

  static HttpServer server;

  @BeforeAll
  static void start() throws IOException {
    QUIET.setLevel(java.util.logging.Level.OFF);
    new Random(1).nextBytes(CONTENT);
    Path file = Files.write(dir.resolve("content"), CONTENT);
    Router router =
        new Router()
            .on("GET", "/echo/{name...}/end/{last}", HttpServing::echo)
            .on("GET", "/file", (request, response) -> file(file, request, response))
            .on("POST", "/count", HttpServing::count)
            .on("POST", "/refused", (q, r) -> refuse())
            .on("POST", "/small", HttpServing::small)
            .on("GET", "/chunks", HttpServing::chunks)
            .on("GET", "/denied", (q, r) -> deny())
            .on("GET", "/defect", (q, r) -> defect())
            .on("GET", "/half", HttpServing::half)
            .on("GET", "/nothing", (q, r) -> r.status(204));
    server = HttpServer.start(HttpOptions.at(LOOPBACK).withAccessLog(LOG::add), router);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  static void echo(Request request, Response response) throws IOException {
    response.header("X-Name", request.parameter("name"));
    response.end(
        "text/plain",
        request.parameter("name") + "|" + request.parameter("last") + "|" + request.queryAll("q"));
  }

  static void count(Request request, Response response) throws IOException {
    long announced = request.contentLength();
    response.end("text/plain", announced + " " + request.transferTo(b -> b.position(b.limit())));
  }

  static void small(Request request, Response response) throws IOException {
    long length = request.transferTo(1000, b -> b.position(b.limit()));
    response.end("text/plain", "" + length);
  }

  static void chunks(Request request, Response response) throws IOException {
    for (String part : List.of("one ", "two ", "three")) {
      response.write(UTF_8.encode(part));
    }
  }

  private static void deny() {
    throw Problem.denied("not for you");
  }

  static void defect() {
    throw new IllegalStateException("the secret detail");
  }

  static void half(Request request, Response response) throws IOException {
    response.length(100).write(UTF_8.encode("half"));
    throw Problem.corrupt("cannot go on");
  }

  static void file(Path file, Request request, Response response) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      RangeContent content =
          new RangeContent() {
            @Override
            public long size() {
              return CONTENT.length;
            }

            @Override
            public void write(Response out, long offset, long length) throws IOException {
              out.write(channel, offset, length);
            }
          };
      response.header("ETag", "\"tag\"");
      content.send(request, response, "application/octet-stream", "\"tag\"");
    }
  }

  static HttpResponse<String> get(String path, String... headers) throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(uri(path));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return CLIENT.send(request.build(), BodyHandlers.ofString(ISO_8859_1));
  }

  static URI uri(String path) {
    return URI.create("http://127.0.0.1:" + server.address().getPort() + path);
  }

  private static void refuse() {
    throw new HttpProblem(409, "not now");
  }

  interface Step {
    void run() throws IOException;
  }

  /** Runs something that no log must hear of. */
  static void assertQuiet(Step step) throws IOException {
    List<java.util.logging.LogRecord> told = new CopyOnWriteArrayList<>();
    java.util.logging.Handler listener =
        new java.util.logging.Handler() {
          @Override
          public void publish(java.util.logging.LogRecord record) {
            told.add(record);
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    Logger all = Logger.getLogger("");
    all.addHandler(listener);
    QUIET.setLevel(null);
    try {
      step.run();
      assertThat(told).extracting(java.util.logging.LogRecord::getMessage).isEmpty();
    } finally {
      QUIET.setLevel(java.util.logging.Level.OFF);
      all.removeHandler(listener);
    }
  }

  static String raw(String request) throws IOException {
    try (Socket socket = new Socket("127.0.0.1", server.address().getPort())) {
      socket.getOutputStream().write(request.getBytes(UTF_8));
      socket.shutdownOutput();
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      try {
        socket.getInputStream().transferTo(out);
      } catch (IOException e) {
        // A reset after the answer, for what was left unread.
      }
      return out.toString(ISO_8859_1);
    }
  }
}
