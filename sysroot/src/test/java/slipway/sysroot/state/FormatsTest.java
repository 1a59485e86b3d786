package slipway.sysroot.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Problem;
import slipway.ostree.gvariant.GVariant;
import slipway.system.kargs.KernelArguments;

/** The small formats: boot entries, references of images, origins, staged deployments. */
class FormatsTest {

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
    String odd = "title A\rlinux /evil\nlinux /k\n";
    assertThat(BootEntry.parse(odd).get("linux")).contains("/k");
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
    "ostree-unverified-image:docker://docker://quay.io/a/b:c,UNVERIFIED,'',registry,quay.io/a/b:c",
    "ostree-unverified-registry:docker://quay.io/a/b:c,UNVERIFIED,'',registry,quay.io/a/b:c",
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

  @ParameterizedTest
  @ValueSource(strings = {"", "title A\noptions root=1\n", "options ostree=/../../\u001bx\n"})
  void aDamagedBootEntryIsNamedByItsFile(String text) throws Exception {
    try (Machine machine = new Machine()) {
      machine.init();
      Path menu = Files.createDirectories(machine.root().resolve("boot/loader.0/entries"));
      Files.createSymbolicLink(machine.root().resolve("boot/loader"), Path.of("loader.0"));
      Files.writeString(menu.resolve("ostree-1.conf"), text);
      Path named = machine.root().resolve("boot/loader/entries/ostree-1.conf");
      assertThatThrownBy(() -> machine.open().deployments())
          .isInstanceOf(Problem.class)
          .hasMessageStartingWith("the boot menu is damaged: " + named + " has ")
          .hasMessageContaining("ostree=")
          .hasMessageNotContaining("\u001b");
    }
  }
}
