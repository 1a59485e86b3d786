package slipway.registry;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetSocketAddress;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.oci.Descriptor;
import slipway.oci.Digest;
import slipway.oci.Digest.Algorithm;
import slipway.oci.Manifest;
import slipway.oci.MediaTypes;

/** distribution-spec 1.1 over the wire, in the groups of the specification's own suite. */
class ConformanceTest {
  private static final String MISSING = "sha256:" + "0".repeat(64);

  @TempDir static Path root;
  private static RegistryServer server;
  private static Wire wire;
  private static int counter;

  private String name = "";
  private Random random = new Random(0);

  @BeforeAll
  static void start() {
    server = RegistryServer.start(root, new InetSocketAddress("127.0.0.1", 0));
    wire = new Wire(server.address());
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @BeforeEach
  void freshRepository(TestInfo test) {
    counter++;
    name = "group-" + counter + "/sub.dir/under_score__x";
    random = new Random(counter);
  }

  private byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  private static Digest digest(Algorithm algorithm, byte[] bytes) {
    return Digest.of(algorithm, algorithm.newMessageDigest().digest(bytes));
  }

  private String blob(Object digest) {
    return "/v2/" + name + "/blobs/" + digest;
  }

  private String manifest(Object reference) {
    return "/v2/" + name + "/manifests/" + reference;
  }

  private void isThere(byte[] content, Digest digest) throws Exception {
    Wire.Answer head = wire.head(blob(digest)).expect(200);
    assertThat(head.header("Content-Length")).isEqualTo("" + content.length);
    assertThat(head.header("Docker-Content-Digest")).isEqualTo(digest.toString());
    Wire.Answer get = wire.get(blob(digest)).expect(200);
    assertThat(get.body()).isEqualTo(content);
    assertThat(get.header("Docker-Content-Digest")).isEqualTo(digest.toString());
    assertThat(get.header("Content-Type")).isEqualTo("application/octet-stream");
  }

  @Nested
  class Ping {
    @Test
    void tellsItsVersion() throws Exception {
      wire.get("/v2/").expect(200);
      wire.get("/v2").expect(200);
      wire.head("/v2/").expect(200);
    }

    @Test
    void otherPathsAndMethods() throws Exception {
      wire.get("/").error(404, "NAME_UNKNOWN");
      wire.get("/v1/").error(404, "NAME_UNKNOWN");
      assertThat(wire.delete("/v2/").error(405, "UNSUPPORTED").header("Allow"))
          .isEqualTo("GET, HEAD");
      assertThat(wire.get("/v2/_oci/ext/discover").expect(200).text())
          .isEqualTo("{\"extensions\":[]}");
    }
  }

  @Nested
  class EmptyRepository {
    @Test
    void hasNothing() throws Exception {
      wire.get("/v2/" + name + "/tags/list").error(404, "NAME_UNKNOWN");
      wire.get(manifest("latest")).error(404, "MANIFEST_UNKNOWN");
      wire.get(manifest(MISSING)).error(404, "MANIFEST_UNKNOWN");
      wire.head(manifest("latest")).expect(404);
      wire.get(blob(MISSING)).error(404, "BLOB_UNKNOWN");
      wire.head(blob(MISSING)).expect(404);
      wire.delete(blob(MISSING)).error(404, "BLOB_UNKNOWN");
      wire.delete(manifest("latest")).error(404, "MANIFEST_UNKNOWN");
      wire.delete(manifest(MISSING)).error(404, "MANIFEST_UNKNOWN");
      assertThat(wire.get("/v2/" + name + "/referrers/" + MISSING).expect(200).text())
          .contains("\"manifests\":[]");
    }
  }

  @Nested
  class Blobs {
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
    @EnumSource
    void hintedAlgorithm(Algorithm algorithm) throws Exception {
      byte[] content = bytes(1000);
      String uploads = "/v2/" + name + "/blobs/uploads/?digest-algorithm=" + algorithm.label();
      String location = wire.post(uploads).expect(202).header("Location");
      Digest digest = digest(algorithm, content);
      wire.put(location + "?digest=" + digest, content).expect(201);
      isThere(content, digest);
      wire.post("/v2/" + name + "/blobs/uploads/?digest-algorithm=md5")
          .error(400, "DIGEST_INVALID");
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
      wire.patch(wire.begin(name), new byte[10], "Content-Range", "0-99")
          .error(400, "SIZE_INVALID");
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
      wire.send("POST", post + "x", BodyPublishers.ofByteArray(content))
          .error(400, "DIGEST_INVALID");
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

  @Nested
  class Manifests {
    private Manifest.Image image() throws Exception {
      Descriptor config = wire.pushBlob(name, Wire.EMPTY_JSON, MediaTypes.OCI_CONFIG);
      Descriptor layer = wire.pushBlob(name, bytes(500), MediaTypes.OCI_LAYER);
      return Manifest.Image.of(config, List.of(layer), Map.of("k", "v" + random.nextInt()));
    }

    private Wire.Answer push(Object reference, String json, String type) throws Exception {
      return wire.pushManifest(name, reference.toString(), json.getBytes(UTF_8), type);
    }

    private void isManifest(Object reference, byte[] bytes, String type) throws Exception {
      String digest = Digest.sha256(bytes).toString();
      for (Wire.Answer answer :
          List.of(wire.get(manifest(reference)), wire.head(manifest(reference)))) {
        answer.expect(200);
        assertThat(answer.header("Content-Type")).isEqualTo(type);
        assertThat(answer.header("Content-Length")).isEqualTo("" + bytes.length);
        assertThat(answer.header("Docker-Content-Digest")).isEqualTo(digest);
        assertThat(answer.header("ETag")).isEqualTo("\"" + digest + "\"");
      }
      assertThat(wire.get(manifest(reference)).body()).isEqualTo(bytes);
    }

    @Test
    void pushedByTagAndByDigest() throws Exception {
      Manifest.Image image = image();
      Wire.Answer answer =
          wire.pushManifest(name, "v1", image.bytes(), image.mediaType()).expect(201);
      assertThat(answer.header("Location")).isEqualTo(manifest(image.digest()));
      assertThat(answer.header("Docker-Content-Digest")).isEqualTo(image.digest().toString());
      isManifest("v1", image.bytes(), image.mediaType());
      isManifest(image.digest(), image.bytes(), image.mediaType());
      Manifest.Image second = image();
      push(second.digest(), new String(second.bytes(), UTF_8), second.mediaType()).expect(201);
      isManifest(second.digest(), second.bytes(), second.mediaType());
      assertThat(wire.get("/v2/" + name + "/tags/list").text()).contains("[\"v1\"]");
    }

    @Test
    void bytesAreKept() throws Exception {
      Descriptor config = wire.pushBlob(name, Wire.EMPTY_JSON, MediaTypes.DOCKER_CONFIG);
      String json =
          "{ \"schemaVersion\" : 2,\n\t\"mediaType\":\""
              + MediaTypes.DOCKER_MANIFEST
              + "\","
              + "\"config\":{\"size\":2, \"mediaType\":\""
              + MediaTypes.DOCKER_CONFIG
              + "\",\"digest\":\""
              + config.digest()
              + "\"}, \"layers\":[], \"own\": [1.50, null]}\n";
      push("v1", json, MediaTypes.DOCKER_MANIFEST + "; charset=utf-8").expect(201);
      isManifest("v1", json.getBytes(UTF_8), MediaTypes.DOCKER_MANIFEST);
    }

    @Test
    void withoutContentTypeTheMediaTypeFieldCounts() throws Exception {
      Manifest.Image image = image();
      wire.put(manifest("v1"), image.bytes()).expect(201);
      isManifest("v1", image.bytes(), image.mediaType());
    }

    @Test
    void sha512() throws Exception {
      Manifest.Image image = image();
      Digest digest = digest(Algorithm.SHA512, image.bytes());
      Wire.Answer answer =
          wire.put(
              manifest(digest) + "?tag=long", image.bytes(), "Content-Type", image.mediaType());
      assertThat(answer.expect(201).header("Docker-Content-Digest")).isEqualTo(digest.toString());
      assertThat(wire.get(manifest("long")).expect(200).header("Docker-Content-Digest"))
          .isEqualTo(digest.toString());
      assertThat(wire.get(manifest(digest)).body()).isEqualTo(image.bytes());
      wire.get(manifest(image.digest())).error(404, "MANIFEST_UNKNOWN");
    }

    @Test
    void unchangedManifestIsNotSentAgain() throws Exception {
      Manifest.Image image = wire.pushImage(name, "v1", bytes(100));
      String etag = "\"" + image.digest() + "\"";
      assertThat(wire.get(manifest("v1"), "If-None-Match", etag).expect(304).body()).isEmpty();
      wire.get(manifest("v1"), "If-None-Match", "\"x\", W/" + etag).expect(304);
      wire.get(manifest("v1"), "If-None-Match", "\"x\"").expect(200);
    }

    @Test
    void severalTagsAtOnce() throws Exception {
      Manifest.Image image = image();
      StringBuilder query = new StringBuilder("?");
      for (int i = 0; i < 12; i++) {
        query.append("tag=t").append(i).append('&');
      }
      Wire.Answer answer =
          wire.put(
                  manifest(image.digest()) + query,
                  image.bytes(),
                  "Content-Type",
                  image.mediaType())
              .expect(201);
      assertThat(answer.headers("OCI-Tag")).hasSize(12).contains("t0", "t11");
      isManifest("t7", image.bytes(), image.mediaType());
      String many = "?" + "tag=a&".repeat(101);
      wire.put(manifest(image.digest()) + many, image.bytes(), "Content-Type", image.mediaType())
          .error(414, "UNSUPPORTED");
      wire.put(manifest(image.digest()) + "?tag=ok&tag=-bad", image.bytes())
          .error(400, "MANIFEST_INVALID");
      wire.get(manifest("ok")).error(404, "MANIFEST_UNKNOWN");
    }

    @Test
    void aTagMoves() throws Exception {
      Manifest.Image first = wire.pushImage(name, "v1", bytes(100));
      Manifest.Image second = wire.pushImage(name, "v1", bytes(100));
      isManifest("v1", second.bytes(), second.mediaType());
      isManifest(first.digest(), first.bytes(), first.mediaType());
    }

    @Test
    void deletedByTagAndByDigest() throws Exception {
      Manifest.Image image = wire.pushImage(name, "v1", bytes(100));
      wire.pushManifest(name, "v2", image.bytes(), image.mediaType()).expect(201);
      wire.pushManifest(name, "v3", image.bytes(), image.mediaType()).expect(201);
      wire.delete(manifest("v1")).expect(202);
      wire.get(manifest("v1")).error(404, "MANIFEST_UNKNOWN");
      isManifest("v2", image.bytes(), image.mediaType());
      wire.delete(manifest(image.digest())).expect(202);
      for (Object reference : List.of("v2", "v3", image.digest())) {
        wire.get(manifest(reference)).error(404, "MANIFEST_UNKNOWN");
      }
      assertThat(wire.get("/v2/" + name + "/tags/list").expect(200).text()).contains("\"tags\":[]");
      wire.pushManifest(name, "v1", image.bytes(), image.mediaType()).expect(201);
      isManifest("v1", image.bytes(), image.mediaType());
    }

    @Test
    void missingBlobs() throws Exception {
      Descriptor config = wire.pushBlob(name, Wire.EMPTY_JSON, MediaTypes.OCI_CONFIG);
      Descriptor absent = Descriptor.of(MediaTypes.OCI_LAYER, bytes(10));
      Manifest.Image image = Manifest.Image.of(config, List.of(absent), Map.of());
      Wire.Answer answer =
          wire.pushManifest(name, "v1", image.bytes(), image.mediaType())
              .error(400, "MANIFEST_BLOB_UNKNOWN");
      assertThat(answer.text()).contains("\"detail\":\"" + absent.digest() + "\"");
      wire.get(manifest("v1")).error(404, "MANIFEST_UNKNOWN");
      byte[] elsewhere = bytes(10);
      wire.pushBlob(name + "/other", elsewhere, MediaTypes.OCI_LAYER);
      Manifest.Image foreign =
          Manifest.Image.of(
              config, List.of(Descriptor.of(MediaTypes.OCI_LAYER, elsewhere)), Map.of());
      wire.pushManifest(name, "v1", foreign.bytes(), foreign.mediaType())
          .error(400, "MANIFEST_BLOB_UNKNOWN");
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          MediaTypes.DOCKER_FOREIGN_LAYER,
          "application/vnd.oci.image.layer.nondistributable.v1.tar",
          "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
        })
    void layersThatStayElsewhere(String type) throws Exception {
      Descriptor config = wire.pushBlob(name, Wire.EMPTY_JSON, MediaTypes.OCI_CONFIG);
      Manifest.Image image =
          Manifest.Image.of(config, List.of(Descriptor.of(type, bytes(10))), Map.of());
      wire.pushManifest(name, "v1", image.bytes(), image.mediaType()).expect(201);
    }

    @Test
    void indexesNestedEmptyAndSparse() throws Exception {
      Manifest.Image image = wire.pushImage(name, "v1", bytes(100));
      Manifest.Index index = Manifest.Index.of(List.of(image.descriptor()), Map.of());
      Manifest.Index nested =
          Manifest.Index.of(
              List.of(index.descriptor(), Descriptor.of(MediaTypes.OCI_MANIFEST, bytes(30))),
              Map.of());
      Manifest.Index empty = Manifest.Index.of(List.of(), Map.of());
      for (Manifest.Index each : List.of(index, nested, empty)) {
        wire.pushManifest(name, "index", each.bytes(), each.mediaType()).expect(201);
        isManifest("index", each.bytes(), each.mediaType());
      }
      String list =
          "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"manifests\":[]}"
              .formatted(MediaTypes.DOCKER_MANIFEST_LIST);
      push("list", list, MediaTypes.DOCKER_MANIFEST_LIST).expect(201);
      isManifest("list", list.getBytes(UTF_8), MediaTypes.DOCKER_MANIFEST_LIST);
    }

    @Test
    void artifactsWithoutLayersAndWithOwnFields() throws Exception {
      wire.pushBlob(name, Wire.EMPTY_JSON, MediaTypes.OCI_EMPTY);
      String digest = Digest.sha256(Wire.EMPTY_JSON).toString();
      String json =
          """
          {"schemaVersion":2,"mediaType":"%s","artifactType":"application/vnd.example+type",
           "config":{"mediaType":"%s","digest":"%s","size":2,"data":"e30="},
           "layers":[],"org.example":{"deep":[true]}}"""
              .formatted(MediaTypes.OCI_MANIFEST, MediaTypes.OCI_EMPTY, digest);
      push("artifact", json, MediaTypes.OCI_MANIFEST).expect(201);
      isManifest("artifact", json.getBytes(UTF_8), MediaTypes.OCI_MANIFEST);
    }

    @Test
    void large() throws Exception {
      Descriptor config = wire.pushBlob(name, Wire.EMPTY_JSON, MediaTypes.OCI_CONFIG);
      Manifest.Image big =
          Manifest.Image.of(config, List.of(), Map.of("filler", "x".repeat(4 * 1024 * 1024)));
      wire.pushManifest(name, "big", big.bytes(), big.mediaType()).expect(201);
      isManifest("big", big.bytes(), big.mediaType());
      byte[] tooBig = new byte[Manifest.MAX_BYTES + 1];
      Arrays.fill(tooBig, (byte) ' ');
      wire.pushManifest(name, "huge", tooBig, MediaTypes.OCI_MANIFEST).error(413, "SIZE_INVALID");
      wire.send(
              "PUT", manifest("huge"), Wire.stream(tooBig), "Content-Type", MediaTypes.OCI_MANIFEST)
          .error(413, "SIZE_INVALID");
    }

    @Test
    void wrongDigest() throws Exception {
      Manifest.Image image = image();
      push(MISSING, new String(image.bytes(), UTF_8), image.mediaType())
          .error(400, "DIGEST_INVALID");
      push("sha256:12", new String(image.bytes(), UTF_8), image.mediaType())
          .error(400, "DIGEST_INVALID");
      wire.get(manifest("sha256:12")).error(400, "DIGEST_INVALID");
      wire.get(manifest("sha999:" + "0".repeat(64))).error(400, "DIGEST_INVALID");
      wire.delete(manifest("sha256:12")).error(400, "DIGEST_INVALID");
    }

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        quoteCharacter = '\1',
        value = {
          "not json",
          "[]",
          "{}",
          "{\"schemaVersion\":2,\"config\":{},\"layers\":[]}",
          "{\"schemaVersion\":2,\"layers\":[{\"digest\":\"sha256:12\",\"size\":1}]}",
          "{\"config\":1,\"config\":2}",
        })
    void malformed(String json) throws Exception {
      push("bad", json, MediaTypes.OCI_MANIFEST).error(400, "MANIFEST_INVALID");
      wire.get(manifest("bad")).error(404, "MANIFEST_UNKNOWN");
    }

    @Test
    void typesThatAreNotServed() throws Exception {
      Manifest.Image image = image();
      String json = new String(image.bytes(), UTF_8);
      push("x", json, MediaTypes.DOCKER_MANIFEST).error(400, "MANIFEST_INVALID");
      push("x", json, "text/plain").error(400, "MANIFEST_INVALID");
      push("x", "{\"schemaVersion\":1}", "application/vnd.docker.distribution.manifest.v1+json")
          .error(400, "MANIFEST_INVALID");
    }

    @ParameterizedTest
    @ValueSource(strings = {"-tag", ".tag", "a%20b", "ta%2Bg", "t%C3%BC"})
    void badTags(String tag) throws Exception {
      Manifest.Image image = image();
      wire.pushManifest(name, tag, image.bytes(), image.mediaType()).error(400, "MANIFEST_INVALID");
      wire.get(manifest(tag)).error(404, "MANIFEST_UNKNOWN");
      String tooLong = "a".repeat(129);
      wire.pushManifest(name, tooLong, image.bytes(), image.mediaType())
          .error(400, "MANIFEST_INVALID");
      wire.pushManifest(name, "a".repeat(128), image.bytes(), image.mediaType()).expect(201);
    }
  }

  @Nested
  class Names {
    @ParameterizedTest
    @ValueSource(
        strings = {
          "Upper", "a_-b", "-a", "a-", "a..b", "a___b", "a/-b", "a%20b", "a/B/c", "%C3%BC", "a.",
          "a/_"
        })
    void refused(String bad) throws Exception {
      wire.post("/v2/" + bad + "/blobs/uploads/").error(400, "NAME_INVALID");
      wire.get("/v2/" + bad + "/tags/list").error(400, "NAME_INVALID");
      wire.get("/v2/" + bad + "/manifests/latest").error(400, "NAME_INVALID");
      wire.get("/v2/" + bad + "/blobs/" + MISSING).error(400, "NAME_INVALID");
      wire.get("/v2/" + bad + "/referrers/" + MISSING).error(400, "NAME_INVALID");
      wire.pushManifest(bad, "x", new byte[0], MediaTypes.OCI_INDEX).error(400, "NAME_INVALID");
    }

    @Test
    void escapesAreRefused() throws Exception {
      for (String path :
          List.of("/v2/a/../b/tags/list", "/v2/%2e%2e/tags/list", "/v2/a%2fb/tags/list")) {
        assertThat(wireRaw(path)).isEqualTo(400);
      }
    }

    /** Jetty refuses some of these itself, without our header. */
    private int wireRaw(String path) throws Exception {
      try (java.net.Socket socket = new java.net.Socket("127.0.0.1", server.address().getPort())) {
        socket.getOutputStream().write(("GET " + path + " HTTP/1.0\r\n\r\n").getBytes(UTF_8));
        String answer = new String(socket.getInputStream().readAllBytes(), UTF_8);
        return Integer.parseInt(answer.substring(9, 12));
      }
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "tags/list",
          "blobs/uploads",
          "manifests/tags",
          "v2/referrers/blobs",
          "a/blobs/uploads/b",
          "x--y/z__0",
          "0"
        })
    void namesThatLookLikeEndpoints(String inner) throws Exception {
      name = "n" + counter + "-" + inner.length() + "/" + inner;
      Manifest.Image image = wire.pushImage(name, "list", bytes(100));
      assertThat(wire.get(manifest("list")).expect(200).body()).isEqualTo(image.bytes());
      assertThat(wire.get("/v2/" + name + "/tags/list").text())
          .isEqualTo("{\"name\":\"" + name + "\",\"tags\":[\"list\"]}");
      isThere(Wire.EMPTY_JSON, Digest.sha256(Wire.EMPTY_JSON));
      wire.get("/v2/" + name + "/referrers/" + image.digest()).expect(200);
    }

    @Test
    void longest() throws Exception {
      name = "l/" + "a".repeat(253);
      wire.pushImage(name, "v1", bytes(10));
      wire.post("/v2/" + name + "b/blobs/uploads/").error(400, "NAME_INVALID");
    }
  }

