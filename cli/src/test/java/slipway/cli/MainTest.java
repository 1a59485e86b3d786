package slipway.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.channels.Channels;
import java.nio.channels.Pipe;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.cli.disk.DiskCommand;
import slipway.cli.image.ImagesCommand;
import slipway.cli.output.StandardOutput;
import slipway.cli.output.Steps;
import slipway.cli.output.TerminalProgress;
import slipway.linux.mount.Mount;
import slipway.linux.process.Command;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.store.LocalStore;
import slipway.oci.transport.SavedImages;

class MainTest {
  @TempDir Path state;

  @ParameterizedTest
  @ValueSource(strings = {"", "1"})
  void tellsWhereAFailureComesFromWhenThatIsAsked(String asked) {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    Command command =
        Command.of(java, "--enable-native-access=ALL-UNNAMED", "slipway.cli.Main", "inspect", "x")
            .environment("CLASSPATH", System.getProperty("java.class.path"))
            .environment("SLIPWAY_STATE", state.toString())
            .environment("SLIPWAY_DEBUG", asked);
    assertThat(command.tryRun().stderr().contains("\tat slipway.")).isEqualTo(!asked.isEmpty());
  }

  /** It fails by itself when one of its commands does not end as it should. */
  @Test
  @Tag("slow")
  void trainsTheJvm() {
    for (InternalsCommand.Commands commands : InternalsCommand.Commands.values()) {
      assertThatCode(() -> InternalsCommand.train(commands)).doesNotThrowAnyException();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"nonsense", "--nonsense", "images --nonsense", "disk", "rmi", "vm run"})
  void wrongUsageEndsWithTwo(String line) {
    Ran ran = Ran.of("slipway", line.split(" "));
    assertThat(ran.status()).isEqualTo(2);
    assertThat(ran.err()).startsWith("error: ");
    assertThat(ran.out()).isEmpty();
  }

