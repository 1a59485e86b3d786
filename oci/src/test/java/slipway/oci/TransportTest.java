package slipway.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.archive.compress.Compression;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.process.Command;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Transfer;
import slipway.oci.layout.OciLayout;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.registry.RegistryOptions;
import slipway.oci.store.LocalStore;
import slipway.oci.transport.DockerArchive;
import slipway.oci.transport.SavedImages;
import slipway.oci.transport.TransportRef;

/** Layouts and archives, with skopeo and podman on the other side. */
class TransportTest {
  private static final Platform AMD64 = Platform.parse("linux/amd64");
  private static final Random RANDOM = Seeds.random("TransportTest");
  private static final RegistryOptions OPTIONS = RegistryOptions.anonymous(Map.of());

  @TempDir Path dir;
  private LocalStore store;
  private Manifest.Image image;

  @BeforeEach
  void prepare() {
    store = LocalStore.open(dir.resolve("store"));
    image = Images.random(store, RANDOM, AMD64, 3);
    store.putManifest(image, LocalStore.localName("web"));
  }

  @AfterEach
  void end() {
    store.close();
  }

  private Manifest export(TransportRef to) throws IOException {
    try (ImageSink sink = to.sink(OPTIONS)) {
      return Transfer.copy(
          store.source(), "web", sink, null, Transfer.Options.all(), Progress.NONE);
    }
  }

  private Manifest.Image load(TransportRef from, String as) throws IOException {
    try (ImageSource source = from.source(OPTIONS);
        ImageSink sink = store.sink(LocalStore.localName(as))) {
      Manifest copied =
          Transfer.copy(source, null, sink, null, Transfer.Options.of(AMD64), Progress.NONE);
      assertThat(store.find(as)).contains(copied);
      Images.verify(store);
      return (Manifest.Image) copied;
    }
  }

  /** A folder that somebody else made: nobody waits for the other end of a pipe. */
  @ParameterizedTest
  @CsvSource({"oci, index.json", "dir, manifest.json"})
  void tellsWhatIsThereInPlaceOfAnImagesFile(String kind, String name) throws Exception {
    Path folder = Files.createDirectory(dir.resolve(kind));
    Path file = folder.resolve(name);
    TransportRef ref = TransportRef.parse(kind + ":" + folder);
    Files.createDirectory(file);
    assertThatThrownBy(() -> load(ref, "x"))
        .hasMessage(file + " is a directory, not a regular file");
    Files.delete(file);
    Command.of("mkfifo", file.toString()).run();
    String pipe = file + " is a pipe, not a regular file";
    assertThatThrownBy(() -> load(ref, "x")).hasMessage(pipe);
    assertThatThrownBy(() -> SavedImages.open(folder).manifest(null)).hasMessage(pipe);
    Files.delete(file);
    Files.createSymbolicLink(file, Path.of("/etc/passwd"));
    assertThatThrownBy(() -> load(ref, "x")).hasMessageStartingWith(file + " is a link that leads");
  }

  @ParameterizedTest
  @ValueSource(strings = {"oci:%s/out:v1", "oci-archive:%s/out.tar:v1", "dir:%s/out", "oci:%s/x"})
  void keepsEveryByteAndSkopeoReadsIt(String form) throws Exception {
    TransportRef to = TransportRef.parse(form.formatted(dir));
    assertThat(export(to)).isEqualTo(image);
    byte[] raw = Command.of("skopeo", "inspect", "--raw", to.toString()).run().stdout();
    assertThat(raw).isEqualTo(image.bytes());
    Command.of("skopeo", "copy", to.toString(), "dir:" + dir.resolve("judge")).run();
    assertThat(load(to, "back")).isEqualTo(image);
    try (Stream<Path> left = Files.list(dir)) {
      assertThat(left.map(Path::getFileName).map(Path::toString)).noneMatch(n -> n.startsWith("."));
    }
  }

