package slipway.oci.podman;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.archive.compress.Compression;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.process.Command;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Transfer;
import slipway.oci.layout.OciLayout;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;

/** Stores that skopeo filled, layers that GNU tar wrote. */
class PodmanSourceTest {
  private static final Platform AMD64 = Platform.parse("linux/amd64");

  @TempDir Path dir;
  private Path graph;
  private final List<byte[]> layers = new ArrayList<>();
  private byte[] config = {};

  @BeforeEach
  void layers() throws Exception {
    graph = dir.resolve("graph");
    Path low = dir.resolve("low");
    Files.createDirectories(low.resolve("etc/deep/" + "d".repeat(90) + "/" + "e".repeat(90)));
    Files.writeString(low.resolve("etc/passwd"), "root:x:0:0::/root:/bin/sh\n");
    Files.createFile(low.resolve("etc/empty"));
    Files.createSymbolicLink(low.resolve("etc/link"), Path.of("passwd"));
    Files.createLink(low.resolve("etc/hard"), low.resolve("etc/passwd"));
    Files.write(low.resolve("etc/deep/" + "d".repeat(90) + "/big"), new byte[300_000]);
    Command.of(
            "bash", "-c", "printf x > $'etc/caf\\xe9'; ln -s etc sub; setfattr -n user.a -v b etc")
        .directory(low)
        .run();
    Path high = Files.createDirectories(dir.resolve("high/etc"));
    Files.createFile(high.resolve(".wh.link"));
    Files.writeString(high.resolve("passwd"), "root:x:0:0::/root:/bin/bash\n");
    layers.add(tar(low, "--format=pax", "--xattrs"));
    layers.add(tar(high.getParent(), "--format=gnu", "--blocking-factor=40"));
  }

  private static byte[] tar(Path folder, String... options) {
    return Command.of("tar", "--sort=name", "-C", folder.toString())
        .with(options)
        .with("-c", ".")
        .run()
        .stdout();
  }

  @AfterEach
  void unmount() {
    Command.of("umount", graph.resolve("overlay").toString()).tryRun();
  }

  private String stored(String driver) {
    return "[" + driver + "@" + graph + "+" + dir.resolve("run") + "]";
  }

  /** Gives the image to a store by skopeo. */
  private void fill(String driver, Compression compression, String name) throws Exception {
    List<Digest> diffIds = layers.stream().map(Digest::sha256).toList();
    config = ImageConfig.draft(AMD64).diffIds(diffIds).build().toJson();
    Path layout = dir.resolve("layout");
    try (OciLayout sink = OciLayout.create(layout, "x")) {
      List<Descriptor> descriptors = new ArrayList<>();
      for (byte[] layer : layers) {
        byte[] packed = packed(layer, compression);
        Descriptor descriptor = Descriptor.of(MediaTypes.layer(compression), packed);
        sink.putBlob(descriptor, offset -> new ByteArrayInputStream(packed));
        descriptors.add(descriptor);
      }
      Descriptor c = Descriptor.of(MediaTypes.OCI_CONFIG, config);
      sink.putBlob(c, offset -> new ByteArrayInputStream(config));
      sink.putManifest(Manifest.Image.of(c, descriptors, Map.of("who", "me")), "x");
    }
    Command.of("skopeo", "copy", "--quiet", "--insecure-policy", "oci:" + layout + ":x")
        .with("containers-storage:" + stored(driver) + name)
        .run();
  }

