package slipway.registry.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.registry.RegistryServer;
import slipway.registry.Wire;
import slipway.registry.blobs.BlobStorage;
import slipway.registry.blobs.FileBlobStorage;

/** Many clients at once, in the same repositories, with the same content. */
class ConcurrencyTest {
  private static final int CLIENTS = 12;

  @TempDir Path root;

  private interface Work {
    void run(Wire wire, int client) throws Exception;
  }

  private void together(Work work) throws Exception {
    try (RegistryServer server = RegistryServer.start(root, new InetSocketAddress("127.0.0.1", 0));
        ExecutorService clients = Executors.newFixedThreadPool(CLIENTS)) {
      Wire wire = new Wire(server.address());
      List<Callable<Integer>> all = new ArrayList<>();
      for (int i = 0; i < CLIENTS; i++) {
        int client = i;
        all.add(
            () -> {
              work.run(wire, client);
              return client;
            });
      }
      for (Future<Integer> done : clients.invokeAll(all)) {
        done.get();
      }
    }
  }

  @Test
  @Tag("slow")
  void sameBlobsAndTagsFromAllSides() throws Exception {
    Set<String> tags = ConcurrentHashMap.newKeySet();
    together(
        (wire, client) -> {
          Random random = new Random(client);
          for (int i = 0; i < 5; i++) {
            String repository = "r" + random.nextInt(3);
            byte[] layer = new byte[] {(byte) random.nextInt(4)};
            String tag = "t" + random.nextInt(5);
            wire.pushImage(repository, tag, layer);
            tags.add(repository + " " + tag);
            wire.get("/v2/" + repository + "/manifests/" + tag).expect(200);
          }
        });
    try (RegistryServer server =
        RegistryServer.start(root, new InetSocketAddress("127.0.0.1", 0))) {
      Wire wire = new Wire(server.address());
      for (String each : tags) {
        String[] parts = each.split(" ");
        byte[] bytes = wire.get("/v2/" + parts[0] + "/manifests/" + parts[1]).expect(200).body();
        Manifest.Image image = (Manifest.Image) Manifest.parse(bytes, null);
        Digest layer = image.layers().getFirst().digest();
        assertThat(layer.matches(wire.get("/v2/" + parts[0] + "/blobs/" + layer).body())).isTrue();
      }
    }
    filesAreWhatTheJournalHolds();
  }

  @Test
  @Tag("slow")
  void pushAgainstDeleteStaysConsistent() throws Exception {
    byte[] layer = {1, 2, 3};
    Digest digest = Digest.sha256(layer);
    together(
        (wire, client) -> {
          for (int i = 0; i < 6; i++) {
            if (client % 3 == 0) {
              wire.delete("/v2/x/blobs/" + digest);
            } else {
              Descriptor config = wire.pushBlob("x", Wire.EMPTY_JSON, MediaTypes.OCI_CONFIG);
              Descriptor content = wire.pushBlob("x", layer, MediaTypes.OCI_LAYER);
              Manifest.Image image =
                  Manifest.Image.of(
                      config, List.of(content), java.util.Map.of("n", client + "-" + i));
              int status =
                  wire.pushManifest("x", "t" + client, image.bytes(), image.mediaType()).status();
              assertThat(status).isIn(201, 400);
              int get = wire.get("/v2/x/blobs/" + digest).status();
              assertThat(get).isIn(200, 404);
            }
          }
        });
    filesAreWhatTheJournalHolds();
  }

  private void filesAreWhatTheJournalHolds() throws Exception {
    Catalog catalog = new Catalog();
    Journal.open(root.resolve("journal"), catalog::apply).close();
    BlobStorage blobs = FileBlobStorage.open(root, "unused");
    Set<Digest> files = blobs.list().keySet();
    assertThat(files).isEqualTo(Set.copyOf(catalog.held()));
    for (Digest digest : files) {
      try (BlobStorage.Blob blob = blobs.open(digest).orElseThrow()) {
        assertThat(digest.matches(blob.bytes())).isTrue();
      }
    }
  }

