package slipway.cli.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.cli.Main;
import slipway.cli.output.ProgressKind;
import slipway.disk.DiskSizes;
import slipway.linux.mount.Mount;
import slipway.linux.mount.Mounts;
import slipway.oci.copy.ImageSink;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.store.LocalStore;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** bootc-image-builder's command line, held against the reference's. */
class ImageBuilderToolTest {
  private static final String AWS = "--aws-ami-name a --aws-bucket b --aws-region c";

  @TempDir Path dir;

  private record Ran(int status, String out, String err) {}

  private static Ran run(String program, String... words) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int status =
        Main.run(
            program,
            words,
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8));
    return new Ran(
        status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  /** With a store that has an image of this machine and one of another architecture. */
  private Ran builder(String line) throws Exception {
    Path state = dir.resolve("state");
    if (!Files.exists(state)) {
      Platform other =
          new Platform(
              "linux", Platform.host().architecture().equals("arm64") ? "amd64" : "arm64", null);
      put(state, "os:1", Platform.host());
      put(state, "other:1", other);
    }
    List<String> words = new ArrayList<>(List.of(line.strip().split(" +")));
    words.addAll(List.of("--root", state.toString()));
    return run("bootc-image-builder", words.toArray(String[]::new));
  }

  private static void put(Path state, String name, Platform platform) throws Exception {
    byte[] config = ImageConfig.of(platform, null, Map.of(), List.of()).toJson();
    Descriptor blob = Descriptor.of(MediaTypes.OCI_CONFIG, Digest.sha256(config), config.length);
    try (LocalStore store = LocalStore.open(state.resolve("store"));
        ImageSink sink = store.sink(LocalStore.localName(name))) {
      sink.putBlob(blob, offset -> new ByteArrayInputStream(config));
      sink.putManifest(Manifest.Image.of(blob, List.of(), Map.of()), sink.defaultTag());
    }
  }

  /** Name, verbs, and default of each flag of the reference; two dashes for none. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          log-level             | build manifest | error
          verbose               | build manifest | --
          type                  | build manifest | qcow2
          rootfs                | build manifest | --
          target-arch           | build manifest | --
          build-container       | build manifest | --
          installer-payload-ref | build manifest | --
          config                | build manifest | --
          local                 | build manifest | --
          tls-verify            | build manifest | --
          rpmmd                 | build manifest | /rpmmd
          use-librepo           | build manifest | true
          seed                  | build manifest | --
          no-default-kernel-args | build manifest | --
          output                | build          | .
          store                 | build          | /store
          chown                 | build          | --
          progress              | build          | auto
          aws-ami-name          | build          | --
          aws-bucket            | build          | --
          aws-region            | build          | --
          in-vm                 | build          | --
          """)
  void everyFlagIsTaken(String name, String verbs, String usual) {
    for (String verb : List.of("build", "manifest")) {
      Object command =
          verb.equals("build") ? new ImageBuilderTool.Build() : new ImageBuilderTool.Manifest();
      CommandSpec spec = new CommandLine(command).getCommandSpec();
      OptionSpec option = spec.findOption("--" + name);
      assertThat(option != null).as("%s of %s", name, verb).isEqualTo(verbs.contains(verb));
      if (option != null) {
        assertThat(option.defaultValue()).isEqualTo(usual.equals("--") ? null : usual);
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --type x os:1                  | 2 | unsupported image type "x", valid types are ami, anaconda-iso
          --type pxe --type raw os:1     | 2 | cannot mix ISO/disk images in request
          --type pxe --size 9G os:1      | 2 | --size does not go with --type pxe
          --type pxe-tar-xz --seed 1 os:1 | 2 | --seed does not go with --type pxe-tar-xz
          --type iso --size 9G os:1      | 2 | --size does not go with --type iso
          --type iso --dry-run os:1      | 2 | --dry-run does not go with --type iso
          --type iso --installer-mode x os:1 | 2 | --installer-mode takes interactive, confirm or
          --type iso --partition-table mbr os:1 | 2 | --partition-table does not go with --type iso
          --type iso --seed 1 os:1       | 2 | --seed does not go with --type iso
          --type iso --no-default-kernel-args os:1 | 2 | --no-default-kernel-args does not go with
          --type iso --type raw os:1     | 2 | cannot mix ISO/disk images in request
          --rootfs zfs os:1              | 2 | unknown root file system "zfs"
          --partition-table sun os:1     | 2 | unknown partition table "sun"; there are gpt and mbr
          --progress fast os:1           | 2 | unknown progress type: "fast"
          --log-level loud os:1          | 2 | --log-level takes debug, info or error
          --in-vm os:1                   | 2 | --in-vm is not here
          --local=false os:1             | 2 | make sure to pull the container image before
          --installer-payload-ref x os:1 | 2 | --installer-payload-ref belongs to --type bootc-installer
          --seed x os:1                  | 2 | --seed takes a whole number
          --target-arch vax os:1         | 2 | --target-arch "vax" is no architecture
          --chown root os:1              | 2 | --chown takes UID[:GID]
          --config c.yaml os:1           | 1 | config file c.yaml
          --type iso --config LUKS os:1  | 1 | partitions[0].luks: partitions are encrypted in disk images alone
          -v                             | 2 | IMAGE is missing
          os:1 os:2                      | 2 | unexpected argument "os:2"
          --aws-bucket b --aws-region c --type ami os:1 | 2 | must all be set; missing [aws-ami-name]
          AWS os:1                       | 2 | aws flags set for non-ami image type (type is set to qcow2)
          AWS --type ami os:1            | 2 | --aws-ami-name "a" is none that AWS takes
          --type ami missing:1           | 1 | missing:1
          other:1                        | 1 | does not match available arches [
          os:1                           | 1 | it lacks the label containers.bootc=1
          build os:1                     | 1 | it lacks the label containers.bootc=1
          manifest os:1                  | 1 | it lacks the label containers.bootc=1
          --log-level debug manifest os:1 | 1 | it lacks the label containers.bootc=1
          --store /store --rpmmd /rpmmd --use-librepo=false -v os:1 | 1 | it lacks the label containers.bootc=1
          --local --tls-verify=false os:1 | 1 | it lacks the label containers.bootc=1
          """)
  void whatIsWrongIsOneSentence(String line, int status, String words) throws Exception {
    Path luks = dir.resolve("luks.toml");
    Files.writeString(
        luks,
        """
        [[customizations.disk.partitions]]
        mountpoint = "/"
        minsize = 1
        luks.passphrase = "x"
        """);
    Ran ran = builder(line.replace("AWS", AWS).replace("LUKS", luks.toString()));
    assertThat(ran.err().lines().filter(l -> !l.startsWith("warning: ")))
        .singleElement()
        .asString()
        .startsWith("error: ")
        .contains(words);
    assertThat(ran.status()).isEqualTo(status);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --local          | warning: --local is deprecated and now the default
          --tls-verify     | warning: --tls-verify is deprecated: it is for containers
          --build-container x | warning: --build-container does nothing
          """)
  void whatDoesNothingIsTold(String flag, String words) throws Exception {
    assertThat(builder(flag + " os:1").err()).contains(words);
    assertThat(builder("manifest " + flag + " os:1").err()).contains(words);
  }

  @Test
  void anImageOfAnotherArchitectureIsRefused() throws Exception {
    String host = Platform.host().architecture();
    String other = host.equals("arm64") ? "amd64" : "arm64";
    assertThat(builder("--target-arch " + other + " os:1").err())
        .contains("os:1")
        .contains(host)
        .contains(other);
    assertThat(builder("--target-arch " + other + " other:1").err())
        .contains("it lacks the label containers.bootc=1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"version", "--version", "-v version"})
  void theVersionIsThreeLines(String line) {
    Ran ran = run("bootc-image-builder", line.split(" "));
    assertThat(ran.out().lines().map(l -> l.replaceFirst(": .*", "")))
        .containsExactly("build_revision", "build_time", "build_tainted");
    assertThat(ran.status()).isZero();
  }

  @Test
  void itIsAWordOfSlipwayToo() {
    assertThat(run("slipway", "bootc-image-builder", "--type", "x", "os:1").err())
        .startsWith("error: unsupported image type \"x\"");
    assertThat(run("bootc-image-builder", "help", "build").out())
        .contains("Usage: bootc-image-builder build");
  }

  @Test
  void aContainerWithoutPrivilegesIsRefused() throws Exception {
    BuilderContainer container = new BuilderContainer(dir);
    container.require();
    Path mark = Files.createDirectories(dir.resolve("run")).resolve(".containerenv");
    Files.writeString(mark, "engine=\"podman-5.4.2\"\nrootless=1\n");
    assertThatThrownBy(container::require)
        .isInstanceOf(Problem.class)
        .hasMessageContaining("must be run in rootful (not rootless) podman");
    Files.writeString(mark, "engine=\"podman-5.4.2\"\nrootless=0\n");
    Path sys = Files.createDirectories(dir.resolve("sys"));
    container.require();
    try (Mount m = Mount.of("tmpfs", sys, "tmpfs", Mounts.MS_RDONLY, "size=1m")) {
      assertThat(m.target()).isEqualTo(sys);
      assertThatThrownBy(container::require)
          .hasMessageContaining("this command requires a privileged container");
    }
  }

  /** The guides' lines mount the config at the root, and name it without a slash. */
  @Test
  void aConfigIsFoundAtTheRootOfAContainer() throws Exception {
    BuilderContainer container = new BuilderContainer(dir);
    Path mounted = Files.createFile(dir.resolve("mounted.toml"));
    Path name = Path.of("mounted.toml");
    assertThat(container.named(name)).isEqualTo(name);
    Files.createFile(Files.createDirectories(dir.resolve("run")).resolve(".containerenv"));
    assertThat(container.named(name)).isEqualTo(mounted);
    assertThat(container.named(Path.of("none.toml"))).isEqualTo(Path.of("none.toml"));
    assertThat(container.named(Path.of("pom.xml"))).isEqualTo(Path.of("pom.xml"));
  }

  @Test
  void sizesOfADiskThatCannotBeAreToldInJsonToo() {
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    Problem tooSmall = Problem.input("too small");
    DiskSizes sizes = new DiskSizes(List.of(), 5, null, "ext4", tooSmall);
    assertThatThrownBy(
            () -> DryRun.print(sizes, true, new PrintWriter(said, false, StandardCharsets.UTF_8)))
        .isSameAs(tooSmall);
    JsonNode told = new JsonMapper().readTree(said.toString(StandardCharsets.UTF_8));
    assertThat(told.path("least").asLong()).isEqualTo(5);
    assertThat(told.path("size").isNull()).isTrue();
    assertThat(told.path("partitions").isArray()).isTrue();
  }

  @Test
  void programsAreToldInJson() {
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    PrintStream err = new PrintStream(said, true, StandardCharsets.UTF_8);
    Progress progress = ProgressKind.JSON.to(err);
    progress.note("a \"note\"");
    try (Progress.Task task = progress.start("layer 1", 10)) {
      task.advance(10);
    }
    try (Progress.Phases phases = progress.phases("packages")) {
      phases.at("first");
    }
    JsonMapper mapper = new JsonMapper();
    List<JsonNode> lines =
        said.toString(StandardCharsets.UTF_8).lines().map(mapper::readTree).toList();
    assertThat(lines.stream().map(l -> l.path("type").asString()))
        .containsExactly("note", "begin", "end", "begin", "progress", "end");
    assertThat(lines.getFirst().path("message").asString()).isEqualTo("a \"note\"");
    assertThat(lines.get(2).path("bytes").asLong()).isEqualTo(10);
    assertThat(lines.get(2).path("bytes_total").asLong()).isEqualTo(10);
    assertThat(lines.get(4).path("message").asString()).isEqualTo("first");
  }
}