  @Nested
  class Lists {
    @Test
    void tagsInOrderAndInPages() throws Exception {
      Manifest.Image image = wire.pushImage(name, "b", bytes(100));
      for (String tag : List.of("a", "C", "_x", "1", "10", "2", "c")) {
        wire.pushManifest(name, tag, image.bytes(), image.mediaType()).expect(201);
      }
      String list = "/v2/" + name + "/tags/list";
      assertThat(tags(wire.get(list))).isEqualTo("1,10,2,C,_x,a,b,c");
      Wire.Answer page = wire.get(list + "?n=3").expect(200);
      assertThat(tags(page)).isEqualTo("1,10,2");
      assertThat(page.header("Link")).isEqualTo("<" + list + "?n=3&last=2>; rel=\"next\"");
      Wire.Answer second = wire.get(list + "?n=3&last=2");
      assertThat(tags(second)).isEqualTo("C,_x,a");
      Wire.Answer third = wire.get(list + "?n=3&last=a");
      assertThat(tags(third)).isEqualTo("b,c");
      assertThat(third.header("Link")).isEmpty();
      assertThat(tags(wire.get(list + "?last=b"))).isEqualTo("c");
      assertThat(tags(wire.get(list + "?last=between"))).isEqualTo("c");
      assertThat(tags(wire.get(list + "?last=zzz"))).isEmpty();
      Wire.Answer none = wire.get(list + "?n=0").expect(200);
      assertThat(tags(none)).isEmpty();
      assertThat(none.header("Link")).isEmpty();
      assertThat(tags(wire.get(list + "?n=8"))).endsWith("c");
      assertThat(wire.get(list + "?n=8").header("Link")).isEmpty();
      wire.get(list + "?n=-1").error(400, "UNSUPPORTED");
      wire.get(list + "?n=x").error(400, "UNSUPPORTED");
    }

