package slipway.oci.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.linux.process.Command;
import slipway.oci.Images;
import slipway.oci.Seeds;
import slipway.oci.StoreWriter;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;

class LocalStoreTest {
  private static final Platform AMD64 = Platform.parse("linux/amd64");
  private static final Random RANDOM = Seeds.random("LocalStoreTest");

  @TempDir Path dir;

  @Test
  void namesAndFindsImages() {
    try (LocalStore store = LocalStore.open(dir)) {
      Manifest.Image image = Images.random(store, RANDOM, AMD64, 2);
      store.putManifest(image, LocalStore.localName("web"));
      assertThat(store.find("web")).contains(image);
      assertThat(store.find("localhost/web:latest")).contains(image);
      assertThat(store.find("web:other")).isEmpty();
      assertThat(store.find(image.digest().brief())).contains(image);
      assertThat(store.find(image.config().digest().toString())).contains(image);
      assertThat(store.find("localhost/web@" + image.digest())).contains(image);
      assertThat(store.list()).hasSize(1);
      assertThat(store.list().getFirst().created()).isNotNull();
      Manifest.Image other = Images.random(store, RANDOM, AMD64, 1);
      store.putManifest(other, Reference.parse("web"));
      assertThat(store.find("web")).contains(image);
      assertThat(store.find("docker.io/library/web")).contains(other);
      assertThat(store.untag(LocalStore.localName("web"))).isTrue();
      assertThat(store.untag(LocalStore.localName("web"))).isFalse();
      assertThat(store.find("web")).contains(other);
      assertThatThrownBy(() -> store.image("nothing", AMD64))
          .isInstanceOf(Problem.class)
          .hasMessageContaining("no image \"nothing\"");
    }
  }

  @Test
  void picksThePlatformOfAnIndex() {
    try (LocalStore store = LocalStore.open(dir)) {
      Manifest.Image amd = Images.random(store, RANDOM, AMD64, 1);
      Manifest.Image arm = Images.random(store, RANDOM, Platform.parse("linux/arm64/v8"), 1);
      store.putManifest(amd, null);
      store.putManifest(arm, null);
      assertThat(store.unnamed()).hasSize(2);
      Manifest.Index index =
          Manifest.Index.of(
              List.of(
                  Images.entry(amd, AMD64), Images.entry(arm, Platform.parse("linux/arm64/v8"))),
              Map.of());
      store.putManifest(index, LocalStore.localName("multi"));
      assertThat(store.unnamed()).isEmpty();
      assertThat(store.image("multi", Platform.parse("linux/arm64")).digest())
          .isEqualTo(arm.digest());
      assertThat(store.find(arm.digest().brief())).contains(arm);
      assertThatThrownBy(() -> store.image("multi", Platform.parse("linux/s390x")))
          .hasMessageContaining("linux/amd64, linux/arm64/v8");
    }
  }

  @Test
  void prunesWhatNoNameReaches() {
    try (LocalStore store = LocalStore.open(dir)) {
      Manifest.Image kept = Images.random(store, RANDOM, AMD64, 2);
      store.putManifest(kept, LocalStore.localName("kept"));
      Manifest.Image gone = Images.random(store, RANDOM, AMD64, 2);
      store.putManifest(gone, LocalStore.localName("gone"));
      store.untag(LocalStore.localName("gone"));
      try (LocalStore other = LocalStore.open(dir)) {
        assertThat(other.prune().busy()).isTrue();
      }
      try (LocalStore.Hold hold = store.hold()) {
        assertThat(hold).isNotNull();
        assertThat(store.prune().busy()).isTrue();
      }
      LocalStore.Pruned pruned = store.prune();
      assertThat(pruned.blobs()).isEqualTo(4);
      assertThat(pruned.busy()).isFalse();
      assertThat(store.has(gone.digest())).isFalse();
      Images.verify(store);
      assertThat(store.find("kept")).contains(kept);
    }
  }

  /** Somebody else's image may hold the public bytes of a manifest as its layer, or its config. */
  @Test
  void prunesNothingOfAnImageWhoseManifestIsABlobOfAnother() {
    try (LocalStore store = LocalStore.open(dir)) {
      Manifest.Image first = Images.random(store, RANDOM, AMD64, 2);
      Manifest.Image second = Images.random(store, RANDOM, AMD64, 2);
      Manifest.Image child = Images.random(store, RANDOM, AMD64, 1);
      store.putManifest(child, null);
      Manifest.Index third = Manifest.Index.of(List.of(Images.entry(child, AMD64)), Map.of());
      Descriptor layer = store.putBlob("application/octet-stream", first.bytes());
      Descriptor config = store.putBlob("application/x", second.bytes());
      Manifest.Image artifact = Manifest.Image.of(config, List.of(layer), Map.of());
      store.putManifest(artifact, LocalStore.localName("artifact"));
      Manifest.Index index =
          Manifest.Index.of(
              List.of(
                  Images.entry("application/x", first.bytes(), AMD64),
                  Images.entry("application/x", third.bytes(), AMD64)),
              Map.of());
      store.putManifest(index, LocalStore.localName("index"));
      store.putManifest(first, LocalStore.localName("first"));
      store.putManifest(second, LocalStore.localName("second"));
      store.putManifest(third, LocalStore.localName("third"));
      assertThat(store.prune()).isEqualTo(new LocalStore.Pruned(0, 0, false, List.of()));
      assertThat(store.list()).hasSize(5);
    }
  }

