package slipway.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.process.Command;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;

/** Debian's own clients against the server. */
class ClientsTest {
  @TempDir static Path dir;
  private static RegistryServer server;
  private static Wire wire;
  private static String host = "";

  /** An image of two layers in an OCI layout, made by umoci. */
  private static String layout = "";

  @BeforeAll
  static void start() throws IOException {
    server = RegistryServer.start(dir.resolve("registry"), new InetSocketAddress("127.0.0.1", 0));
    wire = new Wire(server.address());
    host = "127.0.0.1:" + server.address().getPort();
    Path oci = dir.resolve("layout");
    layout = "oci:" + oci + ":v1";
    run("umoci", "init", "--layout", oci.toString());
    run("umoci", "new", "--image", oci + ":v1");
    byte[] bytes = new byte[2_000_000];
    new Random(7).nextBytes(bytes);
    Path file = Files.write(dir.resolve("file"), bytes);
    run("umoci", "insert", "--image", oci + ":v1", file.toString(), "/first");
    run("umoci", "insert", "--image", oci + ":v1", file.toString(), "/second");
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static String run(String... argv) {
    return Command.of(argv).idleLimit(Duration.ofMinutes(5)).output();
  }

  private static String docker(String name) {
    return "docker://" + host + "/" + name;
  }

  private static byte[] layoutManifest(Path oci) throws IOException {
    Manifest.Index index =
        (Manifest.Index)
            Manifest.parse(Files.readAllBytes(oci.resolve("index.json")), MediaTypes.OCI_INDEX);
    Digest digest = index.manifests().getLast().digest();
    return Files.readAllBytes(oci.resolve("blobs/sha256").resolve(digest.hex()));
  }

  @Test
  void skopeoCopiesBothWaysByteForByte() throws Exception {
    run("skopeo", "copy", "--dest-tls-verify=false", layout, docker("sk/image:v1"));
    byte[] pushed = wire.get("/v2/sk/image/manifests/v1").expect(200).body();
    assertThat(pushed).isEqualTo(layoutManifest(dir.resolve("layout")));
    Path back = dir.resolve("back");
    run("skopeo", "copy", "--src-tls-verify=false", docker("sk/image:v1"), "oci:" + back + ":v1");
    assertThat(layoutManifest(back)).isEqualTo(pushed);
    Manifest.Image image = (Manifest.Image) Manifest.parse(pushed, null);
    assertThat(image.layers()).hasSize(2);
    for (var layer : image.layers()) {
      byte[] content =
          Files.readAllBytes(back.resolve("blobs/sha256").resolve(layer.digest().hex()));
      assertThat(layer.digest().matches(content)).isTrue();
    }
  }

  @Test
  void skopeoInspectsListsAndDeletes() throws Exception {
    for (String tag : List.of("b", "a")) {
      run("skopeo", "copy", "--dest-tls-verify=false", layout, docker("sk/listed:" + tag));
    }
    String inspected = run("skopeo", "inspect", "--tls-verify=false", docker("sk/listed:a"));
    Digest digest = Digest.sha256(layoutManifest(dir.resolve("layout")));
    assertThat(inspected).contains("\"Digest\": \"" + digest + "\"");
    assertThat(run("skopeo", "list-tags", "--tls-verify=false", docker("sk/listed")))
        .containsSubsequence("\"a\"", "\"b\"");
    run("skopeo", "delete", "--tls-verify=false", docker("sk/listed:a"));
    assertThat(wire.get("/v2/sk/listed/tags/list").text()).contains("\"tags\":[]");
  }

  @Test
  void skopeoPushesDockersFormat() throws Exception {
    run("skopeo", "copy", "--format", "v2s2", "--dest-tls-verify=false", layout, docker("sk/v2:x"));
    Wire.Answer answer = wire.get("/v2/sk/v2/manifests/x").expect(200);
    assertThat(answer.header("Content-Type")).isEqualTo(MediaTypes.DOCKER_MANIFEST);
    assertThat(answer.text()).contains(MediaTypes.DOCKER_LAYER_GZIP);
    Path back = dir.resolve("dir");
    run("skopeo", "copy", "--src-tls-verify=false", docker("sk/v2:x"), "dir:" + back);
    assertThat(back.resolve("manifest.json")).hasBinaryContent(answer.body());
  }

  @Test
  void skopeoCopiesBetweenRepositoriesAndWholeIndexes() throws Exception {
    Manifest.Image one = wire.pushImage("sk/multi", "one", new byte[] {1});
    Manifest.Image two = wire.pushImage("sk/multi", "two", new byte[] {2});
    Manifest.Index index = Manifest.Index.of(List.of(one.descriptor(), two.descriptor()), Map.of());
    wire.pushManifest("sk/multi", "all", index.bytes(), index.mediaType()).expect(201);
    run(
        "skopeo",
        "copy",
        "--all",
        "--preserve-digests",
        "--src-tls-verify=false",
        "--dest-tls-verify=false",
        docker("sk/multi:all"),
        docker("sk/mirror:all"));
    assertThat(wire.get("/v2/sk/mirror/manifests/all").body()).isEqualTo(index.bytes());
    for (Manifest.Image image : List.of(one, two)) {
      assertThat(wire.get("/v2/sk/mirror/manifests/" + image.digest()).body())
          .isEqualTo(image.bytes());
    }
  }

  @Test
  void podmanPullsAndPushes() throws Exception {
    run("skopeo", "copy", "--dest-tls-verify=false", layout, docker("pod/image:v1"));
    String name = host + "/pod/image:v1";
    podman("pull", "--tls-verify=false", name);
    String other = host + "/pod/other:v2";
    podman("tag", name, other);
    podman("push", "--tls-verify=false", other);
    byte[] pushed = wire.get("/v2/pod/other/manifests/v2").expect(200).body();
    Manifest.Image image = (Manifest.Image) Manifest.parse(pushed, null);
    assertThat(image.layers()).hasSize(2);
    podman("rmi", name, other);
    podman("pull", "--tls-verify=false", other);
    assertThat(podman("images", "--format", "{{.Repository}}:{{.Tag}}")).contains(other);
    assertThat(podman("inspect", "--format", "{{.Id}}", other))
        .isEqualTo(Objects.requireNonNull(image.config()).digest().hex());
  }

  private static String podman(String... arguments) {
    return Command.of(
            "podman",
            "--root",
            dir.resolve("podman").toString(),
            "--runroot",
            dir.resolve("podman-run").toString(),
            "--storage-driver",
            "vfs",
            "--runtime",
            "/usr/sbin/runc")
        .with(arguments)
        .idleLimit(Duration.ofMinutes(5))
        .output();
  }

  @Test
  void curlResumesAndCombinesRanges() throws Exception {
    byte[] bytes = new byte[100_000];
    new Random(3).nextBytes(bytes);
    String url =
        "http://" + host + "/v2/curl/x/blobs/" + wire.pushBlob("curl/x", bytes, "x").digest();
    Path half = Files.write(dir.resolve("half"), java.util.Arrays.copyOf(bytes, 40_000));
    run("curl", "-sSf", "-C", "-", "-o", half.toString(), url);
    assertThat(half).hasBinaryContent(bytes);
    assertThat(run("curl", "-sSf", "-o", "/dev/null", "-w", "%{http_code}", "-r", "0-1,5-6", url))
        .isEqualTo("206");
  }
}