    private String tags(Wire.Answer answer) {
      String text = answer.expect(200).text();
      return text.replaceAll(".*\"tags\":\\[(.*)\\]}", "$1").replace("\"", "");
    }

    @Test
    void catalogInPages() throws Exception {
      for (String repository : List.of("zz-b/y", "zz-a", "zz-b", "zz-c/x")) {
        wire.pushImage(repository, "v1", bytes(10));
      }
      wire.pushBlob("zz-b/only-a-blob", bytes(10), MediaTypes.OCI_LAYER);
      assertThat(wire.get("/v2/_catalog").expect(200).text())
          .endsWith("\"zz-a\",\"zz-b\",\"zz-b/y\",\"zz-c/x\"]}");
      Wire.Answer page = wire.get("/v2/_catalog?n=2&last=zz").expect(200);
      assertThat(page.text()).isEqualTo("{\"repositories\":[\"zz-a\",\"zz-b\"]}");
      assertThat(page.header("Link")).isEqualTo("</v2/_catalog?n=2&last=zz-b>; rel=\"next\"");
      Wire.Answer rest = wire.get("/v2/_catalog?n=2&last=zz-b");
      assertThat(rest.text()).isEqualTo("{\"repositories\":[\"zz-b/y\",\"zz-c/x\"]}");
      assertThat(rest.header("Link")).isEmpty();
    }
  }

