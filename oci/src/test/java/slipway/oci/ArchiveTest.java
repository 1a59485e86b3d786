package slipway.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.archive.compress.Compression;
import slipway.archive.tar.TarIndex;
import slipway.base.Progress;
import slipway.linux.process.Command;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Transfer;
import slipway.oci.layout.OciLayout;
import slipway.oci.model.Json;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.oci.store.LocalStore;
import slipway.oci.transport.DockerArchive;
import slipway.oci.transport.OciArchive;
import slipway.oci.transport.SavedImages;
import tools.jackson.databind.JsonNode;

/** Archives with several images and names, and packed ones; skopeo and podman are the judges. */
class ArchiveTest {
  private static final Platform AMD64 = Platform.parse("linux/amd64");
  private static final Random RANDOM = Seeds.random("ArchiveTest");

  @TempDir Path dir;
  private LocalStore store;
  private Manifest.Image one;
  private Manifest.Image two;

  @BeforeEach
  void prepare() {
    store = LocalStore.open(dir.resolve("store"));
    one = Images.random(store, RANDOM, AMD64, 2);
    store.putManifest(one, LocalStore.localName("one:1"));
    two = Images.random(store, RANDOM, AMD64, 1);
    store.putManifest(two, LocalStore.localName("two:1"));
  }

  @AfterEach
  void end() {
    store.close();
  }

  private void save(ImageSink sink, Manifest image, String... names) throws IOException {
    Manifest copied =
        Transfer.copy(
            store.source(),
            image.digest().toString(),
            sink,
            names[0],
            Transfer.Options.all(),
            Progress.NONE);
    for (int i = 1; i < names.length; i++) {
      sink.putManifest(copied, names[i]);
    }
  }

  @Test
  void severalImagesWithSeveralNamesInOneOciArchive() throws Exception {
    Path file = dir.resolve("all.tar");
    try (ImageSink sink = OciArchive.sink(file, null)) {
      save(sink, one, "localhost/one:1", "localhost/one:2");
      save(sink, two, "localhost/two:1");
    }
    try (ImageSource archive = SavedImages.open(file)) {
      assertThat(archive.images())
          .containsExactly(
              new ImageSource.Held(
                  one.digest().toString(), List.of("localhost/one:1", "localhost/one:2")),
              new ImageSource.Held(two.digest().toString(), List.of("localhost/two:1")));
    }
    for (String name : List.of("localhost/one:1", "localhost/one:2", "localhost/two:1")) {
      byte[] raw =
          Command.of("skopeo", "inspect", "--raw", "oci-archive:" + file + ":" + name)
              .run()
              .stdout();
      assertThat(raw).isEqualTo((name.contains("one") ? one : two).bytes());
    }
  }

  @Test
  void anArchiveGoesWholeIntoAStream() throws Exception {
    java.io.ByteArrayOutputStream bytes = new java.io.ByteArrayOutputStream();
    try (ImageSink sink = OciArchive.sink(new java.io.BufferedOutputStream(bytes, 1 << 16))) {
      save(sink, one, "localhost/one:1");
    }
    Path file = java.nio.file.Files.write(dir.resolve("stream.tar"), bytes.toByteArray());
    try (ImageSource archive = SavedImages.open(file)) {
      assertThat(archive.images()).hasSize(1);
    }
  }

  @Test
  void severalImagesWithSeveralNamesInOneDockerArchive() throws Exception {
    Path file = dir.resolve("all.tar");
    try (ImageSink sink = DockerArchive.sink(file, null)) {
      save(sink, one, "localhost/one:1", "localhost/one:2");
      save(sink, two, "localhost/two:1");
    }
    JsonNode list =
        Json.read(Command.of("tar", "-xOf", file.toString(), "manifest.json").run().stdout());
    assertThat(list).hasSize(2);
    assertThat(list.get(0).path("RepoTags")).hasSize(2);
    for (String name : List.of("localhost/one:1", "localhost/one:2", "localhost/two:1")) {
      Command.of(
              "skopeo",
              "copy",
              "docker-archive:" + file + ":" + name,
              "dir:" + dir.resolve("judge-" + name.substring(10).replace(':', '-')))
          .run();
    }
    Path podman = dir.resolve("podman");
    String loaded =
        Command.of(
                "podman",
                "--root",
                podman + "/root",
                "--runroot",
                podman + "/run",
                "--storage-driver=vfs",
                "load",
                "-i",
                file.toString())
            .run()
            .text();
    assertThat(loaded).contains("localhost/one:1", "localhost/one:2", "localhost/two:1");
    try (ImageSource archive = SavedImages.open(file)) {
      assertThat(archive.images()).hasSize(2);
      assertThat(archive.images().getFirst().names())
          .containsExactly("localhost/one:1", "localhost/one:2");
    }
  }

