package slipway.registry.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.linux.process.Command;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.registry.RegistryServer;
import slipway.registry.Wire;
import slipway.registry.blobs.BlobStorage;
import slipway.registry.blobs.BlobStorage.Publication;
import slipway.registry.blobs.BlobStorage.Staged;
import slipway.registry.blobs.FileBlobStorage;
import slipway.registry.catalog.Change.LinkBlob;

/** A journal lost, cut, flipped; blobs unmounted, truncated; writes that fail: nothing goes. */
class RegistryDamageTest {
  private static final InetSocketAddress LOOPBACK = new InetSocketAddress("127.0.0.1", 0);
  private static final byte[] LAYER = {1, 2, 3, 4};

  /** What is lost is told there. */
  private static final Logger QUIET = Logger.getLogger("slipway.registry");

  static {
    QUIET.setLevel(java.util.logging.Level.OFF);
  }

  @TempDir Path dir;

  private interface Work {
    void run(Wire wire) throws Exception;
  }

  private Path root() {
    return dir.resolve("registry");
  }

  private void serving(Work work) throws Exception {
    try (RegistryServer server = RegistryServer.start(root(), LOOPBACK)) {
      work.run(new Wire(server.address()));
    }
  }

  /** All files of the blobs with their content. */
  private Map<String, String> blobs() throws IOException {
    Map<String, String> all = new TreeMap<>();
    try (Stream<Path> files = Files.walk(root().resolve("blobs"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        all.put(
            root().relativize(file).toString(),
            new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1));
      }
    }
    return all;
  }

  private void isRefused(String... words) throws IOException {
    Map<String, String> before = blobs();
    assertThatThrownBy(() -> RegistryServer.start(root(), LOOPBACK))
        .isInstanceOf(Problem.class)
        .hasMessageContainingAll(words)
        .hasMessageContaining("nothing was changed");
    assertThat(blobs()).isEqualTo(before);
  }

  private Path journal() {
    return root().resolve("journal");
  }

  private Path file(Digest digest) {
    return FileBlobStorage.path(root(), digest);
  }

  @Test
  @Tag("slow")
  void aLostJournalIsRefusedAndRepaired() throws Exception {
    Manifest.Image[] image = new Manifest.Image[1];
    serving(wire -> image[0] = wire.pushImage("a", "v1", LAYER));
    Files.delete(journal());
    Map<String, String> before = blobs();
    isRefused("journal is missing", "slipway registry repair --storage " + root());
    RegistryRepair.Result result = RegistryRepair.repair(root());
    assertThat(result).isEqualTo(new RegistryRepair.Result(0, 0, 1, 2, 0, null));
    before.remove("blobs/id");
    assertThat(blobs()).containsAllEntriesOf(before);
    serving(
        wire -> {
          Digest digest = image[0].digest();
          byte[] got = wire.get("/v2/recovered/manifests/" + digest).expect(200).body();
          assertThat(got).isEqualTo(image[0].bytes());
          wire.get("/v2/recovered/blobs/" + Digest.sha256(LAYER)).expect(200);
        });
  }

  @Test
  @Tag("slow")
  void aFlippedBitIsRefusedAndRepairKeepsTheRest() throws Exception {
    serving(
        wire -> {
          wire.pushImage("a", "v1", LAYER);
          wire.pushImage("b", "v1", new byte[] {9});
        });
    byte[] bytes = Files.readAllBytes(journal());
    int at = new String(bytes, StandardCharsets.ISO_8859_1).indexOf("tag a v1");
    bytes[at + 7] ^= 1;
    Files.write(journal(), bytes);
    isRefused("journal:", "is damaged", "slipway registry repair");
    assertThat(journal()).hasBinaryContent(bytes);
    RegistryRepair.Result result = RegistryRepair.repair(root());
    assertThat(result.damagedLines()).isEqualTo(1);
    assertThat(result.manifests()).isEqualTo(1);
    assertThat(result.oldJournal()).hasBinaryContent(bytes);
    serving(
        wire -> {
          wire.get("/v2/a/blobs/" + Digest.sha256(LAYER)).expect(200);
          wire.get("/v2/b/manifests/v1").expect(200);
          assertThat(wire.get("/v2/_catalog").text()).contains("[\"b\",\"recovered\"]");
        });
  }