  /** Of another version nobody knows what its files mean. */
  @Test
  void anotherVersionIsRefused() throws Exception {
    TransportRef layout = TransportRef.parse("oci:" + dir + "/layout");
    export(layout);
    Path version = dir.resolve("layout/oci-layout");
    TransportRef archive = TransportRef.parse("oci-archive:" + dir + "/layout.tar");
    for (String text : List.of("{\"imageLayoutVersion\":\"2.0.0\"}", "{}")) {
      Files.writeString(version, text);
      Command.of("tar", "-C", dir + "/layout", "-cf", dir + "/layout.tar", ".").run();
      String sentence =
          text.equals("{}")
              ? " names no version of the layout; this version of Slipway reads 1.x"
              : " is of version 2.0.0 of the layout; this version of Slipway reads 1.x";
      assertThatThrownBy(() -> load(layout, "x")).hasMessage(version + sentence);
      assertThatThrownBy(() -> export(layout)).hasMessage(version + sentence);
      assertThatThrownBy(() -> load(archive, "x"))
          .isInstanceOf(Problem.class)
          .hasMessageStartingWith("oci-layout of ")
          .hasMessageEndingWith(sentence);
    }
    Files.writeString(version, "{\"imageLayoutVersion\":\"1.1.0\"}");
    assertThat(load(layout, "x")).isEqualTo(image);
    Files.delete(version);
    assertThat(load(layout, "x")).isEqualTo(image);

    TransportRef directory = TransportRef.parse("dir:" + dir + "/directory");
    export(directory);
    Path file = dir.resolve("directory/version");
    Files.writeString(file, "Directory Transport Version: 2.0\n");
    String sentence =
        file + " says \"Directory Transport Version: 2.0\"; this version of Slipway reads 1.x";
    assertThatThrownBy(() -> load(directory, "x")).hasMessage(sentence);
    assertThatThrownBy(() -> export(directory)).hasMessage(sentence);
    Files.writeString(file, "Directory Transport Version: 1.2\n");
    assertThat(load(directory, "x")).isEqualTo(image);
    Files.delete(file);
    assertThat(load(directory, "x")).isEqualTo(image);
  }

  @ParameterizedTest
  @ValueSource(strings = {"oci:%s/out:v1", "oci-archive:%s/out.tar:v1", "dir:%s/out"})
  void readsWhatSkopeoWrote(String form) throws Exception {
    String to = form.formatted(dir);
    Command.of("skopeo", "copy", "oci:" + store.root() + ":localhost/web:latest", to).run();
    assertThat(load(TransportRef.parse(to), "theirs").layers())
        .extracting(Descriptor::digest)
        .isEqualTo(image.layers().stream().map(Descriptor::digest).toList());
  }

  @Test
  void writesDockerArchivesThatOthersLoad() throws Exception {
    TransportRef to = TransportRef.parse("docker-archive:" + dir + "/out.tar:localhost/web:v9");
    export(to);
    String config =
        Command.of("skopeo", "inspect", "--config", "docker-archive:" + dir + "/out.tar").output();
    assertThat(config).contains("\"test\": \"yes\"");
    Manifest.Image back = load(to, "back");
    assertThat(store.config(back).diffIds()).isEqualTo(store.config(image).diffIds());
    Path root = dir.resolve("podman");
    Command podman =
        Command.of(
            "podman",
            "--root",
            root.toString(),
            "--runroot",
            dir.resolve("run").toString(),
            "--storage-driver",
            "vfs",
            "--events-backend",
            "none");
    try {
      assertThat(podman.with("load", "-i", dir + "/out.tar").run().text())
          .contains("localhost/web:v9");
      String stored =
          "containers-storage:[vfs@%s+%s]localhost/web:v9".formatted(root, dir.resolve("run"));
      assertThat(store.config(load(TransportRef.parse(stored), "stored")).diffIds())
          .isEqualTo(store.config(image).diffIds());
      podman.with("save", "-o", dir + "/again.tar", "localhost/web:v9").run();
      Manifest.Image again = load(TransportRef.parse("docker-archive:" + dir + "/again.tar"), "p");
      assertThat(store.config(again).diffIds()).isEqualTo(store.config(image).diffIds());
    } finally {
      podman.with("rmi", "-a", "-f").tryRun();
    }
  }

