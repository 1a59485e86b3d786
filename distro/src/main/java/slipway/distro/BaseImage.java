package slipway.distro;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.system.files.ImageFiles;
import slipway.system.lint.ImageLint;
import slipway.tree.DirectoryReader;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * Makes a bootable base image from Debian packages: mmdebstrap installs them, the tree is given the
 * layout of an image (kernel and initramfs in {@code /usr/lib/modules}, what changes in {@code
 * /var}), the host agent is put in, and the result goes to the store in layers by what changes
 * together.
 *
 * <p>Needs root. One build at a time works in a state folder; what a killed one left is removed by
 * the next. The name in the store changes last.
 */
public final class BaseImage {
  /** Where the image keeps dpkg's database: in /usr, so that it goes back with a rollback. */
  static final String DPKG = "usr/lib/sysimage/dpkg";

  /** Tells which agent an image holds, see {@link BaseAgent#key}. */
  static final String AGENT_LABEL = "slipway.agent";

  private static final String RESOURCES = "base/";

  private static final List<String> PACKAGES =
      List.of(
          // the system
          "systemd",
          "systemd-sysv",
          "systemd-resolved",
          "systemd-timesyncd",
          "libpam-systemd",
          "libnss-myhostname",
          "udev",
          "dbus",
          "kmod",
          "openssh-server",
          "sudo",
          // booting and deploying
          "dracut",
          "ostree",
          "ostree-boot",
          "grub-common",
          "systemd-boot-efi",
          "zstd",
          // file systems, and what an installation onto a disk needs
          "e2fsprogs",
          "xfsprogs",
          "btrfs-progs",
          "dosfstools",
          "mtools",
          "erofs-utils",
          "fdisk",
          "fsverity",
          "attr",
          // people
          "ca-certificates",
          "curl",
          "iproute2",
          "less",
          "procps",
          "vim-tiny");

  /**
   * Taken from Debian's unstable suite where a stable one's cannot do it: ostree with composefs,
   * GRUB that reads boot loader entries (blscfg).
   */
  private static final List<String> FROM_UNSTABLE =
      List.of(
          "ostree",
          "ostree-boot",
          "libostree-1-1",
          "libcomposefs1",
          "grub-common",
          "grub2-common",
          "grub-pc-bin",
          "grub-efi-amd64-bin",
          "grub-efi-amd64-unsigned",
          "grub-efi-arm64-bin",
          "grub-efi-arm64-unsigned",
          "libefiboot1t64",
          "libefivar1t64");

  private static final Map<String, List<String>> BOOT_LOADERS =
      Map.of(
          "amd64", List.of("grub-pc-bin", "grub-efi-amd64-bin"),
          "arm64", List.of("grub-efi-arm64-bin"));

  /** What an image can be for that is not for this computer, in the words of OCI and Debian. */
  public static final Set<String> ARCHITECTURES = BOOT_LOADERS.keySet();

  /** Files of ours, below {@code base/root} among the resources and below the root of the image. */
  private static final List<String> FILES =
      List.of(
          "etc/apt/apt.conf.d/50-image",
          "etc/kernel-img.conf",
          "etc/locale.conf",
          "usr/lib/dracut/dracut.conf.d/50-image.conf",
          "usr/lib/ostree/prepare-root.conf",
          "usr/lib/systemd/journald.conf.d/20-image.conf",
          "usr/lib/systemd/network/89-ethernet.network",
          "usr/lib/systemd/system.conf.d/20-image.conf",
          "usr/lib/systemd/system-preset/20-image.preset",
          "usr/lib/systemd/system-preset/99-image-default.preset",
          "usr/lib/systemd/system/systemd-firstboot.service.d/20-image.conf",
          "usr/lib/systemd/system/systemd-sysusers.service.d/20-image.conf",
          "usr/lib/tmpfiles.d/base-layout.conf",
          "usr/share/kernel/postinst.d/zz-image",
          "usr/share/kernel/postrm.d/zz-image");

  /** What the links of {@link BaseRequest#writableOpt} lead to. */
  private static final String OPT_IN_VAR = "usr/lib/tmpfiles.d/base-opt.conf";