  /** A failure after the first of several leaves no archive. */
  @ParameterizedTest
  @ValueSource(strings = {"oci", "docker"})
  void halfOfAnArchiveIsNone(String kind) throws Exception {
    Path file = dir.resolve("all.tar");
    try (ImageSink sink =
        kind.equals("oci") ? OciArchive.sink(file, null) : DockerArchive.sink(file, null)) {
      save(sink, one, "localhost/one:1");
      sink.abandon();
    }
    assertThat(file).doesNotExist();
  }

  /** docker and containerd write the tag alone as the reference, and the name beside it. */
  @Test
  void containerdsNamesAreWhole() throws Exception {
    Path layout = dir.resolve("layout");
    try (ImageSink sink = OciLayout.create(layout, null)) {
      save(sink, one, "1");
      save(sink, two, "2");
    }
    Path index = layout.resolve("index.json");
    String text = Files.readString(index, StandardCharsets.UTF_8);
    String form =
        "\"io.containerd.image.name\":\"docker.io/library/%s:1\","
            + "\"org.opencontainers.image.ref.name\":\"1\"";
    Files.writeString(
        index,
        text.replace("\"org.opencontainers.image.ref.name\":\"1\"", form.formatted("one"))
            .replace("\"org.opencontainers.image.ref.name\":\"2\"", form.formatted("two")));
    Path file = dir.resolve("docker.tar");
    Command.of("tar", "-cf", file.toString(), "-C", layout.toString(), ".").run();
    try (ImageSource archive = SavedImages.open(file)) {
      assertThat(archive.images())
          .flatExtracting(ImageSource.Held::names)
          .containsExactly("docker.io/library/one:1", "docker.io/library/two:1");
      assertThat(archive.manifest("docker.io/library/two:1")).isEqualTo(two);
    }
  }

  @ParameterizedTest
  @CsvSource({"xz,-9", "bzip2,-9", "gzip,-1", "zstd,-3"})
  void packedArchivesAreRead(String program, String level) throws Exception {
    Path file = dir.resolve("one.tar");
    try (ImageSink sink = OciArchive.sink(file, null)) {
      save(sink, one, "localhost/one:1");
    }
    byte[] packed = Command.of(program, level, "-c", file.toString()).run().stdout();
    Path small = dir.resolve("one.tar.packed");
    Files.write(small, packed);
    try (ImageSource archive = SavedImages.open(small);
        LocalStore other = LocalStore.open(dir.resolve("other"));
        ImageSink sink = other.sink(LocalStore.localName("back"))) {
      Transfer.copy(archive, null, sink, null, Transfer.Options.all(), Progress.NONE);
      assertThat(other.find("back")).contains(one);
    }
    Files.write(small, java.util.Arrays.copyOf(packed, packed.length / 2));
    assertThatThrownBy(() -> SavedImages.open(small))
        .isInstanceOf(slipway.base.Problem.class)
        .hasMessageContaining("one.tar.packed cannot be decompressed");
  }

  /** What a compressed archive is unpacked into has no name, whatever ends the process. */
  @Test
  void unpacksIntoAFileWithoutAName() throws Exception {
    Path pipe = dir.resolve("pipe");
    Command.of("mkfifo", pipe.toString()).run();
    FutureTask<Void> reader =
        new FutureTask<>(
            () -> {
              TarIndex.open(pipe).close();
              return null;
            });
    Thread.ofPlatform().start(reader);
    try (OutputStream out = Files.newOutputStream(pipe);
        OutputStream packed = Compression.GZIP.compress(out, 1)) {
      byte[] noise = new byte[1 << 20];
      RANDOM.nextBytes(noise);
      packed.write(Images.tar("noise", noise)); // More than a pipe holds: the reader is at work.
      packed.flush();
      // The reader may be between making the file and taking its name away.
      while (!unpacked().stream().anyMatch(t -> t.endsWith(" (deleted)")) && !reader.isDone()) {
        Thread.onSpinWait();
      }
      assertThat(unpacked()).isNotEmpty().allMatch(target -> target.endsWith(" (deleted)"));
    }
    reader.get();
  }

  private static List<String> unpacked() throws IOException {
    List<String> targets = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path descriptor : all) {
        try {
          String target = Files.readSymbolicLink(descriptor).toString();
          if (target.matches(".*/slipway-[0-9]+\\.tar.*")) {
            targets.add(target);
          }
        } catch (NoSuchFileException e) {
          continue; // That of this look itself.
        }
      }
    }
    return targets;
  }
}
