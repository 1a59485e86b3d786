package slipway.disk;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import slipway.archive.tar.TarOptions;
import slipway.base.Progress;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.RootFileSystem;
import slipway.linux.process.Command;
import slipway.oci.copy.ImageSource;
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
 * A small image that has all that a disk needs, with this machine's GRUB and a kernel that is only
 * random bytes: enough for everything but starting it.
 */
final class TestImage {
  static final String KERNEL = "6.1.0-test";
  static final Reference NAME = Reference.parse("registry.example/os/test:1");

  private TestImage() {}

  /** The files, in a folder that tests may change before {@link #store}. */
  static Path tree(Path parent) throws IOException {
    Path root = Files.createDirectories(parent.resolve("image"));
    for (String directory :
        List.of("etc/skel", "sysroot", "run", "var", "boot", "dev", "proc", "sys", "usr/bin")) {
      Files.createDirectories(root.resolve(directory));
    }
    Command.of("install", "-d", "-m", "1777", root + "/tmp").run();
    for (String[] link :
        new String[][] {
          {"ostree", "sysroot/ostree"}, {"lib", "usr/lib"}, {"lib64", "usr/lib64"},
          {"bin", "usr/bin"}, {"home", "var/home"}, {"root", "var/roothome"}
        }) {
      Files.createSymbolicLink(root.resolve(link[0]), Path.of(link[1]));
    }
    accounts(root.resolve("etc"));
    system(root.resolve("usr/lib"));
    grub(root);
    return root;
  }

  private static void accounts(Path etc) throws IOException {
    Files.writeString(etc.resolve("passwd"), "root:x:0:0:root:/root:/bin/sh\n");
    Files.writeString(etc.resolve("shadow"), "root:*:20000:0:99999:7:::\n");
    Files.writeString(etc.resolve("group"), "root:x:0:\nsudo:x:27:\n");
    Files.writeString(etc.resolve("gshadow"), "root:*::\nsudo:*::\n");
    Files.writeString(etc.resolve("skel/.profile"), "# profile\n");
    Files.writeString(etc.resolve("fstab"), "# UNCONFIGURED FSTAB FOR BASE SYSTEM\n");
  }

  private static void system(Path lib) throws IOException {
    Path modules = Files.createDirectories(lib.resolve("modules").resolve(KERNEL));
    byte[] random = new byte[300_000];
    new Random(1).nextBytes(random);
    Files.write(modules.resolve("vmlinuz"), random);
    Files.write(modules.resolve("initramfs.img"), random);
    Files.writeString(lib.resolve("os-release"), "ID=test\nPRETTY_NAME=\"Test OS 1\"\n");
    Files.createDirectories(lib.resolve("ostree"));
    Files.writeString(
        lib.resolve("ostree/prepare-root.conf"),
        "[composefs]\nenabled = true\n[sysroot]\nreadonly = true\n");
    Files.createDirectories(lib.resolve("bootc/kargs.d"));
    Files.writeString(lib.resolve("bootc/kargs.d/10-test.toml"), "kargs = [\"from=image\"]\n");
    Files.createDirectories(lib.resolveSibling("share/zoneinfo/Europe"));
    Files.writeString(lib.resolveSibling("share/zoneinfo/Europe/Berlin"), "TZif2");
  }

  /** GRUB of this machine; one of its modules stands in for the one that reads boot entries. */
  private static void grub(Path root) throws IOException {
    Path lib = Files.createDirectories(root.resolve("usr/lib/grub"));
    Command.of("cp", "-a", "/usr/lib/grub/i386-pc", "/usr/lib/grub/x86_64-efi", lib + "/").run();
    for (String platform : List.of("i386-pc", "x86_64-efi")) {
      Path modules = lib.resolve(platform);
      Files.copy(modules.resolve("sleep.mod"), modules.resolve("blscfg.mod"));
      Files.writeString(
          modules.resolve("moddep.lst"),
          Files.readString(modules.resolve("moddep.lst")) + "blscfg: extcmd normal\n");
    }
  }

  /** Puts a tree into a store as an image of one layer. */
  static Manifest.Image store(LocalStore store, Path tree, Map<String, String> labels)
      throws IOException {
    return store(store, tree, labels, MediaTypes.OCI_LAYER);
  }

  /** The same with a compressed layer. */
  static Manifest.Image packed(LocalStore store, Path tree, Map<String, String> labels)
      throws IOException {
    return store(store, tree, labels, MediaTypes.OCI_LAYER_GZIP);
  }

