package slipway.registry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Limit;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Digest.Algorithm;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;

/** Manifests in distribution-spec 1.1. */
class ManifestConformanceTest extends Conformance {
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
        wire.put(manifest(digest) + "?tag=long", image.bytes(), "Content-Type", image.mediaType());
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
        wire.put(manifest(image.digest()) + query, image.bytes(), "Content-Type", image.mediaType())
            .expect(201);
    assertThat(answer.headers("OCI-Tag")).hasSize(12).contains("t0", "t11");
    isManifest("t7", image.bytes(), image.mediaType());
    // As long as tags can be, all are told in headers of the answer.
    StringBuilder fifty = new StringBuilder("?");
    for (int i = 0; i < 50; i++) {
      fifty.append("tag=").append("t".repeat(126)).append(10 + i).append('&');
    }
    assertThat(
            wire.put(
                    manifest(image.digest()) + fifty,
                    image.bytes(),
                    "Content-Type",
                    image.mediaType())
                .expect(201)
                .headers("OCI-Tag"))
        .hasSize(50);
    String many = "?" + "tag=a&".repeat(51);
    wire.put(manifest(image.digest()) + many, image.bytes(), "Content-Type", image.mediaType())
        .error(414, "UNSUPPORTED");
    wire.put(manifest(image.digest()) + "?tag=ok&tag=-bad", image.bytes())
        .error(400, "MANIFEST_INVALID");
    wire.get(manifest("ok")).error(404, "MANIFEST_UNKNOWN");
  }

  @ParameterizedTest
  @ValueSource(strings = {"UTF-16", "UTF-16LE", "UTF-16BE", "UTF-32", "UTF-32LE"})
  void otherEncodingsThanUtf8AreRefused(String charset) throws Exception {
    Manifest.Image image = image();
    byte[] bytes =
        new String(image.bytes(), java.nio.charset.StandardCharsets.UTF_8).getBytes(charset);
    wire.pushManifest(name, "v1", bytes, image.mediaType()).error(400, "MANIFEST_INVALID");
    wire.put(manifest("v1"), bytes).error(400, "MANIFEST_INVALID");
  }

  /** Small on the way, large in memory: a million objects. */
  @Test
  void aManifestOfManyEmptyObjectsIsRefused() throws Exception {
    String json =
        "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"x\":[{}%s]}"
            .formatted(MediaTypes.OCI_MANIFEST, ",{}".repeat(1_300_000));
    assertThat(json.length()).isLessThan(Limit.MANIFEST_BYTES.intValue());
    Wire.Answer answer = push("v1", json, MediaTypes.OCI_MANIFEST).error(400, "MANIFEST_INVALID");
    assertThat(answer.text()).contains("more than 500000");
    wire.get(manifest("v1")).error(404, "MANIFEST_UNKNOWN");
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
    byte[] tooBig = new byte[Limit.MANIFEST_BYTES.intValue() + 1];
    Arrays.fill(tooBig, (byte) ' ');
    wire.pushManifest(name, "huge", tooBig, MediaTypes.OCI_MANIFEST).error(413, "SIZE_INVALID");
    wire.send("PUT", manifest("huge"), Wire.stream(tooBig), "Content-Type", MediaTypes.OCI_MANIFEST)
        .error(413, "SIZE_INVALID");
  }

  @Test
  void wrongDigest() throws Exception {
    Manifest.Image image = image();
    push(MISSING, new String(image.bytes(), UTF_8), image.mediaType()).error(400, "DIGEST_INVALID");
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