  @Test
  void readsDockerArchivesOfSkopeoPlainAndCompressed() throws Exception {
    String archive = dir + "/s.tar";
    Command.of(
            "skopeo",
            "copy",
            "oci:" + store.root() + ":localhost/web:latest",
            "docker-archive:" + archive + ":localhost/web:s")
        .run();
    Manifest.Image plain = load(TransportRef.parse("docker-archive:" + archive), "plain");
    assertThat(store.config(plain).diffIds()).isEqualTo(store.config(image).diffIds());
    for (Compression c : List.of(Compression.GZIP, Compression.ZSTD)) {
      Path packed = dir.resolve("s.tar." + c);
      try (InputStream in = Files.newInputStream(Path.of(archive));
          OutputStream file = Files.newOutputStream(packed);
          OutputStream out = c.compress(file, Compression.DEFAULT_LEVEL)) {
        in.transferTo(out);
      }
      TransportRef ref = TransportRef.parse("docker-archive:" + packed + ":localhost/web:s");
      assertThat(load(ref, "packed")).isEqualTo(plain);
    }
    assertThatThrownBy(
            () -> load(TransportRef.parse("docker-archive:" + archive + ":localhost/no:s"), "no"))
        .hasMessageContaining("it has localhost/web:s");
  }

  @Test
  void sameImageSameArchive() throws Exception {
    for (String kind : List.of("oci-archive", "docker-archive")) {
      export(TransportRef.parse(kind + ":" + dir + "/1.tar:localhost/a:b"));
      export(TransportRef.parse(kind + ":" + dir + "/2.tar:localhost/a:b"));
      assertThat(dir.resolve("1.tar")).hasSameBinaryContentAs(dir.resolve("2.tar"));
    }
  }

  @Test
  void copiesAnIndexWithAllItsPlatforms() throws Exception {
    Platform arm = Platform.parse("linux/arm64");
    Manifest.Image other = Images.random(store, RANDOM, arm, 1);
    store.putManifest(other, null);
    Manifest.Index index =
        Manifest.Index.of(List.of(Images.entry(image, AMD64), Images.entry(other, arm)), Map.of());
    store.putManifest(index, LocalStore.localName("multi"));
    for (String form : List.of("oci:%s/m:v", "oci-archive:%s/m.tar:v", "dir:%s/md")) {
      TransportRef to = TransportRef.parse(form.formatted(dir));
      try (ImageSink sink = to.sink(OPTIONS)) {
        Transfer.copy(store.source(), "multi", sink, null, Transfer.Options.all(), Progress.NONE);
      }
      Command.of("skopeo", "copy", "--all", to.toString(), "dir:" + dir.resolve("judge")).run();
      try (ImageSource source = to.source(OPTIONS);
          LocalStore fresh = LocalStore.open(dir.resolve("fresh" + form.substring(0, 4)));
          ImageSink sink = fresh.sink(LocalStore.localName("m"))) {
        assertThat(Transfer.copy(source, null, sink, null, Transfer.Options.all(), Progress.NONE))
            .isEqualTo(index);
        Images.verify(fresh);
      }
    }
    try (ImageSink sink = DockerArchive.sink(dir.resolve("d.tar"), null)) {
      assertThatThrownBy(
              () ->
                  Transfer.copy(
                      store.source(), "multi", sink, null, Transfer.Options.all(), Progress.NONE))
          .hasMessageContaining("one platform");
    }
    assertThat(dir.resolve("d.tar")).doesNotExist();
  }

  @Test
  void manyWritersOfOneLayoutKeepAllNames() throws Exception {
    List<Thread> threads =
        Stream.iterate(0, i -> i < 8, i -> i + 1)
            .map(
                i ->
                    Thread.ofPlatform()
                        .start(
                            () -> {
                              try {
                                export(TransportRef.parse("oci:" + dir + "/many:t" + i));
                              } catch (IOException e) {
                                throw new java.io.UncheckedIOException(e);
                              }
                            }))
            .toList();
    for (Thread t : threads) {
      t.join();
    }
    for (int i = 0; i < 8; i++) {
      try (ImageSource source = OciLayout.open(dir.resolve("many"), "t" + i)) {
        assertThat(source.manifest(null)).isEqualTo(image);
      }
    }
  }

  /** Such as an export that leaves out what a machine has. */
  @Test
  void whatIsNoFileIsNotWhatALayoutLeavesOut() throws Exception {
    export(TransportRef.parse("oci:" + dir + "/stick:v1"));
    Path stick = dir.resolve("stick");
    Descriptor layer = image.layers().getFirst();
    Path blob = stick.resolve("blobs/sha256").resolve(layer.digest().hex());
    Files.delete(blob);
    try (ImageSource source = OciLayout.open(stick, "v1")) {
      assertThat(source.lacks(layer)).isTrue();
    }
    Files.createSymbolicLink(blob, Path.of("/etc/shadow"));
    try (ImageSource source = OciLayout.open(stick, "v1")) {
      assertThat(source.lacks(layer)).isFalse();
      assertThatThrownBy(() -> source.blob(layer, 0).close())
          .isInstanceOf(Problem.class)
          .hasMessageContaining("is a link");
    }
    Files.writeString(stick.resolve("index.json"), "{\"schemaVersion\": 2, \"manifests\": []}");
    try (ImageSource source = OciLayout.open(stick, null)) {
      assertThatThrownBy(() -> source.manifest(null))
          .isInstanceOf(Problem.class)
          .hasMessageEndingWith(" holds no image");
    }
  }

