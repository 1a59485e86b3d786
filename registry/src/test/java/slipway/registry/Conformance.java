package slipway.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.io.TempDir;
import slipway.oci.model.Digest;
import slipway.oci.model.Digest.Algorithm;

/** A registry for tests of distribution-spec 1.1 over the wire, and what they have in common. */
abstract class Conformance {
  static final String MISSING = "sha256:" + "0".repeat(64);

  @TempDir static Path root;
  static RegistryServer server;
  static Wire wire;
  static int counter;

  String name = "";
  Random random = new Random(0);

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

  byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  static Digest digest(Algorithm algorithm, byte[] bytes) {
    return Digest.of(algorithm, algorithm.newMessageDigest().digest(bytes));
  }

  String blob(Object digest) {
    return "/v2/" + name + "/blobs/" + digest;
  }

  String manifest(Object reference) {
    return "/v2/" + name + "/manifests/" + reference;
  }

  void isThere(byte[] content, Digest digest) throws Exception {
    Wire.Answer head = wire.head(blob(digest)).expect(200);
    assertThat(head.header("Content-Length")).isEqualTo("" + content.length);
    assertThat(head.header("Docker-Content-Digest")).isEqualTo(digest.toString());
    Wire.Answer get = wire.get(blob(digest)).expect(200);
    assertThat(get.body()).isEqualTo(content);
    assertThat(get.header("Docker-Content-Digest")).isEqualTo(digest.toString());
    assertThat(get.header("Content-Type")).isEqualTo("application/octet-stream");
  }
}