  private static byte[] packed(byte[] layer, Compression compression) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream out = compression.compress(bytes, Compression.DEFAULT_LEVEL)) {
      out.write(layer);
    }
    return bytes.toByteArray();
  }

  private Manifest.Image read(ImageSource source) throws IOException {
    Manifest.Image image = (Manifest.Image) source.manifest(null);
    for (int i = 0; i < layers.size(); i++) {
      Descriptor layer = image.layers().get(i);
      try (InputStream in = source.blob(layer, 0)) {
        assertThat(in.readAllBytes()).as("layer " + i).isEqualTo(layers.get(i));
      }
      assertThat(layer.size()).isEqualTo(layers.get(i).length);
      try (InputStream in = source.blob(layer, layer.size() - 7)) {
        assertThat(in.readAllBytes()).hasSize(7);
      }
    }
    try (InputStream in = source.blob(image.config(), 0)) {
      assertThat(in.readAllBytes()).isEqualTo(config);
    }
    return image;
  }

  private Manifest.Image read(String name) throws IOException {
    try (ImageSource source = PodmanSource.open(name)) {
      assertThat(source).isInstanceOf(PodmanSource.class);
      return read(source);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"overlay", "vfs"})
  void everyByteOfALayerIsThereAgain(String driver) throws Exception {
    fill(driver, Compression.GZIP, "localhost/web:1");
    Manifest.Image image = read(stored(driver) + "localhost/web:1");
    assertThat(image.annotations()).containsEntry("who", "me");
    // What skopeo makes of the store; it keeps the type of the layers that were fetched.
    try (ImageSource theirs =
        SkopeoCopy.open("containers-storage:" + stored(driver) + "localhost/web:1")) {
      assertThat(digests((Manifest.Image) theirs.manifest(null))).isEqualTo(digests(image));
    }
    // As a whole, every digest checked.
    try (ImageSource source = PodmanSource.open(stored(driver) + "localhost/web:1");
        OciLayout sink = OciLayout.create(dir.resolve("copy"), "x")) {
      assertThat(
              Transfer.copy(source, null, sink, null, Transfer.Options.all(), Progress.NONE)
                  .digest())
          .isEqualTo(image.digest());
    }
  }

  private static List<Digest> digests(Manifest.Image image) {
    return image.layers().stream().map(Descriptor::digest).toList();
  }

  /** Then the digest is the one that everybody else knows the image by. */
  @Test
  void aManifestOfPlainLayersIsKept() throws Exception {
    fill("overlay", Compression.NONE, "localhost/web:1");
    Manifest.Image image = read(stored("overlay") + "localhost/web:1");
    Path index = dir.resolve("layout/index.json");
    assertThat(Files.readString(index)).contains(image.digest().toString());
  }

  @Test
  void aLayerMayBeClosedTwice() throws Exception {
    fill("overlay", Compression.GZIP, "localhost/web:1");
    try (ImageSource source = PodmanSource.open(stored("overlay") + "localhost/web:1")) {
      Manifest.Image image = (Manifest.Image) source.manifest(null);
      InputStream in = source.blob(image.layers().getFirst(), 0);
      assertThat(in.read()).isNotNegative();
      in.close();
      in.close();
    }
  }

  @Test
  void namesAreThoseOfPodman() throws Exception {
    fill("overlay", Compression.GZIP, "localhost/web:latest");
    String id = Digest.sha256(config).hex();
    String store = stored("overlay");
    Manifest.Image image = read(store + "localhost/web:latest");
    for (String name :
        List.of("localhost/web", "web", id, "@" + id, id.substring(0, 12), "localhost/web@" + id)) {
      assertThat(read(store + name)).as(name).isEqualTo(image);
    }
    assertThat(read("[" + graph + "]web")).isEqualTo(image);
    assertThatThrownBy(() -> PodmanSource.open(store + "localhost/web:2"))
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.NOT_FOUND))
        .hasMessageStartingWith("there is no image localhost/web:2 in podman's store " + graph);
    assertThatThrownBy(() -> PodmanSource.open("[overlay@graph]x"))
        .hasMessageContaining("[DRIVER@GRAPHROOT+RUNROOT]NAME");
  }

  @Test
  void theStoreIsWhereItsConfigurationSays() throws Exception {
    fill("overlay", Compression.GZIP, "localhost/web:1");
    Path file = dir.resolve("storage.conf");
    Map<String, String> environment = Map.of("CONTAINERS_STORAGE_CONF", file.toString());
    Files.writeString(file, "[storage]\ndriver = \"overlay\"\ngraphroot = \"" + graph + "\"\n");
    try (ImageSource source = PodmanSource.open("localhost/web:1", environment)) {
      read(source);
    }
    Files.writeString(
        file,
        """
        [storage]
        graphroot = "%s/none"
        [storage.options]
        additionalimagestores = ["%s"]
        """
            .formatted(dir, graph));
    try (ImageSource source = PodmanSource.open("localhost/web:1", environment)) {
      read(source);
    }
    Files.writeString(file, "[storage]\n[storage.options]\nadditionalimagestores = 1\n");
    assertThatThrownBy(() -> PodmanSource.open("localhost/web:1", environment))
        .hasMessageContaining(file + ":3");
    assertThat(
            StorePlaces.configured(Map.of("HOME", "/home/me", "XDG_CONFIG_HOME", dir + ""), false))
        .first()
        .isEqualTo(Path.of("/home/me/.local/share/containers/storage"));
    assertThat(PodmanStore.foldersOf(dir))
        .containsExactly(dir.resolve("var/lib/containers/storage"));
    Path machine = Files.createDirectories(dir.resolve("etc/containers"));
    Files.writeString(machine.resolve("storage.conf"), "[storage]\ngraphroot = \"/srv/c\"\n");
    assertThat(PodmanStore.foldersOf(dir)).containsExactly(dir.resolve("srv/c"));
    assertThat(PodmanSource.stores("[overlay@/mnt/store]os"))
        .containsExactly(Path.of("/mnt/store"));
  }

  private Path only(String folder, String end) throws IOException {
    try (Stream<Path> files = Files.list(graph.resolve(folder))) {
      return files.filter(f -> f.toString().endsWith(end)).sorted().findFirst().orElseThrow();
    }
  }

  private void damaged(String sentence) {
    assertThatThrownBy(() -> read(stored("overlay") + "localhost/web:1"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(sentence);
  }

  private void rewrite(Path file, String from, String to) throws IOException {
    String text = Files.readString(file);
    assertThat(text).contains(from);
    Files.writeString(file, text.replace(from, to));
  }

  @Test
  void filesOfALayerAreReadBeneathItOnly() throws Exception {
    fill("overlay", Compression.GZIP, "localhost/web:1");
    Path secret = Files.writeString(dir.resolve("secret"), "s".repeat(28));
    Path file;
    try (Stream<Path> all = Files.walk(graph.resolve("overlay"))) {
      file =
          all.filter(f -> f.endsWith("etc/passwd") && f.toString().contains("/diff/"))
              .max(Comparator.comparing(f -> f.toFile().length()))
              .orElseThrow();
    }
    Files.delete(file);
    damaged("lacks its file ./etc/passwd");
    Files.createSymbolicLink(file, secret);
    damaged("lacks its file ./etc/passwd");
    Files.delete(file);
    Command.of("mkfifo", file.toString()).run();
    damaged("is a pipe, not a regular file");
    Files.delete(file);
    Files.writeString(file, "short");
    damaged("./etc/passwd is 23 bytes shorter than in the layer");
    Path diff = file.getParent().getParent();
    Command.of("mv", diff.toString(), dir + "/elsewhere").run();
    Files.createSymbolicLink(diff, dir.resolve("elsewhere"));
    damaged("has no folder of its own");
  }

  @Test
  void aStoreThatLiesIsRefused() throws Exception {
    fill("overlay", Compression.GZIP, "localhost/web:1");
    String id = Digest.sha256(config).hex();
    Path images = graph.resolve("overlay-images/images.json");
    String good = Files.readString(images);
    rewrite(images, "\"" + id + "\",\"digest\"", "\"../../x\",\"digest\"");
    damaged("without an id of its own");
    Files.writeString(images, "[{");
    damaged("images.json of podman's store is not valid JSON");
    Files.writeString(images, good);
    Path list = graph.resolve("overlay-layers/layers.json");
    String layersGood = Files.readString(list);
    // Its own parent.
    String top = Digest.sha256(layers.get(0)).hex();
    rewrite(list, "\"id\":\"" + top + "\"", "\"id\":\"" + top + "\",\"parent\":\"" + top + "\"");
    damaged("layers of one image");
    Files.writeString(list, layersGood.replace("\"id\":\"" + top, "\"id\":\"" + "f".repeat(64)));
    damaged("from podman's store");
    Files.writeString(list, layersGood);
    Path packed = only("overlay-layers", ".tar-split.gz");
    String lines;
    try (InputStream in = new GZIPInputStream(Files.newInputStream(packed))) {
      lines = new String(in.readAllBytes(), UTF_8);
    }
    for (Map.Entry<String, String> bad :
        Map.of(
                "{\"type\":9}\n",
                "an entry of an unknown type",
                "{\"type\":2,\"payload\":\"*\"}\n",
                "payload of its tar-split is not base64",
                "{\"type\":1,\"name\":\"x\",\"size\":-1}\n",
                "a file of less than nothing",
                "x\n",
                "is not valid JSON",
                "{\"type\":2,\"payload\":\"" + "A".repeat(5 << 20) + "\"}\n",
                "small-file-bytes")
            .entrySet()) {
      try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
        out.write((bad.getKey() + lines).getBytes(UTF_8));
      }
      damaged(bad.getValue());
    }
    // Other bytes than the digest says, told by whoever copies.
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
      String more = Base64.getEncoder().encodeToString(new byte[512]);
      out.write(("{\"type\":2,\"payload\":\"" + more + "\"}\n" + lines).getBytes(UTF_8));
    }
    try (ImageSource source = PodmanSource.open(stored("overlay") + "localhost/web:1");
        OciLayout sink = OciLayout.create(dir.resolve("copy"), "x")) {
      assertThatThrownBy(
              () -> Transfer.copy(source, null, sink, null, Transfer.Options.all(), Progress.NONE))
          .isInstanceOf(Problem.class)
          .hasMessageContaining("is longer than its ");
    }
  }

  /** The store says of an image which digest it has; the manifest has it or not. */
  @Test
  void aDigestInANameIsAPromise() throws Exception {
    fill("overlay", Compression.GZIP, "localhost/web:1");
    Path manifest = graph.resolve("overlay-images/" + Digest.sha256(config).hex() + "/manifest");
    Digest digest = Digest.sha256(Files.readAllBytes(manifest));
    String name = stored("overlay") + "localhost/web@" + digest;
    assertThat(read(name)).isEqualTo(read(stored("overlay") + "localhost/web:1"));
    String other = stored("overlay") + "localhost/web@sha256:" + "0".repeat(64);
    assertThatThrownBy(() -> PodmanSource.open(other)).hasMessageContaining("there is no image");
    rewrite(
        graph.resolve("overlay-images/images.json"),
        "\"digest\":\"" + digest,
        "\"digest\":\"sha256:" + "0".repeat(64));
    assertThatThrownBy(() -> PodmanSource.open(other))
        .hasMessageContaining("is not what its digest sha256:000");
  }

  @Test
  void aDriverThatIsNamedIsTheOneThatIsMeant() throws Exception {
    fill("overlay", Compression.GZIP, "localhost/web:1");
    assertThatThrownBy(() -> PodmanSource.open(stored("vfs") + "localhost/web:1"))
        .hasMessageContaining("there is no image");
  }

  /** Layers that came in parts have no tar here; skopeo knows what to do. */
  @Test
  void whatHasNoTarIsReadBySkopeo() throws Exception {
    fill("overlay", Compression.GZIP, "localhost/web:1");
    Files.delete(only("overlay-layers", ".tar-split.gz"));
    assertThatThrownBy(() -> PodmanSource.open(stored("overlay") + "localhost/web:1").close())
        .isInstanceOf(Problem.class)
        .hasMessageContaining("from podman's store");
  }
}