  @Test
  void refusesDamagedArchives() throws Exception {
    TransportRef to = TransportRef.parse("oci-archive:" + dir + "/out.tar:v1");
    export(to);
    byte[] good = Files.readAllBytes(dir.resolve("out.tar"));
    for (int i = 0; i < 60; i++) {
      byte[] bad = good.clone();
      if (i % 3 == 0) {
        bad = java.util.Arrays.copyOf(bad, RANDOM.nextInt(bad.length));
      } else {
        for (int n = 0; n < 5; n++) {
          bad[RANDOM.nextInt(bad.length)] = (byte) RANDOM.nextInt();
        }
      }
      Files.write(dir.resolve("bad.tar"), bad);
      TransportRef ref = TransportRef.parse("oci-archive:" + dir + "/bad.tar:v1");
      try {
        load(ref, "bad"); // Damage between the files does no harm.
      } catch (Problem e) {
        assertThat(e.getMessage()).isNotBlank();
      }
      Images.verify(store);
    }
  }

  @Test
  void parsesReferences() {
    assertThat(TransportRef.parse("docker://localhost:5000/a"))
        .hasToString("docker://localhost:5000/a:latest");
    assertThat(TransportRef.parse("registry:quay.io/a/b:c")).hasToString("docker://quay.io/a/b:c");
    assertThat(TransportRef.parse("oci:/a/b:localhost/web:latest"))
        .isEqualTo(new TransportRef.Layout(Path.of("/a/b"), "localhost/web:latest"));
    for (String bad : List.of("", "oci:", "docker:x", "ftp://x", "x", "dir:", "docker://")) {
      assertThatThrownBy(() -> TransportRef.parse(bad)).isInstanceOf(Problem.class);
    }
  }

  @Test
  void saysThatAFolderIsNotThere() throws Exception {
    Path file = Files.writeString(dir.resolve("file"), "x");
    for (String transport : List.of("oci:", "dir:")) {
      assertThatThrownBy(() -> load(TransportRef.parse(transport + dir.resolve("none")), "x"))
          .isInstanceOf(Problem.class)
          .hasMessage("there is no folder " + dir.resolve("none"));
      assertThatThrownBy(() -> load(TransportRef.parse(transport + file), "x"))
          .hasMessage(file + " is not a folder");
    }
  }

  @Test
  void aManifestThatIsNoneIsToldWithItsFile() throws Exception {
    Path folder = Files.createDirectory(dir.resolve("stick"));
    Files.writeString(folder.resolve("manifest.json"), "{\"schemaVersion\": 2,");
    assertThatThrownBy(() -> load(TransportRef.parse("dir:" + folder), "x"))
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.CORRUPT))
        .hasMessageStartingWith(folder + "/manifest.json: the manifest is not valid JSON");
    Digest digest = Digest.sha256("{}".getBytes(StandardCharsets.UTF_8));
    Path layout = Files.createDirectory(dir.resolve("layout"));
    Path blobs = Files.createDirectories(layout.resolve("blobs/sha256"));
    Files.writeString(blobs.resolve(digest.hex()), "{}");
    Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
    Files.writeString(
        layout.resolve("index.json"),
        "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":2}]}"
            .formatted(MediaTypes.OCI_MANIFEST, digest));
    Path tar = dir.resolve("layout.tar");
    Command.of("tar", "-C", layout.toString(), "-cf", tar.toString(), ".").run();
    assertThatThrownBy(() -> load(TransportRef.parse("oci:" + layout), "x"))
        .hasMessageStartingWith(blobs.resolve(digest.hex()) + ": ");
    assertThatThrownBy(() -> load(TransportRef.parse("oci-archive:" + tar), "x"))
        .hasMessageStartingWith(tar + ": blobs/sha256/" + digest.hex() + ": ");
  }
}
