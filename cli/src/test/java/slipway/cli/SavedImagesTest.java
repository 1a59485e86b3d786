package slipway.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.linux.process.Command;
import slipway.oci.copy.ImageSink;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.store.LocalStore;

/** What {@code save} writes, {@code load} reads: archives, folders, and standard input. */
class SavedImagesTest {
  private static final String NAME = "localhost/web:1";

  @TempDir Path dir;
  private String root = "";
  private String other = "";
  private Digest config = Digest.sha256(new byte[0]);

  private static Ran run(String... arguments) {
    return Ran.of("slipway", arguments);
  }

  @BeforeEach
  void prepare() throws Exception {
    root = dir.resolve("state").toString();
    other = dir.resolve("other").toString();
    config = put(NAME, "");
  }

  /** An image with one layer, the same for all, and a config of its own; gives the config. */
  private Digest put(String name, String author) throws Exception {
    Path file = Files.writeString(dir.resolve("file"), "x".repeat(5000));
    byte[] tar =
        Command.of("tar", "-C", dir.toString(), "--mtime=@0", "-cf", "-", "file").run().stdout();
    Files.delete(file);
    byte[] json =
        ImageConfig.of(Platform.host(), null, Map.of("author", author), List.of(Digest.sha256(tar)))
            .toJson();
    Descriptor layer = Descriptor.of(MediaTypes.OCI_LAYER, tar);
    Descriptor description = Descriptor.of(MediaTypes.OCI_CONFIG, json);
    try (LocalStore store = LocalStore.open(Path.of(root, "store"));
        ImageSink sink = store.sink(LocalStore.localName(name))) {
      sink.putBlob(layer, at -> new ByteArrayInputStream(tar));
      sink.putBlob(description, at -> new ByteArrayInputStream(json));
      Manifest.Image image = Manifest.Image.of(description, List.of(layer), Map.of());
      sink.putManifest(image, sink.defaultTag());
    }
    return description.digest();
  }

  private Path save(String format) {
    Path saved = dir.resolve("saved-" + format);
    Ran ran = run("save", "--root", root, "--format", format, "-o", saved.toString(), NAME);
    assertThat(ran).isEqualTo(new Ran(0, "", ran.err()));
    return saved;
  }

  /** Not once for each name: that would be a gigabyte for three thousand of them. */
  @Test
  @Tag("slow")
  void theNamesOfAnArchiveAreWrittenAtOnce() throws Exception {
    Path saved = save("docker-archive");
    Path parts = Files.createDirectory(dir.resolve("parts"));
    Command.of("tar", "-C", parts.toString(), "-xf", saved.toString()).run();
    Path manifest = parts.resolve("manifest.json");
    String names =
        IntStream.range(0, 3000)
            .mapToObj("\"localhost/web:v%d\""::formatted)
            .collect(Collectors.joining(","));
    String text = Files.readString(manifest).replaceAll("(\"RepoTags\":\\[)[^\\]]*", "$1" + names);
    Files.writeString(manifest, text);
    Path many = dir.resolve("many.tar");
    Command.of("tar", "-C", parts.toString(), "-cf", many.toString(), ".").run();
    long before = written();
    Ran loaded = run("load", "--root", other, "-i", many.toString());
    assertThat(loaded.status()).as(loaded.err()).isZero();
    assertThat(loaded.out()).hasLineCount(3000);
    assertThat(written() - before).isLessThan(50_000_000);
    assertThat(run("images", "--root", other).out()).hasLineCount(3001).contains(" v2999 ");
  }