  @Test
  @Tag("slow")
  void aCutJournalLosesNoBlob() throws Exception {
    serving(wire -> wire.pushImage("a", "v1", LAYER));
    byte[] bytes = Files.readAllBytes(journal());
    Map<String, String> before = blobs();
    for (int length = bytes.length - 1; length >= 0; length -= 23) {
      Files.write(journal(), Arrays.copyOf(bytes, length));
      try {
        Store.open(root()).close();
      } catch (Problem refused) {
        assertThat(length).isLessThan(70);
      }
      assertThat(blobs()).as("cut at %d", length).isEqualTo(before);
    }
    Files.write(journal(), bytes);
    serving(wire -> wire.get("/v2/a/manifests/v1").expect(200));
  }

  @Test
  @Tag("slow")
  void blobsThatAreNotMountedAreRefusedAndComeBack() throws Exception {
    Path elsewhere = Files.createDirectories(dir.resolve("disk"));
    Files.createDirectories(root().resolve("blobs"));
    String mountPoint = root().resolve("blobs").toString();
    Command.of("mount", "--bind", elsewhere.toString(), mountPoint).run();
    try {
      serving(wire -> wire.pushImage("a", "v1", LAYER));
    } finally {
      Command.of("umount", mountPoint).run();
    }
    isRefused("blobs is not what it was", "mount it");
    assertThat(blobs()).isEmpty();
    Command.of("mount", "--bind", elsewhere.toString(), mountPoint).run();
    try {
      serving(
          wire -> {
            wire.get("/v2/a/manifests/v1").expect(200);
            wire.get("/v2/a/blobs/" + Digest.sha256(LAYER)).expect(200);
          });
    } finally {
      Command.of("umount", mountPoint).run();
    }
  }

  @Test
  void blobsOfAnotherRegistryAreRefused() throws Exception {
    serving(wire -> wire.pushImage("a", "v1", LAYER));
    Files.writeString(root().resolve("blobs/id"), "00000000-0000-0000-0000-000000000001\n");
    isRefused("belongs to the registry 00000000-0000-0000-0000-000000000001");
  }

  @Test
  @Tag("slow")
  void aDirectoryOfTheFirstVersionIsTakenOver() throws Exception {
    Manifest.Image[] image = new Manifest.Image[1];
    byte[] signature = Wire.signature(Digest.sha256(LAYER));
    serving(
        wire -> {
          image[0] = wire.pushImage("a", "v1", LAYER);
          wire.pushBlob("a", Wire.EMPTY_JSON, MediaTypes.OCI_CONFIG);
          wire.pushManifest("a", "sig", signature, MediaTypes.OCI_MANIFEST).expect(201);
        });
    makeFirstVersion();
    serving(
        wire -> {
          assertThat(wire.get("/v2/a/manifests/v1").expect(200).body()).isEqualTo(image[0].bytes());
          assertThat(wire.get("/v2/a/referrers/" + Digest.sha256(LAYER)).text())
              .contains("\"artifactType\":\"test/signature\"", "\"key\":\"value\"");
        });
    assertThat(Files.readString(journal(), StandardCharsets.ISO_8859_1))
        .startsWith("slipway-registry-journal 2 ");
    assertThat(root().resolve("uploads")).doesNotExist();
    makeFirstVersion();
    Path blobs = root().resolve("blobs");
    Files.move(blobs, dir.resolve("away"));
    isRefusedWithoutBlobs();
    Files.deleteIfExists(blobs);
    Files.move(dir.resolve("away"), blobs);
    serving(wire -> wire.get("/v2/a/manifests/v1").expect(200));
  }

  private void isRefusedWithoutBlobs() {
    assertThatThrownBy(() -> RegistryServer.start(root(), LOOPBACK))
        .hasMessageContaining("blobs is not what it was");
  }

  /** As the first version left it: no mark, no fields of referrers, uploads beside the blobs. */
  private void makeFirstVersion() throws IOException {
    List<String> lines = new ArrayList<>(Files.readAllLines(journal()));
    lines.set(0, "slipway-registry-journal 1");
    for (int i = 1; i < lines.size(); i++) {
      String body = lines.get(i).substring(9).replaceAll("( sha256:[0-9a-f]+) [\\w-]{20,}$", "$1");
      java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
      body =
          String.join(
              ";", Stream.of(body.split(";")).map(RegistryDamageTest::withoutFields).toList());
      crc.update(body.getBytes(StandardCharsets.ISO_8859_1));
      lines.set(i, java.util.HexFormat.of().toHexDigits((int) crc.getValue()) + " " + body);
    }
    Files.writeString(journal(), String.join("\n", lines) + "\n");
    Files.delete(root().resolve("blobs/id"));
    Files.delete(root().resolve("blobs/uploads"));
    String name = java.util.UUID.randomUUID().toString();
    Files.writeString(Files.createDirectory(root().resolve("uploads")).resolve(name), "x");
  }

