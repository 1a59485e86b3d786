package slipway.iso;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.archive.tar.TarOptions;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.disk.FileAccess;
import slipway.disk.config.DiskConfig;
import slipway.linux.process.Command;
import slipway.oci.layout.OciLayout;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.tree.TarWriter;
import slipway.tree.TreeBuilder;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What an ISO of a made-up image holds, as xorriso and unsquashfs read it. */
class IsoBuilderTest {
  private static final String UNIT = "usr/lib/systemd/system/slipway-install.service";

  @TempDir Path dir;
  private TreeBuilder tree;
  private byte @Nullable [] tar;

  @BeforeEach
  void image() throws IOException {
    tree = new TreeBuilder();
    tree.file("usr/lib/os-release", 0644, "PRETTY_NAME=\"Test OS's 1\"\n".getBytes(UTF_8));
    tree.file("usr/lib/modules/6.1.0/vmlinuz", 0644, "the kernel".getBytes(UTF_8));
    tree.file("usr/lib/modules/6.1.0/initramfs.img", 0644, "initramfs".getBytes(UTF_8));
    tree.file("usr/bin/tool", 0755, "program".getBytes(UTF_8));
    tree.symlink("bin", "usr/bin");
    for (String platform : List.of("i386-pc", "x86_64-efi")) {
      try (Stream<Path> files = Files.list(Path.of("/usr/lib/grub", platform))) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          tree.file("usr/lib/grub/" + platform + "/" + file.getFileName(), 0644, bytes(file));
        }
      }
    }
  }

  private static byte[] bytes(Path file) throws IOException {
    return Files.readAllBytes(file);
  }

  /** What goes along with the next image. */
  private Map<String, Along.Opened> along = Map.of();

  private IsoRequest request(String name, @Nullable String config, @Nullable String kickstart)
      throws IOException {
    Path folder = Files.createDirectories(dir.resolve(name));
    if (tar == null) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      TarWriter.write(out, tree.build(), TarOptions.EXACT);
      tar = out.toByteArray();
    }
    byte[] files = tar;
    OciLayout layout = OciLayout.create(folder.resolve("oci"), "x");
    Descriptor layer = Descriptor.of(MediaTypes.OCI_LAYER, files);
    layout.putBlob(layer, offset -> new ByteArrayInputStream(files));
    byte[] json =
        ImageConfig.of(
                Platform.host(),
                "2026-01-02T03:04:05Z",
                Map.of("containers.bootc", "1"),
                List.of(Digest.sha256(files)))
            .toJson();
    Descriptor stored = Descriptor.of(MediaTypes.OCI_CONFIG, json);
    layout.putBlob(stored, offset -> new ByteArrayInputStream(json));
    Manifest.Image manifest = Manifest.Image.of(stored, List.of(layer), Map.of());
    layout.putManifest(manifest, "x");
    Path file = config == null ? null : Files.writeString(folder.resolve("c.toml"), config);
    return new IsoRequest(
        "anaconda-iso",
        OciLayout.open(folder.resolve("oci"), "x"),
        manifest,
        ImageConfig.parse(json),
        Reference.parse("reg.example/os:1"),
        null,
        null,
        file == null ? DiskConfig.EMPTY : DiskConfig.parse(file),
        file,
        kickstart,
        new Along(along),
        IsoRequest.Mode.CONFIRM,
        FileAccess.PRIVATE,
        folder.resolve("out"),
        OptionalLong.of(1_700_000_000));
  }

  private static String xorriso(Path iso, String... words) {
    return Command.of("xorriso", "-indev", iso.toString()).with(words).run().text();
  }

  private String read(Path iso, String path) throws IOException {
    Path out = dir.resolve("read");
    Files.deleteIfExists(out);
    Command.of("xorriso", "-osirrox", "on", "-indev", iso.toString())
        .with("-extract", path, out.toString())
        .run();
    return Files.readString(out);
  }

  /** The other image is one of this test's own; another name has the digest of an index of it. */
  @Test
  @Tag("slow")
  void whatGoesAlongLiesBesideTheImageUnderItsName() throws Exception {
    tree.file(UNIT, 0644, "[Service]\n".getBytes(UTF_8));
    IsoRequest other = request("other", null, null);
    Path alone = IsoBuilder.build(request("alone", null, null), Progress.NONE);
    assertThat(xorriso(alone, "-find", "/", "-maxdepth", "1", "-exec", "echo"))
        .contains("'/container'")
        .doesNotContain("companions");
    Manifest.Index index = Manifest.Index.of(List.of(other.manifest().descriptor()), Map.of());
    ((OciLayout) other.source()).putManifest(index, "index");
    String pinned = "reg.example/db@" + index.digest();
    along = new TreeMap<>();
    along.put("reg.example/app:2", new Along.Opened(other.source(), index));
    along.put(pinned, new Along.Opened(other.source(), index));
    Path iso = IsoBuilder.build(request("both", null, null), Progress.NONE);
    assertThat(read(iso, "/companions/index.json"))
        .contains(
            "\"org.opencontainers.image.ref.name\":\"reg.example/app:2\"",
            other.manifest().digest().toString(),
            "\"org.opencontainers.image.ref.name\":\"" + pinned + "\"");
    assertThat(read(iso, "/container/index.json")).doesNotContain("reg.example/app:2");
    assertThat(mark(iso)).isNotEqualTo(mark(alone));
    JsonNode manifest =
        JsonMapper.shared()
            .readTree(Files.readString(dir.resolve("both/out/manifest-anaconda-iso.json")));
    assertThat(manifest.at("/companions/0/name").asString()).isEqualTo("reg.example/app:2");
    assertThat(manifest.at("/companions/0/digest").asString())
        .as("the index of a tag stays where it was")
        .isEqualTo(other.manifest().digest().toString());
    assertThat(manifest.at("/companions/1/digest").asString()).isEqualTo(index.digest().toString());
    assertThat(manifest.at("/image/followed").asString()).isEqualTo("reg.example/os:1");
    assertThat(manifest.at("/installer/volume").asString())
        .isEqualTo(Command.of("blkid", "-p", "-o", "value", "-s", "LABEL", "" + iso).output());
    assertThat(manifest.at("/outputs/0/sha256").asString())
        .isEqualTo(Command.of("sha256sum", "" + iso).output().split(" ")[0]);
    assertThat(manifest.at("/outputs/0/size").asLong()).isEqualTo(Files.size(iso));
  }

  /** By which GRUB finds its medium. */
  private static String mark(Path iso) {
    return xorriso(iso, "-find", "/.slipway", "-type", "f", "-exec", "echo").strip();
  }

  @Test
  @Tag("slow")
  void anIsoHoldsWhatTheDocumentSays() throws IOException {
    tree.file(UNIT, 0644, "[Service]\n".getBytes(UTF_8));
    Path iso =
        IsoBuilder.build(
            request(
                "one", "[customizations.kernel]\nappend = \"quiet a=b\"\n", "autopart\nreboot\n"),
            Progress.NONE);
    assertThat(iso).isEqualTo(dir.resolve("one/out/bootiso/install.iso"));
    Command.of("checkisomd5", iso.toString()).run();
    assertThat(xorriso(iso, "-report_el_torito", "plain", "-report_system_area", "plain"))
        .contains(
            "El Torito boot img :   1  BIOS", "El Torito boot img :   2  UEFI", "grub2-mbr", "GPT");
    assertThat(xorriso(iso, "-find", "/", "-maxdepth", "2", "-exec", "echo"))
        .contains(
            "'/LiveOS/squashfs.img'",
            "'/boot/grub'",
            "'/container/index.json'",
            "'/images/eltorito.img'",
            "'/images/live.img'",
            "'/images/pxeboot'",
            "'/slipway/answers'",
            "'/slipway/config.toml'",
            "'/slipway/kickstart.ks'")
        .doesNotContain("/container/.");
    assertThat(read(iso, "/images/pxeboot/vmlinuz")).isEqualTo("the kernel");
    assertThat(read(iso, "/slipway/answers")).isEqualTo("target=reg.example/os:1\n");
    assertThat(read(iso, "/slipway/kickstart.ks")).isEqualTo("autopart\nreboot\n");
    assertThat(read(iso, "/boot/grub/grub.cfg"))
        .contains("menuentry 'Install Test OSs 1' {", "menuentry 'Test this media & install")
        .contains("slipway.installer=confirm rd.live.check quiet a=b\n");
    Path squash = dir.resolve("squashfs.img");
    Command.of("xorriso", "-osirrox", "on", "-indev", iso.toString())
        .with("-extract", "/LiveOS/squashfs.img", squash.toString())
        .run();
    assertThat(Command.of("unsquashfs", "-lln", squash.toString()).output())
        .containsPattern("drwxr-xr-x 0/0 .* squashfs-root\n")
        .containsPattern("-rwxr-xr-x 0/0 +7 .* squashfs-root/usr/bin/tool\n")
        .containsPattern("lrwxrwxrwx 0/0 .* squashfs-root/bin -> usr/bin\n")
        .contains("squashfs-root/" + UNIT);
  }

  @Test
  @Tag("slow")
  void theSameIsMadeOfTheSame() throws IOException {
    tree.file(UNIT, 0644, "[Service]\n".getBytes(UTF_8));
    Path one = IsoBuilder.build(request("one", null, null), Progress.NONE);
    Path two = IsoBuilder.build(request("two", null, null), Progress.NONE);
    Command.of("cmp", one.toString(), two.toString()).run();
  }

  @Test
  void anImageWhoseAgentCannotInstallIsRefused() throws IOException {
    IsoRequest request = request("one", null, null);
    assertThatThrownBy(() -> IsoBuilder.build(request, Progress.NONE))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("/" + UNIT + " is missing");
    assertThat(dir.resolve("one/out/bootiso")).isEmptyDirectory();
  }
}
