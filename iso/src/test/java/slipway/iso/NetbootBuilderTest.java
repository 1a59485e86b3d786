package slipway.iso;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.archive.tar.TarOptions;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.disk.FileAccess;
import slipway.disk.config.DiskConfig;
import slipway.linux.process.Command;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.store.LocalStore;
import slipway.tree.DirectoryReader;
import slipway.tree.TarWriter;

/**
 * Of an image with this machine's GRUB and a kernel of a few bytes; foreign tools read all of it.
 */
class NetbootBuilderTest {
  private static final Reference NAME = Reference.parse("registry.example/os/test:1");
  private static final String MODULES = "usr/lib/modules/6.1.0-test/";

  @TempDir Path dir;

  private LocalStore store;
  private Path tree;

  @BeforeEach
  void image() throws IOException {
    store = LocalStore.open(dir.resolve("store"));
    tree = dir.resolve("image");
    write(MODULES + "vmlinuz", "the kernel");
    // Not a multiple of four, after which the next archive begins.
    write(MODULES + "initramfs.img", "its initramfs");
    write(MODULES + "modules.dep", "kernel/squashfs.ko:\n");
    write(MODULES + "kernel/squashfs.ko", "a driver");
    write("usr/lib/os-release", "PRETTY_NAME=\"Test 'OS' $1\"\n");
    write("usr/lib/systemd/system/slipway-install.service", "[Unit]\n");
    write("etc/hello", "from the image");
    Files.createDirectories(tree.resolve("usr/lib/grub"));
    Command.of("cp", "-a", "/usr/lib/grub/i386-pc", "/usr/lib/grub/x86_64-efi")
        .with(tree.resolve("usr/lib/grub").toString())
        .run();
  }

  @AfterEach
  void end() throws IOException {
    store.close();
  }

  private void write(String path, String text) throws IOException {
    Path file = tree.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private Map<String, Path> build(String output, String... types) throws IOException {
    Path tar = dir.resolve("layer.tar");
    try (OutputStream out = Files.newOutputStream(tar)) {
      TarWriter.write(out, DirectoryReader.read(tree), TarOptions.EXACT);
    }
    Digest diffId =
        Digest.parse("sha256:" + Command.of("sha256sum", "" + tar).output().split(" ")[0]);
    Descriptor layer;
    try (var blob = store.newBlob()) {
      Files.copy(tar, blob);
      layer = blob.commit(MediaTypes.OCI_LAYER);
    }
    ImageConfig config =
        ImageConfig.of(Platform.host(), "2026-01-02T03:04:05Z", Map.of(), List.of(diffId));
    Descriptor stored = store.putBlob(MediaTypes.OCI_CONFIG, config.toJson());
    Manifest.Image image = Manifest.Image.of(stored, List.of(layer), Map.of());
    store.putManifest(image, NAME);
    Path file =
        Files.writeString(
            dir.resolve("config.toml"), "[customizations.kernel]\nappend = \"console=ttyS0\"\n");
    return NetbootBuilder.build(
        new IsoRequest(
            "pxe",
            store.source(),
            image,
            config,
            NAME,
            null,
            null,
            DiskConfig.parse(file, new DiskConfig.Unsupported(false, w -> {})),
            file,
            null,
            new Along(Map.of()),
            IsoRequest.Mode.CONFIRM,
            FileAccess.PRIVATE,
            dir.resolve(output),
            OptionalLong.of(1_700_000_000)),
        Set.of(types),
        Progress.NONE);
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return all.map(p -> p.getFileName().toString()).sorted().toList();
    }
  }

  private Path unpacked(Path image) {
    Path out = dir.resolve("unpacked-" + image.getFileName());
    Command.of("unsquashfs", "-q", "-n", "-no-xattrs", "-d", out.toString(), image.toString())
        .run();
    return out;
  }

