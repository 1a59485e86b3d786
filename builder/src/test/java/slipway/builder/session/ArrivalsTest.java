package slipway.builder.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.builder.engine.ImageDraft;
import slipway.builder.engine.Lab;
import slipway.oci.MemorySource;
import slipway.oci.copy.Transfer;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.store.LocalStore;

/** Images that a build brings: read once, named when they are known to be good. */
class ArrivalsTest {
  private static final String NAME = "registry.example/os:1";

  @TempDir Path directory;
  private Lab remote;
  private Lab lab;
  private final List<String> pulled = new ArrayList<>();

  @BeforeEach
  void open() throws Exception {
    remote = Lab.withBase(Files.createDirectory(directory.resolve("remote")));
    lab = new Lab(Files.createDirectory(directory.resolve("here")));
  }

  @AfterEach
  void close() {
    lab.close();
    remote.close();
  }

  private ImagePuller honest() {
    return (reference, platform, sink, progress) -> {
      pulled.add(reference.toString());
      return remote.copyBase(platform, sink, progress);
    };
  }

  private Manifest.Image build(ImagePuller puller, String file, String... tags) throws IOException {
    BuildRequestBuilder draft =
        BuildRequest.of(lab.context(file))
            .tags(List.of(tags).stream().map(Reference::parse).toList());
    return lab.build(lab.builder(puller), draft);
  }

  private List<String> names() {
    return lab.store.names().stream().map(LocalStore.Name::text).toList();
  }

  private Path noteOf(Descriptor layer) {
    return lab.store.root().resolve("diff-ids/sha256").resolve(layer.digest().hex());
  }

  /** Damages a layer when it has been unpacked: whoever reads it again says so. */
  private final class Spoiler implements Progress {
    private final Descriptor layer;
    private int unpacked;

    Spoiler(Descriptor layer) {
      this.layer = layer;
    }

    @Override
    public void note(String line) {}

    @Override
    public Task start(String name, long total) {
      if (!name.equals("unpack " + layer.digest().brief())) {
        return NONE.start(name, total);
      }
      assertThat(noteOf(layer)).doesNotExist(); // Nobody has decompressed it before.
      return new Task() {
        @Override
        public void advance(long n) {}

        @Override
        public void close() {
          unpacked++;
          try {
            Files.write(lab.store.blobPath(layer.digest()), new byte[(int) layer.size()]);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        }
      };
    }
  }

  @ParameterizedTest
  @Tag("slow")
  @ValueSource(
      strings = {
        "FROM %s\nRUN true\n",
        "FROM scratch\nCOPY --from=%s /etc/passwd /\n",
        "FROM %s AS one\nRUN true\nFROM %1$s\nRUN --mount=from=%1$s,target=/m cat /m/etc/group\n",
      })
  void aLayerIsDecompressedOnce(String file) throws Exception {
    Manifest.Image base = remote.store.image(Lab.BASE, Platform.host());
    Descriptor layer = base.layers().getFirst();
    Spoiler spoiler = new Spoiler(layer);
    BuildRequestBuilder draft = BuildRequest.of(lab.context(file.formatted(NAME)));
    lab.builder(honest()).build(draft.build(), spoiler, lab.output::add);
    assertThat(spoiler.unpacked).isEqualTo(1);
    assertThat(pulled).containsExactly(NAME);
    assertThat(noteOf(layer)).exists();
    assertThat(lab.store.find(NAME).orElseThrow().digest()).isEqualTo(base.digest());
  }

  /** Whether it fails before or after the image was unpacked. */
  @ParameterizedTest
  @Tag("slow")
  @ValueSource(strings = {"RUN exit 3", "COPY nothing /", "COPY --from=two /nothing /"})
  void aBuildThatFailsKeepsItsBase(String step) throws Exception {
    String file = "FROM " + NAME + " AS two\nFROM " + NAME + "\n" + step + "\n";
    assertThatThrownBy(() -> build(honest(), file)).isInstanceOf(Problem.class);
    assertThat(names()).containsExactly(NAME);
    assertThatThrownBy(() -> build(honest(), file)).isInstanceOf(Problem.class);
    assertThat(pulled).containsExactly(NAME);
  }

  @Test
  void nothingRunsBeforeItsImageIsNamed() throws Exception {
    List<String> seen = new ArrayList<>();
    BuildRequestBuilder draft = BuildRequest.of(lab.context("FROM " + NAME + "\nRUN echo now\n"));
    lab.builder(honest()).build(draft.build(), lab.progress(), line -> seen.addAll(names()));
    assertThat(seen).containsExactly(NAME);
  }

  /** A registry with one image, whose config may say of its layer what it likes. */
  private static ImagePuller stranger(byte[] tar, Digest diffId, Platform its) {
    MemorySource image = new MemorySource();
    ImageDraft draft = ImageDraft.scratch(its);
    byte[] config = draft.toConfig("2020-09-13T12:26:40Z", List.of(diffId)).toJson();
    image.offer(config, MediaTypes.OCI_CONFIG, image.add(MediaTypes.OCI_LAYER, tar));
    return (reference, platform, sink, progress) ->
        Transfer.copy(image, null, sink, null, Transfer.Options.of(platform), progress);
  }

  /** One that tells the truth. */
  private static ImagePuller offering(byte[] tar, Platform its) {
    return stranger(tar, Digest.sha256(tar), its);
  }