  /** The same with extended attributes. */
  static Manifest.Image storeWithXattrs(LocalStore store, Path tree, Map<String, String> labels)
      throws IOException {
    Path tar = tree.resolveSibling("layer.tar");
    try (OutputStream out = Files.newOutputStream(tar)) {
      TarWriter.write(out, DirectoryReader.read(tree), TarOptions.EXACT);
    }
    return store(store, tree, tar, labels, MediaTypes.OCI_LAYER);
  }

  private static Manifest.Image store(
      LocalStore store, Path tree, Map<String, String> labels, String mediaType)
      throws IOException {
    Path tar = tree.resolveSibling("layer.tar");
    Command.of("tar", "-C", tree.toString(), "--sort=name", "--numeric-owner", "-cf")
        .with(tar.toString(), ".")
        .run();
    return store(store, tree, tar, labels, mediaType);
  }

  private static Manifest.Image store(
      LocalStore store, Path tree, Path plain, Map<String, String> labels, String mediaType)
      throws IOException {
    Path tar = plain;
    Digest diffId =
        Digest.parse("sha256:" + Command.of("sha256sum", tar.toString()).output().split(" ")[0]);
    if (mediaType.equals(MediaTypes.OCI_LAYER_GZIP)) {
      Command.of("gzip", "-1", "-f", tar.toString()).run();
      tar = tree.resolveSibling("layer.tar.gz");
    }
    Descriptor layer;
    try (var blob = store.newBlob()) {
      Files.copy(tar, blob);
      layer = blob.commit(mediaType);
    }
    Files.delete(tar);
    ImageConfig config =
        ImageConfig.of(Platform.host(), "2026-01-02T03:04:05Z", labels, List.of(diffId));
    Descriptor stored = store.putBlob(MediaTypes.OCI_CONFIG, config.toJson());
    Manifest.Image image = Manifest.Image.of(stored, List.of(layer), Map.of());
    store.putManifest(image, NAME);
    return image;
  }

  static DiskRequest request(LocalStore store, Manifest.Image image, Path output) {
    return new DiskRequest(
        store.source(),
        image,
        store.config(image),
        NAME,
        List.of(DiskType.RAW),
        RootFileSystem.EXT4,
        null,
        DiskConfig.EMPTY,
        3L << 30,
        FileAccess.PRIVATE,
        output);
  }

  /** Hears notes alone. */
  static Progress noting(Consumer<String> notes) {
    return new Progress() {
      @Override
      public Task start(String name, long total) {
        return NONE.start(name, total);
      }

      @Override
      public void note(String line) {
        notes.accept(line);
      }
    };
  }

  /** A source that counts how often a layer is read. */
  static ImageSource counted(ImageSource source, Descriptor layer, AtomicInteger read) {
    return new ImageSource() {
      @Override
      public String describe() {
        return source.describe();
      }

      @Override
      public Manifest manifest(@org.jspecify.annotations.Nullable String selector)
          throws IOException {
        return source.manifest(selector);
      }

      @Override
      public InputStream blob(Descriptor descriptor, long offset) throws IOException {
        if (descriptor.digest().equals(layer.digest())) {
          read.incrementAndGet();
        }
        return source.blob(descriptor, offset);
      }

      @Override
      public void close() throws IOException {
        source.close();
      }
    };
  }

  /** A source that fails, or waits, in the middle of a layer. */
  static ImageSource interrupted(ImageSource source, Descriptor at, IOException failure) {
    return new ImageSource() {
      @Override
      public String describe() {
        return source.describe();
      }

      @Override
      public Manifest manifest(@org.jspecify.annotations.Nullable String selector)
          throws IOException {
        return source.manifest(selector);
      }

      @Override
      public InputStream blob(Descriptor descriptor, long offset) throws IOException {
        if (!descriptor.digest().equals(at.digest())) {
          return source.blob(descriptor, offset);
        }
        byte[] begin;
        try (InputStream in = source.blob(descriptor, offset)) {
          begin = in.readNBytes((int) Math.min(descriptor.size() / 2, 8 << 20));
        }
        return new java.io.SequenceInputStream(
            new ByteArrayInputStream(begin),
            new InputStream() {
              @Override
              public int read() throws IOException {
                throw failure;
              }
            });
      }
    };
  }
}
