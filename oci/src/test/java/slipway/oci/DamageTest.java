package slipway.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Notes;
import slipway.base.Progress;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.Transfer;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.store.LocalStore;

/** A store in which bytes changed: each damaged image is told, the rest works, a pull mends it. */
class DamageTest {
  private static final Platform AMD64 = Platform.parse("linux/amd64");
  private static final Random RANDOM = Seeds.random("DamageTest");
  private static final Reference BAD = LocalStore.localName("bad");
  private static final Reference GOOD = LocalStore.localName("good");

  @TempDir Path dir;
  private LocalStore remote;
  private LocalStore store;
  private Manifest.Image bad;
  private Manifest.Image good;

  @BeforeEach
  void prepare() throws IOException {
    remote = LocalStore.open(dir.resolve("remote"));
    store = LocalStore.open(dir.resolve("store"));
    bad = Images.random(remote, RANDOM, AMD64, 2);
    remote.putManifest(bad, BAD);
    good = Images.random(remote, RANDOM, AMD64, 2);
    remote.putManifest(good, GOOD);
    pull(BAD);
    pull(GOOD);
  }

  @AfterEach
  void end() {
    store.close();
    remote.close();
  }

  private List<String> pull(Reference name) throws IOException {
    List<String> notes = new ArrayList<>();
    Progress progress = new Notes(notes::add);
    try (ImageSink sink = store.sink(name)) {
      Transfer.copy(remote.source(), name.toString(), sink, null, Transfer.Options.all(), progress);
    }
    return notes;
  }

  private void flip(Digest digest) throws IOException {
    Path file = store.blobPath(digest);
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 1;
    Files.write(file, bytes);
  }

  @Test
  void aDamagedManifestIsToldAndTheRestWorks() throws Exception {
    flip(bad.digest());
    LocalStore.Listing listing = store.listing();
    assertThat(listing.images()).extracting(LocalStore.Named::name).containsExactly(GOOD);
    assertThat(listing.damaged()).hasSize(1);
    assertThat(listing.damaged().getFirst().name()).isEqualTo(BAD.toString());
    assertThat(store.find("good")).contains(good);
    assertThat(store.find(good.config().digest().brief())).contains(good);
    assertThatThrownBy(() -> store.find("bad"))
        .hasMessageContaining("image localhost/bad:latest is damaged")
        .hasMessageContaining("slipway rmi");
    assertThat(store.names()).hasSize(2);
    assertThat(store.untag(GOOD)).isTrue();
    LocalStore.Pruned pruned = store.prune();
    assertThat(pruned.damaged()).hasSize(1);
    assertThat(pruned.blobs()).isZero();
    pull(BAD);
    assertThat(store.find("bad")).contains(bad);
    assertThat(store.prune().blobs()).isEqualTo(4); // Manifest, config and layers of the other.
    Images.verify(store);
  }

  @Test
  void aDamagedManifestCanBeRemoved() throws Exception {
    Files.delete(store.blobPath(bad.digest()));
    assertThat(store.listing().damaged()).hasSize(1);
    assertThat(store.untag(BAD)).isTrue();
    assertThat(store.prune().blobs()).isEqualTo(3);
    assertThat(store.listing().damaged()).isEmpty();
    Images.verify(store);
  }

  @Test
  void aBrokenEntryOfTheIndexStaysAndHarmsNoOther() throws Exception {
    Path index = dir.resolve("store/index.json");
    Files.writeString(
        index, Files.readString(index).replaceFirst(bad.digest().hex(), "x" + bad.digest().hex()));
    assertThat(store.list()).hasSize(1);
    assertThat(store.listing().damaged()).hasSize(1);
    store.tag(LocalStore.localName("more"), good.digest());
    assertThat(store.prune().blobs()).isZero();
    assertThat(store.list()).hasSize(2);
    assertThat(Files.readString(index)).contains("x" + bad.digest().hex());
    pull(BAD);
    assertThat(store.listing().damaged()).isEmpty();
    assertThat(store.list()).hasSize(3);
  }

