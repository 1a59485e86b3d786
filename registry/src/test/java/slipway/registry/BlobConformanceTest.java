package slipway.registry;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.oci.model.Digest;
import slipway.oci.model.Digest.Algorithm;
import slipway.oci.model.MediaTypes;

/** Blobs and uploads in distribution-spec 1.1. */
class BlobConformanceTest extends Conformance {
  @ParameterizedTest
  @EnumSource
  void postOnly(Algorithm algorithm) throws Exception {
    byte[] content = bytes(1000);
    Digest digest = digest(algorithm, content);
    Wire.Answer answer =
        wire.send(
                "POST",
                "/v2/" + name + "/blobs/uploads/?digest=" + digest,
                BodyPublishers.ofByteArray(content))
            .expect(201);
    assertThat(answer.header("Location")).isEqualTo(blob(digest));
    isThere(content, digest);
    wire.delete(blob(digest)).expect(202);
    wire.get(blob(digest)).error(404, "BLOB_UNKNOWN");
    wire.delete(blob(digest)).error(404, "BLOB_UNKNOWN");
  }

  @ParameterizedTest
  @EnumSource
  void postAndPut(Algorithm algorithm) throws Exception {
    byte[] content = bytes(300_000);
    Digest digest = digest(algorithm, content);
    Wire.Answer answer = wire.put(wire.begin(name) + "?digest=" + digest, content).expect(201);
    assertThat(answer.header("Location")).isEqualTo(blob(digest));
    assertThat(answer.header("Docker-Content-Digest")).isEqualTo(digest.toString());
    isThere(content, digest);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0-2000", "0-8", "0-998", "0-1000"})
  void aChunkedBodyWithALyingRangeIsTakenBack(String range) throws Exception {
    byte[] content = bytes(1000);
    String location = wire.begin(name);
    Wire.Answer answer =
        wire.send("PATCH", location, Wire.stream(content), "Content-Range", range).expect(416);
    assertThat(answer.header("Range")).isEqualTo("0-0");
    assertThat(wire.get(location).expect(204).header("Range")).isEqualTo("0-0");
    wire.send("PATCH", location, Wire.stream(content), "Content-Range", "0-999").expect(202);
    Digest digest = digest(Algorithm.SHA256, content);
    wire.put(location + "?digest=" + digest, new byte[0]).expect(201);
    isThere(content, digest);
  }

  @Test
  void theStatusOfAnUploadDoesNotWaitForAStalledRequest() throws Exception {
    String location = wire.begin(name);
    String path = location.substring(location.indexOf("/v2/"));
    try (Socket stalled = new Socket("127.0.0.1", server.address().getPort())) {
      stalled
          .getOutputStream()
          .write(
              ("PATCH " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
                  .getBytes(ISO_8859_1));
      long start = System.nanoTime();
      while (!wire.get(location).expect(204).header("Range").equals("0-2")) {
        assertThat(System.nanoTime() - start).isLessThan(10_000_000_000L);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void hintedAlgorithm(Algorithm algorithm) throws Exception {
    byte[] content = bytes(1000);
    String uploads = "/v2/" + name + "/blobs/uploads/?digest-algorithm=" + algorithm.label();
    String location = wire.post(uploads).expect(202).header("Location");
    Digest digest = digest(algorithm, content);
    wire.put(location + "?digest=" + digest, content).expect(201);
    isThere(content, digest);
    wire.post("/v2/" + name + "/blobs/uploads/?digest-algorithm=md5").error(400, "DIGEST_INVALID");
  }

  @ParameterizedTest
  @EnumSource
  void chunks(Algorithm algorithm) throws Exception {
    byte[] content = bytes(250_000);
    Digest digest = digest(algorithm, content);
    String location = wire.begin(name);
    for (int from = 0; from < content.length; from += 100_000) {
      int to = Math.min(content.length, from + 100_000);
      Wire.Answer answer =
          wire.patch(
                  location,
                  Arrays.copyOfRange(content, from, to),
                  "Content-Range",
                  from + "-" + (to - 1))
              .expect(202);
      assertThat(answer.header("Range")).isEqualTo("0-" + (to - 1));
      location = answer.header("Location");
    }
    wire.put(location + "?digest=" + digest, new byte[0]).expect(201);
    isThere(content, digest);
  }

  @ParameterizedTest
  @EnumSource
  void lastChunkInThePut(Algorithm algorithm) throws Exception {
    byte[] content = bytes(2000);
    Digest digest = digest(algorithm, content);
    String location = wire.begin(name);
    wire.patch(location, Arrays.copyOf(content, 1500), "Content-Range", "0-1499").expect(202);
    byte[] last = Arrays.copyOfRange(content, 1500, 2000);
    wire.put(location + "?digest=" + digest, last, "Content-Range", "1500-1999").expect(201);
    isThere(content, digest);
  }

  @ParameterizedTest
  @EnumSource
  void streamed(Algorithm algorithm) throws Exception {
    byte[] content = bytes(3_000_000);
    Digest digest = digest(algorithm, content);
    String location = wire.begin(name);
    Wire.Answer answer = wire.send("PATCH", location, Wire.stream(content)).expect(202);
    assertThat(answer.header("Range")).isEqualTo("0-2999999");
    wire.put(answer.header("Location") + "?digest=" + digest, new byte[0]).expect(201);
    isThere(content, digest);
  }

  @Test
  void chunksOutOfOrder() throws Exception {
    byte[] content = bytes(3000);
    Digest digest = Digest.sha256(content);
    String location = wire.begin(name);
    byte[] second = Arrays.copyOfRange(content, 1000, 2000);
    wire.patch(location, second, "Content-Range", "1000-1999").error(416, "BLOB_UPLOAD_INVALID");
    wire.patch(location, Arrays.copyOf(content, 1000), "Content-Range", "0-999").expect(202);
    wire.patch(location, second, "Content-Range", "1500-2499").error(416, "BLOB_UPLOAD_INVALID");
    wire.patch(location, second, "Content-Range", "500-1499").error(416, "BLOB_UPLOAD_INVALID");
    wire.put(location + "?digest=" + digest, second, "Content-Range", "1500-2499")
        .error(416, "BLOB_UPLOAD_INVALID");
    Wire.Answer status = wire.get(location).expect(204);
    assertThat(status.header("Range")).isEqualTo("0-999");
    assertThat(status.header("Location")).isEqualTo(location);
    wire.patch(location, second, "Content-Range", "1000-1999").expect(202);
    byte[] third = Arrays.copyOfRange(content, 2000, 3000);
    wire.put(location + "?digest=" + digest, third, "Content-Range", "2000-2999").expect(201);
    isThere(content, digest);
  }

  @ParameterizedTest
  @ValueSource(strings = {"bytes 0-9/10", "0-", "-9", "9-0", "a-b", "0-9-9", "+0-9", "0"})
  void malformedContentRange(String range) throws Exception {
    wire.patch(wire.begin(name), new byte[10], "Content-Range", range)
        .error(400, "BLOB_UPLOAD_INVALID");
  }

  @Test
  void lengthsThatDisagree() throws Exception {
    wire.patch(wire.begin(name), new byte[10], "Content-Range", "0-99").error(400, "SIZE_INVALID");
  }

  @Test
  void wrongDigests() throws Exception {
    byte[] content = bytes(100);
    String other = Digest.sha256(bytes(100)).toString();
    String location = wire.begin(name);
    wire.put(location, content).error(400, "DIGEST_INVALID");
    wire.put(location + "?digest=sha256:abc", content).error(400, "DIGEST_INVALID");
    wire.put(location + "?digest=md5:" + "0".repeat(32), content).error(400, "DIGEST_INVALID");
    wire.put(location + "?digest=" + other, content).error(400, "DIGEST_INVALID");
    wire.get(location).error(404, "BLOB_UPLOAD_UNKNOWN");
    wire.get(blob(other)).error(404, "BLOB_UNKNOWN");
    String post = "/v2/" + name + "/blobs/uploads/?digest=";
    wire.send("POST", post + other, BodyPublishers.ofByteArray(content))
        .error(400, "DIGEST_INVALID");
    wire.send("POST", post + "x", BodyPublishers.ofByteArray(content)).error(400, "DIGEST_INVALID");
    wire.get(blob(Digest.sha256(content))).error(404, "BLOB_UNKNOWN");
    wire.get(blob("sha256:xyz")).error(400, "DIGEST_INVALID");
    wire.get(blob("sha256:" + "A".repeat(64))).error(400, "DIGEST_INVALID");
  }

  @Test
  void cancelled() throws Exception {
    String location = wire.begin(name);
    wire.patch(location, bytes(1000)).expect(202);
    wire.delete(location).expect(204);
    wire.get(location).error(404, "BLOB_UPLOAD_UNKNOWN");
    wire.patch(location, bytes(10)).error(404, "BLOB_UPLOAD_UNKNOWN");
    wire.delete(location).error(404, "BLOB_UPLOAD_UNKNOWN");
  }

  @Test
  void sessionsBelongToTheirRepository() throws Exception {
    String location = wire.begin(name);
    wire.get(location.replace(name, name + "/other")).error(404, "BLOB_UPLOAD_UNKNOWN");
    assertThat(location).matches("/v2/.*/blobs/uploads/[0-9a-f-]{36}");
  }

  @Test
  void emptyAndTiny() throws Exception {
    for (byte[] content : List.of(new byte[0], Wire.EMPTY_JSON)) {
      wire.pushBlob(name, content, MediaTypes.OCI_EMPTY);
      isThere(content, Digest.sha256(content));
    }
  }

  @Test
  void mounted() throws Exception {
    byte[] content = bytes(1000);
    Digest digest = wire.pushBlob(name, content, MediaTypes.OCI_LAYER).digest();
    String source = name;
    name = name + "/target";
    wire.get(blob(digest)).error(404, "BLOB_UNKNOWN");
    String uploads = "/v2/" + name + "/blobs/uploads/?mount=" + digest;
    Wire.Answer answer = wire.post(uploads + "&from=" + source).expect(201);
    assertThat(answer.header("Location")).isEqualTo(blob(digest));
    isThere(content, digest);
    wire.delete("/v2/" + source + "/blobs/" + digest).expect(202);
    isThere(content, digest);
    name = source + "/anonymous";
    wire.post("/v2/" + name + "/blobs/uploads/?mount=" + digest).expect(201);
    isThere(content, digest);
  }

  @Test
  void mountedFromWhereItIsNot() throws Exception {
    byte[] content = bytes(1000);
    Digest digest = Digest.sha256(content);
    String uploads = "/v2/" + name + "/blobs/uploads/?mount=" + digest;
    wire.post(uploads).expect(202);
    String location = wire.post(uploads + "&from=no/such").expect(202).header("Location");
    wire.put(location + "?digest=" + digest, content).expect(201);
    isThere(content, digest);
    wire.post("/v2/a/blobs/uploads/?mount=sha256:abc&from=b").error(400, "DIGEST_INVALID");
    wire.post(uploads + "&from=NOT/VALID").error(400, "NAME_INVALID");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ' ',
      value = {
        "bytes=0-0 0 1",
        "bytes=10-19 10 20",
        "bytes=500- 500 1000",
        "bytes=-100 900 1000",
        "bytes=-5000 0 1000",
        "bytes=990-5000 990 1000"
      })
  void ranges(String range, int from, int to) throws Exception {
    byte[] content = bytes(1000);
    Digest digest = wire.pushBlob(name, content, MediaTypes.OCI_LAYER).digest();
    Wire.Answer answer = wire.get(blob(digest), "Range", range).expect(206);
    assertThat(answer.body()).isEqualTo(Arrays.copyOfRange(content, from, to));
    assertThat(answer.header("Content-Range"))
        .isEqualTo("bytes " + from + "-" + (to - 1) + "/1000");
    assertThat(answer.header("Content-Length")).isEqualTo("" + (to - from));
  }

  @ParameterizedTest
  @ValueSource(strings = {"bytes=1000-", "bytes=500-0", "bytes=2000-3000", "bytes=-0"})
  void rangesOutOfReach(String range) throws Exception {
    Digest digest = wire.pushBlob(name, bytes(1000), MediaTypes.OCI_LAYER).digest();
    Wire.Answer answer = wire.get(blob(digest), "Range", range).expect(416);
    assertThat(answer.header("Content-Range")).isEqualTo("bytes */1000");
  }

  @Test
  void severalRanges() throws Exception {
    byte[] content = bytes(1000);
    Digest digest = wire.pushBlob(name, content, MediaTypes.OCI_LAYER).digest();
    Wire.Answer answer = wire.get(blob(digest), "Range", "bytes=0-9,500-509,-10").expect(206);
    String type = answer.header("Content-Type");
    assertThat(type).startsWith("multipart/byteranges; boundary=");
    String[] parts =
        new String(answer.body(), ISO_8859_1)
            .split("--" + type.substring(type.indexOf('=') + 1), -1);
    assertThat(parts).hasSize(5);
    int part = 1;
    for (int from : new int[] {0, 500, 990}) {
      assertThat(parts[part++])
          .isEqualTo(
              "\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes %d-%d/1000\r\n\r\n%s\r\n"
                  .formatted(from, from + 9, new String(content, from, 10, ISO_8859_1)));
    }
  }

  @Test
  void unchangedContentIsNotSentAgain() throws Exception {
    Digest digest = wire.pushBlob(name, bytes(1000), MediaTypes.OCI_LAYER).digest();
    String etag = wire.get(blob(digest)).header("ETag");
    assertThat(wire.get(blob(digest), "If-None-Match", etag).expect(304).body()).isEmpty();
  }
}