  @Nested
  class Referrers {
    private String referrer(String artifactType, Digest subject, String note) {
      return """
      {"schemaVersion":2,"mediaType":"%s",%s
       "config":{"mediaType":"%s","digest":"%s","size":2},"layers":[],
       "subject":{"mediaType":"%s","digest":"%s","size":10},"annotations":{"note":"%s"}}"""
          .formatted(
              MediaTypes.OCI_MANIFEST,
              artifactType.isEmpty() ? "" : "\"artifactType\":\"" + artifactType + "\",",
              "application/vnd.example.config",
              Digest.sha256(Wire.EMPTY_JSON),
              MediaTypes.OCI_MANIFEST,
              subject,
              note);
    }

    private Digest push(String json, Digest subject) throws Exception {
      byte[] bytes = json.getBytes(UTF_8);
      Digest digest = Digest.sha256(bytes);
      String type = json.contains("\"layers\"") ? MediaTypes.OCI_MANIFEST : MediaTypes.OCI_INDEX;
      Wire.Answer answer = wire.pushManifest(name, digest.toString(), bytes, type).expect(201);
      assertThat(answer.header("OCI-Subject")).isEqualTo(subject.toString());
      return digest;
    }

    private Manifest.Index list(String query) throws Exception {
      Wire.Answer answer = wire.get(query).expect(200);
      assertThat(answer.header("Content-Type")).isEqualTo(MediaTypes.OCI_INDEX);
      return (Manifest.Index) Manifest.parse(answer.body(), MediaTypes.OCI_INDEX);
    }

