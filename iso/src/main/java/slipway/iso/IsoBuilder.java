package slipway.iso;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.disk.bootloader.IsoGrub;
import slipway.linux.lock.ScratchFolder;
import slipway.linux.process.Command;
import slipway.oci.copy.Transfer;
import slipway.oci.layout.OciLayout;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.system.files.ImageFiles;
import slipway.system.kargs.KernelArguments;
import slipway.system.osrelease.OsRelease;
import slipway.tree.FileTree;

/**
 * Makes an ISO that starts an image live and installs it. It takes no privilege, and nothing of the
 * image is run. The rename of the manifest, which comes after that of the ISO, is the commit point.
 */
public final class IsoBuilder {
  private static final String ESP = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";

  /** Microsoft's type for data: firmware takes the ISO's own partition for no system's. */
  private static final String DATA = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7";

  /** Lets the installer compare the medium with its sum first, as Anaconda's media do. */
  private static final String CHECK = " rd.live.check";

  /** Folder of a medium: an OCI layout with what goes along. */
  static final String COMPANIONS = "companions";

  private final IsoRequest request;
  private final Progress progress;
  private final byte @Nullable [] config;

  /** What tells this ISO from others, once it is known what goes onto it. */
  private String mark = "";

  /** Version of the kernel that starts it. */
  private String kernel = "";

  /** What goes along, by its name. */
  private final Map<String, Digest> along = new LinkedHashMap<>();

  /** What is looked for is the mark, whatever the volume's name is. */
  private IsoYaml said = IsoYaml.NONE;

  IsoBuilder(IsoRequest request, Progress progress) throws IOException {
    this.request = request;
    this.progress = progress;
    Path file = request.file();
    this.config = file == null ? null : Files.readAllBytes(file);
  }

  /**
   * Builds the ISO.
   *
   * @return the file
   * @throws Problem of kind INPUT when no installer can be made of the image
   */
  public static Path build(IsoRequest request, Progress progress) throws IOException {
    check(request);
    return new IsoBuilder(request, progress).build();
  }

  /** Refuses what no live system is made of. */
  static void check(IsoRequest request) {
    if (!request.config().platform().architecture().equals("amd64")) {
      throw Problem.input("installers can be made of images for amd64 alone");
    }
    arguments(request);
  }

  /** Kernel arguments of the config start the installer, too. */
  static KernelArguments arguments(IsoRequest request) {
    KernelArguments arguments = new KernelArguments(request.customizations().kernelArguments());
    IsoRewrite.requireForMenus(arguments, "kernel.append");
    return arguments;
  }

  /** The same is made of the same. */
  private String mark(Path companions) throws IOException {
    MessageDigest hash = Digest.Algorithm.SHA256.newMessageDigest();
    hash.update((request.manifest().digest() + "\n" + answers()).getBytes(UTF_8));
    if (config != null) {
      hash.update(config);
    }
    Path index = companions.resolve("index.json");
    if (Files.exists(index)) {
      hash.update(Files.readAllBytes(index));
    }
    return HexFormat.of().formatHex(hash.digest(), 0, 16);
  }

  private String answers() {
    StringBuilder text = new StringBuilder("target=" + request.target() + "\n");
    if (request.rootfs() != null) {
      text.append("rootfs=").append(request.rootfs().label()).append('\n');
    }
    if (request.bootLoader() != null) {
      text.append("bootloader=").append(request.bootLoader().label()).append('\n');
    }
    return text.toString();
  }

