package slipway.e2e;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import slipway.archive.tar.TarOptions;
import slipway.oci.layout.OciLayout;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.tree.TarWriter;
import slipway.tree.TreeBuilder;

/**
 * Versions of an image of some megabytes that has all that a disk and its upgrades need, with this
 * machine's GRUB and a kernel of random bytes: enough for everything but starting it.
 */
final class TinyImage {
  private static final String UNIT = "systemd/system/slipway-healthy.service";
  private static final List<String> GRUB = List.of("i386-pc", "x86_64-efi");

  /** More than {@link DiskCheck} wants to see of {@code /etc} at least. */
  private static final int DEFAULTS = 60;

  private static final int FILES = 40;

  private TinyImage() {}

  /**
   * Writes a version into an OCI layout.
   *
   * @param version of all files of its own
   * @param kernel of kernel and initramfs
   */
  static void write(Path directory, int version, int kernel) throws IOException {
    List<Descriptor> layers = new ArrayList<>();
    List<Digest> diffIds = new ArrayList<>();
    try (OciLayout layout = OciLayout.create(directory, null)) {
      for (TreeBuilder tree : List.of(base(), own(version, kernel))) {
        ByteArrayOutputStream tar = new ByteArrayOutputStream();
        TarWriter.write(tar, tree.build(), TarOptions.EXACT);
        Descriptor layer = Descriptor.of(MediaTypes.OCI_LAYER, tar.toByteArray());
        put(layout, layer, tar.toByteArray());
        layers.add(layer);
        diffIds.add(Digest.sha256(tar.toByteArray()));
      }
      byte[] json =
          ImageConfig.of(
                  Platform.host(),
                  "2026-01-02T03:04:05Z",
                  Map.of("containers.bootc", "1", "org.opencontainers.image.version", "" + version),
                  diffIds)
              .toJson();
      Descriptor config = Descriptor.of(MediaTypes.OCI_CONFIG, json);
      put(layout, config, json);
      layout.putManifest(Manifest.Image.of(config, layers, Map.of()), "");
    }
  }

  private static void put(OciLayout layout, Descriptor descriptor, byte[] bytes)
      throws IOException {
    layout.putBlob(descriptor, offset -> new ByteArrayInputStream(bytes));
  }

  /** What all versions have in common. */
  private static TreeBuilder base() throws IOException {
    TreeBuilder tree = new TreeBuilder();
    for (String top : List.of("boot", "dev", "proc", "run", "sys", "sysroot", "tmp", "var")) {
      tree.mkdirs(top);
    }
    tree.symlink("ostree", "sysroot/ostree");
    for (String top : List.of("bin", "sbin", "lib", "lib64")) {
      tree.symlink(top, "usr/" + top);
    }
    text(tree, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
    text(tree, "etc/group", "root:x:0:\n");
    text(tree, "etc/shadow", "root:*:20000:0:99999:7:::\n");
    text(tree, "etc/gshadow", "root:*::\n");
    text(tree, "etc/fstab", "# nothing\n");
    text(tree, "usr/lib/os-release", "ID=test\nPRETTY_NAME=\"Test OS\"\n");
    text(tree, "usr/lib/ostree/prepare-root.conf", "[composefs]\nenabled = true\n");
    text(tree, "usr/lib/bootc/kargs.d/10-test.toml", "kargs = [\"from=image\"]\n");
    // New deployments are tried, so that trials begin and end with the boot menu.
    text(tree, "usr/lib/" + UNIT, "[Service]\n");
    text(tree, "etc/systemd/system/default.target.wants/slipway-healthy.service", "");
    for (String platform : GRUB) {
      grub(tree, platform);
    }
    return tree;
  }

  /** One of the modules stands in for the one that reads boot entries, which not every GRUB has. */
  private static void grub(TreeBuilder tree, String platform) throws IOException {
    Path modules = Path.of("/usr/lib/grub", platform);
    String folder = "usr/lib/grub/" + platform + "/";
    try (var files = Files.list(modules)) {
      for (Path file : files.filter(f -> f.toString().matches(".*\\.(mod|img)")).toList()) {
        tree.file(folder + file.getFileName(), 0644, Files.readAllBytes(file));
      }
    }
    if (!Files.exists(modules.resolve("blscfg.mod"))) {
      byte[] another = Files.readAllBytes(modules.resolve("sleep.mod"));
      tree.file(folder + "blscfg.mod", 0644, another);
    }
    String needs = Files.readString(modules.resolve("moddep.lst"));
    text(tree, folder + "moddep.lst", needs + "blscfg: extcmd normal\n");
  }

  private static TreeBuilder own(int version, int kernel) {
    TreeBuilder tree = new TreeBuilder();
    tree.file("usr/lib/modules/6.1.0-test/vmlinuz", 0644, random(kernel, 200_000));
    tree.file("usr/lib/modules/6.1.0-test/initramfs.img", 0644, random(kernel + 1, 300_000));
    tree.file("usr/lib/large", 0644, random(version, 1_000_000));
    for (int i = 0; i < FILES; i++) {
      text(tree, "usr/share/version/" + i, version + " " + i + "\n");
    }
    for (int i = 0; i < DEFAULTS; i++) {
      text(tree, "etc/defaults.d/" + i, (i % 2 == 0 ? "all" : "version " + version) + "\n");
    }
    text(tree, "etc/motd", "version " + version + "\n");
    return tree;
  }

  private static byte[] random(int seed, int size) {
    byte[] bytes = new byte[size];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private static void text(TreeBuilder tree, String path, String text) {
    tree.file(path, 0644, text.getBytes(StandardCharsets.UTF_8));
  }
}