    @Test
    void listedWithTypesAndAnnotations() throws Exception {
      Manifest.Image image = wire.pushImage(name, "v1", bytes(100));
      String path = "/v2/" + name + "/referrers/" + image.digest();
      assertThat(list(path).manifests()).isEmpty();
      Digest sbom = push(referrer("application/sbom", image.digest(), "one"), image.digest());
      Digest plain = push(referrer("", image.digest(), "two"), image.digest());
      String index =
          """
          {"schemaVersion":2,"mediaType":"%s","manifests":[],"subject":{"mediaType":"%s",
           "digest":"%s","size":5},"annotations":{"note":"three"}}"""
              .formatted(MediaTypes.OCI_INDEX, MediaTypes.OCI_MANIFEST, image.digest());
      Digest list = push(index, image.digest());
      Map<Digest, Descriptor> all = new java.util.HashMap<>();
      list(path).manifests().forEach(d -> all.put(d.digest(), d));
      assertThat(all).hasSize(3);
      assertThat(of(all, sbom).artifactType()).isEqualTo("application/sbom");
      assertThat(of(all, sbom).annotations()).isEqualTo(Map.of("note", "one"));
      assertThat(of(all, plain).artifactType()).isEqualTo("application/vnd.example.config");
      assertThat(of(all, list).artifactType()).isNull();
      assertThat(of(all, list).mediaType()).isEqualTo(MediaTypes.OCI_INDEX);
      assertThat(of(all, list).size()).isEqualTo(index.length());

      Wire.Answer filtered = wire.get(path + "?artifactType=application%2Fsbom").expect(200);
      assertThat(filtered.header("OCI-Filters-Applied")).isEqualTo("artifactType");
      assertThat(list(path + "?artifactType=application/sbom").manifests())
          .extracting(Descriptor::digest)
          .containsExactly(sbom);
      assertThat(list(path + "?artifactType=none").manifests()).isEmpty();

      wire.delete(manifest(sbom)).expect(202);
      assertThat(list(path).manifests()).extracting(Descriptor::digest).doesNotContain(sbom);
      wire.delete(manifest(image.digest())).expect(202);
      assertThat(list(path).manifests()).hasSize(2);
    }