  private static String withoutFields(String change) {
    String[] words = change.split(" ");
    return words.length == 7 ? String.join(" ", Arrays.copyOf(words, 6)) : change;
  }

  @Test
  @Tag("slow")
  void aTruncatedBlobIsHiddenAtTheStartAndWhenItIsAskedFor() throws Exception {
    Path file = file(Digest.sha256(LAYER));
    serving(
        wire -> {
          wire.pushImage("a", "v1", LAYER);
          Files.write(file, new byte[2]);
          wire.get("/v2/a/blobs/" + Digest.sha256(LAYER)).error(404, "BLOB_UNKNOWN");
          wire.head("/v2/a/blobs/" + Digest.sha256(LAYER)).expect(404);
          wire.pushBlob("a", LAYER, "x");
          wire.get("/v2/a/blobs/" + Digest.sha256(LAYER)).expect(200);
        });
    Files.write(file, new byte[2]);
    serving(
        wire -> {
          wire.head("/v2/a/blobs/" + Digest.sha256(LAYER)).expect(404);
          wire.pushBlob("a", LAYER, "x");
          assertThat(wire.get("/v2/a/blobs/" + Digest.sha256(LAYER)).expect(200).body())
              .isEqualTo(LAYER);
        });
  }

  @Test
  @Tag("slow")
  void tagsOfALostManifestComeBackWithIt() throws Exception {
    Manifest.Image[] image = new Manifest.Image[1];
    serving(wire -> image[0] = wire.pushImage("a", "v1", LAYER));
    Path file = file(image[0].digest());
    Files.move(file, dir.resolve("away"), StandardCopyOption.ATOMIC_MOVE);
    serving(
        wire -> {
          wire.get("/v2/a/manifests/v1").error(404, "MANIFEST_UNKNOWN");
          assertThat(wire.get("/v2/a/tags/list").text()).contains("[]");
        });
    Files.move(dir.resolve("away"), file, StandardCopyOption.ATOMIC_MOVE);
    serving(wire -> wire.get("/v2/a/manifests/v1").expect(200));
  }

  @Test
  void aStartWithManyRepositoriesAndLossesIsQuick() throws Exception {
    Store.open(root()).close();
    try (Store store = Store.open(root())) {
      List<Change> changes = new ArrayList<>();
      for (int i = 0; i < 40_000; i++) {
        byte[] content = ByteBuffer.allocate(4).putInt(i % 2000).array();
        changes.add(new LinkBlob("r" + i, Digest.sha256(content), 4));
      }
      store.add(List.of(), catalog -> changes);
    }
    long start = System.nanoTime();
    Store.open(root()).close();
    assertThat(System.nanoTime() - start).isLessThan(5_000_000_000L);
  }

  private void push(Store store, byte[] content, Store.Plan plan) throws IOException {
    try (Staged staged = store.blobs().stage()) {
      staged.write(ByteBuffer.wrap(content));
      staged.seal();
      store.add(List.of(new Publication(staged, Digest.sha256(content))), plan);
    }
  }

  @Test
  void anErrorInACommitIsToldAndTheNextOneGoesOn() throws Exception {
    try (Store store = Store.open(root())) {
      for (Throwable failure :
          List.of(
              new UncheckedIOException(new IOException("disk")),
              new OutOfMemoryError("test"),
              new StackOverflowError())) {
        assertThatThrownBy(
                () ->
                    push(
                        store,
                        LAYER,
                        catalog -> {
                          throw sneaky(failure);
                        }))
            .isInstanceOf(IOException.class);
        assertThat(file(Digest.sha256(LAYER))).doesNotExist();
      }
      push(store, LAYER, catalog -> List.of(new LinkBlob("a", Digest.sha256(LAYER), 4)));
    }
    try (Store store = Store.open(root())) {
      assertThat(store.catalog().sizeAnywhere(Digest.sha256(LAYER))).isEqualTo(4);
    }
  }

  @SuppressWarnings("unchecked")
  private static <T extends Throwable> RuntimeException sneaky(Throwable failure) throws T {
    throw (T) failure;
  }

