package slipway.oci.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.process.Command;
import slipway.oci.DockerRegistry;
import slipway.oci.Images;
import slipway.oci.Seeds;
import slipway.oci.copy.Transfer;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.store.LocalStore;

/** Against Debian's docker-registry, with skopeo as judge. */
class RegistryClientTest {
  private static final Platform AMD64 = Platform.parse("linux/amd64");
  private static final Random RANDOM = Seeds.random("RegistryClientTest");
  private static final RegistryOptions OPTIONS =
      RegistryOptions.anonymous(Map.of())
          .withPatience(3, Duration.ofMillis(5), Duration.ofSeconds(20));

  @TempDir static Path directory;
  @TempDir Path dir;
  private static DockerRegistry open;
  private static DockerRegistry closed;

  @BeforeAll
  static void start() throws Exception {
    open = DockerRegistry.start(Files.createDirectory(directory.resolve("open")), null);
    closed = DockerRegistry.start(Files.createDirectory(directory.resolve("closed")), "joe");
  }

  @AfterAll
  static void stop() throws Exception {
    open.close();
    closed.close();
  }

  private static Manifest push(LocalStore store, Manifest image, RegistryClient to, String tag)
      throws IOException {
    store.putManifest(image, null);
    return Transfer.copy(
        store.source(), image.digest().toString(), to, tag, Transfer.Options.all(), Progress.NONE);
  }

  @Test
  void pushesAndPullsAndSkopeoAgrees() throws Exception {
    try (LocalStore store = LocalStore.open(dir.resolve("a"));
        LocalStore other = LocalStore.open(dir.resolve("b"));
        RegistryClient client = new RegistryClient(open.reference("x/y"), OPTIONS)) {
      Manifest image = Images.random(store, RANDOM, AMD64, 5);
      push(store, image, client, "v1");
      assertThat(
              Command.of(
                      "skopeo",
                      "inspect",
                      "--tls-verify=false",
                      "--raw",
                      "docker://" + client.name().withTag("v1"))
                  .run()
                  .stdout())
          .isEqualTo(image.bytes());
      Manifest pulled =
          Transfer.copy(
              client,
              "v1",
              other.sink(client.name()),
              "v1",
              Transfer.Options.of(AMD64),
              Progress.NONE);
      assertThat(pulled).isEqualTo(image);
      assertThat(other.find(client.name().withTag("v1").toString())).contains(image);
      Images.verify(other);
      assertThat(client.tags()).contains("v1");
      assertThat(client.head("v1")).map(Descriptor::digest).contains(image.digest());
      assertThat(client.head("v2")).isEmpty();
      assertThat(client.catalog()).contains("x/y");
    }
  }

  @Test
  void pullsWhatSkopeoPushed() throws Exception {
    try (LocalStore store = LocalStore.open(dir.resolve("a"));
        LocalStore other = LocalStore.open(dir.resolve("b"))) {
      Manifest.Image image = Images.random(store, RANDOM, AMD64, 2);
      store.putManifest(image, LocalStore.localName("s"));
      Reference target = open.reference("skopeo/s").withTag("v2s2");
      Command.of(
              "skopeo",
              "copy",
              "--dest-tls-verify=false",
              "--format",
              "v2s2",
              "oci:" + store.root() + ":localhost/s:latest",
              "docker://" + target)
          .run();
      try (RegistryClient client = new RegistryClient(target, OPTIONS)) {
        Manifest copied =
            Transfer.copy(
                client, null, other.sink(target), null, Transfer.Options.of(AMD64), Progress.NONE);
        assertThat(copied.mediaType()).isEqualTo(MediaTypes.DOCKER_MANIFEST);
        assertThat(other.image(target.toString(), AMD64).layers())
            .extracting(Descriptor::digest)
            .isEqualTo(image.layers().stream().map(Descriptor::digest).toList());
        Images.verify(other);
      }
    }
  }