  /** Bytes that this process has written (proc_pid_io(5)). */
  private static long written() throws Exception {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/io"))) {
      return lines
          .filter(line -> line.startsWith("wchar: "))
          .mapToLong(line -> Long.parseLong(line.substring("wchar: ".length())))
          .sum();
    }
  }

  private void assertLoaded(String id) {
    try (LocalStore store = LocalStore.open(Path.of(other, "store"))) {
      Manifest.Image image = store.image(id, Platform.host());
      assertThat(image.config().digest()).isEqualTo(config);
      assertThat(image.layers()).hasSize(1).allMatch(l -> store.has(l.digest()));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"oci-archive", "oci-dir", "docker-archive", "docker-dir"})
  void eachFormatIsLoaded(String format) {
    Path saved = save(format);
    Ran ran = run("load", "--root", other, "-q", "-i", saved.toString());
    boolean named = !format.equals("docker-dir"); // It holds no name, as podman's does not.
    assertThat(ran.err()).isEmpty();
    assertThat(ran.out()).startsWith("Loaded image: " + (named ? NAME : "sha256:")).hasLineCount(1);
    assertLoaded(named ? NAME : config.toString());
  }

  /** A process of its own, which has a standard input. */
  private Command.Result load(byte[] input, String... arguments) {
    return Command.of(Path.of(System.getProperty("java.home"), "bin/java").toString())
        .with("--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"))
        .with(Main.class.getName(), "load", "--root", other, "-q")
        .with(arguments)
        .stdin(input)
        .tryRun();
  }

  @ParameterizedTest
  @Tag("slow")
  @CsvSource({"oci-archive, ''", "docker-archive, '-i -'"})
  void anArchiveComesThroughAPipe(String format, String option) throws Exception {
    byte[] archive = Files.readAllBytes(save(format));
    Command.Result loaded = load(archive, option.isEmpty() ? new String[0] : option.split(" "));
    assertThat(loaded.stderr()).isEmpty();
    assertThat(loaded.text()).isEqualTo("Loaded image: " + NAME + "\n");
    assertLoaded(NAME);
  }

  @Test
  @Tag("slow")
  void whatDoesNotComeWholeIsTold() throws Exception {
    byte[] archive = Files.readAllBytes(save("oci-archive"));
    assertThat(load(new byte[0]).stderr())
        .startsWith("error: standard input is empty; name what slipway, podman or docker save");
    assertThat(load(Arrays.copyOf(archive, 3000)).stderr())
        .startsWith("error: standard input was cut off: it ends within blobs/sha256/")
        .endsWith(" bytes; copy or save it again\n");
    Path cut = Files.write(dir.resolve("cut.tar"), Arrays.copyOf(archive, 1024));
    assertThat(run("load", "--root", other, "-i", cut.toString()).err())
        .startsWith(
            "error: %s was cut off: it ends without an end mark and lacks index.json"
                .formatted(cut));
    Path text = Files.writeString(dir.resolve("text"), "hello");
    assertThat(run("load", "--root", other, "-i", text.toString()).err())
        .isEqualTo(
            "error: %s is not a tar, or a damaged one (it has 5 bytes); copy or save it again\n"
                .formatted(text));
    Path folder = Files.createDirectory(dir.resolve("folder"));
    assertThat(run("load", "--root", other, "-i", folder.toString()).err())
        .startsWith("error: the folder " + folder + " holds no images: it has neither index.json");
    Path missing = dir.resolve("missing");
    assertThat(run("load", "--root", other, "-i", missing.toString()).err())
        .isEqualTo("error: there is no archive " + missing + "\n");
  }

  /** Nothing of a folder is opened that would never end. */
  @ParameterizedTest
  @CsvSource({"oci-dir, index.json", "docker-dir, ''"})
  void aFolderWithAPipeIsRefused(String format, String file) throws Exception {
    Path saved = save(format);
    Path blob = file.isEmpty() ? saved.resolve(config.hex()) : blob(saved);
    Files.delete(blob);
    Command.of("mkfifo", blob.toString()).run();
    assertThat(run("load", "--root", other, "-q", "-i", saved.toString()).err())
        .isEqualTo("error: " + blob + " is a pipe, not a regular file\n");
  }

  @ParameterizedTest
  @CsvSource({
    "oci-dir, blobs",
    "oci-dir, blobs/sha256",
    "oci-dir, index.json",
    "docker-dir, manifest.json"
  })
  void aFolderThatLeadsOutOfItselfIsRefused(String format, String name) throws Exception {
    Path saved = save(format);
    Path elsewhere = dir.resolve("elsewhere");
    Files.move(saved.resolve(name), elsewhere);
    Files.createSymbolicLink(saved.resolve(name), elsewhere);
    assertThat(run("load", "--root", other, "-q", "-i", saved.toString()).err())
        .startsWith("error: " + saved.resolve(name))
        .endsWith(" is a link that leads out; put the file itself there\n");
  }

  private Path blob(Path layout) {
    return layout.resolve("blobs/sha256").resolve(config.hex());
  }

  /** A layer that two images share is in the archive once, and was not there before. */
  @ParameterizedTest
  @Tag("slow")
  @ValueSource(strings = {"oci-archive", "oci-dir", "docker-archive"})
  void blobsOfTheSameSaveAreNotToldAsPresent(String format) throws Exception {
    put("localhost/web:2", "b");
    Path saved = dir.resolve("both");
    Command.Result ran =
        Command.of(Path.of(System.getProperty("java.home"), "bin/java").toString())
            .with("--enable-native-access=ALL-UNNAMED", "-cp")
            .with(System.getProperty("java.class.path"))
            .with(Main.class.getName(), "save", "--root", root, "--format", format)
            .with("-o", saved.toString(), NAME, "localhost/web:2")
            .tryRun();
    assertThat(ran.status()).isZero();
    assertThat(ran.stderr()).doesNotContain("already present");
  }
}