  /** As a shell starts it: what is printed goes to a full disk, or nowhere. */
  @ParameterizedTest
  @Tag("slow")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          >/dev/full | --version           | No space left on device; make room on that file system
          >/dev/full | help                | No space left on device; make room on that file system
          >/dev/full | help images         | No space left on device; make room on that file system
          >/dev/full | images --json       | No space left on device; make room on that file system
          >/dev/full | completion bash     | No space left on device; make room on that file system
          >&-        | help                | Bad file descriptor
          """)
  void aCommandWhoseOutputIsLostFails(String where, String line, String why) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "sh",
                "-c",
                "exec \"$@\" " + where,
                "sh",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:-UsePerfData",
                "-cp",
                System.getProperty("java.class.path"),
                "slipway.cli.Main"));
    words.addAll(List.of(line.split(" ")));
    Command.Result result =
        Command.of(words).environment("SLIPWAY_STATE", state.toString()).tryRun();
    assertThat(result.stderr()).endsWith("error: cannot write to standard output: " + why + "\n");
    assertThat(result.status()).isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource
  void everyCommandLooksWhetherItsOutputIsLost(Verb verb) throws Exception {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    try (FileOutputStream full = new FileOutputStream("/dev/full")) {
      String[] line = {verb.word(), "--help"};
      PrintStream said = new PrintStream(err, true, StandardCharsets.UTF_8);
      assertThat(Main.run(verb.program().word(), line, StandardOutput.of(full), said)).isEqualTo(1);
    }
    assertThat(err.toString(StandardCharsets.UTF_8))
        .isEqualTo(
            "error: cannot write to standard output: No space left on device; make room on that"
                + " file system\n");
  }

  /** Such as {@code head}, which has read enough. */
  @Test
  void aReaderWhoLeavesIsNoFailure() throws Exception {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Pipe pipe = Pipe.open();
    pipe.source().close();
    try (Pipe.SinkChannel sink = pipe.sink()) {
      StandardOutput out = StandardOutput.of(Channels.newOutputStream(sink));
      PrintStream said = new PrintStream(err, true, StandardCharsets.UTF_8);
      assertThat(Main.run("slipway", new String[] {"help"}, out, said)).isZero();
    }
    assertThat(err.toString(StandardCharsets.UTF_8)).isEmpty();
  }

  @Test
  void aFileSystemWithoutInodesIsNotToldToBeFullOfBytes(@TempDir Path dir) throws Exception {
    try (Mount small = Mount.of("tmpfs", dir, "tmpfs", 0, "nr_inodes=20")) {
      assertThatThrownBy(
              () -> {
                for (int i = 0; ; i++) {
                  AtomicFile.write(dir.resolve("file" + i), "text");
                }
              })
          .isInstanceOf(IOException.class)
          .satisfies(
              e ->
                  assertThat(Main.sentence(e))
                      .startsWith("the file system of " + dir.resolve(".file"))
                      .contains(" has no inodes left")
                      .endsWith("; remove files there"));
    }
  }

  @Test
  void anEmptyStoreIsAnEmptyList() {
    assertThat(Ran.of("slipway", "images", "--root", state.toString(), "--json").out().strip())
        .matches("\\[\\s*]");
    assertThat(Ran.of("slipway", "images", "--root", state.toString()).out())
        .startsWith("REPOSITORY")
        .hasLineCount(1);
    Ran ran = Ran.of("slipway", "inspect", "--root", state.toString(), "x");
    assertThat(ran.status()).isEqualTo(1);
    assertThat(ran.err()).contains("no image \"x\" in the local store");
  }

  /** As {@code pull NAME@DIGEST} of an index leaves it. */
  @Test
  void theImageThatIsHereStandsForAnIndexOfMore() throws Exception {
    byte[] config = ImageConfig.empty(Platform.host()).toJson();
    Descriptor blob = Descriptor.of(MediaTypes.OCI_CONFIG, config);
    Manifest.Image image = Manifest.Image.of(blob, List.of(), Map.of());
    Descriptor other = Descriptor.of(MediaTypes.OCI_MANIFEST, Digest.sha256(new byte[] {1}), 1);
    Manifest.Index index =
        Manifest.Index.of(
            List.of(
                on(other, new Platform("linux", "s390x", null)),
                on(image.descriptor(), Platform.host())),
            Map.of());
    String name = "localhost/multi@" + index.digest();
    try (LocalStore store = LocalStore.open(state.resolve("store"));
        ImageSink sink = store.sink(Reference.parse(name))) {
      sink.putBlob(blob, offset -> new ByteArrayInputStream(config));
      sink.putManifest(image, null);
      sink.putManifest(index, name);
    }
    String root = state.toString();
    String id = blob.digest().brief();
    assertThat(Ran.of("slipway", "images", "-q", "--root", root).out().strip()).isEqualTo(id);
    assertThat(Ran.of("slipway", "inspect", "--root", root, name).out())
        .contains(image.digest().toString());
    Path archive = state.resolve("x.tar");
    assertThat(
            Ran.of("slipway", "save", "-q", "--root", root, "-o", archive.toString(), name).err())
        .isEmpty();
    try (ImageSource saved = SavedImages.open(archive)) {
      assertThat(saved.images())
          .containsExactly(new ImageSource.Held(image.digest().toString(), List.of()));
    }
    assertThat(Ran.of("slipway", "tag", "--root", root, name, "web:1").status()).isZero();
    assertThat(Ran.of("slipway", "rmi", "--root", root, id).out())
        .contains("Untagged: " + name, "Untagged: localhost/web:1");
    try (LocalStore store = LocalStore.open(state.resolve("store"))) {
      assertThat(store.has(blob.digest())).isFalse();
    }
  }

  private static Descriptor on(Descriptor manifest, Platform platform) {
    return new Descriptor(
        manifest.mediaType(), manifest.digest(), manifest.size(), Map.of(), platform, null);
  }

  @Test
  void sizesAreReadAndWritten() {
    assertThat(DiskCommand.Build.bytes("20G", "--size")).isEqualTo(20L << 30);
    assertThat(DiskCommand.Build.bytes("512 MiB", "--size")).isEqualTo(512L << 20);
    assertThat(DiskCommand.Build.bytes("4096", "--size")).isEqualTo(4096);
    assertThatThrownBy(() -> DiskCommand.Build.bytes("big", "--size"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("\"big\" is not a size");
    assertThat(TerminalProgress.bytes(999)).isEqualTo("999 B");
    assertThat(TerminalProgress.bytes(12_340_000)).isEqualTo("12.3 MB");
    Instant now = Instant.parse("2026-01-02T00:00:00Z");
    assertThat(ImagesCommand.ago(now.minusSeconds(7200), now)).isEqualTo("2 hours ago");
  }

  @Test
  void aFailedStepSaysWhichItWas() {
    StringWriter text = new StringWriter();
    Steps steps = new Steps(new PrintWriter(text), 2);
    assertThatThrownBy(
            () ->
                steps.run(
                    "break",
                    () -> {
                      throw Problem.input("broken");
                    }))
        .hasMessage("broken");
    assertThat(text.toString()).contains("[ 1/2] break").contains("failed after");
  }

  @Test
  void registriesHaveAStorageAndTakeTheOldName() {
    String busy = state.resolve("none").toString();
    for (String name : new String[] {"--storage", "--root"}) {
      Ran ran = Ran.of("slipway", "registry", "serve", name, busy, "--addr", "nowhere");
      assertThat(ran.status()).isEqualTo(2);
      assertThat(ran.err()).contains("\"nowhere\" is not an address to listen on");
    }
    Ran ran = Ran.of("slipway", "registry", "repair", "--storage", busy);
    assertThat(ran.status()).isEqualTo(1);
    assertThat(ran.err()).contains("there is no directory " + busy);
  }
}
