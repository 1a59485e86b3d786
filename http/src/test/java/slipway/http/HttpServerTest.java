package slipway.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Routes, headers and the log. */
class HttpServerTest extends HttpServing {
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
}
