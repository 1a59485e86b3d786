package slipway.registry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;

/**
 * distribution-spec 1.1 over the wire, in the groups of the specification's own suite; blobs and
 * manifests have classes of their own.
 */
class ConformanceTest extends Conformance {
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
