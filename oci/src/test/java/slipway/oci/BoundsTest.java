package slipway.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Transfer;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Json;
import slipway.oci.model.Manifest;
import slipway.oci.model.ManifestJson;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.store.LocalStore;
import slipway.oci.transport.SavedImages;

/**
 * What strangers send may be as large and as odd as it likes: it costs little, and one sentence.
 */
class BoundsTest {
  private static final Platform AMD64 = Platform.parse("linux/amd64");

  @TempDir Path dir;

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void valuesOfADocumentAreCounted() {
    byte[] many = bytes("[" + "[],".repeat(2_700_000) + "[]]");
    assertThatThrownBy(() -> Json.read(many, "image config"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("image config: more than 500000")
        .hasMessageContaining("--limit json-nodes=N");
    assertThatThrownBy(() -> ManifestJson.readSecret(many, "the answer"))
        .hasMessageContaining("the answer: more than 500000");
  }

  @Test
  void depthIsBounded() {
    byte[] deep = bytes("[".repeat(100_000));
    assertThatThrownBy(() -> Json.read(deep, "list"))
        .isInstanceOf(Problem.class)
        .hasMessageNotContaining("StreamRead");
    assertThatThrownBy(() -> ManifestJson.readSecret(deep, "the answer"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("the answer is not valid JSON");
  }

  @Test
  void halfACharacterBecomesTheOneForNone() {
    String text = "{\"a\":\"\\ud800x\",\"b\":[\"\\udc00\\ud800\",\"\\ud83d\\ude00\"]}";
    assertThat(new String(Json.write(Json.read(bytes(text), "list")), StandardCharsets.UTF_8))
        .isEqualTo("{\"a\":\"\ufffdx\",\"b\":[\"\ufffd\ufffd\",\"😀\"]}");
    byte[] raw = {'"', (byte) 0xed, (byte) 0xa0, (byte) 0x80, '"'};
    assertThatThrownBy(() -> Json.read(raw, "list")).isInstanceOf(Problem.class);
  }

  @Test
  void errorsShowNothingThatATerminalObeys() {
    for (String evil : List.of("\u001b[2J", "\u0007", "\u202e", "\r\nx")) {
      assertThatThrownBy(() -> Reference.parse("a.io/" + evil)).satisfies(BoundsTest::isPrintable);
      assertThatThrownBy(() -> Digest.parse(evil)).satisfies(BoundsTest::isPrintable);
      String type = "{\"mediaType\":" + new String(json(evil), StandardCharsets.UTF_8) + "}";
      assertThatThrownBy(() -> Manifest.parse(bytes(type), null))
          .satisfies(BoundsTest::isPrintable);
    }
  }

  private static byte[] json(String text) {
    return Json.write(tools.jackson.databind.node.JsonNodeFactory.instance.stringNode(text));
  }

  private static void isPrintable(Throwable e) {
    assertThat(e).isInstanceOf(Problem.class);
    assertThat(slipway.base.Printable.text(e.getMessage())).isEqualTo(e.getMessage());
  }

  /** 2000 manifests of 8 MiB do not wait in memory. */
  @Test
  @Tag("slow")
  void manifestsOfAnIndexHaveATotal() throws IOException {
    String pad = "x".repeat(4 << 20);
    List<Manifest> all = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      all.add(
          Manifest.Image.of(
              Descriptor.of(MediaTypes.OCI_CONFIG, bytes("{}")), List.of(), Map.of("a", pad + i)));
    }
    Manifest.Index index =
        Manifest.Index.of(all.stream().map(m -> Images.entry(m, AMD64)).toList(), Map.of());
    ImageSource source =
        new ImageSource() {
          @Override
          public String describe() {
            return "memory";
          }

          @Override
          public Manifest manifest(@Nullable String selector) {
            return all.stream()
                .filter(m -> m.digest().toString().equals(selector))
                .findFirst()
                .orElse(index);
          }

          @Override
          public InputStream blob(Descriptor descriptor, long offset) {
            return new java.io.ByteArrayInputStream(bytes("{}"));
          }
        };
    try (LocalStore store = LocalStore.open(dir.resolve("store"));
        ImageSink sink = store.sink(LocalStore.localName("x"))) {
      assertThatThrownBy(
              () -> Transfer.copy(source, null, sink, null, Transfer.Options.all(), Progress.NONE))
          .hasMessageContaining("--limit manifests-bytes=N");
      assertThat(store.names()).isEmpty();
    }
  }

  @Test
  void aConfigThatIsTooLargeHarmsNoOther() throws IOException {
    try (LocalStore store = LocalStore.open(dir.resolve("store"))) {
      Manifest.Image good = Images.random(store, Seeds.random("BoundsTest"), AMD64, 1);
      store.putManifest(good, LocalStore.localName("good"));
      Descriptor huge =
          store.putBlob("application/x", bytes("[" + "[],".repeat(2_700_000) + "[]]"));
      Manifest.Image bad = Manifest.Image.of(huge, List.of(), Map.of());
      store.putManifest(bad, LocalStore.localName("bad"));
      assertThat(store.list()).hasSize(2);
      assertThatThrownBy(() -> store.config(bad)).isInstanceOf(Problem.class);
      Descriptor larger = store.putBlob("application/x", new byte[9 << 20]);
      Manifest.Image worse = Manifest.Image.of(larger, List.of(), Map.of());
      store.putManifest(worse, LocalStore.localName("worse"));
      assertThat(store.list()).hasSize(3);
      assertThatThrownBy(() -> store.configBytes(worse))
          .hasMessageContaining("--limit config-bytes=N");
    }
  }

  private Path file(byte[] content) throws IOException {
    Path file = Files.createTempFile(dir, "archive", ".tar");
    Files.write(file, content);
    return file;
  }

  private static byte[] concat(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  private static byte[] member(String name, byte[] content) {
    byte[] tar = Images.tar(name, content);
    return java.util.Arrays.copyOf(tar, tar.length - 1024);
  }

  @ParameterizedTest
  @ValueSource(strings = {"\\ud800", "\\u0000", "a\\u0000/../../b", "..", "/", ""})
  void namesOfAnArchiveAreKeysOnly(String name) throws IOException {
    Path file =
        file(Images.tar("manifest.json", bytes("[{\"Config\":\"" + name + "\",\"Layers\":[]}]")));
    assertThatThrownBy(
            () -> {
              try (ImageSource source = SavedImages.open(file)) {
                source.manifest(null);
              }
            })
        .satisfies(BoundsTest::isPrintable);
  }

  @Test
  void entriesOfAnArchiveAreCounted() throws IOException {
    byte[] one = member("a", new byte[0]);
    Path file = dir.resolve("many.tar.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
      for (int i = 0; i < 1000; i++) {
        out.write(one);
      }
    }
    Limit.set("layer-entries=999", "a test");
    try {
      assertThatThrownBy(() -> SavedImages.open(file))
          .hasMessageContaining("more than 999")
          .hasMessageContaining("--limit layer-entries=N");
    } finally {
      Limit.set("layer-entries=1000000", "a test");
    }
  }

  @Test
  void whatAnArchiveUnpacksToIsBounded() throws IOException {
    Path file = dir.resolve("bomb.tar.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
      byte[] zeros = new byte[1 << 20];
      for (int i = 0; i < 40; i++) {
        out.write(zeros);
      }
    }
    Limit.set("archive-bytes=32MiB", "a test");
    try {
      assertThatThrownBy(() -> SavedImages.open(file))
          .hasMessageContaining("more than 32 MiB")
          .hasMessageContaining("--limit archive-bytes=N");
    } finally {
      Limit.set("archive-bytes=256GiB", "a test");
    }
  }

  /** GNU tar's long names are read into memory: 64 MiB of one are not. */
  @Test
  void theNameOfAnEntryIsBounded() throws IOException {
    byte[] name = new byte[64 << 20];
    java.util.Arrays.fill(name, (byte) 'a');
    byte[] header = member("././@LongLink", name);
    header[156] = 'L';
    int sum = 0;
    java.util.Arrays.fill(header, 148, 156, (byte) ' ');
    for (int i = 0; i < 512; i++) {
      sum += header[i] & 0xff;
    }
    System.arraycopy(bytes("%06o\0 ".formatted(sum)), 0, header, 148, 8);
    Path file = file(concat(header, Images.tar("a", new byte[10])));
    assertThatThrownBy(() -> SavedImages.open(file))
        .hasMessageContaining("the header of an entry")
        .hasMessageContaining("4 MiB");
  }

  @Test
  void anArchiveThatEndsTooEarlyIsRefused() throws IOException {
    byte[] tar = Images.tar("manifest.json", new byte[5000]);
    assertThatThrownBy(() -> SavedImages.open(file(java.util.Arrays.copyOf(tar, 3000))))
        .hasMessageContaining("it ends within manifest.json");
    byte[] xz = {(byte) 0xfd, '7', 'z', 'X', 'Z', 0, 1, 2, 3, 4, 5, 6, 7, 8};
    assertThatThrownBy(() -> SavedImages.open(file(xz))).isInstanceOf(Problem.class);
    assertThatThrownBy(() -> SavedImages.open(file(bytes("BZh9nothing of the kind"))))
        .isInstanceOf(Problem.class);
  }
}
