package slipway.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.process.Command;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Transfer;
import slipway.oci.copy.Validate;
import slipway.oci.layout.OciLayout;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.store.LocalStore;
import slipway.oci.transport.DockerArchive;
import slipway.oci.transport.OciArchive;
import slipway.oci.transport.SavedImages;

/** A digest in a name is a promise of content: nobody's word makes it that of another manifest. */
class PinnedNameTest {
  private static final Platform AMD64 = Platform.parse("linux/amd64");
  private static final Platform ARM64 = Platform.parse("linux/arm64");
  private static final Random RANDOM = Seeds.random("PinnedNameTest");

  @TempDir Path dir;
  private LocalStore store;
  private Manifest.Image good;
  private Manifest.Image evil;
  private Reference pinned;

  @BeforeEach
  void prepare() {
    store = LocalStore.open(dir.resolve("store"));
    good = Images.random(store, RANDOM, AMD64, 1);
    evil = Images.random(store, RANDOM, AMD64, 1);
    store.putManifest(evil, LocalStore.localName("evil"));
    pinned = Reference.parse("localhost/good@" + good.digest());
  }

  @AfterEach
  void end() {
    store.close();
  }

  @Test
  void aNameWithADigestIsForThatManifestOnly() throws Exception {
    String sentence =
        "the name %s promises the manifest of its digest, but this one is %s"
            .formatted(pinned, evil.digest());
    assertThatThrownBy(() -> store.putManifest(evil, pinned))
        .isInstanceOf(Problem.class)
        .hasMessage(sentence);
    assertThatThrownBy(() -> store.tag(pinned, evil.digest())).hasMessage(sentence);
    assertThatThrownBy(
            () -> store.tag(List.of(LocalStore.localName("more"), pinned), evil.digest()))
        .hasMessage(sentence);
    try (ImageSink sink = store.sink(pinned)) {
      assertThatThrownBy(
              () ->
                  Transfer.copy(
                      store.source(), "evil", sink, null, Transfer.Options.all(), Progress.NONE))
          .hasMessage(sentence);
    }
    assertThat(store.names())
        .extracting(LocalStore.Name::text)
        .containsOnly("localhost/evil:latest");
    store.putManifest(good, pinned);
    assertThat(store.find(pinned.toString())).contains(good);
    assertThatThrownBy(() -> LocalStore.newName(pinned.toString()))
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.USAGE));
  }

  /** Names that an older store took unseen. */
  @Test
  void aNameThatLiesInTheStoreIsDamageAndFindsNothing() throws Exception {
    rename(store.root().resolve("index.json"), "localhost/evil:latest", pinned.toString());
    assertThat(store.find(pinned.toString())).isEmpty();
    assertThat(store.list()).isEmpty();
    assertThat(store.listing().damaged())
        .singleElement()
        .satisfies(d -> assertThat(d.why()).contains("promises the manifest of its digest"));
    store.putManifest(good, null);
    assertThat(store.find(pinned.toString())).contains(good);
    assertThat(store.untag(pinned.toString())).isTrue();
    store.putManifest(good, pinned);
    assertThat(store.listing().damaged()).isEmpty();
  }

  private static void rename(Path file, String from, String to) throws IOException {
    String text = Files.readString(file);
    assertThat(text).contains(from);
    Files.writeString(file, text.replace(from, to));
  }

  @Test
  void aLayoutAndAnArchiveAreNotBelievedEither() throws Exception {
    Path layout = dir.resolve("layout");
    try (ImageSink sink = OciLayout.create(layout, "evil")) {
      Transfer.copy(store.source(), "evil", sink, null, Transfer.Options.all(), Progress.NONE);
      assertThatThrownBy(() -> sink.putManifest(evil, pinned.toString()))
          .hasMessageContaining("promises the manifest");
    }
    rename(layout.resolve("index.json"), "\"evil\"", "\"" + pinned + "\"");
    try (ImageSource source = OciLayout.open(layout, pinned.toString())) {
      assertThatThrownBy(() -> source.manifest(null)).hasMessageContaining("promises the manifest");
    }
    Path file = dir.resolve("evil.tar");
    Command.of("tar", "-C", layout.toString(), "-cf", file.toString(), ".").run();
    try (ImageSource source = OciArchive.source(file, pinned.toString())) {
      assertThatThrownBy(() -> source.manifest(null)).hasMessageContaining("promises the manifest");
    }
  }

  @Test
  void aDockerArchiveIsNotBelievedAndHoldsNoDigests() throws Exception {
    Path file = dir.resolve("docker.tar");
    try (ImageSink sink = DockerArchive.sink(file, null)) {
      Transfer.copy(
          store.source(), "evil", sink, "localhost/evil:1", Transfer.Options.all(), Progress.NONE);
      sink.putManifest(evil, "localhost/evil@" + evil.digest());
    }
    try (ImageSource source = SavedImages.open(file)) {
      assertThat(source.images())
          .singleElement()
          .extracting(ImageSource.Held::names)
          .isEqualTo(List.of("localhost/evil:1"));
    }
    Path unpacked = Files.createDirectory(dir.resolve("unpacked"));
    Command.of("tar", "-C", unpacked.toString(), "-xf", file.toString()).run();
    rename(unpacked.resolve("manifest.json"), "localhost/evil:1", pinned.toString());
    Command.of("tar", "-C", unpacked.toString(), "-cf", file.toString(), "manifest.json", ".")
        .run();
    try (ImageSource source = DockerArchive.source(file, pinned.toString())) {
      assertThatThrownBy(() -> source.manifest(null)).hasMessageContaining("promises the manifest");
    }
  }

  /** As {@code pull NAME@DIGEST} does with an index: the digest stays that of the index. */
  @Test
  void oneImageOfAnIndexThatIsNamedByItsDigest() throws Exception {
    try (LocalStore remote = LocalStore.open(dir.resolve("remote"))) {
      Manifest.Image amd = Images.random(remote, RANDOM, AMD64, 1);
      Manifest.Image arm = Images.random(remote, RANDOM, ARM64, 1);
      remote.putManifest(amd, null);
      remote.putManifest(arm, null);
      Manifest.Index index =
          Manifest.Index.of(List.of(Images.entry(amd, AMD64), Images.entry(arm, ARM64)), Map.of());
      remote.putManifest(index, LocalStore.localName("multi"));
      Reference name = Reference.parse("localhost/multi@" + index.digest());
      assertThat(pull(remote, name, AMD64)).isEqualTo(amd);
      assertThat(store.find(name.toString())).contains(index);
      assertThat(store.image(name.toString(), AMD64)).isEqualTo(amd);
      assertThat(store.lacks(index, ARM64)).isTrue();
      assertThatThrownBy(() -> store.image(name.toString(), ARM64))
          .hasMessage(
              "image %s is in the store, but not for linux/arm64; pull it: slipway pull --platform linux/arm64 %s"
                  .formatted(name, name));
      assertThat(store.complete(index)).isEqualTo(amd);
      assertThat(store.unnamed()).isEmpty();
      assertThat(store.prune().damaged()).isEmpty();
      assertThat(store.complete(index)).isEqualTo(amd);
      pull(remote, name, ARM64);
      assertThat(store.image(name.toString(), ARM64)).isEqualTo(arm);
      assertThat(store.complete(index)).isEqualTo(index);
      assertThat(store.lacks(index, Platform.parse("linux/s390x"))).isFalse();
    }
  }

  private Manifest pull(LocalStore remote, Reference name, Platform platform) throws IOException {
    try (ImageSink sink = store.sink(name)) {
      return Transfer.copy(
          remote.source(),
          name.digest().toString(),
          sink,
          null,
          Transfer.Options.of(platform),
          Progress.NONE);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          "size":%d                | "size":1099511627776                     | has 1099511627776 bytes, but it has
          "mediaType":"%s","digest | "mediaType":"application/vnd.oci.image.index.v1+json","digest | is of type application/vnd.oci.image.index.v1+json, but
          "mediaType":"%s","digest | "mediaType":"\\u001b[31mx","digest       | is of type \\x1b[31mx, but it is of type application/vnd.oci.image.manifest.v1+json
          """)
  void anEntryThatSaysSomethingElse(String from, String to, String words) throws Exception {
    Path layout = dir.resolve("layout");
    try (ImageSink sink = OciLayout.create(layout, null)) {
      Transfer.copy(store.source(), "evil", sink, null, Transfer.Options.all(), Progress.NONE);
    }
    String old = from.replace("%d", "" + evil.bytes().length).replace("%s", evil.mediaType());
    rename(layout.resolve("index.json"), old, to);
    try (ImageSource source = OciLayout.open(layout, null)) {
      assertThatThrownBy(() -> source.manifest(null))
          .isInstanceOfSatisfying(
              Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.CORRUPT))
          .hasMessageContaining("index.json of " + layout)
          .hasMessageContaining(words);
    }
    Path file = dir.resolve("x.tar");
    Command.of("tar", "-C", layout.toString(), "-cf", file.toString(), ".").run();
    try (ImageSource source = SavedImages.open(file)) {
      assertThatThrownBy(() -> source.manifest(source.images().getFirst().selector()))
          .hasMessageContaining(words);
    }
  }

  @Test
  void anIndexThatSaysSomethingElseOfItsImages() throws Exception {
    try (LocalStore remote = LocalStore.open(dir.resolve("remote"))) {
      Manifest.Image amd = Images.random(remote, RANDOM, AMD64, 1);
      remote.putManifest(amd, null);
      Descriptor lie = new Descriptor(amd.mediaType(), amd.digest(), 7, Map.of(), AMD64, null);
      remote.putManifest(Manifest.Index.of(List.of(lie), Map.of()), LocalStore.localName("multi"));
      for (Transfer.Options options : List.of(Transfer.Options.all(), Transfer.Options.of(AMD64))) {
        try (ImageSink sink = store.sink(LocalStore.localName("multi"))) {
          assertThatThrownBy(
                  () -> Transfer.copy(remote.source(), "multi", sink, null, options, Progress.NONE))
              .hasMessageContaining("says that the manifest " + amd.digest() + " has 7 bytes");
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "application/vnd.oci.image.config.v1+json,one of its layers",
    "application/x,one of its layers",
    "application/vnd.oci.image.layer.v1.tar+gzip,one of its layers",
    "application/vnd.oci.image.manifest.v1+json,of type application/vnd.oci.image.manifest.v1+json"
  })
  void aConfigThatIsNone(String type, String words) throws Exception {
    Descriptor layer = good.layers().getFirst();
    Descriptor config =
        words.startsWith("of") ? store.putBlob(type, "{}".getBytes(StandardCharsets.UTF_8)) : layer;
    Manifest.Image image = Manifest.Image.of(config.withMediaType(type), List.of(layer), Map.of());
    assertThatThrownBy(() -> store.putManifest(image, LocalStore.localName("x")))
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.CORRUPT))
        .hasMessage(
            "the config of image %s is no config but %s, %s"
                .formatted(image.digest(), words, config.digest()));
    assertThat(store.find("x")).isEmpty();
    assertThatThrownBy(() -> Validate.image(store.source(), image, Progress.NONE))
        .hasMessageContaining("is no config");
  }

  /** image-spec, manifest.md, "Guidelines for Artifact Usage": both are the empty descriptor. */
  @Test
  void anArtifactWithoutContent() throws Exception {
    byte[] nothing = "{}".getBytes(StandardCharsets.UTF_8);
    Descriptor empty = Descriptor.of(MediaTypes.OCI_EMPTY, nothing);
    Manifest.Image artifact = Manifest.Image.of(empty, List.of(empty), Map.of());
    try (ImageSink sink = store.sink(LocalStore.localName("artifact"))) {
      sink.putBlob(empty, offset -> new ByteArrayInputStream(nothing));
      sink.putManifest(artifact, sink.defaultTag());
    }
    assertThat(store.find("artifact")).contains(artifact);
  }
}
