package slipway.cli.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.archive.compress.Compression;
import slipway.archive.tar.Metadata;
import slipway.archive.tar.TarOptions;
import slipway.cli.Ran;
import slipway.oci.copy.ImageSink;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.store.LocalStore;
import slipway.ostree.repo.Repository;
import slipway.tree.Content;
import slipway.tree.TarWriter;
import slipway.tree.TreeBuilder;

/** Images that are written for machines that have another one, out of a store, and taken in. */
class ExportTest {
  private static final int LARGE = 300_000;

  @TempDir Path dir;

  private String root() {
    return dir.resolve("state").toString();
  }

  private static byte[] tar(String file, byte[] content) throws Exception {
    TreeBuilder tree = new TreeBuilder();
    tree.file("usr/lib/" + file, Metadata.file(0644), Content.of(content));
    ByteArrayOutputStream tar = new ByteArrayOutputStream();
    TarWriter.write(tar, tree.layer(), TarOptions.EXACT);
    return tar.toByteArray();
  }

  private static byte[] random(int seed) {
    byte[] bytes = new byte[LARGE];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  /**
   * An image in the store of a large layer and a small one.
   *
   * @param compression of the large one
   */
  private Manifest.Image put(String name, int large, String small, Compression compression)
      throws Exception {
    List<Descriptor> layers = new ArrayList<>();
    List<Digest> diffIds = new ArrayList<>();
    try (LocalStore store = LocalStore.open(Path.of(root(), "store"));
        ImageSink sink = store.sink(LocalStore.localName(name))) {
      for (byte[] tar :
          List.of(
              tar("large", random(large)), tar("small", small.getBytes(StandardCharsets.UTF_8)))) {
        Compression own = layers.isEmpty() ? compression : Compression.NONE;
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (var out = own.compress(packed, 1)) {
          out.write(tar);
        }
        Descriptor layer = Descriptor.of(MediaTypes.layer(own), packed.toByteArray());
        sink.putBlob(layer, at -> new ByteArrayInputStream(packed.toByteArray()));
        layers.add(layer);
        diffIds.add(Digest.sha256(tar));
      }
      byte[] config =
          ImageConfig.of(Platform.host(), "2024-05-01T10:00:00Z", Map.of(), diffIds).toJson();
      Descriptor description = Descriptor.of(MediaTypes.OCI_CONFIG, config);
      sink.putBlob(description, at -> new ByteArrayInputStream(config));
      Manifest.Image image = Manifest.Image.of(description, layers, Map.of());
      sink.putManifest(image, sink.defaultTag());
      return image;
    }
  }

  private Ran export(String... arguments) {
    return Ran.of(
        "slipway",
        Stream.concat(Stream.of("export", "--root", root()), Stream.of(arguments))
            .toArray(String[]::new));
  }

  /** What a machine's importer makes of it, by the verb that every machine has. */
  private Ran pull(String place) {
    return Ran.of(
        "bootc",
        "internals",
        "ostree-container",
        "image",
        "pull",
        "--quiet",
        dir.resolve("repo").toString(),
        place);
  }

  private static long size(Path path) throws Exception {
    try (Stream<Path> files = Files.walk(path)) {
      return files.filter(Files::isRegularFile).mapToLong(p -> p.toFile().length()).sum();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"oci", "oci-archive"})
  void aMachineTakesWhatItHasFromItself(String transport) throws Exception {
    Manifest.Image first = put("localhost/os:1", 1, "one", Compression.GZIP);
    // The same layer in another packing counts as the same.
    Manifest.Image second = put("localhost/os:2", 1, "two", Compression.ZSTD);
    Repository.create(dir.resolve("repo"), Repository.Mode.BARE);
    Path whole = dir.resolve("whole");
    assertThat(export("localhost/os:1", transport + ":" + whole).out())
        .isEqualTo(first.digest() + "\n");
    assertThat(size(whole)).isGreaterThan(LARGE);
    assertThat(pull(transport + ":" + whole).status()).isZero();

    Path delta = dir.resolve("delta");
    Ran ran =
        export(
            "--delta-from", first.digest().toString(), "localhost/os:2", transport + ":" + delta);
    assertThat(ran.out()).isEqualTo(second.digest() + "\n");
    assertThat(ran.err())
        .contains(
            "left out, because " + first.digest() + " has them: 1 of 2 layers, 0.3 of 0.3 MB");
    assertThat(size(delta)).isLessThan(LARGE / 10);
    Ran pulled = pull(transport + ":" + delta);
    assertThat(pulled.status()).as(pulled.err()).isZero();
    Repository repository = Repository.open(dir.resolve("repo"));
    assertThat(repository.refs("ostree/container/image")).hasSize(2);
    assertThat(repository.fsck(slipway.base.Progress.NONE).errors()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"oci", "oci-archive"})
  void aMachineThatLacksALayerSaysSo(String transport) throws Exception {
    Manifest.Image first = put("localhost/os:1", 1, "one", Compression.NONE);
    Manifest.Image second = put("localhost/os:2", 1, "two", Compression.NONE);
    Repository repository = Repository.create(dir.resolve("repo"), Repository.Mode.BARE);
    Path delta = dir.resolve("delta");
    export("--delta-from", first.digest().toString(), "localhost/os:2", transport + ":" + delta);
    Ran pulled = pull(transport + ":" + delta);
    assertThat(pulled.status()).isEqualTo(1);
    assertThat(pulled.err())
        .contains(
            "the layer " + second.layers().getFirst().digest() + " of ",
            " is neither in ",
            " nor on this machine, which lacks the version that it was exported from; export it from"
                + " one that bootc status shows here (--delta-from), or whole");
    assertThat(repository.refs("")).isEmpty();
  }

  @Test
  void whatCannotBeIsRefused() throws Exception {
    Manifest.Image first = put("localhost/os:1", 1, "one", Compression.NONE);
    Digest none = Digest.sha256(new byte[] {1});
    String place = "oci:" + dir.resolve("x");
    assertThat(export("--delta-from", none.toString(), "localhost/os:1", place).err())
        .contains("--delta-from " + none, " has no such image beside localhost/os:1");
    assertThat(export("--delta-from", first.digest().toString(), "localhost/os:1", place).err())
        .contains("localhost/os:1 is " + first.digest() + " itself");
    assertThat(export("--delta-from", "x", "localhost/os:1", place).status()).isEqualTo(2);
    assertThat(export("localhost/os:1", "dir:" + dir.resolve("x")).status()).isEqualTo(2);
    assertThat(export("localhost/os:1", "oci:" + dir.resolve("a/b/c")).status()).isEqualTo(2);
    assertThat(export("localhost/none:1", place).status()).isEqualTo(1);
    assertThat(dir.resolve("x")).doesNotExist();
  }

  @Test
  void nothingSharedIsTold() throws Exception {
    Manifest.Image first = put("localhost/os:1", 1, "one", Compression.NONE);
    put("localhost/os:2", 2, "two", Compression.NONE);
    Ran ran =
        export(
            "--delta-from", first.digest().toString(), "localhost/os:2", "oci:" + dir.resolve("x"));
    assertThat(ran.err()).contains("nothing is left out: " + first.digest() + " has none");
    assertThat(size(dir.resolve("x"))).isGreaterThan(LARGE);
  }
}
