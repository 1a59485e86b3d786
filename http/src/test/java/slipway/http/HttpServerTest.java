package slipway.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.base.Problem;

class HttpServerTest {
  private static final InetSocketAddress LOOPBACK = new InetSocketAddress("127.0.0.1", 0);
  private static final HttpClient CLIENT = HttpClient.newHttpClient();
  private static final byte[] CONTENT = new byte[40 * 1024 * 1024];
  private static final List<HttpOptions.Access> LOG = new CopyOnWriteArrayList<>();

  /** One test fails a handler on purpose. */
  private static final Logger QUIET = Logger.getLogger("slipway.http");

  @TempDir static Path dir;
  private static HttpServer server;

  @BeforeAll
  static void start() throws IOException {
    QUIET.setLevel(java.util.logging.Level.OFF);
    new Random(1).nextBytes(CONTENT);
    Path file = Files.write(dir.resolve("content"), CONTENT);
    Router router =
        new Router()
            .on("GET", "/echo/{name...}/end/{last}", HttpServerTest::echo)
            .on("GET", "/file", (request, response) -> file(file, request, response))
            .on("POST", "/count", HttpServerTest::count)
            .on("POST", "/refused", (q, r) -> refuse())
            .on("POST", "/small", HttpServerTest::small)
            .on("GET", "/chunks", HttpServerTest::chunks)
            .on("GET", "/denied", (q, r) -> deny())
            .on("GET", "/defect", (q, r) -> defect())
            .on("GET", "/half", HttpServerTest::half)
            .on("GET", "/nothing", (q, r) -> r.status(204));
    server = HttpServer.start(HttpOptions.at(LOOPBACK).withAccessLog(LOG::add), router);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static void echo(Request request, Response response) throws IOException {
    response.header("X-Name", request.parameter("name"));
    response.end(
        "text/plain",
        request.parameter("name") + "|" + request.parameter("last") + "|" + request.queryAll("q"));
  }

  private static void count(Request request, Response response) throws IOException {
    long announced = request.contentLength();
    response.end("text/plain", announced + " " + request.transferTo(b -> b.position(b.limit())));
  }

  private static void small(Request request, Response response) throws IOException {
    long length = request.transferTo(1000, b -> b.position(b.limit()));
    response.end("text/plain", "" + length);
  }

  private static void chunks(Request request, Response response) throws IOException {
    for (String part : List.of("one ", "two ", "three")) {
      response.write(UTF_8.encode(part));
    }
  }

  private static void deny() {
    throw Problem.denied("not for you");
  }

  private static void defect() {
    throw new IllegalStateException("the secret detail");
  }

  private static void half(Request request, Response response) throws IOException {
    response.length(100).write(UTF_8.encode("half"));
    throw Problem.corrupt("cannot go on");
  }

  private static void file(Path file, Request request, Response response) throws IOException {
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

  private static HttpResponse<String> get(String path, String... headers) throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(uri(path));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return CLIENT.send(request.build(), BodyHandlers.ofString(ISO_8859_1));
  }

  private static URI uri(String path) {
    return URI.create("http://127.0.0.1:" + server.address().getPort() + path);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ' ',
      value = {
        "/echo/a/end/b a|b|[]",
        "/echo/a/b/c/end/d?q=1&q=%32 a/b/c|d|[1,2]",
        "/echo/end/end/end end|end|[]",
        "/echo/a%3Ab/end/%C3%BC a:b|ü|[]",
      })
  void routesBySegments(String path, String expected) throws Exception {
    HttpResponse<byte[]> response =
        CLIENT.send(HttpRequest.newBuilder(uri(path)).build(), BodyHandlers.ofByteArray());
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(new String(response.body(), UTF_8).replace(" ", "")).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "/echo/end/b,404",
    "/echo/a/end/,404",
    "/echo//end/b,400",
    "/echo/a%2Fb/end/c,400",
    "/echo/%2e%2e/end/c,400",
    "/echo/a/end/%FF,400",
    "/echo/a/end/%zz,400",
    "/other,404",
    "/count,405",
    "/denied,403",
    "/defect,500",
    "/nothing,204",
  })
  void refuses(String path, int status) throws Exception {
    String answer = raw("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assertThat(answer).startsWith("HTTP/1.1 " + status + " ");
    assertThat(answer).doesNotContain("secret").doesNotContainIgnoringCase("jetty");
  }

  @Test
  void tellsWhatIsAllowed() throws Exception {
    assertThat(get("/count").headers().firstValue("Allow")).contains("POST");
    HttpResponse<String> put =
        CLIENT.send(
            HttpRequest.newBuilder(uri("/file")).PUT(BodyPublishers.noBody()).build(),
            BodyHandlers.ofString());
    assertThat(put.headers().firstValue("Allow")).contains("GET, HEAD");
  }

  @Test
  void headHasTheLengthButNoBody() throws Exception {
    HttpResponse<String> head =
        CLIENT.send(
            HttpRequest.newBuilder(uri("/file")).HEAD().build(), BodyHandlers.ofString(ISO_8859_1));
    assertThat(head.headers().firstValueAsLong("Content-Length")).hasValue(CONTENT.length);
    assertThat(head.body()).isEmpty();
    String two =
        raw(
            "HEAD /echo/a/end/b HTTP/1.1\r\nHost: x\r\n\r\n"
                + "GET /echo/a/end/b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assertThat(two).containsOnlyOnce("a|b|[]");
  }

  @Test
  void servesFilesWholeAndInParts() throws Exception {
    HttpResponse<byte[]> whole =
        CLIENT.send(HttpRequest.newBuilder(uri("/file")).build(), BodyHandlers.ofByteArray());
    assertThat(whole.body()).isEqualTo(CONTENT);
    HttpResponse<String> part = get("/file", "Range", "bytes=1000-20000000");
    assertThat(part.statusCode()).isEqualTo(206);
    assertThat(part.body()).isEqualTo(text(1000, 20_000_001));
    assertThat(part.headers().firstValue("Content-Range"))
        .contains("bytes 1000-20000000/" + CONTENT.length);
    HttpResponse<String> none = get("/file", "Range", "bytes=" + CONTENT.length + "-");
    assertThat(none.statusCode()).isEqualTo(416);
    assertThat(none.headers().firstValue("Content-Range")).contains("bytes */" + CONTENT.length);
    assertThat(get("/file", "Range", "bytes=0-1", "If-Range", "\"old\"").statusCode())
        .isEqualTo(200);
    assertThat(get("/file", "Range", "bytes=0-1", "If-Range", "\"tag\"").statusCode())
        .isEqualTo(206);
  }

  @Test
  void servesSeveralPartsAsMultipart() throws Exception {
    HttpResponse<String> response = get("/file", "Range", "bytes=5-9,1000000-1500000,-3");
    assertThat(response.statusCode()).isEqualTo(206);
    String type = response.headers().firstValue("Content-Type").orElseThrow();
    assertThat(type).startsWith("multipart/byteranges; boundary=");
    String boundary = "--" + type.substring(type.indexOf('=') + 1);
    assertThat(response.body())
        .isEqualTo(
            part(boundary, 5, 10)
                + "\r\n"
                + part(boundary, 1_000_000, 1_500_001)
                + "\r\n"
                + part(boundary, CONTENT.length - 3, CONTENT.length)
                + "\r\n"
                + boundary
                + "--\r\n");
  }

  private static String part(String boundary, int from, int to) {
    return boundary
        + "\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes "
        + from
        + "-"
        + (to - 1)
        + "/"
        + CONTENT.length
        + "\r\n\r\n"
        + text(from, to);
  }

  private static String text(int from, int to) {
    return new String(CONTENT, from, to - from, ISO_8859_1);
  }

  @Test
  void bodiesStreamWithAndWithoutLength() throws Exception {
    byte[] body = new byte[5_000_000];
    HttpResponse<String> known =
        CLIENT.send(
            HttpRequest.newBuilder(uri("/count")).POST(BodyPublishers.ofByteArray(body)).build(),
            BodyHandlers.ofString());
    assertThat(known.body()).isEqualTo("5000000 5000000");
    HttpResponse<String> chunked =
        CLIENT.send(
            HttpRequest.newBuilder(uri("/count"))
                .POST(BodyPublishers.ofInputStream(() -> new java.io.ByteArrayInputStream(body)))
                .build(),
            BodyHandlers.ofString());
    assertThat(chunked.body()).isEqualTo("-1 5000000");
    assertThat(raw("POST /count HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
        .endsWith("\r\n\r\n0 0");
  }

  @Test
  void smallBodiesAreBounded() throws Exception {
    for (int size : new int[] {0, 1000, 1001, 5_000_000}) {
      byte[] body = new byte[size];
      for (HttpRequest.BodyPublisher publisher :
          List.of(
              BodyPublishers.ofByteArray(body),
              BodyPublishers.ofInputStream(() -> new java.io.ByteArrayInputStream(body)))) {
        HttpRequest request =
            HttpRequest.newBuilder(uri("/small")).expectContinue(true).POST(publisher).build();
        HttpResponse<String> response = CLIENT.send(request, BodyHandlers.ofString());
        assertThat(response.statusCode()).isEqualTo(size > 1000 ? 413 : 200);
      }
    }
  }

  @Test
  void aBodyMayBeWrittenInPieces() throws Exception {
    HttpResponse<String> response = get("/chunks");
    assertThat(response.body()).isEqualTo("one two three");
    assertThat(response.headers().firstValue("Transfer-Encoding")).contains("chunked");
  }

  @Test
  void aFailureAfterTheBeginningCutsTheConnection() throws Exception {
    String answer = raw("GET /half HTTP/1.1\r\nHost: x\r\n\r\n");
    assertThat(answer).contains("Content-Length: 100").endsWith("\r\n\r\nhalf");
  }

  @Test
  void headersAreBounded() throws Exception {
    String answer =
        raw("GET /echo/a/end/b HTTP/1.1\r\nHost: x\r\nX: " + "y".repeat(17_000) + "\r\n\r\n");
    assertThat(answer).startsWith("HTTP/1.1 431 ").doesNotContainIgnoringCase("jetty");
  }

  @Test
  void garbageIsRefused() throws Exception {
    assertThat(raw("\0\1\2 garbage\r\n\r\n")).startsWith("HTTP/1.1 400 ");
  }

  @Test
  void logsEachRequest() throws Exception {
    get("/echo/logged/end/b");
    // It is told once the answer is on its way.
    long deadline = System.nanoTime() + 10_000_000_000L;
    while (System.nanoTime() < deadline
        && LOG.stream().noneMatch(a -> a.path().equals("/echo/logged/end/b"))) {
      Thread.yield();
    }
    assertThat(LOG)
        .filteredOn(a -> a.path().equals("/echo/logged/end/b"))
        .singleElement()
        .satisfies(
            a -> {
              assertThat(a.status()).isEqualTo(200);
              assertThat(a.bytes()).isEqualTo("logged|b|[]".length());
              assertThat(a.remote()).isEqualTo("127.0.0.1");
            });
  }

  private static void refuse() {
    throw new HttpProblem(409, "not now");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "Transfer-Encoding: chunked|zz@@",
        "Transfer-Encoding: chunked|-5@@hello",
        "Transfer-Encoding: chunked|5@@hel",
        "Transfer-Encoding: chunked|fffffffffffffffff@@hello",
        "Content-Length: 10|hel",
      })
  void malformedAndCutBodiesAreTheClientsFault(String header, String body) throws Exception {
    String head = "POST %s HTTP/1.1\r\nHost: x\r\n" + header + "\r\n\r\n";
    String bytes = body.replace("@@", "\r\n");
    assertQuiet(
        () ->
            assertThat(raw(head.formatted("/count") + bytes))
                .startsWith("HTTP/1.1 400 ")
                .doesNotContainIgnoringCase("jetty"));
    // Refused for another reason first: that one is told.
    assertQuiet(
        () ->
            assertThat(raw(head.formatted("/refused") + bytes))
                .startsWith("HTTP/1.1 409 ")
                .doesNotContainIgnoringCase("jetty"));
  }

  private interface Step {
    void run() throws IOException;
  }

  /** Runs something that no log must hear of. */
  private static void assertQuiet(Step step) throws IOException {
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

  /** As when the process is told to end, and the thread that works unwinds. */
  @Test
  void anInterruptedThreadStopsItAtOnceAndInOrder() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch never = new CountDownLatch(1);
    Router router =
        new Router()
            .on(
                "GET",
                "/slow",
                (q, r) -> {
                  asked.countDown();
                  try {
                    never.await();
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  }
                });
    HttpServer other =
        HttpServer.start(HttpOptions.at(LOOPBACK).withStopTimeout(Duration.ofMinutes(10)), router);
    int port = other.address().getPort();
    try (Socket client = new Socket(LOOPBACK.getAddress(), port)) {
      client.getOutputStream().write("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(ISO_8859_1));
      asked.await();
      assertQuiet(
          () -> {
            Thread.currentThread().interrupt();
            other.close();
          });
      assertThat(Thread.interrupted()).isTrue();
      assertThat(client.getInputStream().read()).isEqualTo(-1);
      assertThatThrownBy(() -> new Socket(LOOPBACK.getAddress(), port).close())
          .isInstanceOf(IOException.class);
    } finally {
      never.countDown();
    }
  }

  @Test
  void whoSendsOrTakesAByteNowAndThenIsCut() throws Exception {
    HttpOptions options =
        HttpOptions.at(LOOPBACK)
            .withFloor(new HttpOptions.Floor(500, Duration.ofMillis(600)))
            // TCP hands on what a slow reader takes in large pieces, with long pauses.
            .withIdleTimeout(Duration.ofSeconds(1));
    Router router =
        new Router()
            .on("POST", "/count", HttpServerTest::count)
            .on("GET", "/file", (q, r) -> file(dir.resolve("content"), q, r));
    String post = "POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n";
    String get = "GET /file HTTP/1.1\r\nHost: x\r\n\r\n";
    String close = "Connection: close\r\n\r\n";
    try (HttpServer other = HttpServer.start(options, router);
        Drip body = new Drip(other, post, 1, 1);
        Drip headers = new Drip(other, "GET /file HTTP/1.1\r\nX: ", 1, 1);
        Drip reader = new Drip(other, get, 0, 1);
        Drip honest = new Drip(other, post.replace("\r\n\r\n", "\r\n" + close), 100, 1)) {
      body.untilCut();
      headers.untilCut();
      reader.untilCut();
      assertThat(honest.answer()).endsWith("2000 2000");
    }
  }

  /** A client that sends some bytes and takes some each 50 ms. */
  private static final class Drip implements AutoCloseable {
    private final Socket socket = new Socket();
    private final CompletableFuture<String> end;

    Drip(HttpServer server, String head, int send, int take) throws IOException {
      socket.setReceiveBufferSize(4096);
      socket.connect(server.address());
      socket.getOutputStream().write(head.getBytes(UTF_8));
      end = CompletableFuture.supplyAsync(() -> drip(send, take), Thread::startVirtualThread);
    }

    private String drip(int send, int take) {
      StringBuilder got = new StringBuilder();
      try {
        socket.setSoTimeout(50);
        for (int i = 0; i < 80; i++) {
          if (send > 0 && got.isEmpty()) {
            socket.getOutputStream().write("a".repeat(send).getBytes(UTF_8));
          }
          try {
            byte[] some = new byte[send > 0 ? 1000 : take];
            int count = socket.getInputStream().read(some);
            if (count < 0) {
              return got.isEmpty() ? "cut" : got.toString();
            }
            got.append(new String(some, 0, count, ISO_8859_1));
          } catch (java.net.SocketTimeoutException e) {
            continue; // the rhythm
          }
          if (send == 0) {
            java.util.concurrent.locks.LockSupport.parkNanos(50_000_000);
          }
        }
        // What the kernels had between them is still there.
        socket.setSoTimeout(10_000);
        return socket.getInputStream().readAllBytes().length < CONTENT.length / 2 ? "cut" : "alive";
      } catch (IOException e) {
        return "cut";
      }
    }

    void untilCut() {
      assertThat(end.join()).isEqualTo("cut");
    }

    String answer() {
      return end.join();
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  @Test
  void idleConnectionsAreCutButSlowHandlersAreNot() throws Exception {
    CountDownLatch hold = new CountDownLatch(1);
    HttpOptions options = HttpOptions.at(LOOPBACK).withIdleTimeout(Duration.ofSeconds(2));
    Handler slow =
        (request, response) -> {
          try {
            hold.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          response.end("text/plain", "late");
        };
    try (HttpServer other = HttpServer.start(options, slow);
        Socket waiting = new Socket("127.0.0.1", other.address().getPort());
        Socket idle = new Socket("127.0.0.1", other.address().getPort())) {
      waiting.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes(UTF_8));
      assertThat(idle.getInputStream().read()).isEqualTo(-1);
      hold.countDown();
      assertThat(new String(waiting.getInputStream().readAllBytes(), UTF_8)).endsWith("late");
    }
  }

  /** A socket of another address of this machine. */
  private static Socket from(String address, HttpServer server) throws IOException {
    Socket socket = new Socket();
    socket.bind(new InetSocketAddress(address, 0));
    socket.connect(server.address());
    socket.setSoTimeout(20_000);
    return socket;
  }

  private static String ask(Socket socket) throws IOException {
    socket.getOutputStream().write("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(UTF_8));
    byte[] answer = new byte[2000];
    int count = socket.getInputStream().read(answer);
    return new String(answer, 0, Math.max(0, count), ISO_8859_1);
  }

  @Test
  void whoHasManyConnectionsLocksNobodyOut() throws Exception {
    Router router =
        new Router()
            .on("POST", "/count", HttpServerTest::count)
            .on("GET", "/nothing", (q, r) -> r.status(204));
    String post = "POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\na";
    List<Socket> sockets = new java.util.ArrayList<>();
    try (HttpServer small = HttpServer.start(HttpOptions.at(LOOPBACK).withConnections(8), router);
        Socket honest = from("127.0.0.3", small)) {
      assertThat(ask(honest)).startsWith("HTTP/1.1 204 ");
      // Some say nothing, some stay in the middle of a body.
      for (int i = 0; i < 30; i++) {
        sockets.add(from("127.0.0.2", small));
        if (i % 2 == 0) {
          sockets.getLast().getOutputStream().write(post.getBytes(UTF_8));
        }
        assertThat(ask(honest)).as("after %d", i).startsWith("HTTP/1.1 204 ");
      }
      try (Socket late = from("127.0.0.4", small)) {
        assertThat(ask(late)).startsWith("HTTP/1.1 204 ");
        assertThat(ask(honest)).startsWith("HTTP/1.1 204 ");
      }
    } finally {
      for (Socket socket : sockets) {
        socket.close();
      }
    }
  }

  @Test
  void stopLetsRequestsFinish() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    HttpServer other =
        HttpServer.start(
            HttpOptions.at(LOOPBACK),
            (request, response) -> {
              begun.countDown();
              try {
                release.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              response.end("text/plain", "done");
            });
    URI uri = URI.create("http://127.0.0.1:" + other.address().getPort() + "/");
    CompletableFuture<HttpResponse<String>> answer =
        CLIENT.sendAsync(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
    begun.await();
    Thread closer = Thread.ofVirtual().start(other::close);
    release.countDown();
    assertThat(answer.get().body()).isEqualTo("done");
    closer.join();
  }

  @Test
  void aTakenPortIsAProblem() {
    Problem problem =
        org.junit.jupiter.api.Assertions.assertThrows(
            Problem.class,
            () -> HttpServer.start(HttpOptions.at(server.address()), (q, r) -> r.end()));
    assertThat(problem).hasMessageContaining("cannot listen on");
  }

  @Test
  void randomRequestsNeverFailTheServer() throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    List<String> pieces =
        List.of(
            "/",
            "//",
            "echo",
            "end",
            "a",
            "%2F",
            "%00",
            "%",
            "..",
            ".",
            "?",
            "q=%zz",
            "&",
            " ",
            "\r\n",
            "GET",
            "HEAD",
            "POST",
            "PUT",
            "HTTP/1.1",
            "Host: x",
            "Range: bytes=0-",
            ",",
            "Content-Length: 5",
            "Content-Length: -1",
            "Transfer-Encoding: chunked",
            "ü",
            "\0");
    for (int i = 0; i < 400; i++) {
      StringBuilder text = new StringBuilder(random.nextBoolean() ? "GET /echo/" : "");
      int count = random.nextInt(20);
      for (int j = 0; j < count; j++) {
        text.append(pieces.get(random.nextInt(pieces.size())));
      }
      text.append(" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      assertThat(raw(text.toString()))
          .as("seed %d: %s", seed, text)
          .doesNotStartWith("HTTP/1.1 500");
    }
    assertThat(get("/echo/a/end/b").body()).isEqualTo("a|b|[]");
  }

  private static String raw(String request) throws IOException {
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