  @Test
  @Tag("slow")
  void chunksOfOneSessionFromTwoSidesStayInOrder() throws Exception {
    byte[] chunk = new byte[10_000];
    try (RegistryServer server = RegistryServer.start(root, new InetSocketAddress("127.0.0.1", 0));
        ExecutorService clients = Executors.newFixedThreadPool(4)) {
      Wire wire = new Wire(server.address());
      String location = wire.begin("x");
      List<Callable<Integer>> all = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        all.add(
            () -> {
              int accepted = 0;
              for (int at = 0; at < 20; at++) {
                int from = ThreadLocalRandom.current().nextInt(20) * chunk.length;
                String range = from + "-" + (from + chunk.length - 1);
                int status = wire.patch(location, chunk, "Content-Range", range).status();
                assertThat(status).isIn(202, 416);
                accepted += status == 202 ? 1 : 0;
              }
              return accepted;
            });
      }
      int accepted = 0;
      for (Future<Integer> done : clients.invokeAll(all)) {
        accepted += done.get();
      }
      byte[] whole = new byte[accepted * chunk.length];
      assertThat(wire.get(location).header("Range"))
          .isEqualTo("0-" + Math.max(0, whole.length - 1));
      wire.put(location + "?digest=" + Digest.sha256(whole), new byte[0]).expect(201);
    }
  }

  @Test
  @Tag("slow")
  void aHundredThousandTagsAreListedByPages() throws Exception {
    int count = 100_000;
    try (RegistryServer server =
        RegistryServer.start(root, new InetSocketAddress("127.0.0.1", 0))) {
      new Wire(server.address()).pushImage("many", "first", new byte[] {1});
    }
    try (Store store = Store.open(root)) {
      Digest digest =
          java.util.Objects.requireNonNull(store.catalog().repository("many")).tag("first");
      List<Change> tags = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        tags.add(
            new Change.PutTag(
                "many", "v%06d".formatted(i), java.util.Objects.requireNonNull(digest)));
      }
      store.add(List.of(), catalog -> tags);
    }
    try (RegistryServer server =
        RegistryServer.start(root, new InetSocketAddress("127.0.0.1", 0))) {
      Wire wire = new Wire(server.address());
      int seen = 0;
      int pages = 0;
      String path = "/v2/many/tags/list";
      while (!path.isEmpty()) {
        Wire.Answer answer = wire.get(path).expect(200);
        seen += answer.text().split("\",\"", -1).length - 1;
        path = answer.header("Link").replaceFirst("<(.*)>; rel=\"next\"", "$1");
        pages++;
      }
      assertThat(pages).isEqualTo(11);

      assertThat(seen).isEqualTo(count + 1);
      assertThat(wire.get("/v2/many/tags/list?n=2&last=v050000").text())
          .contains("[\"v050001\",\"v050002\"]");
    }
  }

  @Test
  @Tag("slow")
  void randomRequestsNeverFailTheServer() throws Exception {
    long seed = System.nanoTime();
    System.out.println("ConcurrencyTest seed " + seed);
    Random random = new Random(seed);
    List<String> parts =
        List.of(
            "v2",
            "a",
            "b",
            "blobs",
            "uploads",
            "manifests",
            "tags",
            "list",
            "referrers",
            "_catalog",
            "",
            "%20",
            "sha256:" + "0".repeat(64),
            "sha256:",
            "latest",
            "%F0%9F%98%80",
            "_oci",
            "A");
    List<String> queries =
        List.of(
            "",
            "?n=1",
            "?n=-1",
            "?n=99999999999",
            "?last=%00",
            "?digest=sha256:" + "0".repeat(64),
            "?digest=x",
            "?mount=x",
            "?mount=sha256:" + "0".repeat(64) + "&from=a",
            "?tag=a&tag=b",
            "?artifactType=%22",
            "?digest-algorithm=sha512",
            "?digest-algorithm=",
            "?=&&=");
    List<String> methods = List.of("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS");
    List<String> ranges = List.of("0-4", "5-1", "-", "0-", "99999999999999999999-1", "bytes=0-4");
    try (RegistryServer server =
        RegistryServer.start(root, new InetSocketAddress("127.0.0.1", 0))) {
      Wire wire = new Wire(server.address());
      int closed = 0;
      for (int i = 0; i < 1500; i++) {
        StringBuilder path = new StringBuilder("/v2");
        int length = random.nextInt(7);
        for (int j = 0; j < length; j++) {
          path.append('/').append(parts.get(random.nextInt(parts.size())));
        }
        String target =
            path.toString().replaceAll("//+", "/") + queries.get(random.nextInt(queries.size()));
        byte[] body =
            random.nextBoolean()
                ? new byte[0]
                : "{\"a\":".getBytes(java.nio.charset.StandardCharsets.UTF_8);
        String range = ranges.get(random.nextInt(ranges.size()));
        Wire.Answer answer;
        try {
          answer =
              wire.send(
                  methods.get(random.nextInt(methods.size())),
                  target,
                  BodyPublishers.ofByteArray(body),
                  "Content-Range",
                  range,
                  "Range",
                  range);
        } catch (IOException e) {
          // A connection may be closed after a refusal, at the moment when the client takes it up.
          closed++;
          continue;
        }
        assertThat(answer.status()).as("seed %d: %s", seed, target).isLessThan(500);
      }
      assertThat(closed).as("seed %d", seed).isLessThan(15);
    }
  }
}