  /** By the name that it is listed with, be it its own or, if that is lost too, one made for it. */
  @ParameterizedTest
  @ValueSource(strings = {"\"digest\"", "org.opencontainers.image.ref.name"})
  void aBrokenEntryOfTheIndexCanBeRemoved(String lost) throws Exception {
    Path index = dir.resolve("store/index.json");
    String entry = "\\{[^{}]*" + bad.digest().hex() + "[^{}]*\\{[^{}]*}}";
    String text = Files.readString(index);
    Files.writeString(
        index,
        text.replaceFirst(
            entry,
            lost.equals("\"digest\"")
                ? "{\"annotations\":{\"org.opencontainers.image.ref.name\":\"" + BAD + "\"}}"
                : "7"));
    LocalStore.Damaged damaged = store.listing().damaged().getFirst();
    if (lost.equals("\"digest\"")) {
      assertThat(damaged.name()).isEqualTo(BAD.toString());
    }
    assertThat(store.prune().damaged()).containsExactly(damaged);
    assertThat(store.names()).extracting(LocalStore.Name::text).contains(damaged.name());
    assertThat(store.untag(damaged.name())).isTrue();
    assertThat(store.prune().blobs()).isEqualTo(4);
    assertThat(store.list()).extracting(LocalStore.Named::name).containsExactly(GOOD);
    Images.verify(store);
  }

  @Test
  void aPullReplacesDamagedBlobs() throws Exception {
    Descriptor layer = bad.layers().getFirst();
    flip(layer.digest());
    flip(bad.config().digest());
    assertThat(pull(BAD)).anyMatch(n -> n.contains(layer.digest() + " was damaged"));
    Images.verify(store);
    Files.write(store.blobPath(layer.digest()), new byte[0]);
    pull(BAD);
    Images.verify(store);
    store.validate(bad, Progress.NONE);
  }

  @Test
  void oneImageIsListedOnceForEachTag() throws Exception {
    Reference digest = BAD.withDigest(bad.digest());
    store.putManifest(bad, new Reference("localhost", "bad", "latest", bad.digest()));
    assertThat(store.names())
        .extracting(LocalStore.Name::text)
        .containsExactlyInAnyOrder(BAD.toString(), GOOD.toString(), digest.toString());
    assertThat(store.untag(new Reference("localhost", "bad", "7", bad.digest()))).isTrue();
    assertThat(store.names()).hasSize(2);
  }

  /** A file in the place of blobs that is none. */
  @Test
  void strangersAmongTheBlobsAreLeftAlone() throws Exception {
    Path stranger = dir.resolve("store/blobs/sha256/notes.txt");
    Files.writeString(stranger, "mine");
    Files.createDirectory(dir.resolve("store/blobs/sha256").resolve("0".repeat(64)));
    store.untag(BAD);
    assertThat(store.prune().blobs()).isEqualTo(4);
    assertThat(stranger).hasContent("mine");
    Files.delete(stranger);
    Files.delete(dir.resolve("store/blobs/sha256").resolve("0".repeat(64)));
  }

  @Test
  void whatWasNeverAManifestIsNone() throws Exception {
    byte[] manifest = Manifest.Image.of(good.config(), List.of(), Map.of()).bytes();
    Descriptor blob = store.putBlob("application/octet-stream", manifest);
    assertThat(store.find("localhost/x@" + blob.digest())).isEmpty();
    Manifest.Index index =
        Manifest.Index.of(List.of(Images.entry("application/x", manifest, AMD64)), Map.of());
    store.putManifest(index, LocalStore.localName("index"));
    assertThat(store.find("localhost/x@" + blob.digest())).isEmpty();
    assertThatThrownBy(() -> store.image("index", AMD64)).hasMessageContaining("linux/amd64");
  }
}