    private static Descriptor of(Map<Digest, Descriptor> all, Digest digest) {
      return java.util.Objects.requireNonNull(all.get(digest));
    }

    @Test
    void subjectMayBeMissing() throws Exception {
      wire.pushBlob(name, Wire.EMPTY_JSON, "x");
      Digest absent = Digest.parse(MISSING);
      Digest digest = push(referrer("a/b", absent, "n"), absent);
      assertThat(list("/v2/" + name + "/referrers/" + absent).manifests())
          .extracting(Descriptor::digest)
          .containsExactly(digest);
    }

    @Test
    void inPages() throws Exception {
      wire.pushBlob(name, Wire.EMPTY_JSON, "x");
      Digest subject = Digest.sha256(bytes(5));
      for (int i = 0; i < 5; i++) {
        push(referrer(i % 2 == 0 ? "a/even" : "a/odd", subject, i + "n".repeat(900_000)), subject);
      }
      java.util.Set<Digest> seen = new java.util.HashSet<>();
      int pages = 0;
      String path = "/v2/" + name + "/referrers/" + subject;
      while (!path.isEmpty()) {
        Wire.Answer answer = wire.get(path).expect(200);
        assertThat(answer.body().length).isLessThan(4 * 1024 * 1024);
        list(path).manifests().forEach(d -> assertThat(seen.add(d.digest())).isTrue());
        path = answer.header("Link").replaceFirst("<(.*)>; rel=\"next\"", "$1");
        pages++;
      }
      assertThat(seen).hasSize(5);
      assertThat(pages).isEqualTo(2);
      String even = "/v2/" + name + "/referrers/" + subject + "?artifactType=a/even";
      assertThat(list(even).manifests()).hasSize(3);
    }

    @Test
    void malformedDigest() throws Exception {
      wire.get("/v2/" + name + "/referrers/sha256:xyz").error(400, "DIGEST_INVALID");
      wire.get("/v2/" + name + "/referrers/tag").error(400, "DIGEST_INVALID");
    }
  }
}