  @Test
  void copiesAnIndexWholeOrInPart() throws Exception {
    try (LocalStore store = LocalStore.open(dir.resolve("a"));
        LocalStore part = LocalStore.open(dir.resolve("b"));
        RegistryClient client = new RegistryClient(open.reference("multi"), OPTIONS)) {
      Platform arm = Platform.parse("linux/arm64");
      Manifest.Image one = Images.random(store, RANDOM, AMD64, 1);
      Manifest.Image two = Images.random(store, RANDOM, arm, 2);
      store.putManifest(one, null);
      store.putManifest(two, null);
      Manifest.Index index =
          Manifest.Index.of(List.of(Images.entry(one, AMD64), Images.entry(two, arm)), Map.of());
      assertThat(push(store, index, client, "all")).isEqualTo(index);
      Manifest got =
          Transfer.copy(
              client,
              "all",
              part.sink(client.name()),
              "arm",
              Transfer.Options.of(arm),
              Progress.NONE);
      assertThat(got).isEqualTo(two);
      assertThat(part.has(one.digest())).isFalse();
      assertThat(Transfer.resolve(client, "all", arm)).isEqualTo(two);
      assertThatThrownBy(() -> Transfer.resolve(client, "all", Platform.parse("linux/s390x")))
          .hasMessageContaining("linux/amd64, linux/arm64");
    }
  }

  @Test
  void mountsFromAnotherRepositoryAndSkipsWhatIsThere() throws Exception {
    try (LocalStore store = LocalStore.open(dir.resolve("a"));
        RegistryClient first = new RegistryClient(open.reference("mount/a"), OPTIONS)) {
      Manifest image = Images.random(store, RANDOM, AMD64, 3);
      push(store, image, first, "latest");
      RegistryClient second = first.sibling(open.reference("mount/b"));
      Recorder recorder = new Recorder();
      Transfer.copy(first, null, second, null, Transfer.Options.all(), recorder);
      assertThat(recorder.moved).isEmpty();
      assertThat(second.manifest(null)).isEqualTo(image);
      Transfer.copy(first, null, second, "again", Transfer.Options.all(), recorder);
      assertThat(recorder.notes).containsExactly("blobs already present: 4");
    }
  }

  /** Counts blobs whose bytes moved in several steps, and keeps notes. */
  private static final class Recorder implements Progress {
    final ConcurrentLinkedQueue<String> notes = new ConcurrentLinkedQueue<>();
    final ConcurrentLinkedQueue<String> moved = new ConcurrentLinkedQueue<>();

    @Override
    public Task start(String name, long total) {
      return new Task() {
        @Override
        public void advance(long amount) {
          if (amount != total) {
            moved.add(name);
          }
        }

        @Override
        public void close() {}
      };
    }

    @Override
    public void note(String line) {
      notes.add(line);
    }
  }

  @Test
  void readsRanges() throws Exception {
    try (RegistryClient client = new RegistryClient(open.reference("ranges"), OPTIONS)) {
      byte[] bytes = new byte[100_000];
      RANDOM.nextBytes(bytes);
      Descriptor blob = Descriptor.of(MediaTypes.OCI_LAYER, bytes);
      client.putBlob(blob, offset -> new ByteArrayInputStream(bytes));
      assertThat(client.hasBlob(blob)).isTrue();
      for (int offset : new int[] {0, 1, 70_000, 99_999, 100_000}) {
        try (InputStream in = client.blob(blob, offset)) {
          assertThat(in.readAllBytes())
              .isEqualTo(java.util.Arrays.copyOfRange(bytes, offset, bytes.length));
        }
      }
      byte[] empty = {};
      Descriptor none = Descriptor.of(MediaTypes.OCI_LAYER, empty);
      client.putBlob(none, offset -> new ByteArrayInputStream(empty));
      try (InputStream in = client.openBlob(none)) {
        assertThat(in.readAllBytes()).isEmpty();
      }
      client.deleteBlob(none.digest());
      assertThat(client.hasBlob(none)).isFalse();
    }
  }

