package slipway.registry.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.http.HttpOptions;
import slipway.linux.process.Command;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.registry.RegistryProcess;
import slipway.registry.RegistryServer;
import slipway.registry.Wire;
import slipway.registry.blobs.BlobStorage.Publication;
import slipway.registry.blobs.BlobStorage.Staged;
import slipway.registry.catalog.Change.LinkBlob;
import slipway.registry.catalog.Change.UnlinkBlob;

/** What is on the disk, before and after restarts, deletions and failures. */
class StoreTest {
  private static final InetSocketAddress LOOPBACK = new InetSocketAddress("127.0.0.1", 0);

  /** Tests that lose files or fill disks would fill the log too. */
  private static final List<Logger> QUIET =
      Stream.of("slipway.http", "slipway.registry").map(Logger::getLogger).toList();

  static {
    QUIET.forEach(logger -> logger.setLevel(java.util.logging.Level.OFF));
  }

  @TempDir Path root;

  private static Digest put(Store store, String name, byte[] bytes) throws IOException {
    Digest digest = Digest.sha256(bytes);
    try (Staged staged = store.blobs().stage()) {
      staged.write(ByteBuffer.wrap(bytes));
      staged.seal();
      store.add(
          List.of(new Publication(staged, digest)),
          catalog -> List.of(new LinkBlob(name, digest, bytes.length)));
    }
    return digest;
  }

  private long blobFiles() throws IOException {
    return files("blobs/sha256");
  }

  private Path file(Digest digest) {
    return root.resolve("blobs/sha256").resolve(digest.hex().substring(0, 2)).resolve(digest.hex());
  }

  private long files(String directory) throws IOException {
    try (Stream<Path> all = Files.walk(root.resolve(directory))) {
      return all.filter(Files::isRegularFile).count();
    }
  }

  @Test
  @Tag("slow")
  void contentSurvivesARestart() throws Exception {
    Manifest.Image image;
    byte[] layer = new byte[100_000];
    new Random(1).nextBytes(layer);
    try (RegistryServer server = RegistryServer.start(root, LOOPBACK)) {
      Wire wire = new Wire(server.address());
      image = wire.pushImage("a/b", "v1", layer);
      wire.pushImage("a/b", "v2", layer);
      wire.pushImage("c", "v1", layer);
      wire.delete("/v2/a/b/manifests/v2").expect(202);
    }
    try (RegistryServer server = RegistryServer.start(root, LOOPBACK)) {
      Wire wire = new Wire(server.address());
      assertThat(wire.get("/v2/a/b/manifests/v1").expect(200).body()).isEqualTo(image.bytes());
      assertThat(wire.get("/v2/a/b/manifests/v1").header("Content-Type"))
          .isEqualTo(MediaTypes.OCI_MANIFEST);
      assertThat(wire.get("/v2/a/b/blobs/" + Digest.sha256(layer)).body()).isEqualTo(layer);
      assertThat(wire.get("/v2/a/b/tags/list").text()).contains("[\"v1\"]");
      assertThat(wire.get("/v2/_catalog").text()).contains("[\"a/b\",\"c\"]");
    }
  }

  @Test
  void aBlobIsKeptOnceAndGoesWithItsLastHolder() throws IOException {
    byte[] bytes = {1, 2, 3};
    try (Store store = Store.open(root)) {
      Digest digest = put(store, "a", bytes);
      put(store, "b", bytes);
      put(store, "b", bytes);
      assertThat(blobFiles()).isEqualTo(1);
      store.remove(catalog -> List.of(new UnlinkBlob("a", digest)));
      assertThat(file(digest)).exists();
      assertThat(store.catalog().repository("a")).isNull();
      store.remove(catalog -> List.of(new UnlinkBlob("b", digest)));
      assertThat(file(digest)).doesNotExist();
      put(store, "a", bytes);
      assertThat(file(digest)).hasBinaryContent(bytes);
      assertThat(files("blobs/uploads")).isZero();
    }
  }

  @Test
  void leftoversOfACrashAreRemoved() throws IOException {
    Digest kept;
    try (Store store = Store.open(root)) {
      kept = put(store, "a", new byte[] {1});
    }
    Digest orphan = Digest.sha256(new byte[] {9});
    Files.createDirectories(file(orphan).getParent());
    Files.write(root.resolve("blobs/uploads/half"), new byte[] {9});
    // Published, and killed before the journal had it.
    Files.createLink(file(orphan), root.resolve("blobs/uploads/half"));
    try (Store store = Store.open(root)) {
      assertThat(store.blobs().list()).containsOnlyKeys(kept);
      assertThat(files("blobs/uploads")).isZero();
    }
  }

