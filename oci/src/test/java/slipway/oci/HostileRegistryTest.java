package slipway.oci;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static slipway.oci.HostileRegistry.answer;
import static slipway.oci.HostileRegistry.cut;
import static slipway.oci.HostileRegistry.header;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.Transfer;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.registry.RegistryClient;
import slipway.oci.registry.RegistryOptions;
import slipway.oci.store.LocalStore;

/** Registries that fail, lie and stall while an image is pulled. */
class HostileRegistryTest extends HostileCase {
  private static int rangeStart(HttpExchange e) {
    String range = e.getRequestHeaders().getFirst("Range");
    return range == null ? 0 : Integer.parseInt(range.replaceAll("[^0-9]", ""));
  }

  @Test
  void resumesWhereItWasCut() throws Exception {
    AtomicInteger served = new AtomicInteger();
    HostileRegistry.Handler handler =
        (e, count) -> {
          int from = rangeStart(e);
          if (from > 0) {
            header(
                e, "Content-Range", "bytes " + from + "-" + (BLOB.length - 1) + "/" + BLOB.length);
          }
          int part = Math.min(400_000, BLOB.length - from);
          served.addAndGet(part);
          if (from + part < BLOB.length) {
            cut(e, from > 0 ? 206 : 200, BLOB, from, part);
          }
          answer(e, from > 0 ? 206 : 200, Arrays.copyOfRange(BLOB, from, BLOB.length));
        };
    RegistryOptions patient = OPTIONS.withPatience(9, Duration.ofMillis(2), Duration.ofSeconds(10));
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), patient)) {
      assertThat(read(client)).isEqualTo(BLOB);
      assertThat(registry.asked.stream().filter(a -> a.contains("/blobs/")).count())
          .isGreaterThan(7);
      assertThat(served.get()).isLessThan(2 * BLOB.length);
    }
  }

  /** It is a registry until it is asked for a manifest. */
  @Test
  void aStatusLineThatIsNoneIsASentence() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      Thread.ofVirtual().start(() -> mumble(server));
      Reference name = Reference.parse("127.0.0.1:" + server.getLocalPort() + "/x:1");
      try (RegistryClient client = new RegistryClient(name, OPTIONS.withTlsVerify(false))) {
        fails(Problem.Kind.UNAVAILABLE, () -> client.manifest("1"))
            .hasMessageContaining("127.0.0.1:" + server.getLocalPort())
            .hasMessageContaining("31mSSH-2.0")
            .hasMessageNotContaining("\u001b");
      }
    }
  }

  private static void mumble(ServerSocket server) {
    while (!server.isClosed()) {
      try (Socket socket = server.accept()) {
        byte[] asked = new byte[8192];
        int length = Math.max(0, socket.getInputStream().read(asked));
        String text = new String(asked, 0, length, ISO_8859_1);
        String answer =
            text.startsWith("GET /v2/ ")
                ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
                : "\u001b[31mSSH-2.0-x\r\n\r\n";
        socket.getOutputStream().write(answer.getBytes(ISO_8859_1));
      } catch (IOException e) {
        // The test is over, or the client has seen enough.
      }
    }
  }

  @Test
  void resumesWithoutRangesByReadingOver() throws Exception {
    HostileRegistry.Handler handler =
        (e, count) -> {
          if (count == 0) {
            cut(e, 200, BLOB, 0, 1_500_000);
          }
          answer(e, 200, BLOB);
        };
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      assertThat(read(client)).isEqualTo(BLOB);
    }
  }

  @Test
  void givesUpOnOneThatAlwaysCutsAtTheSamePlace() throws Exception {
    HostileRegistry.Handler handler =
        (e, count) -> {
          int from = rangeStart(e);
          header(e, "Content-Range", "bytes " + from + "-" + (BLOB.length - 1) + "/" + BLOB.length);
          cut(e, from > 0 ? 206 : 200, BLOB, from, Math.max(0, 1000 - from));
        };
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      fails(Problem.Kind.UNAVAILABLE, () -> read(client))
          .hasMessageContaining("cannot pull blob " + DESCRIPTOR.digest() + " from ");
      assertThat(registry.asked).hasSizeLessThan(20);
    }
  }

  @Test
  void refusesAWrongRange() throws Exception {
    HostileRegistry.Handler handler =
        (e, count) -> {
          if (rangeStart(e) == 0) {
            cut(e, 200, BLOB, 0, 1_000_000);
          }
          header(e, "Content-Range", "bytes 2000000-2999999/3000000");
          answer(e, 206, Arrays.copyOfRange(BLOB, 2_000_000, 3_000_000));
        };
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      fails(Problem.Kind.CORRUPT, () -> read(client)).hasMessageContaining("another range");
    }
  }

  @Test
  void noticesAWrongDigestAndStoresNothing(@TempDir Path dir) throws Exception {
    byte[] forged = BLOB.clone();
    forged[2_999_999]++;
    try (HostileRegistry registry = new HostileRegistry((e, count) -> answer(e, 200, forged));
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS);
        LocalStore store = LocalStore.open(dir)) {
      fails(Problem.Kind.CORRUPT, () -> read(client)).hasMessageContaining("damaged or forged");
      ImageSink sink = store.sink(null);
      fails(
          Problem.Kind.CORRUPT, () -> sink.putBlob(DESCRIPTOR, at -> client.blob(DESCRIPTOR, at)));
      assertThat(store.has(DESCRIPTOR.digest())).isFalse();
      sink.close();
    }
  }

  @Test
  void stopsAtAnEndlessBody() throws Exception {
    HostileRegistry.Handler handler =
        (e, count) -> {
          e.sendResponseHeaders(200, 0); // Chunked.
          try (OutputStream out = e.getResponseBody()) {
            while (true) {
              out.write(BLOB);
            }
          }
        };
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      fails(Problem.Kind.CORRUPT, () -> read(client)).hasMessageContaining("longer than its");
      fails(Problem.Kind.CORRUPT, () -> client.manifest(null))
          .hasMessageContaining("more than 8 MiB");
      fails(Problem.Kind.CORRUPT, client::tags).hasMessageContaining("more than 8 MiB");
    }
  }

  @Test
  void refusesALengthThatIsNotThePromisedOne() throws Exception {
    try (HostileRegistry registry =
            new HostileRegistry((e, count) -> answer(e, 200, Arrays.copyOf(BLOB, 10)));
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      fails(Problem.Kind.CORRUPT, () -> read(client))
          .hasMessageContaining("it has 10 bytes instead of the promised 3000000");
    }
  }

  @Test
  @Tag("slow")
  void waitsAsLongAsItIsAskedTo() throws Exception {
    HostileRegistry.Handler handler =
        (e, count) -> {
          if (count == 0) {
            header(e, "Retry-After", "1");
            answer(e, 429, "{\"errors\":[{\"code\":\"TOOMANYREQUESTS\"}]}");
          } else {
            answer(e, 200, BLOB);
          }
        };
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      long begin = System.nanoTime();
      assertThat(read(client)).isEqualTo(BLOB);
      assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThan(Duration.ofMillis(990));
    }
  }

  @Test
  void triesAgainAfterFailuresOfTheServerAndThenGivesUp() throws Exception {
    int[] failures = {500, 502, 503, 200};
    try (HostileRegistry registry =
            new HostileRegistry((e, count) -> answer(e, failures[count], BLOB));
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      assertThat(read(client)).isEqualTo(BLOB);
    }
    try (HostileRegistry registry =
            new HostileRegistry((e, count) -> answer(e, 503, "<html>busy</html>"));
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      fails(Problem.Kind.UNAVAILABLE, () -> client.manifest(null))
          .hasMessage(
              "cannot pull manifest latest from %s/x; %s fails with status 503, try again later"
                  .formatted(registry.host(), registry.host()));
      assertThat(registry.asked).hasSize(5);
    }
  }

  @Test
  void endsAStalledDownload() throws Exception {
    CountDownLatch over = new CountDownLatch(1);
    HostileRegistry.Handler handler =
        (e, count) -> {
          e.sendResponseHeaders(200, BLOB.length);
          OutputStream out = e.getResponseBody();
          out.write(BLOB, 0, 1000);
          out.flush();
          try {
            over.await();
          } catch (InterruptedException x) {
            Thread.currentThread().interrupt();
          }
        };
    RegistryOptions hasty = OPTIONS.withPatience(2, Duration.ofMillis(2), Duration.ofMillis(200));
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), hasty)) {
      long begin = System.nanoTime();
      fails(Problem.Kind.UNAVAILABLE, () -> read(client)).hasMessageContaining("sent nothing");
      assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(20));
      over.countDown();
    }
  }

  @Test
  void refusesAManifestThatIsNotTheOneAskedFor() throws Exception {
    byte[] manifest = Manifest.Index.of(List.of(), Map.of("a", "b")).bytes();
    String other = Digest.sha256(BLOB).toString();
    try (HostileRegistry registry =
            new HostileRegistry(
                (e, count) -> {
                  header(e, "Content-Type", MediaTypes.OCI_INDEX);
                  if (e.getRequestURI().getPath().endsWith("/lie")) {
                    header(e, "Docker-Content-Digest", other);
                  }
                  answer(e, 200, manifest);
                });
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      assertThat(client.manifest("good").bytes()).isEqualTo(manifest);
      fails(Problem.Kind.CORRUPT, () -> client.manifest(other))
          .hasMessageContaining("another digest");
      fails(Problem.Kind.CORRUPT, () -> client.manifest("lie"))
          .hasMessageContaining("another digest");
      String sha512 =
          Digest.of(
                  Digest.Algorithm.SHA512,
                  Digest.Algorithm.SHA512.newMessageDigest().digest(manifest))
              .toString();
      assertThat(client.manifest(sha512).digest()).hasToString(sha512);
    }
  }

  @Test
  void boundsTheBodyOfAnErrorAndCleansItsText() throws Exception {
    HostileRegistry.Handler handler =
        (e, count) -> {
          e.sendResponseHeaders(403, 0);
          try (OutputStream out = e.getResponseBody()) {
            out.write(
                "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no\\u001b[2J\\nway\"}]}"
                    .getBytes(StandardCharsets.UTF_8));
            if (e.getRequestURI().getPath().endsWith("/long")) {
              while (true) {
                out.write(BLOB);
              }
            }
          }
        };
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      fails(Problem.Kind.DENIED, () -> client.manifest("short"))
          .hasMessageEndingWith(": no [2J way (DENIED)");
      fails(Problem.Kind.DENIED, () -> client.manifest("long"));
    }
  }

  @Test
  void stopsPagesThatGoInACircle() throws Exception {
    HostileRegistry.Handler handler =
        (e, count) -> {
          header(e, "Link", "</v2/x/tags/list?n=1000>; rel=\"next\"");
          answer(e, 200, "{\"tags\":[\"a\"]}");
        };
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      fails(Problem.Kind.CORRUPT, client::tags).hasMessageContaining("circle");
    }
  }

  @Test
  void oneFailingLayerEndsTheWholeCopy(@TempDir Path dir) throws Exception {
    byte[] config = ImageConfig.empty(Platform.parse("linux/amd64")).toJson();
    byte[] small = {1, 2, 3};
    Manifest.Image image =
        Manifest.Image.of(
            Descriptor.of(MediaTypes.OCI_CONFIG, config),
            List.of(DESCRIPTOR, Descriptor.of(MediaTypes.OCI_LAYER, small)),
            Map.of());
    HostileRegistry.Handler handler =
        (e, count) -> {
          String path = e.getRequestURI().getPath();
          if (path.contains("/manifests/")) {
            header(e, "Content-Type", MediaTypes.OCI_MANIFEST);
            answer(e, 200, image.bytes());
          } else if (path.endsWith(Digest.sha256(config).toString())) {
            answer(e, 200, config);
          } else if (path.endsWith(DESCRIPTOR.digest().toString())) {
            answer(e, 200, BLOB);
          } else {
            answer(e, 404, "{\"errors\":[{\"code\":\"BLOB_UNKNOWN\",\"message\":\"gone\"}]}");
          }
        };
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS);
        LocalStore store = LocalStore.open(dir);
        ImageSink sink = store.sink(registry.reference())) {
      fails(
              Problem.Kind.NOT_FOUND,
              () -> Transfer.copy(client, null, sink, null, Transfer.Options.all(), Progress.NONE))
          .hasMessageContaining("gone (BLOB_UNKNOWN)");
      assertThat(store.list()).isEmpty();
    }
  }
}
