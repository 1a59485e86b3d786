package slipway.distro;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.store.LocalStore;
import slipway.tree.DirectoryReader;
import slipway.tree.FileTree;

/**
 * Makes an image of the product itself, whose containers are what bootc-image-builder's are: a
 * small Debian with the tools that disks and installers take, and {@code /usr/lib/slipway}.
 *
 * <p>It has no ahead-of-time caches of the JVM: they would be half of the product, and a container
 * of it works for many seconds.
 */
public final class SelfImage {
  /** Its packages are those of this suite. */
  static final String SUITE = "trixie";

  /** Where its containers start, and what they make goes without {@code --output}. */
  static final String OUTPUT = "/output";

  private static final String PROGRAM = "usr/bin/bootc-image-builder";

  /** Links to the launcher, which goes by them. */
  private static final Set<String> NAMES = Set.of(PROGRAM, "usr/bin/slipway");

  private static final Set<String> FOLDERS = Set.of("usr", "usr/bin", "usr/lib");

  /**
   * What disks and installers take of {@code run_tools} in {@code tools/prepare}. What builds
   * images, and what runs machines, is not among them.
   */
  static final List<String> PACKAGES =
      List.of(
          "btrfs-progs",
          "ca-certificates",
          "cryptsetup-bin",
          "dosfstools",
          "e2fsprogs",
          "fdisk",
          "grub-common",
          "isomd5sum",
          "mount",
          "mtools",
          "openssl",
          // Reads images of podman's store whose layers it fetched in parts.
          "skopeo",
          "squashfs-tools",
          "util-linux",
          "xfsprogs",
          "xorriso");

  /** The modules of the JDK that all of the product's classes use. */
  private static final List<String> MODULES =
      List.of(
          "java.base",
          "java.logging",
          "java.management",
          "java.naming",
          "java.net.http",
          "java.xml",
          "jdk.unsupported");

  private final Request request;
  private final Progress progress;
  private final BaseWork work;
  private final Path root;
  private final Instant start;

  private SelfImage(
      Request request, Progress progress, BaseWork work, Path root, InstantSource clock) {
    this.request = request;
    this.progress = progress;
    this.work = work;
    this.root = root;
    this.start = clock.instant();
  }

  /**
   * What it is made of.
   *
   * @param tag the image's name in the store
   * @param mirror of Debian's main archive; null takes the one that this machine's apt uses
   * @param product the folder of the product's jars
   * @param version of the product
   * @param store where the image goes
   * @param state folder for downloads that later builds use again, and for work in progress
   * @param created the image's time of creation; null takes that of the newest file in any package
   */
  public record Request(
      Reference tag,
      @Nullable URI mirror,
      Path product,
      String version,
      LocalStore store,
      Path state,
      @Nullable Instant created) {}

  /**
   * Builds the image and gives it its name in the store. Needs root.
   *
   * @param clock says when the build begins: files that packages brought are older
   * @throws Problem when a tool fails, or a package is not there
   */
  public static Manifest.Image build(Request request, Progress progress, InstantSource clock)
      throws IOException {
    requireRoot();
    BaseWork work = new BaseWork(BaseStorage.directory(request.state()), progress);
    return work.call(
        "builder image", root -> new SelfImage(request, progress, work, root, clock).build());
  }

  /**
   * For a command to ask first, before it makes anything.
   *
   * @throws Problem of kind DENIED to anyone else
   */
  public static void requireRoot() {
    if (Posix.geteuid() != 0) {
      throw Problem.denied("building an image of Slipway needs root: run it with sudo");
    }
  }

  private Manifest.Image build() throws IOException {
    BaseMirror mirror = BaseMirror.choose(request.mirror(), Path.of("/etc/apt"));
    progress.note("installing Debian " + SUITE + " from " + mirror.main().getHost());
    // No suite has a dot in its name, so that these downloads are apart from those of base images.
    String kept = SUITE + ".builder";
    new BaseBootstrap(SUITE, Platform.host(), PACKAGES, mirror, work.state(), kept, "")
        .run(root, progress);
    BaseImage.inNamespace("builder-finish.sh", root.toString()).run();
    // In place, which keeps owner and mode.
    Path shadow = root.resolve("etc/shadow");
    Files.writeString(shadow, BaseUsers.imageShadow(Files.readString(shadow)));
    FileTree system = DirectoryReader.read(root);
    Instant given = request.created();
    Instant created = given == null ? BaseImage.newest(system, start) : given;
    putProduct();
    Map<String, FileTree> layers = new LinkedHashMap<>();
    layers.put("system", system);
    layers.put("slipway", DirectoryReader.read(root, SelfImage::isOurs));
    return new BaseWriter(request.store(), Platform.host(), request.tag(), progress, created)
        .write(
            layers,
            config ->
                config
                    .entrypoint(List.of("/" + PROGRAM))
                    .workingDir(OUTPUT)
                    .labels(labels(created)));
  }

  private Map<String, String> labels(Instant created) {
    return new TreeMap<>(
        Map.of(
            "org.opencontainers.image.created",
            created.toString(),
            "org.opencontainers.image.title",
            "Slipway",
            "org.opencontainers.image.version",
            request.version()));
  }

  private void putProduct() throws IOException {
    Path product = request.product();
    List<Path> jars;
    try (Stream<Path> files = Files.list(product)) {
      jars = files.filter(file -> file.toString().endsWith(".jar")).sorted().toList();
    }
    ProductHome home = new ProductHome(product, jars, MODULES, BaseImage.jdk());
    Path place = root.resolve(ProductHome.PLACE);
    home.put(place, progress);
    Files.writeString(
        place.resolve("run.args"), "-Xmx2g\n-Xmn32m\n" + ProductHome.WORKING + home.arguments());
    Files.write(place.resolve("environment.sh"), BaseImage.resource("environment.sh"));
    Path launcher = place.resolve("builder");
    Files.write(launcher, BaseImage.resource("builder"));
    Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rwxr-xr-x"));
    for (String name : NAMES) {
      Files.createSymbolicLink(root.resolve(name), Path.of("../lib/slipway/builder"));
    }
  }

  /** With the folders that lead there. */
  private static boolean isOurs(OsPath path) {
    String place = path.toString();
    return FOLDERS.contains(place)
        || NAMES.contains(place)
        || place.equals(ProductHome.PLACE)
        || place.startsWith(ProductHome.PLACE + "/");
  }
}