  @Test
  @Tag("slow")
  void lostFilesAreAskedForAgain() throws Exception {
    byte[] layer = {1, 2, 3, 4};
    Digest digest = Digest.sha256(layer);
    try (RegistryServer server = RegistryServer.start(root, LOOPBACK)) {
      new Wire(server.address()).pushImage("a", "v1", layer);
    }
    Files.delete(file(digest));
    try (RegistryServer server = RegistryServer.start(root, LOOPBACK)) {
      Wire wire = new Wire(server.address());
      wire.head("/v2/a/blobs/" + digest).expect(404);
      wire.get("/v2/a/manifests/v1").expect(200);
      wire.pushImage("a", "v1", layer);
      wire.head("/v2/a/blobs/" + digest).expect(200);
    }
    try (RegistryServer server = RegistryServer.start(root, LOOPBACK)) {
      new Wire(server.address()).get("/v2/a/blobs/" + digest).expect(200);
    }
  }

  @Test
  void oneRegistryADirectory() throws IOException {
    try (Store store = Store.open(root)) {
      assertThat(store.catalog().repositories()).isEmpty();
      assertThatThrownBy(() -> RegistryServer.start(root, LOOPBACK))
          .isInstanceOf(Problem.class)
          .hasMessageContaining("is in use by another registry");
    }
    Store.open(root).close();
  }

  @Test
  void aRefusedPlanChangesNothing() throws IOException {
    try (Store store = Store.open(root);
        Staged staged = store.blobs().stage()) {
      staged.write(ByteBuffer.wrap(new byte[] {1}));
      staged.seal();
      Publication publication = new Publication(staged, Digest.sha256(new byte[] {1}));
      RegistryError refusal = new RegistryError(RegistryError.Code.DENIED, "no");
      assertThatThrownBy(
              () ->
                  store.add(
                      List.of(publication),
                      catalog -> {
                        throw refusal;
                      }))
          .isSameAs(refusal);
      assertThat(store.blobs().list()).isEmpty();
    }
    assertThat(files("blobs/uploads")).isZero();
  }

  @Test
  void theJournalIsRewrittenWhenItIsMostlyPast() throws IOException {
    Path journal = root.resolve("journal");
    Digest digest;
    long longest = 0;
    try (Store store = Store.open(root)) {
      digest = put(store, "a", new byte[] {1});
      String tag = "t".repeat(100);
      List<Change> noise =
          Stream.generate(() -> (Change) new Change.DeleteTag("a", tag)).limit(4000).toList();
      for (int i = 0; i < 60; i++) {
        store.remove(catalog -> noise);
        longest = Math.max(longest, Files.size(journal));
      }
      assertThat(Files.size(journal)).isLessThan(longest);
      put(store, "b", new byte[] {1});
    }
    try (Store store = Store.open(root)) {
      assertThat(store.catalog().repositories()).containsOnlyKeys("a", "b");
      assertThat(store.blobs().list()).containsOnlyKeys(digest);
    }
  }

  @Test
  void expiredUploadsAreDropped() throws Exception {
    AtomicReference<Instant> now = new AtomicReference<>(Instant.EPOCH);
    InstantSource clock = now::get;
    try (Store store = Store.open(root)) {
      int[] ids = new int[1];
      Uploads uploads =
          new Uploads(store.blobs(), clock, () -> "id" + ids[0]++, Duration.ofMinutes(10));
      UploadSession idle = begin(uploads, "1.2.3.4");
      UploadSession used = begin(uploads, "1.2.3.4");
      UploadSession busy = begin(uploads, "1.2.3.4");
      try (UploadSession.Use holding = uploads.use("a", busy.id())) {
        now.set(Instant.EPOCH.plusSeconds(599));
        uploads.use("a", used.id()).close();
        now.set(Instant.EPOCH.plusSeconds(601));
        Thread sweeper = Thread.ofPlatform().start(uploads::sweep);
        sweeper.join();
        assertThat(holding.session()).isSameAs(busy);
      }
      assertThat(uploads.size()).isEqualTo(2);
      uploads.use("a", used.id()).close();
      assertThatThrownBy(() -> uploads.use("a", idle.id())).isInstanceOf(RegistryError.class);
    }
  }

  @Test
  void uploadsThatGotNoByteMakeRoom() throws Exception {
    try (Store store = Store.open(root)) {
      int[] ids = new int[1];
      Uploads uploads =
          new Uploads(
              store.blobs(), InstantSource.system(), () -> "id" + ids[0]++, Duration.ofHours(1));
      UploadSession other = begin(uploads, "5.6.7.8");
      UploadSession first = begin(uploads, "1.2.3.4");
      UploadSession second = begin(uploads, "1.2.3.4");
      // In use as long as a request is at it, so it stays.
      UploadSession.Use holding = first.use();
      Thread.ofPlatform()
          .start(
              () -> {
                for (int i = 0; i < 3 * Uploads.MAX_OF_CLIENT; i++) {
                  begin(uploads, "1.2.3.4");
                }
              })
          .join();
      assertThat(uploads.size()).isEqualTo(Uploads.MAX_OF_CLIENT + 1);
      assertThat(uploads.find("a", other.id())).isSameAs(other);
      assertThat(uploads.find("a", first.id())).isSameAs(first);
      assertThatThrownBy(() -> uploads.find("a", second.id())).isInstanceOf(RegistryError.class);
      assertThat(holding).isNotNull();
    }
  }

