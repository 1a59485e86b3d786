package slipway.oci.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import slipway.archive.compress.Compression;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.oci.Images;
import slipway.oci.MemorySource;
import slipway.oci.copy.DiffIds;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.PlainLayer;
import slipway.oci.copy.Transfer;
import slipway.oci.copy.Validate;
import slipway.oci.layout.BlobWriter;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.transport.OciArchive;
import slipway.oci.transport.SavedImages;

/** Images that lie about their layers are refused, through whatever door they come. */
class StoreGateTest {
  private static final Platform AMD64 = Platform.parse("linux/amd64");
  private static final byte[] HONEST = Images.tar("a", "honest".getBytes(StandardCharsets.UTF_8));
  private static final byte[] FORGED = Images.tar("a", "forged".getBytes(StandardCharsets.UTF_8));

  @TempDir Path dir;
  private LocalStore store;
  private final MemorySource memory = new MemorySource();

  @BeforeEach
  void prepare() {
    store = LocalStore.open(dir.resolve("store"));
  }

  @AfterEach
  void end() {
    store.close();
  }

  private static byte[] compress(Compression compression, byte[] plain) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream out = compression.compress(bytes, Compression.DEFAULT_LEVEL)) {
      out.write(plain);
    }
    return bytes.toByteArray();
  }

  private static byte[] config(byte[]... layers) {
    return ImageConfig.of(AMD64, null, Map.of(), Arrays.stream(layers).map(Digest::sha256).toList())
        .toJson();
  }

  private void pull() throws IOException {
    try (ImageSink sink = store.sink(LocalStore.localName("x"))) {
      Transfer.copy(memory, null, sink, null, Transfer.Options.all(), Progress.NONE);
    }
  }

  @ParameterizedTest
  @EnumSource(Compression.class)
  void anotherLayerThanTheConfigNamesIsRefused(Compression compression) throws Exception {
    Descriptor layer = memory.add(MediaTypes.layer(compression), compress(compression, FORGED));
    Manifest.Image lying = memory.offer(config(HONEST), MediaTypes.OCI_CONFIG, layer);
    assertThatThrownBy(this::pull)
        .isInstanceOf(Problem.class)
        .hasMessageContaining(layer.digest().brief())
        .hasMessageContaining(Digest.sha256(FORGED).toString())
        .hasMessageContaining(Digest.sha256(HONEST).toString());
    assertThat(store.names()).isEmpty();
    assertThatThrownBy(() -> Validate.image(memory, lying, Progress.NONE))
        .hasMessageContaining("uncompressed digest");
    Manifest.Image honest = memory.offer(config(FORGED), MediaTypes.OCI_CONFIG, layer);
    pull();
    Validate.image(memory, honest, Progress.NONE);
    assertThat(store.names()).hasSize(1);
  }

  /** The type of the config or of the layer is no way around it. */
  @Test
  void othersTypesDoNotHideIt() throws Exception {
    Descriptor layer = memory.add("application/x", compress(Compression.GZIP, FORGED));
    memory.offer(config(HONEST), "application/y", layer);
    assertThatThrownBy(this::pull).hasMessageContaining("uncompressed digest");
  }

  @Test
  void aConfigWithOtherLayersThanTheManifestIsRefused() throws Exception {
    Descriptor layer = memory.add(MediaTypes.OCI_LAYER, HONEST);
    memory.offer(config(HONEST, FORGED), MediaTypes.OCI_CONFIG, layer);
    assertThatThrownBy(this::pull).hasMessageContaining("has 1 layers but its config lists 2");
    memory.offer(config(), MediaTypes.OCI_CONFIG, layer);
    assertThatThrownBy(this::pull).hasMessageContaining("has 1 layers but its config lists 0");
  }

  @Test
  void artifactsAreTaken() throws Exception {
    Descriptor chart = memory.add("application/x.chart", compress(Compression.GZIP, FORGED));
    memory.offer("{}".getBytes(StandardCharsets.UTF_8), MediaTypes.OCI_EMPTY, chart);
    pull();
    memory.offer(new byte[] {1, 2, 3}, "application/x.model", memory.add("application/x", HONEST));
    pull();
    byte[] statement = "{\"_type\":\"x\"}".getBytes(StandardCharsets.UTF_8);
    memory.offer(
        config(statement), MediaTypes.OCI_CONFIG, memory.add("application/json", statement));
    pull();
  }

  @Test
  void damagedDataNamesItsLayer() throws Exception {
    byte[] gzip = compress(Compression.GZIP, HONEST);
    gzip[gzip.length - 6] ^= 1; // Its checksum.
    Descriptor layer = memory.add(MediaTypes.OCI_LAYER_GZIP, gzip);
    memory.offer(config(HONEST), MediaTypes.OCI_CONFIG, layer);
    assertThatThrownBy(this::pull)
        .hasMessageContaining("layer " + layer.digest().brief() + ": the gzip data is damaged");
    // What does not have its digest is told so, whatever comes of unpacking it.
    memory.forge(layer, new byte[gzip.length]);
    assertThatThrownBy(this::pull).hasMessageContaining("damaged or forged");
    assertThat(store.has(layer.digest())).isFalse();
  }

  /** What was noted when a layer came in spares reading it again. */
  @Test
  void aLayerIsUnpackedOnce() throws Exception {
    Descriptor layer = memory.add(MediaTypes.OCI_LAYER_GZIP, compress(Compression.GZIP, HONEST));
    Manifest.Image again = memory.offer(config(HONEST), MediaTypes.OCI_CONFIG, layer);
    pull();
    Path note = dir.resolve("store/diff-ids/sha256").resolve(layer.digest().hex());
    assertThat(note).hasContent(HONEST.length + " " + Digest.sha256(HONEST));
    // What is read again is not what came in: so nobody has read it again.
    byte[] other = compress(Compression.GZIP, FORGED);
    Files.write(store.blobPath(layer.digest()), Arrays.copyOf(other, (int) layer.size()));
    store.putManifest(again, LocalStore.localName("y"));
    // And without the note somebody does.
    Files.delete(note);
    assertThatThrownBy(() -> store.putManifest(again, LocalStore.localName("y")))
        .isInstanceOf(Problem.class)
        .hasMessageStartingWith("blob " + layer.digest() + " has the digest ");
    store.untag(LocalStore.localName("y"));
    store.untag(LocalStore.localName("x"));
    store.prune();
    assertThat(dir.resolve("store/diff-ids/sha256")).isEmptyDirectory();
  }

  @Test
  void anArchiveIsNoWayAround() throws Exception {
    Descriptor layer = memory.add(MediaTypes.OCI_LAYER_GZIP, compress(Compression.GZIP, FORGED));
    memory.offer(config(HONEST), MediaTypes.OCI_CONFIG, layer);
    Path file = dir.resolve("evil.tar");
    try (ImageSink sink = OciArchive.sink(file, "localhost/evil:1")) {
      Transfer.copy(memory, null, sink, null, Transfer.Options.all(), Progress.NONE);
    }
    try (ImageSource archive = SavedImages.open(file);
        ImageSink sink = store.sink(LocalStore.localName("x"))) {
      assertThatThrownBy(
              () -> Transfer.copy(archive, null, sink, null, Transfer.Options.all(), Progress.NONE))
          .hasMessageContaining("uncompressed digest");
    }
  }

  /**
   * One config, declared with its size by one image and with more than anybody reads by another.
   */
  @Test
  void aDeclaredSizeDoesNotHideAnImage() throws Exception {
    Descriptor layer = memory.add(MediaTypes.OCI_LAYER, FORGED);
    try (BlobWriter writer = store.newBlob()) {
      writer.write(FORGED, 0, FORGED.length);
      writer.commit(MediaTypes.OCI_LAYER);
    }
    Descriptor config = store.putBlob("application/x", config(HONEST));
    Descriptor declared =
        new Descriptor("application/x", config.digest(), 9_000_000, Map.of(), null, null);
    Manifest.Image image = Manifest.Image.of(declared, List.of(layer), Map.of());
    assertThatThrownBy(() -> store.putManifest(image, null))
        .hasMessageContaining("9000000 bytes, but it has " + config.size());
    assertThatThrownBy(
            () -> new StoreGate(store, new DiffIds(dir.resolve("d"))).requireDiffIds(image))
        .hasMessageContaining("uncompressed digest");
  }

  /** All layers together; where the number is noted, and where it is found out. */
  @Test
  void theBytesOfAllLayersAreBounded() throws Exception {
    Descriptor honest = memory.add(MediaTypes.OCI_LAYER_GZIP, compress(Compression.GZIP, HONEST));
    Descriptor forged = memory.add(MediaTypes.OCI_LAYER, FORGED);
    Manifest.Image image =
        memory.offer(config(HONEST, FORGED), MediaTypes.OCI_CONFIG, honest, forged);
    long total = HONEST.length + FORGED.length;
    try {
      Limit.set("image-bytes=" + (total - 1), "test");
      String sentence =
          "image %s: more than %d bytes (bytes that all layers of one image hold once decompressed);"
              + " if you trust it, raise the limit with --limit image-bytes=N";
      assertThatThrownBy(this::pull).hasMessage(sentence.formatted(image.digest(), total - 1));
      assertThat(store.names()).isEmpty();
      assertThat(store.unnamed()).isEmpty();
      for (String note : new String[] {"", Digest.sha256(HONEST).toString()}) {
        Path file = dir.resolve("store/diff-ids/sha256").resolve(honest.digest().hex());
        Files.writeString(file, note); // None, and one of an older version.
        assertThatThrownBy(() -> store.putManifest(image, null))
            .hasMessageContaining("image-bytes");
      }
      assertThatThrownBy(() -> Validate.image(memory, image, Progress.NONE))
          .hasMessageContaining("image-bytes");
      Limit.set("image-bytes=" + total, "test");
      pull();
      Validate.image(memory, image, Progress.NONE);
    } finally {
      Limit.set("image-bytes=" + Limit.IMAGE_BYTES.preset(), "test");
    }
  }

  @Test
  void aNoteThatCannotBeWrittenLeavesNothing() throws Exception {
    Digest blob = Digest.sha256(HONEST);
    DiffIds notes = new DiffIds(dir.resolve("notes"));
    PlainLayer.Sum plain = new PlainLayer.Sum(blob, HONEST.length);
    Path inTheWay = dir.resolve("notes/sha256/" + blob.hex() + "/x");
    Files.createDirectories(inTheWay);
    assertThatThrownBy(() -> notes.put(blob, plain)).isInstanceOf(IOException.class);
    try (Stream<Path> files = Files.list(dir.resolve("notes/sha256"))) {
      assertThat(files).containsExactly(inTheWay.getParent());
    }
  }
}