  /** Unpacked by a step, by none, and not at all since an honest layer of that diff id was. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "FROM %s\nCOPY <<EOF /x\ntext\nEOF\n",
        "FROM scratch\nCOPY --from=%s /who /\n",
        "FROM %s\n",
        "FROM %s\nLABEL a=b\n",
      })
  void aForgedImageIsRefused(String file) throws Exception {
    byte[] good = lab.layerOf("good\n");
    byte[] evil = lab.layerOf("evil\n");
    ImagePuller forger = stranger(evil, Digest.sha256(good), Platform.host());
    String forged = file.formatted("registry.example/evil:1");
    for (boolean unpacked : new boolean[] {false, true}) {
      Path snapshot =
          lab.directory.resolve(
              "build/snapshots/" + StageResult.SNAPSHOT_PREFIX + Digest.sha256(good).hex());
      assertThatThrownBy(() -> build(forger, forged, "localhost/built:1"))
          .isInstanceOf(Problem.class)
          .hasMessageContaining("Containerfile:")
          .hasMessageContaining(Digest.sha256(evil).toString())
          .hasMessageContaining(Digest.sha256(good).toString());
      assertThat(Files.exists(snapshot)).isEqualTo(unpacked);
      assertThat(names()).isEqualTo(unpacked ? List.of("registry.example/good:1") : List.of());
      assertThat(lab.store.unnamed().size()).isEqualTo(unpacked ? 1 : 0);
      if (!unpacked) {
        build(
            offering(good, Platform.host()),
            "FROM registry.example/good:1\nCOPY <<EOF /x\ntext\nEOF\n");
        assertThat(snapshot.resolve("diff/who")).hasContent("good\n");
      }
    }
  }

  private static final Platform OTHER = Platform.parse("linux/s390x");

  /** A registry where one name stands for an image of each platform. */
  private ImagePuller ofEachPlatform() throws IOException {
    ImagePuller own = offering(lab.layerOf("here\n"), Platform.host());
    ImagePuller other = offering(lab.layerOf("there\n"), OTHER);
    return (reference, platform, sink, progress) ->
        (platform.equals(OTHER) ? other : own).pull(reference, platform, sink, progress);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "FROM --platform=linux/s390x %1$s AS b\nFROM %1$s\nCOPY --from=b /who /b\n",
        "FROM %1$s AS a\nFROM --platform=linux/s390x %1$s AS b\nFROM a\nCOPY --from=b /who /b\n",
        "FROM --platform=linux/s390x scratch AS b\nCOPY --from=%1$s /who /\n"
            + "FROM scratch\nCOPY --from=b /who /b\nCOPY --from=%1$s /who /\n",
      })
  void aNameGivesEachStageTheImageOfItsPlatform(String file) throws Exception {
    ImagePuller registry = ofEachPlatform();
    for (int i = 0; i < 3; i++) {
      Manifest.Image image = build(registry, file.formatted(NAME), "localhost/built:1");
      assertThat(lab.text(image, "who")).isEqualTo("here\n");
      assertThat(lab.text(image, "b")).isEqualTo("there\n");
      Manifest.Image named = lab.store.image(NAME, Platform.host());
      assertThat(lab.text(named, "who")).as("what the name stands for").isEqualTo("here\n");
    }
  }

  /** Which cannot be had: nothing may be asked, or nobody has another. */
  @Test
  void anImageOfAnotherPlatformIsTakenWithANoteWhenThereIsNoOther() throws Exception {
    build(ofEachPlatform(), "FROM " + NAME + "\n", "localhost/own:1");
    for (String name : List.of(NAME, "own:1", "localhost/own:1")) {
      BuildRequestBuilder draft =
          BuildRequest.of(lab.context("FROM " + name + "\nLABEL a=" + name + "\n")).platform(OTHER);
      if (name.equals(NAME)) {
        draft.pull(BuildRequest.Pull.NEVER);
      }
      Manifest.Image image = lab.build(draft);
      assertThat(lab.text(image, "who")).isEqualTo("here\n");
      assertThat(lab.notes)
          .anyMatch(n -> n.contains(name + " is for ") && n.endsWith("not for linux/s390x"));
    }
  }

  /** What no file holds counts too: it is decompressed all the same. */
  @Test
  void theBytesOfALayerAreBoundedWhileItIsUnpacked() throws Exception {
    byte[] tar = lab.layerOf("good\n");
    try {
      Limit.set("layer-bytes=" + (tar.length - 1), "test");
      ImagePuller puller = offering(tar, Platform.host());
      assertThatThrownBy(() -> build(puller, "FROM registry.example/x:1\nCOPY <<EOF /x\nEOF\n"))
          .hasMessageContaining("layer-bytes");
      assertThat(names()).isEmpty();
      Limit.set("layer-bytes=" + Limit.LAYER_BYTES.preset(), "test");
      Limit.set("image-bytes=" + (tar.length - 1), "test");
      assertThatThrownBy(() -> build(puller, "FROM registry.example/x:1\nCOPY <<EOF /x\nEOF\n"))
          .hasMessageContaining("image-bytes");
      assertThat(names()).isEmpty();
    } finally {
      Limit.set("layer-bytes=" + Limit.LAYER_BYTES.preset(), "test");
      Limit.set("image-bytes=" + Limit.IMAGE_BYTES.preset(), "test");
    }
  }
}