  private Path build() throws IOException {
    Path out = request.output().toAbsolutePath().resolve(IsoRequest.PATH);
    UnnamedFiles.requireNoFolder(out);
    Path list = request.output().toAbsolutePath().resolve(IsoManifest.name(request));
    Path folder = Files.createDirectories(Objects.requireNonNull(out.getParent()));
    try (ScratchFolder scratch = ScratchFolder.large("slipway-iso-", progress::note);
        UnnamedFiles unnamed = new UnnamedFiles(request.access())) {
      Path iso = unnamed.beside(out);
      Path manifest = unnamed.beside(list);
      Path tree = files(scratch.path());
      progress.note("writing the ISO");
      WritingTool.run(xorriso(tree, scratch.path(), iso), iso);
      progress.note("writing the sums of the media check");
      Command.of("implantisomd5", "--force", iso.toString()).run();
      progress.note("digest of the ISO");
      Files.writeString(manifest, IsoManifest.text(request, kernel, said.label(), along, iso));
      unnamed.finish(iso);
      unnamed.finish(manifest);
      unnamed.own(folder);
      unnamed.own(request.output());
      AtomicFile.rename(iso, out);
      AtomicFile.rename(manifest, list);
    }
    return out;
  }

  /** All that lies on the ISO, and beside it what starts it. */
  private Path files(Path scratch) throws IOException {
    LiveFiles live = LiveFiles.read(request, scratch.resolve("content"), progress);
    said = IsoYaml.of(live.image());
    kernel = live.kernel();
    said.ignored().forEach(progress::note);
    if (live.lacksUsb()) {
      progress.note(
          "the image's kernel "
              + live.kernel()
              + " has no driver of USB disks: the ISO starts from a CD alone");
    }
    Path tree = Files.createDirectory(scratch.resolve("iso"));
    companions(live.image(), tree.resolve(COMPANIONS));
    mark = mark(tree.resolve(COMPANIONS));
    Path boot = Files.createDirectories(tree.resolve("images/pxeboot"));
    try (OutputStream vmlinuz = stream(boot.resolve("vmlinuz"));
        OutputStream initrd = stream(boot.resolve("initrd.img"));
        OutputStream more = stream(tree.resolve("images/live.img"))) {
      live.kernel(vmlinuz);
      live.initramfs(initrd);
      live.more(more);
    }
    Files.createFile(Files.createDirectory(tree.resolve(".slipway")).resolve(mark));
    answers(tree);
    loaders(live.image(), scratch, tree);
    progress.note("packing the live system");
    live.squash(Files.createDirectory(tree.resolve("LiveOS")).resolve("squashfs.img"));
    Files.delete(scratch.resolve("content"));
    layout(tree.resolve("container"));
    return tree;
  }

  private static OutputStream stream(Path file) throws IOException {
    return new BufferedOutputStream(Files.newOutputStream(file));
  }

  /** The image itself, for the installer. */
  void layout(Path folder) throws IOException {
    progress.note("copying the image");
    // Closed, it holds no lock that would go onto the ISO.
    try (OciLayout layout = OciLayout.create(folder, null)) {
      Transfer.copy(
          request.source(),
          request.manifest().digest().toString(),
          layout,
          null,
          Transfer.Options.of(Platform.host()),
          progress);
    }
  }

  /**
   * What goes along, each under its name.
   *
   * @param image files of the image itself
   * @param folder is made where there is anything
   */
  void companions(FileTree image, Path folder) throws IOException {
    List<String> names = request.companions().names(image);
    for (String name : names) {
      progress.note("copying " + Printable.text(name));
      try (Companions.Companion one = request.companions().open(name);
          OciLayout layout = OciLayout.create(folder, name)) {
        Manifest copied =
            Transfer.copy(
                one.source(),
                one.named().digest().toString(),
                layout,
                name,
                Transfer.Options.of(request.config().platform()),
                progress);
        along.put(
            name, layout.names(one.named().digest()) ? one.named().digest() : copied.digest());
      }
    }
  }

  /** What the installer reads beside the image. */
  void answers(Path tree) throws IOException {
    Path folder = Files.createDirectory(tree.resolve("slipway"));
    Files.writeString(folder.resolve("answers"), answers());
    if (config != null) {
      boolean json = String.valueOf(request.file()).endsWith(".json");
      Files.write(folder.resolve(json ? "config.json" : "config.toml"), config);
    }
    if (request.kickstart() != null) {
      Files.writeString(folder.resolve("kickstart.ks"), request.kickstart());
    }
  }

