package slipway.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.linux.posix.Ioctls;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.process.Command;
import slipway.registry.RegistryServer;

/**
 * What scenarios share: a scratch folder, the product as it was built, and the image in a registry
 * on the loopback, as an OCI layout, as files and as one flat archive. Each is made when first
 * asked for.
 */
final class Inputs implements AutoCloseable {
  /** Of the image in the registry: as it is in the store, and with gzip layers for peers. */
  static final String ZSTD = "zstd";

  static final String GZIP = "gzip";

  private final Path checkout;
  private final Path state;
  private final String image;
  private final Path scratch;
  private @Nullable RegistryServer registry;
  private @Nullable Path files;
  private @Nullable Path archive;
  private boolean hasGzip;

  /**
   * @param checkout top of the sources, whose {@code slipway} has been built
   * @param state of the product, with the image in its store
   * @param image in the store
   * @param parent where the scratch folder is made: on the disk to measure
   */
  Inputs(Path checkout, Path state, String image, Path parent) throws IOException {
    this.checkout = checkout;
    this.state = state;
    this.image = image;
    this.scratch = Files.createTempDirectory(parent, "slipway-bench-");
  }

  String image() {
    return image;
  }

  Path state() {
    return state;
  }

  /** An empty folder; {@link #remove} takes it away. */
  Path folder(String name) throws IOException {
    return Files.createTempDirectory(scratch, name + "-");
  }

  /** The product's command line. */
  Command slipway(String... arguments) {
    List<String> argv = new ArrayList<>(List.of(checkout.resolve("slipway").toString()));
    argv.addAll(List.of(arguments));
    return Command.of(argv);
  }

  /** A class of this module in a JVM of its own, with the product's options and AOT cache. */
  Command java(Class<?> main, String... arguments) throws IOException {
    Path build = checkout.resolve(".slipway");
    Path options = Path.of(Files.readString(build.resolve("current")).strip()).resolve("run.args");
    List<String> lines = Files.readAllLines(options);
    String product = lines.get(lines.indexOf("-cp") + 1).replace("\"", "");
    String own =
        Path.of(main.getProtectionDomain().getCodeSource().getLocation().getPath()).toString();
    List<String> argv = new ArrayList<>();
    argv.add(Files.readString(build.resolve("java-home")).strip() + "/bin/java");
    argv.addAll(List.of("@" + options, "-cp", product + ":" + own, main.getName()));
    argv.addAll(List.of(arguments));
    return Command.of(argv);
  }

  /** {@code HOST:PORT/REPOSITORY} of the image. */
  String repository() {
    if (registry == null) {
      registry =
          RegistryServer.start(
              scratch.resolve("registry"),
              new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      push(image, ZSTD);
    }
    return name(registry);
  }

  /** Puts an image of the store into the registry too. */
  void push(String other, String tag) {
    slipway("push", "--quiet", "--root", state.toString(), other, repository() + ":" + tag).run();
  }

  private static String name(RegistryServer server) {
    return "127.0.0.1:" + server.address().getPort() + "/os";
  }

  /**
   * Puts the image with gzip layers into the registry too. It goes through an archive whose layers
   * are not compressed, because skopeo pushes layers that are compressed as they are.
   */
  void pushGzip() throws IOException {
    if (hasGzip) {
      return;
    }
    Path plain = scratch.resolve("plain.tar");
    slipway("save", "--quiet", "--root", state.toString(), "--format", "docker-archive")
        .with("--output", plain.toString(), image)
        .run();
    Command.of("skopeo", "copy", "--quiet", "--insecure-policy", "--dest-tls-verify=false")
        .with("--format", "oci", "--dest-compress-format", "gzip", "--dest-compress-level", "1")
        .with("docker-archive:" + plain, "docker://" + repository() + ":" + GZIP)
        .run();
    Files.delete(plain);
    hasGzip = true;
  }

  /** skopeo from the registry to an OCI layout. */
  Command skopeo(String tag, Path layout) {
    return Command.of("skopeo", "copy", "--quiet", "--insecure-policy", "--src-tls-verify=false")
        .with("docker://" + repository() + ":" + tag, "oci:" + layout + ":" + tag);
  }

  /** umoci from an OCI layout to a bundle, whose files are below {@code rootfs}. */
  static Command umoci(Path layout, Path bundle) {
    return Command.of("umoci", "unpack", "--image", layout + ":" + GZIP, bundle.toString());
  }

  /** The image's files, as umoci unpacks them. */
  Path files() throws IOException {
    if (files == null) {
      Path layout = scratch.resolve("layout");
      Path bundle = scratch.resolve("bundle");
      skopeo(GZIP, layout).run();
      umoci(layout, bundle).run();
      Posix.removeTree(OsPath.of(layout));
      files = bundle.resolve("rootfs");
    }
    return files;
  }

  /** The image's files as one tar that is not compressed. */
  Path archive() throws IOException {
    if (archive == null) {
      Path tar = scratch.resolve("flat.tar");
      Command.of("tar", "--create", "--file", tar.toString(), "--numeric-owner")
          .with("--xattrs", "--xattrs-include=*", "-C", files().toString(), ".")
          .run();
      archive = tar;
    }
    return archive;
  }

  /** Extracts {@link #archive} with all that it holds. */
  Command untar(Path into) throws IOException {
    return Command.of("tar", "--extract", "--file", archive().toString(), "--numeric-owner")
        .with("--preserve-permissions", "--xattrs", "--xattrs-include=*", "-C", into.toString());
  }

  /** Brings all that was written to the file system of a folder to disk. */
  static Command sync(Path folder) {
    return Command.of("sync", "--file-system", folder.toString());
  }

  /** Removes a folder and what deployments in it made immutable. */
  static void remove(Path folder) throws IOException {
    OsPath path = OsPath.of(folder);
    if (!Posix.exists(path)) {
      return;
    }
    makeMutable(path, 0);
    Posix.removeTree(path);
  }

  /** Deployments are ROOT/ostree/deploy/NAME/deploy/CHECKSUM: deeper nothing is immutable. */
  private static void makeMutable(OsPath path, int depth) throws IOException {
    Stat stat = Posix.lstat(path);
    if (!stat.isDirectory() || depth > 8) {
      return;
    }
    Ioctls.setImmutable(path, false);
    for (OsPath name : Posix.list(path)) {
      if (!name.is("objects")) {
        makeMutable(path.resolve(name), depth + 1);
      }
    }
  }

  @Override
  public void close() throws IOException {
    if (registry != null) {
      registry.close();
    }
    try {
      remove(scratch);
    } catch (IOException e) {
      throw new Problem(
          Problem.Kind.ENVIRONMENT, "cannot remove " + scratch + ": " + e.getMessage(), e);
    }
  }
}