  private final BaseRequest request;
  private final Progress progress;
  private final Path state;
  private final Path root;
  private final Instant start;

  private BaseImage(
      BaseRequest request, Progress progress, BaseWork work, Path root, InstantSource clock) {
    this.request = request;
    this.progress = progress;
    this.state = work.state();
    this.root = root;
    this.start = clock.instant();
  }

  /** The kernel package that suits most machines that images are deployed to: virtual ones. */
  public static String defaultKernel(Platform platform) {
    return "linux-image-cloud-" + platform.architecture();
  }

  /**
   * Builds the image and gives it its name in the store.
   *
   * @param clock says when the build begins: files that packages brought are older
   * @throws Problem when a tool fails, a package is not there, or the result breaks a rule of
   *     {@link ImageLint}
   */
  public static Manifest.Image build(BaseRequest request, Progress progress, InstantSource clock)
      throws IOException {
    requireRoot();
    BaseWork work = new BaseWork(BaseStorage.directory(request.state()), progress);
    return work.call(
        "base image", root -> new BaseImage(request, progress, work, root, clock).build());
  }

  /**
   * For a command to ask first, before it makes anything.
   *
   * @throws Problem of kind DENIED to anyone else
   */
  public static void requireRoot() {
    if (Posix.geteuid() != 0) {
      throw Problem.denied("building a base image needs root: run it with sudo");
    }
  }

  /**
   * A base image that is there now.
   *
   * @param built whether it was missing, for another platform, or held another agent than this
   *     product's
   */
  public record Result(Manifest.Image image, boolean built) {}

  /**
   * Builds the image unless the store has one of that name and platform with the agent of this
   * product.
   */
  public static Result ensure(BaseRequest request, Progress progress, InstantSource clock)
      throws IOException {
    Optional<Manifest> found = request.store().find(request.tag().toString());
    Path product = request.product();
    if (found.isPresent() && found.get() instanceof Manifest.Image image) {
      ImageConfig config = request.store().config(image);
      String has = config.labels().getOrDefault(AGENT_LABEL, "");
      if (config.platform().accepts(request.platform())
          && has.equals(product == null ? "" : BaseAgent.key(product, jdk()))) {
        return new Result(image, false);
      }
    }
    return new Result(build(request, progress, clock), true);
  }

  static Path jdk() {
    return Path.of(System.getProperty("java.home"));
  }

  private Manifest.Image build() throws IOException {
    BaseMirror mirror = BaseMirror.choose(request.mirror(), Path.of("/etc/apt"));
    progress.note("installing Debian " + request.suite() + " from " + mirror.main().getHost());
    String suite = request.suite();
    Platform platform = request.platform();
    List<String> packages = packages(request, platform.architecture());
    // Each architecture keeps downloads of its own; no suite has a colon in its name.
    String kept = Platform.host().accepts(platform) ? suite : suite + ":" + platform.architecture();
    new BaseBootstrap(suite, platform, packages, mirror, state, kept, pins()).run(root, progress);
    for (String file : FILES) {
      write(file, resource("root/" + file));
    }
    if (request.writableOpt()) {
      write(OPT_IN_VAR, resource("root/" + OPT_IN_VAR));
    }
    write("etc/apt/sources.list.d/debian.sources", mirror.sourcesFile(request.suite()));
    Files.deleteIfExists(root.resolve("etc/apt/sources.list"));
    Path product = request.product();
    if (product != null) {
      Path cache = Files.createDirectories(state.resolve("agent"));
      BaseAgent.install(root, product, jdk(), cache, progress);
    }
    progress.note("making the initramfs");
    inNamespace("finish.sh", root.toString(), request.writableOpt() ? "links" : "folders").run();
    users();
    FileTree tree = DirectoryReader.read(root);
    lint(tree);
    return written(tree, created(tree));
  }

  private Manifest.Image written(FileTree tree, Instant created) throws IOException {
    Map<String, String> labels = labels(new ImageFiles(tree), created);
    return new BaseWriter(request.store(), request.platform(), request.tag(), progress, created)
        .write(
            BaseLayers.split(tree),
            config ->
                config
                    .cmd(List.of("/sbin/init"))
                    .labels(labels)
                    // systemd's signal for an orderly shutdown.
                    .stopSignal("SIGRTMIN+3"));
  }

