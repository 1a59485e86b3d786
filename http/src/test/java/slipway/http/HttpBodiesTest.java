package slipway.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Bodies of requests and responses: whole, in parts, in pieces, malformed and cut. */
class HttpBodiesTest extends HttpServing {
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
}