  @Test
  void everyFileIsWhatItSays() throws IOException {
    Path folder = build("out", "pxe").get("pxe");
    assertThat(folder).isEqualTo(dir.resolve("out/pxe").toAbsolutePath());
    assertThat(names(folder))
        .containsExactlyElementsOf(NetbootMenu.FILES.stream().sorted().toList());
    assertThat(folder.resolve("vmlinuz")).hasContent("the kernel");
    assertThat(unpacked(folder.resolve("rootfs.img")).resolve("etc/hello"))
        .hasContent("from the image");
    Path medium = unpacked(folder.resolve("install.img"));
    assertThat(medium.resolve("slipway/answers")).content().contains("target=" + NAME);
    assertThat(medium.resolve("slipway/config.toml")).content().contains("console=ttyS0");
    assertThat(
            Command.of("skopeo", "inspect", "--raw", "oci:" + medium.resolve("container")).output())
        .contains(MediaTypes.OCI_LAYER);
    assertThat(Files.getPosixFilePermissions(folder.resolve("install.img"))).hasSize(2);
    assertThat(Files.readString(folder.resolve("grub.cfg")))
        .contains("menuentry 'Run Test OS 1 without a disk'")
        .contains("console=ttyS0");
  }

  /** The kernel skips zeros between archives and wants each to begin at a multiple of four. */
  @Test
  void theSecondArchiveIsBehindTheInitramfs() throws IOException {
    byte[] all = Files.readAllBytes(build("out", "pxe").get("pxe").resolve("initrd.img"));
    byte[] own = "its initramfs".getBytes(UTF_8);
    assertThat(Arrays.copyOf(all, own.length + 3)).isEqualTo(Arrays.copyOf(own, own.length + 3));
    Path rest = dir.resolve("rest");
    Files.write(rest, Arrays.copyOfRange(all, own.length + 3, all.length));
    assertThat(Command.of("cpio", "--quiet", "-t").stdin(Files.readAllBytes(rest)).output().lines())
        .contains(
            MODULES + "kernel/squashfs.ko",
            "usr/lib/slipway-live/mount",
            "usr/lib/systemd/system/initrd-root-fs.target.requires/slipway-live.service");
  }

  @Test
  void theArchiveHoldsTheSame() throws IOException {
    Map<String, Path> made = build("out", "pxe", "pxe-tar-xz");
    assertThat(made.get("pxe-tar-xz")).isEqualTo(dir.resolve("out/xz/pxe.tar.xz").toAbsolutePath());
    Path unpacked = Files.createDirectory(dir.resolve("tar"));
    Command.of("tar", "-C", unpacked.toString(), "-xJf", made.get("pxe-tar-xz").toString()).run();
    Command.of("diff", "-r", unpacked.toString(), made.get("pxe").toString()).run();
  }

  @Test
  void filesOfOthersStayAndABuildThatFailsChangesNothing() throws IOException {
    Path folder = build("out", "pxe").get("pxe");
    Files.writeString(folder.resolve("web.ks"), "text\n");
    Files.delete(tree.resolve(MODULES + "initramfs.img"));
    write(MODULES + "vmlinuz", "another kernel");
    assertThatThrownBy(() -> build("out", "pxe")).isInstanceOf(Problem.class);
    assertThat(folder.resolve("vmlinuz")).hasContent("the kernel");
    write(MODULES + "initramfs.img", "another initramfs");
    build("out", "pxe");
    assertThat(folder.resolve("vmlinuz")).hasContent("another kernel");
    assertThat(names(folder)).contains("web.ks").noneMatch(n -> n.startsWith("."));
  }

  @Test
  void whatAnImageLacksIsTold() throws IOException {
    Files.delete(tree.resolve("usr/lib/grub/i386-pc/pxeboot.img"));
    assertThatThrownBy(() -> build("out", "pxe"))
        .hasMessageContaining(
            "a network start cannot be made of the image, whose /usr/lib/grub/i386-pc/pxeboot.img"
                + " is missing; install grub-pc-bin");
    Files.delete(tree.resolve("usr/lib/systemd/system/slipway-install.service"));
    assertThatThrownBy(() -> build("out", "pxe"))
        .hasMessageContaining("whose agent cannot install from a medium");
  }
}