  @Test
  @Tag("slow")
  void uploadFilesGoWithTheirSessions() throws Exception {
    AtomicReference<Instant> now = new AtomicReference<>(Instant.EPOCH);
    try (RegistryServer server =
        RegistryServer.start(
            root, HttpOptions.at(LOOPBACK), now::get, () -> "only-one", Duration.ofMillis(200))) {
      Wire wire = new Wire(server.address());
      String location = wire.begin("a");
      wire.patch(location, new byte[200_000]).expect(202);
      assertThat(files("blobs/uploads")).isEqualTo(1);
      assertThat(location).endsWith("/only-one");
      org.awaitility.Awaitility.await()
          .until(
              () -> {
                // The upload may still be in use for a moment after its answer.
                now.updateAndGet(time -> time.plusSeconds(1));
                return files("blobs/uploads") == 0;
              });
      wire.get(location).error(404, "BLOB_UPLOAD_UNKNOWN");
    }
  }

  @Test
  @Tag("slow")
  void aFullDiskRefusesAndRecovers() throws Exception {
    Path small = Files.createDirectory(root.resolve("small"));
    Command.of("mount", "-t", "tmpfs", "-o", "size=4m", "none", small.toString()).run();
    try {
      try (RegistryServer server = RegistryServer.start(small, LOOPBACK)) {
        Wire wire = new Wire(server.address());
        byte[] first = new byte[1_000_000];
        wire.pushBlob("a", first, "x");
        byte[] tooBig = new byte[4_000_000];
        String path = wire.begin("a") + "?digest=" + Digest.sha256(tooBig);
        wire.put(path, tooBig).error(507, "UNAVAILABLE");
        assertThat(files("small/blobs/uploads")).isZero();
        Random random = new Random(1);
        byte[] fill = new byte[150_000];
        int status = 201;
        for (int i = 0; i < 40 && status == 201; i++) {
          random.nextBytes(fill);
          status = wire.put(wire.begin("a") + "?digest=" + Digest.sha256(fill), fill).status();
        }
        assertThat(status).isEqualTo(507);
        wire.delete("/v2/a/blobs/" + Digest.sha256(first)).expect(202);
        wire.pushBlob("a", fill, "x");
      }
      try (RegistryServer server = RegistryServer.start(small, LOOPBACK)) {
        new Wire(server.address())
            .get("/v2/a/blobs/" + Digest.sha256(new byte[1_000_000]))
            .expect(404);
      }
    } finally {
      Command.of("umount", small.toString()).run();
    }
  }

  @Test
  void aFullDiskIsToldInAnyLanguage() throws Exception {
    Path small = Files.createDirectory(root.resolve("small"));
    Command.of("mount", "-t", "tmpfs", "-o", "size=1m", "none", small.toString()).run();
    // glibc translates for this locale too, where German messages are installed.
    Command java =
        Command.of(ProcessHandle.current().info().command().orElseThrow())
            .environment("LC_ALL", "C.UTF-8")
            .environment("LANGUAGE", "de");
    try (RegistryProcess server = RegistryProcess.start(java, small, List.of("-Xmx128m"))) {
      Wire wire = new Wire("http://127.0.0.1:" + server.port());
      byte[] tooBig = new byte[2_000_000];
      String path = wire.begin("a") + "?digest=" + Digest.sha256(tooBig);
      wire.put(path, tooBig).error(507, "UNAVAILABLE");
    } finally {
      Command.of("umount", small.toString()).run();
    }
  }

  @Test
  void anUploadInUseDoesNotMakeRoom() throws Exception {
    int[] ids = new int[1];
    try (Store store = Store.open(root);
        Uploads uploads =
            new Uploads(
                store.blobs(), InstantSource.system(), () -> "id" + ids[0]++, Duration.ofHours(1));
        UploadSession.Use mine = uploads.begin("1.2.3.4", "a", Digest.Algorithm.SHA256)) {
      Thread flood =
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (int i = 0; i <= Uploads.MAX_OF_CLIENT; i++) {
                      begin(uploads, "1.2.3.4");
                    }
                  });
      flood.join();
      assertThat(uploads.size()).isEqualTo(Uploads.MAX_OF_CLIENT);
      assertThat(uploads.find("a", mine.session().id())).isSameAs(mine.session());
    }
  }

  /** As a request without a digest does: begun, answered, let go. */
  private static UploadSession begin(Uploads uploads, String client) {
    try (UploadSession.Use use = uploads.begin(client, "a", Digest.Algorithm.SHA256)) {
      return use.session();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  @Tag("slow")
  void servesWithoutAFolderForTemporaryFiles() throws Exception {
    List<String> options = List.of("-Xmx128m", "-Djava.io.tmpdir=/proc/none");
    try (RegistryProcess server = RegistryProcess.start(root, options)) {
      Wire wire = new Wire("http://127.0.0.1:" + server.port());
      byte[] bytes = new byte[20_000_000];
      Digest digest = wire.pushBlob("a", bytes, "x").digest();
      assertThat(wire.get("/v2/a/blobs/" + digest).expect(200).body()).hasSize(bytes.length);
    }
  }
}
