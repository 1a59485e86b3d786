package slipway.iso;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import slipway.archive.compress.Compression;
import slipway.archive.tar.Metadata;
import slipway.archive.tar.TarHeaderWriter;
import slipway.base.AtomicFile;
import slipway.base.Cleanup;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.disk.bootloader.NetGrub;
import slipway.linux.lock.ScratchFolder;
import slipway.linux.posix.OsPath;
import slipway.linux.process.Command;
import slipway.system.files.ImageFiles;
import slipway.system.osrelease.OsRelease;
import slipway.tree.FileTree;

/**
 * Makes the files by which machines start an image from the network, to run it without a disk or to
 * install it. As {@link IsoBuilder}, whose live system it is: no privilege, nothing of the image is
 * run. The files get their names when all of them are whole.
 */
public final class NetbootBuilder {
  /** Type of the folder with the files. */
  public static final String FOLDER = "pxe";

  /** Type of an archive of them, as bootc-image-builder calls it. */
  public static final String ARCHIVE = "pxe-tar-xz";

  private static final String ARCHIVE_PATH = "xz/pxe.tar.xz";

  /** What is unpacked by the kernel: a length in cpio has 32 bits. */
  private static final long MOST = 0xffffffffL;

  private final IsoRequest request;
  private final Set<String> types;
  private final Progress progress;
  private final Map<String, Path> files = new LinkedHashMap<>();

  private NetbootBuilder(IsoRequest request, Set<String> types, Progress progress) {
    this.request = request;
    this.types = types;
    this.progress = progress;
  }

  /**
   * Builds them.
   *
   * @param types {@link #FOLDER}, {@link #ARCHIVE} or both
   * @return the folder, the archive
   * @throws Problem of kind INPUT when the image cannot be started so
   */
  public static Map<String, Path> build(IsoRequest request, Set<String> types, Progress progress)
      throws IOException {
    IsoBuilder.check(request);
    return new NetbootBuilder(request, types, progress).build();
  }

  private Map<String, Path> build() throws IOException {
    Path output = request.output().toAbsolutePath();
    Path folder = output.resolve(FOLDER);
    Path archive = output.resolve(ARCHIVE_PATH);
    UnnamedFiles.requireNoFolder(archive);
    Map<String, Path> made = new LinkedHashMap<>();
    try (ScratchFolder scratch = ScratchFolder.large("slipway-pxe-", progress::note);
        UnnamedFiles unnamed = new UnnamedFiles(request.access())) {
      boolean kept = types.contains(FOLDER);
      Path work = kept ? Files.createDirectories(folder) : scratch.path();
      for (String name : NetbootMenu.FILES) {
        Path file = folder.resolve(name);
        UnnamedFiles.requireNoFolder(file);
        files.put(name, kept ? unnamed.beside(file) : work.resolve(name));
      }
      write(scratch.path());
      Map<Path, Path> named = new LinkedHashMap<>();
      if (types.contains(ARCHIVE)) {
        Files.createDirectories(Objects.requireNonNull(archive.getParent()));
        Path temporary = unnamed.beside(archive);
        pack(temporary);
        named.put(temporary, archive);
        made.put(ARCHIVE, archive);
      }
      if (kept) {
        files.forEach((name, file) -> named.put(file, folder.resolve(name)));
        made.put(FOLDER, folder);
      }
      for (Path each : named.keySet()) {
        unnamed.finish(each);
      }
      for (Map.Entry<Path, Path> each : named.entrySet()) {
        AtomicFile.rename(each.getKey(), each.getValue());
      }
      for (Path each : made.values()) {
        unnamed.own(each);
      }
    }
    return made;
  }

  private void write(Path scratch) throws IOException {
    LiveFiles live = LiveFiles.read(request, scratch.resolve("content"), progress);
    try (OutputStream kernel = open("vmlinuz");
        OutputStream initrd = open("initrd.img")) {
      live.kernel(kernel);
      // The next archive begins at a multiple of four.
      initrd.write(new byte[(int) (-live.initramfs(initrd) & 3)]);
      live.more(initrd);
    }
    NetGrub grub = new NetGrub(live.image(), Files.createDirectory(scratch.resolve("grub")));
    put("grub.pxe", grub.bios());
    put("grubx64.efi", grub.efi());
    progress.note("packing the live system");
    Path root = file("rootfs.img");
    live.squash(root);
    requireFits("rootfs.img", root);
    String name = OsRelease.prettyName(new ImageFiles(live.image()));
    Files.delete(scratch.resolve("content"));
    medium(live.image(), scratch);
    NetbootMenu menu =
        new NetbootMenu(
            IsoBuilder.plain(name), request.mode(), IsoBuilder.arguments(request).toString());
    put("README", menu.readme(request.target().toString()));
    put(NetGrub.MENU, menu.grub());
    put("boot.ipxe", menu.ipxe());
  }

  /** What an installer medium has beside the live system. */
  private void medium(FileTree image, Path scratch) throws IOException {
    Path tree = Files.createDirectory(scratch.resolve("medium"));
    IsoBuilder builder = new IsoBuilder(request, progress);
    builder.answers(tree);
    builder.layout(tree.resolve("container"));
    builder.companions(image, tree.resolve(IsoBuilder.COMPANIONS));
    Path out = file("install.img");
    progress.note("packing the image for the installer");
    // Layers are compressed already.
    Command tool =
        Command.of("mksquashfs", tree.toString(), out.toString(), "-comp", "zstd", "-noD", "-noF")
            .with("-all-root", "-no-progress", "-quiet", "-no-exports", "-noappend")
            .with("-all-time", Long.toString(request.epoch().orElse(0)))
            .with("-mkfs-time", Long.toString(request.epoch().orElse(0)))
            .environment("SOURCE_DATE_EPOCH", null);
    WritingTool.run(tool, out);
    requireFits("install.img", out);
  }

  private static void requireFits(String name, Path file) throws IOException {
    if (Files.size(file) > MOST) {
      throw Problem.input(
          "the image is too large to start from the network: "
              + name
              + " has more than 4 GiB, which no kernel takes from a boot loader");
    }
  }

  private Path file(String name) {
    return Objects.requireNonNull(files.get(name), name);
  }

  private OutputStream open(String name) throws IOException {
    return new BufferedOutputStream(Files.newOutputStream(file(name)));
  }

  private void put(String name, byte[] bytes) throws IOException {
    Files.write(file(name), bytes);
  }

  private void put(String name, String text) throws IOException {
    Files.writeString(file(name), text);
  }

  private void pack(Path out) throws IOException {
    progress.note("packing the archive");
    long time = request.epoch().orElseGet(() -> System.currentTimeMillis() / 1000);
    try (OutputStream packed =
        Compression.xz(new BufferedOutputStream(Files.newOutputStream(out)))) {
      TarHeaderWriter tar = new TarHeaderWriter(packed);
      for (Map.Entry<String, Path> each : files.entrySet()) {
        Cleanup.checkStopped();
        long size = Files.size(each.getValue());
        Metadata metadata = Metadata.file(0644).withMtime(time, 0);
        tar.write(OsPath.of(each.getKey()), '0', metadata, size, OsPath.of(""), 0);
        try (InputStream in = Files.newInputStream(each.getValue())) {
          in.transferTo(packed);
        }
        tar.pad(size);
      }
      tar.end();
    }
  }
}