  @Test
  void movesANameAndKeepsTheOldManifestUntilPruned() {
    try (LocalStore store = LocalStore.open(dir)) {
      Manifest.Image first = Images.random(store, RANDOM, AMD64, 1);
      store.putManifest(first, LocalStore.localName("a"));
      Manifest.Image second = Images.random(store, RANDOM, AMD64, 1);
      store.putManifest(second, LocalStore.localName("a"));
      assertThat(store.list()).hasSize(1);
      assertThat(store.unnamed()).containsExactly(first);
      store.tag(LocalStore.localName("b"), first.digest());
      assertThat(store.unnamed()).isEmpty();
      assertThat(store.find("b")).contains(first);
    }
  }

  @Test
  void leavesNamesAsTheyAreWhenNothingChanges() throws IOException {
    try (LocalStore store = LocalStore.open(dir)) {
      Manifest.Image first = Images.random(store, RANDOM, AMD64, 1);
      store.putManifest(first, LocalStore.localName("a"));
      Object file = inode(dir.resolve("index.json"));
      store.putManifest(first, LocalStore.localName("a"));
      store.putManifest(first, null);
      assertThat(inode(dir.resolve("index.json"))).isEqualTo(file);
      store.putManifest(first, LocalStore.localName("b"));
      assertThat(inode(dir.resolve("index.json"))).isNotEqualTo(file);
      assertThat(store.find("a")).contains(first);
      assertThat(store.find("b")).contains(first);
    }
  }

  private static Object inode(Path file) throws IOException {
    return Objects.requireNonNull(Files.readAttributes(file, BasicFileAttributes.class).fileKey());
  }

  @Test
  void refusesAnImageWithoutItsBlobs() {
    try (LocalStore store = LocalStore.open(dir)) {
      Descriptor config = store.putBlob(MediaTypes.OCI_CONFIG, new byte[] {'{', '}'});
      Descriptor missing =
          Descriptor.of(MediaTypes.OCI_LAYER, "absent".getBytes(StandardCharsets.UTF_8));
      Manifest.Image image = Manifest.Image.of(config, List.of(missing), Map.of());
      assertThatThrownBy(() -> store.putManifest(image, LocalStore.localName("bad")))
          .hasMessageContaining("lacks its blob");
      assertThat(store.list()).isEmpty();
    }
  }

  @Test
  void noticesDamage() throws IOException {
    try (LocalStore store = LocalStore.open(dir)) {
      Descriptor d = store.putBlob("text/plain", "hello".getBytes(StandardCharsets.UTF_8));
      Files.writeString(store.blobPath(d.digest()), "hallo");
      assertThatThrownBy(
              () -> {
                try (InputStream in = store.openBlob(d)) {
                  in.readAllBytes();
                }
              })
          .isInstanceOf(Problem.class)
          .hasMessageContaining("damaged");
    }
  }

  @Test
  void skopeoReadsTheStore(@TempDir Path target) {
    try (LocalStore store = LocalStore.open(dir)) {
      Manifest.Image image = Images.random(store, RANDOM, AMD64, 3);
      store.putManifest(image, LocalStore.localName("web"));
      store.putManifest(Images.random(store, RANDOM, AMD64, 1), LocalStore.localName("other"));
      Command.of("skopeo", "copy", "oci:" + dir + ":localhost/web:latest", "dir:" + target).run();
      assertThat(target.resolve("manifest.json")).hasBinaryContent(image.bytes());
    }
  }

  @Test
  void manyThreadsWriteTheSameAndDifferentImages() throws Exception {
    try (LocalStore store = LocalStore.open(dir)) {
      List<Thread> threads =
          Stream.iterate(0, i -> i < 8, i -> i + 1)
              .map(
                  i ->
                      Thread.ofPlatform()
                          .start(
                              () -> {
                                for (int n = 0; n < 5; n++) {
                                  Random same = new Random(n);
                                  store.putManifest(
                                      Images.random(store, same, AMD64, 2),
                                      LocalStore.localName("t" + i + "-" + n));
                                }
                              }))
              .toList();
      for (Thread t : threads) {
        t.join();
      }
      assertThat(store.list()).hasSize(40);
      Images.verify(store);
    }
  }

  /** Writers in other processes are killed at random moments; what has a name must be whole. */
  @Test
  @Tag("slow")
  void survivesKills() throws Exception {
    for (int round = 0; round < 4; round++) {
      List<Process> writers =
          Stream.generate(() -> StoreWriter.start(dir, RANDOM.nextLong())).limit(3).toList();
      for (Process p : writers) {
        p.getInputStream().read(); // It has written its first image.
      }
      try (LocalStore store = LocalStore.open(dir)) {
        assertThat(store.prune().busy()).isTrue();
      }
      Thread.sleep(RANDOM.nextInt(150)); // The random moment itself, not a wait for something.
      for (Process p : writers) {
        p.destroyForcibly().waitFor();
      }
      try (LocalStore store = LocalStore.open(dir)) {
        assertThat(store.list()).isNotEmpty();
        Images.verify(store);
        try (Stream<Path> left = Files.list(dir.resolve("tmp"))) {
          assertThat(left).isEmpty();
        }
      }
    }
    try (LocalStore store = LocalStore.open(dir)) {
      assertThat(store.prune().busy()).isFalse();
      Images.verify(store);
      store.list().forEach(n -> store.untag(n.name()));
      store.prune();
      try (Stream<Path> left = Files.list(dir.resolve("blobs/sha256"))) {
        assertThat(left).isEmpty();
      }
    }
    try (Stream<Path> left = Files.list(dir)) {
      assertThat(left.map(p -> p.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "blobs", "diff-ids", "index.json", "lock", "names.lock", "oci-layout", "tmp");
    }
  }
}
