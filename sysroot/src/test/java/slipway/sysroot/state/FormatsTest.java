package slipway.sysroot.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Problem;
import slipway.ostree.gvariant.GVariant;
import slipway.system.boot.PrepareRootConfig;
import slipway.system.kargs.KernelArguments;
import slipway.system.kargs.KernelArgumentsDirectory;
import slipway.system.osrelease.OsRelease;

/** The small formats: kernel command lines, boot entries, origins, prepare-root.conf. */
class FormatsTest {
  @Test
  void splitsAndChangesKernelArguments() {
    KernelArguments args =
        KernelArguments.parse("root=UUID=a  rw console=tty0 \"dyndbg=file a +p\" console=ttyS0\n");
    assertThat(args.list())
        .containsExactly(
            "root=UUID=a", "rw", "console=tty0", "\"dyndbg=file a +p\"", "console=ttyS0");
    assertThat(args.value("console")).contains("ttyS0");
    assertThat(args.value("rw")).contains("");
    assertThat(args.value("consol")).isEmpty();
    assertThat(args.withoutKey("console").list()).hasSize(3);
    assertThat(args.without("console=tty0").value("console")).contains("ttyS0");
    assertThat(KernelArguments.parse(args.toString())).isEqualTo(args);
  }

  @Test
  void keepsWhatIsQuotedByteForByte() {
    KernelArguments args = KernelArguments.parse(" foo=\"a  b\"\t\"ostree=/x y\" c", "k");
    assertThat(args.list()).containsExactly("foo=\"a  b\"", "\"ostree=/x y\"", "c");
    assertThat(args.value("foo")).contains("\"a  b\"");
    assertThat(args.value("ostree")).as("as the kernel reads it").contains("/x y");
    assertThat(args.withoutKey("ostree").list()).containsExactly("foo=\"a  b\"", "c");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"a=\"b", "a \" b", "a\nlinux /evil", "a\rb", "a\0b", "a\u001b[2J", "\udc80"})
  void refusesWhatNoBootMenuCanHold(String text) {
    assertThatThrownBy(() -> KernelArguments.parse(text, "c.toml: kernel.append"))
        .isInstanceOf(Problem.class)
        .message()
        .startsWith("c.toml: kernel.append: ")
        .matches("[ -~]*");
    String toml =
        "kargs = [\""
            + text.codePoints()
                .mapToObj("\\U%08X"::formatted)
                .collect(java.util.stream.Collectors.joining())
            + "\"]";
    if (!text.equals("\udc80")) {
      assertThatThrownBy(() -> KernelArgumentsDirectory.parse(toml, "/f.toml", "amd64"))
          .isInstanceOf(Problem.class)
          .hasMessageStartingWith("/f.toml:1: kargs: ");
    }
  }

  @Test
  void takesSeveralArgumentsOfOneStringApart() {
    KernelArguments old = KernelArgumentsDirectory.parse("kargs = [\"a=1 b=2\"]", "f", "amd64");
    assertThat(old).isEqualTo(KernelArguments.of("a=1", "b=2"));
    assertThat(
            KernelArguments.parse("root=1 a=1 b=2 mine")
                .followImage(old, KernelArguments.of("b=2")))
        .isEqualTo(KernelArguments.of("root=1", "b=2", "mine"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"a ", "a\", \""})
  void boundsWhatAnImageBrings(String piece) {
    String many = "kargs = [\"" + piece.repeat(300_000) + "a\"]";
    assertThatThrownBy(() -> KernelArgumentsDirectory.parse(many, "f.toml", "amd64"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("f.toml: more than 1000")
        .hasMessageContaining("--limit kernel-arguments=N");
  }

  @Test
  void refusesDeepTomlInOneSentence() {
    String deep = "kargs = " + "[".repeat(200_000) + "]".repeat(200_000);
    assertThatThrownBy(() -> KernelArgumentsDirectory.parse(deep, "f.toml", "amd64"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("f.toml");
    String tables = "a = " + "{a=".repeat(200_000) + "1" + "}".repeat(200_000);
    assertThatThrownBy(() -> KernelArgumentsDirectory.parse(tables, "f.toml", "amd64"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("f.toml");
    String dotted = "a" + ".a".repeat(200_000) + " = 1";
    assertThatThrownBy(() -> KernelArgumentsDirectory.parse(dotted, "f.toml", "amd64"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("f.toml");
  }

  @Test
  void followsTheImagesArgumentsAndKeepsLocalOnes() {
    KernelArguments current = KernelArguments.of("root=1", "quiet", "a=1", "mine", "b");
    assertThat(
            current.followImage(
                KernelArguments.of("quiet", "a=1", "gone"),
                KernelArguments.of("a=2", "b", "quiet")))
        .isEqualTo(KernelArguments.of("root=1", "quiet", "mine", "b", "a=2"));
  }

  @Test
  void readsKargsDirectoryFiles() {
    assertThat(
            KernelArgumentsDirectory.parse(
                "# c\nkargs = [\"a=b\", \"c\"]\nmatch-architectures = [\"x86_64\"]\n",
                "f",
                "amd64"))
        .isEqualTo(KernelArguments.of("a=b", "c"));
    assertThat(
            KernelArgumentsDirectory.parse(
                "kargs = [\"a\"]\nmatch-architectures = [\"x86_64\"]", "f", "arm64"))
        .isEqualTo(KernelArguments.NONE);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "kargs = 1|kargs is not a list of strings",
        "kargs = [1]|kargs is not a list of strings",
        "other = []|unknown key \"other\"",
        "match-architectures = []|kargs is missing",
        "kargs = [|f.toml:1"
      })
  void refusesWrongKargsFiles(String text, String message) {
    assertThatThrownBy(() -> KernelArgumentsDirectory.parse(text, "f.toml", "amd64"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(message)
        .hasMessageContaining("f.toml");
  }

  @Test
  void keepsBootEntriesAsTheyAre() {
    BootEntry entry =
        BootEntry.parse(
            "# by hand\nlinux /k\ntitle A B\nx-options-source-tuned a=1\ninitrd /i\ninitrd /j\n"
                + "options root=1 ostree=/o\nversion 2\n");
    assertThat(entry.toString())
        .isEqualTo(
            "title A B\nversion 2\noptions root=1 ostree=/o\nlinux /k\ninitrd /i\ninitrd /j\n"
                + "x-options-source-tuned a=1\n");
    assertThat(entry.extensions()).containsOnlyKeys("x-options-source-tuned");
    assertThat(entry.with("title", "C").get("title")).contains("C");
    String bare = "title A\nlinux /k\ngrub_users\n";
    assertThat(BootEntry.parse(bare).get("grub_users")).contains("");
    assertThat(BootEntry.parse(bare)).hasToString(bare);
    assertThatThrownBy(() -> entry.with("options", "a\nlinux /evil").toString())
        .isInstanceOf(Problem.class)
        .hasMessageContaining("options")
        .hasMessageContaining("a\\nlinux /evil");
  }

  @ParameterizedTest
  @CsvSource({
    "ostree-unverified-registry:quay.io/a/b:c,UNVERIFIED,'',registry,quay.io/a/b:c",
    "ostree-unverified-image:docker://quay.io/a/b:c,UNVERIFIED,'',registry,quay.io/a/b:c",
    "ostree-unverified-image:oci:/var/x:y,UNVERIFIED,'',oci,/var/x:y",
    "ostree-image-signed:docker://quay.io/a,CONTAINER_POLICY,'',registry,quay.io/a",
    "ostree-image-signed:registry:quay.io/a,CONTAINER_POLICY,'',registry,quay.io/a",
    "ostree-remote-registry:fedora:quay.io/a:b,OSTREE_REMOTE,fedora,registry,quay.io/a:b",
    "ostree-remote-image:fedora:oci:/x,OSTREE_REMOTE,fedora,oci,/x"
  })
  void readsImageReferences(
      String text,
      ContainerReference.Signature signature,
      String remote,
      String transport,
      String name) {
    ContainerReference reference = ContainerReference.parse(text);
    assertThat(reference).isEqualTo(new ContainerReference(signature, remote, transport, name));
    assertThat(ContainerReference.parse(reference.toString())).isEqualTo(reference);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "quay.io/a",
        "ostree-remote-registry:x",
        "ostree-unverified-image:x",
        "ostree-remote-image::a:b"
      })
  void refusesOtherReferences(String text) {
    assertThatThrownBy(() -> ContainerReference.parse(text)).isInstanceOf(Problem.class);
  }

  @Test
  void changesOrigins() {
    Origin origin =
        Origin.parse(
            "[origin]\ncontainer-image-reference=ostree-image-signed:docker://a/b\n\n[x]\ny=z\n",
            "o");
    assertThat(origin.pinned()).isFalse();
    Origin pinned = origin.withPinned(true);
    assertThat(pinned.pinned()).isTrue();
    assertThat(pinned.toString()).contains("[libostree-transient]\npinned=true").contains("y=z");
    assertThat(pinned.withoutTransientState().pinned()).isFalse();
    assertThat(Origin.parse("[packages]\nrequested=vim\n", "o").modifiedByRpmOstree()).isTrue();
    assertThat(origin.container().orElseThrow().name()).isEqualTo("a/b");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''|NO|false",
        "[composefs]^enabled=yes|YES|true",
        "[composefs]^enabled=true^[sysroot]^readonly=false|YES|false",
        "[composefs]^enabled=maybe|MAYBE|true",
        "[composefs]^enabled=signed|SIGNED|true",
        "[composefs]^enabled = verity|VERITY|true",
        "[sysroot]^readonly=true|NO|true"
      })
  void readsPrepareRoot(String text, PrepareRootConfig.Composefs composefs, boolean readonly) {
    PrepareRootConfig config = PrepareRootConfig.parse(text.replace('^', '\n'), "p");
    assertThat(config.composefs()).isEqualTo(composefs);
    assertThat(config.readonlySysroot()).isEqualTo(readonly);
  }

  @Test
  void refusesAnUnknownComposefsMode() {
    assertThatThrownBy(() -> PrepareRootConfig.parse("[composefs]\nenabled=sure\n", "p"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("enabled=sure");
  }

  @Test
  void readsOsRelease() {
    assertThat(OsRelease.parse("A=b\nPRETTY_NAME=\"x \\\"y\\\" \\$z\"\n#C=d\nE='q w'\n"))
        .containsExactlyInAnyOrderEntriesOf(
            Map.of("A", "b", "PRETTY_NAME", "x \"y\" $z", "E", "q w"));
  }

  @Test
  void keepsUnknownKeysOfAStagedDeployment(@org.junit.jupiter.api.io.TempDir java.nio.file.Path dir)
      throws Exception {
    StagedFile file =
        new StagedFile(
            new StagedFile.Name("default", "ab".repeat(32) + ".3", "cd".repeat(32)),
            new StagedFile.Name("default", "ef".repeat(32) + ".0", "cd".repeat(32)),
            KernelArguments.of("a", "b=c"),
            Map.of("x-options-source-tuned", "a=1"),
            true,
            Map.of("overlay-initrds", GVariant.strings(List.of("q"))));
    java.nio.file.Path path = dir.resolve("staged");
    file.write(path);
    StagedFile again = StagedFile.read(path);
    assertThat(again.target()).isEqualTo(file.target());
    assertThat(again.merge()).isEqualTo(file.merge());
    assertThat(again.kargs()).isEqualTo(file.kargs());
    assertThat(again.extensions()).isEqualTo(file.extensions());
    assertThat(again.locked()).isTrue();
    assertThat(again.others()).containsOnlyKeys("overlay-initrds");
    assertThat(again.withLocked(false).encode()).isNotEqualTo(file.encode());
  }

  @ParameterizedTest
  @ValueSource(strings = {"../../etc.0", "ab.0", "x", ""})
  void refusesHostileStagedNames(String id) {
    GVariant target =
        GVariant.dictionary(
            Map.of(
                "name", GVariant.string(id),
                "osname", GVariant.string("default"),
                "bootcsum", GVariant.string("00")));
    byte[] bytes = GVariant.dictionary(Map.of("target", target)).toBytes();
    assertThatThrownBy(
            () -> {
              java.nio.file.Path file = java.nio.file.Files.createTempFile("staged", "");
              try {
                java.nio.file.Files.write(file, bytes);
                StagedFile.read(file);
              } finally {
                java.nio.file.Files.delete(file);
              }
            })
        .isInstanceOf(Problem.class);
  }
}