  @Test
  void refusesToPushWhatIsNotWhatWasPromised() {
    try (RegistryClient client = new RegistryClient(open.reference("liar"), OPTIONS)) {
      byte[] bytes = new byte[300_000];
      Descriptor blob = Descriptor.of(MediaTypes.OCI_LAYER, bytes);
      byte[] other = bytes.clone();
      other[77] = 1;
      assertThatThrownBy(() -> client.putBlob(blob, offset -> new ByteArrayInputStream(other)))
          .isInstanceOfSatisfying(
              Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.CORRUPT))
          .hasMessageContaining("damaged or forged");
    }
  }

  @Test
  void pagesThroughManyTags() throws Exception {
    try (LocalStore store = LocalStore.open(dir.resolve("a"));
        RegistryClient client = new RegistryClient(open.reference("tags"), OPTIONS)) {
      Manifest image = Images.random(store, RANDOM, AMD64, 1);
      push(store, image, client, "t0");
      for (int i = 1; i < 60; i++) {
        client.putManifest(image, "t" + i);
      }
      assertThat(client.tags()).hasSize(60);
      client.deleteManifest(image.digest().toString());
      assertThatThrownBy(() -> client.manifest("t1"))
          .isInstanceOfSatisfying(
              Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.NOT_FOUND))
          .hasMessage(
              "cannot pull manifest t1 from %s/tags: manifest unknown (MANIFEST_UNKNOWN)"
                  .formatted(open.host()));
      assertThatThrownBy(() -> client.deleteManifest(image.digest().toString()))
          .isInstanceOfSatisfying(
              Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.NOT_FOUND));
    }
  }

  @Test
  void keepsReferrersUnderATagWhereThereIsNoApi() throws Exception {
    try (LocalStore store = LocalStore.open(dir.resolve("a"));
        RegistryClient client = new RegistryClient(open.reference("referrers"), OPTIONS)) {
      Manifest.Image image = Images.random(store, RANDOM, AMD64, 1);
      push(store, image, client, "v");
      byte[] artifact =
          """
          {"schemaVersion":2,"mediaType":"%s","artifactType":"application/x.sig",
           "config":{"mediaType":"%s","digest":"%s","size":%d},"layers":[],
           "subject":{"mediaType":"%s","digest":"%s","size":%d}}"""
              .formatted(
                  MediaTypes.OCI_MANIFEST,
                  MediaTypes.OCI_EMPTY,
                  image.config().digest(),
                  image.config().size(),
                  image.mediaType(),
                  image.digest(),
                  image.bytes().length)
              .getBytes(StandardCharsets.UTF_8);
      Manifest signature = Manifest.parse(artifact, null);
      assertThat(client.referrers(image.digest(), null)).isEmpty();
      client.putManifest(signature, null);
      assertThat(client.referrers(image.digest(), "application/x.sig"))
          .extracting(Descriptor::digest)
          .containsExactly(signature.digest());
      assertThat(client.referrers(image.digest(), "application/other")).isEmpty();
    }
  }

  @Test
  void wantsTheRightPassword() throws Exception {
    Reference name = closed.reference("private/x");
    try (LocalStore store = LocalStore.open(dir.resolve("a"));
        RegistryClient nobody = new RegistryClient(name, OPTIONS)) {
      Manifest.Image image = Images.random(store, RANDOM, AMD64, 1);
      assertThatThrownBy(() -> nobody.manifest("latest"))
          .isInstanceOfSatisfying(
              Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.DENIED))
          .hasMessageContaining("slipway login " + closed.host());
      RegistryOptions wrong =
          OPTIONS.withCredentials(CredentialSource.of(new Credentials.Basic("joe", "wr0ng")));
      try (RegistryClient client = new RegistryClient(name, wrong)) {
        assertThatThrownBy(() -> push(store, image, client, "latest"))
            .isInstanceOfSatisfying(
                Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.DENIED))
            .hasMessageContaining("refuses the credentials of joe")
            .hasMessageNotContaining("wr0ng");
      }
      RegistryOptions right =
          OPTIONS.withCredentials(CredentialSource.of(new Credentials.Basic("joe", "secret")));
      try (RegistryClient client = new RegistryClient(name, right)) {
        push(store, image, client, "latest");
        assertThat(client.manifest(null)).isEqualTo(image);
      }
    }
  }

  @Test
  void aRegistryThatIsDownIsOneSentence() throws Exception {
    int port = DockerRegistry.freePort();
    Reference nobody = Reference.parse("127.0.0.1:" + port + "/x");
    try (RegistryClient client = new RegistryClient(nobody, OPTIONS)) {
      assertThatThrownBy(() -> client.manifest(null))
          .isInstanceOfSatisfying(
              Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.UNAVAILABLE))
          .hasMessage(
              "cannot pull manifest latest from 127.0.0.1:%d/x: 127.0.0.1:%d does not answer; is it up and reachable?"
                  .formatted(port, port));
    }
  }
}