  /** GRUB for every way to start, and its menu. */
  private void loaders(FileTree image, Path scratch, Path tree) throws IOException {
    Path menu = tree.resolve(IsoGrub.MENU.substring(1));
    Files.createDirectories(Objects.requireNonNull(menu.getParent()));
    Files.writeString(menu, menu(OsRelease.prettyName(new ImageFiles(image))));
    IsoGrub grub =
        new IsoGrub(image, "/.slipway/" + mark, Files.createDirectory(scratch.resolve("grub")));
    Files.write(tree.resolve("images/eltorito.img"), grub.cdrom());
    Files.write(scratch.resolve("first-sector"), grub.firstSector());
    Path esp = scratch.resolve("esp");
    Path loader = scratch.resolve("BOOTX64.EFI");
    Files.write(loader, grub.efi());
    Files.write(esp, new byte[(int) (Files.size(loader) / (1 << 20) + 3) << 20]);
    mtools("mformat", esp, "-v", "EFI-SYSTEM", "-N", mark.substring(0, 8), "::");
    mtools("mmd", esp, "::/EFI", "::/EFI/BOOT");
    mtools("mcopy", esp, loader.toString(), "::/EFI/BOOT/");
  }

  private void mtools(String program, Path image, String... arguments) {
    Command.of(program, "-i", image.toString())
        .with(arguments)
        .environment("MTOOLSRC", "/dev/null")
        .environment("TZ", "UTC")
        .environment(
            "SOURCE_DATE_EPOCH",
            request.epoch().isPresent() ? "" + request.epoch().getAsLong() : null)
        .run();
  }

  private String menu(String name) {
    String plain = plain(name);
    String line =
        "linux /images/pxeboot/vmlinuz slipway.live="
            + mark
            + " systemd.gpt_auto=0 systemd.firstboot=no quiet";
    String install =
        " systemd.unit=slipway-install.service slipway.installer=" + request.mode().label();
    String more = arguments(request).list().isEmpty() ? "" : " " + arguments(request);
    String initrd = "initrd /images/pxeboot/initrd.img /images/live.img";
    String serial = " console=tty0 console=ttyS0,115200";
    return """
        set timeout=%d
        serial --unit=0 --speed=115200
        terminal_input serial console
        terminal_output serial console
        """
            .formatted(said.timeout())
        + entry("Install " + plain, line + install + more, initrd)
        + entry("Test this media & install " + plain, line + install + CHECK + more, initrd)
        + entry("Install " + plain + " (serial console)", line + install + serial + more, initrd)
        + entry("Try " + plain + " without an installation", line + more, initrd);
  }

  /** A name as all menus can show it. */
  static String plain(String name) {
    return name.replaceAll("[^A-Za-z0-9 ._()/+-]", "");
  }

  private static String entry(String title, String linux, String initrd) {
    return "menuentry '%s' {\n\t%s\n\t%s\n}\n".formatted(title, linux, initrd);
  }

  private Command xorriso(Path tree, Path scratch, Path out) {
    Command command =
        Command.of("xorriso", "-no_rc", "-as", "mkisofs", "-quiet", "-o", out.toString())
            .with(
                "-V",
                said.label(),
                "-R",
                "-J",
                "-joliet-long",
                "-iso-level",
                "3",
                "-sysid",
                "LINUX")
            .with("-uid", "0", "-gid", "0")
            .with("--grub2-mbr", scratch.resolve("first-sector").toString())
            .with("-partition_offset", "16", "-appended_part_as_gpt")
            .with("-append_partition", "2", ESP, scratch.resolve("esp").toString())
            .with("-iso_mbr_part_type", DATA)
            .with("-c", "boot.cat", "--boot-catalog-hide", "-b", "images/eltorito.img")
            .with("-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", "--grub2-boot-info")
            .with("-eltorito-alt-boot", "-e", "--interval:appended_partition_2:all::")
            .with("-no-emul-boot");
    if (request.epoch().isPresent()) {
      String time = Long.toString(request.epoch().getAsLong());
      command =
          command.environment("SOURCE_DATE_EPOCH", time).with("--set_all_file_dates", "=" + time);
    }
    return command.with(tree.toString());
  }
}
