package slipway.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;

/** Connections: who is slow, idle or has many, and how a server ends. */
class HttpConnectionsTest extends HttpServing {
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

  /** How long each has been quiet changes while they are compared. */
  @Test
  void roomIsMadeAmongManyThatAreQuiet() throws Exception {
    Router router = new Router().on("GET", "/", (q, r) -> r.end("text/plain", "served"));
    List<Socket> quiet = new ArrayList<>();
    assertQuiet(
        () -> {
          HttpOptions options = HttpOptions.at(LOOPBACK).withConnections(500);
          try (HttpServer other = HttpServer.start(options, router)) {
            for (int i = 0; i < 2000; i++) {
              quiet.add(new Socket(LOOPBACK.getAddress(), other.address().getPort()));
            }
            quiet.getLast().getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes(ISO_8859_1));
            assertThat(new String(quiet.getLast().getInputStream().readAllBytes(), UTF_8))
                .endsWith("served");
          } finally {
            for (Socket each : quiet) {
              each.close();
            }
          }
        });
  }

  @Test
  @Tag("slow")
  void whoSendsOrTakesAByteNowAndThenIsCut() throws Exception {
    HttpOptions options =
        HttpOptions.at(LOOPBACK)
            .withFloor(new HttpOptions.Floor(500, Duration.ofMillis(600)))
            // TCP hands on what a slow reader takes in large pieces, with long pauses.
            .withIdleTimeout(Duration.ofSeconds(1));
    Router router =
        new Router()
            .on("POST", "/count", HttpServing::count)
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
  @Tag("slow")
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
  @Tag("slow")
  void whoHasManyConnectionsLocksNobodyOut() throws Exception {
    Router router =
        new Router()
            .on("POST", "/count", HttpServing::count)
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
}