  /** An interrupt closes the journal under the thread that writes it, as a failed disk does. */
  private static StoreDirectory.Opened failing(StoreDirectory.Opened opened) {
    int[] published = new int[1];
    BlobStorage blobs =
        (BlobStorage)
            java.lang.reflect.Proxy.newProxyInstance(
                BlobStorage.class.getClassLoader(),
                new Class<?>[] {BlobStorage.class},
                (proxy, method, arguments) -> {
                  Object result = method.invoke(opened.blobs(), arguments);
                  if (method.getName().equals("publish") && ++published[0] == 2) {
                    Thread.currentThread().interrupt();
                  }
                  return result;
                });
    return new StoreDirectory.Opened(blobs, opened.journal(), opened.catalog());
  }

  @Test
  void onceTheJournalCannotBeWrittenTheRegistrySaysSoAndKeepsTheBlobs() throws Exception {
    LinkBlob line = new LinkBlob("a", Digest.sha256(LAYER), 4);
    byte[] first = {7};
    StoreDirectory directory = StoreDirectory.lock(root());
    try (Store store = Store.start(directory, failing(directory.open()))) {
      push(store, first, c -> List.of(new LinkBlob("a", Digest.sha256(first), 1)));
      assertThatThrownBy(() -> push(store, LAYER, catalog -> List.of(line)))
          .isInstanceOf(IOException.class);
      assertThatThrownBy(() -> push(store, LAYER, catalog -> List.of(line)))
          .isInstanceOfSatisfying(RegistryError.class, e -> assertThat(e.status()).isEqualTo(503));
      assertThat(file(Digest.sha256(LAYER))).exists();
      store.open(Digest.sha256(first), 1).orElseThrow().close();
    }
    // The line never reached the disk, so the next start removes what was provisional.
    try (Store store = Store.open(root())) {
      assertThat(store.blobs().list()).containsOnlyKeys(Digest.sha256(first));
    }
  }

  @Test
  @Tag("slow")
  void whatNoLineNamesIsKept() throws Exception {
    serving(wire -> wire.pushImage("a", "v1", LAYER));
    Digest stray = Digest.sha256(new byte[] {9});
    Files.createDirectories(file(stray).getParent());
    Files.write(file(stray), new byte[] {9});
    Files.writeString(journal(), "deadbeef torn", StandardOpenOption.APPEND);
    serving(wire -> wire.get("/v2/a/manifests/v1").expect(200));
    assertThat(file(stray)).hasBinaryContent(new byte[] {9});
    assertThat(root().resolve("journal.cut-1")).hasContent("deadbeef torn");
  }

  /** Finds nothing the first time, as when the blob is deleted and pushed again at that moment. */
  private static StoreDirectory.Opened blinking(StoreDirectory.Opened opened) {
    int[] asked = new int[1];
    BlobStorage blobs =
        (BlobStorage)
            java.lang.reflect.Proxy.newProxyInstance(
                BlobStorage.class.getClassLoader(),
                new Class<?>[] {BlobStorage.class},
                (proxy, method, arguments) ->
                    method.getName().equals("open") && ++asked[0] == 1
                        ? java.util.Optional.empty()
                        : method.invoke(opened.blobs(), arguments));
    return new StoreDirectory.Opened(blobs, opened.journal(), opened.catalog());
  }

  @Test
  void aBlobThatIsPushedAgainWhileItIsLookedForIsNotLost() throws Exception {
    Digest digest = Digest.sha256(LAYER);
    StoreDirectory directory = StoreDirectory.lock(root());
    try (Store store = Store.start(directory, blinking(directory.open()))) {
      push(store, LAYER, catalog -> List.of(new LinkBlob("a", digest, 4)));
      store.open(digest, 4).orElseThrow().close();
      store.open(digest, 4).orElseThrow().close();
      assertThat(store.catalog().sizeAnywhere(digest)).isEqualTo(4);
    }
  }

  @Test
  @Tag("slow")
  void whatTheFirstVersionStagedGoesAtAnyStartAndNothingElse() throws Exception {
    serving(wire -> wire.pushImage("a", "v1", LAYER));
    Path old = Files.createDirectory(root().resolve("uploads"));
    Path staged = Files.write(old.resolve(java.util.UUID.randomUUID().toString()), LAYER);
    Path foreign = Files.write(old.resolve("theirs"), LAYER);
    serving(wire -> wire.get("/v2/a/manifests/v1").expect(200));
    assertThat(staged).doesNotExist();
    assertThat(foreign).exists();
  }

  @Test
  void aFolderThatIsNoRegistryStaysAsItIs() throws Exception {
    Path other = Files.createDirectory(root().resolveSibling("other"));
    Files.writeString(other.resolve("file"), "x");
    assertThatThrownBy(() -> RegistryRepair.repair(other))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("has neither a journal nor blobs");
    assertThat(other.toFile().list()).containsExactly("file");
  }
}