  private Map<String, String> labels(ImageFiles files, Instant created) throws IOException {
    Map<String, String> labels = new TreeMap<>();
    labels.put("containers.bootc", "1");
    labels.put("ostree.bootable", "1");
    Path product = request.product();
    if (product != null) {
      labels.put(AGENT_LABEL, BaseAgent.key(product, jdk()));
    }
    labels.put("org.opencontainers.image.created", created.toString());
    String release = files.text("etc/debian_version").orElse("").strip();
    labels.put("org.opencontainers.image.version", release.isEmpty() ? request.suite() : release);
    return labels;
  }

  private void users() throws IOException {
    Path shadow = root.resolve("etc/shadow");
    // In place, which keeps owner and mode.
    Files.writeString(shadow, BaseUsers.imageShadow(Files.readString(shadow)));
    ImageFiles files = new ImageFiles(DirectoryReader.read(root));
    String lines =
        BaseUsers.missing(
            files.text("etc/passwd").orElse(""),
            files.text("etc/group").orElse(""),
            files.configuration("sysusers.d").values());
    if (!lines.isEmpty()) {
      write("usr/lib/sysusers.d/base-image.conf", lines);
    }
  }

  private static void lint(FileTree tree) throws IOException {
    ImageLint.Report report = ImageLint.check(tree, Set.of());
    if (!report.findings().isEmpty()) {
      ImageLint.Finding first = report.findings().getFirst();
      throw Problem.environment(
          "the image breaks the rule "
              + first.rule().name()
              + ": "
              + String.join("; ", first.texts().subList(0, Math.min(5, first.texts().size()))));
    }
  }

  private Instant created(FileTree tree) throws IOException {
    @Nullable Instant given = request.created();
    return given == null ? newest(tree, start) : given;
  }

  /**
   * The newest time that a package brought along; files made by a build are younger.
   *
   * @param start of the build
   */
  static Instant newest(FileTree tree, Instant start) throws IOException {
    AtomicLong newest = new AtomicLong();
    tree.walk(
        (path, node) -> {
          long time = node.metadata().mtimeSeconds();
          boolean packaged = node instanceof Node.File && !path.startsWith(BaseAgent.HOME);
          if (packaged && time < start.getEpochSecond()) {
            newest.accumulateAndGet(time, Math::max);
          }
        });
    return Instant.ofEpochSecond(newest.get());
  }

  private void write(String path, byte[] content) throws IOException {
    Path target = root.resolve(path);
    Files.createDirectories(Objects.requireNonNull(target.getParent()));
    Files.write(target, content);
  }

  private void write(String path, String content) throws IOException {
    write(path, content.getBytes(java.nio.charset.StandardCharsets.UTF_8));
  }

  /** A script among the resources, to be run where its mounts vanish with it. */
  static Command inNamespace(String script, String... arguments) {
    List<String> argv =
        new ArrayList<>(
            List.of("unshare", "--mount", "--propagation", "private", "sh", "-s", "--"));
    argv.addAll(List.of(arguments));
    return Command.of(argv).stdin(resource(script));
  }

  static byte[] resource(String name) {
    try (InputStream in = BaseImage.class.getResourceAsStream(RESOURCES + name)) {
      return Objects.requireNonNull(in, name).readAllBytes();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException("cannot read the resource " + name, e);
    }
  }

  /** What a preferences file says so that only these packages come from the unstable suite. */
  static String pins() {
    return """
        Package: *
        Pin: release a=unstable
        Pin-Priority: 100

        Package: %s
        Pin: release a=unstable
        Pin-Priority: 990
        """
        .formatted(String.join(" ", FROM_UNSTABLE));
  }

  /** All packages to install. */
  static List<String> packages(BaseRequest request, String architecture) {
    List<String> all = new ArrayList<>(PACKAGES);
    all.addAll(BOOT_LOADERS.getOrDefault(architecture, List.of()));
    all.add(request.kernel());
    all.addAll(request.packages());
    return all;
  }
}
