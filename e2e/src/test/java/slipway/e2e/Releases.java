package slipway.e2e;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Releases of examples/web that a machine can follow. Each has files and defaults of {@code /etc}
 * of its own; every fourth has a new initramfs and new kernel arguments besides, so that some
 * upgrades write a whole boot menu and some only other links behind it.
 */
final class Releases implements AutoCloseable {
  /** Repository and tag that a machine follows. */
  static final String FOLLOWED = "web:stable";

  /** A part of RUN that makes the initramfs anew, with what the image has by then. */
  static final String NEW_INITRAMFS =
      """
      kver=$(ls /usr/lib/modules) \\
       && dracut --quiet --force --tmpdir /tmp --kver $kver /usr/lib/modules/$kver/initramfs.img""";

  private static final int GENERATION = 4;

  /** What a release brings is larger, and no manifest is. */
  private static final long LAYER = 1_000_000;

  /**
   * The kernel skips zeros behind an initramfs, and takes them for a part of it when it compares
   * two: 4 more make another one.
   */
  private static final String CONTAINERFILE =
      """
      FROM %s
      ARG GENERATION
      LABEL org.opencontainers.image.version=$GENERATION
      RUN mkdir -p /usr/lib/bootc/kargs.d \\
       && echo "kargs = [\\"generation=$GENERATION\\"]" > /usr/lib/bootc/kargs.d/50-release.toml \\
       && for i in /usr/lib/modules/*/initramfs.img; do \\
            head -c $((GENERATION * 4)) /dev/zero >> $i; done
      ARG RELEASE
      RUN echo "<h1>Slipway web, version $RELEASE</h1>" > /usr/share/web/index.html \\
       && echo "Welcome to Slipway web, version $RELEASE." > /etc/motd \\
       && mkdir /etc/release.d && echo $RELEASE > /etc/release.d/$RELEASE \\
       && echo default > /etc/release.d/unwanted \\
       && mkdir /usr/share/release && cd /usr/share/release && head -c 4000000 /dev/urandom > random \\
       && for i in $(seq 300); do echo "$RELEASE $i" > $i; done
      """;

  private final Cli cli;
  private final Served registry;
  private final Path context;

  /** What all releases are built from. */
  private final String web;

  private Releases(Cli cli, Served registry, Path context, String web) {
    this.cli = cli;
    this.registry = registry;
    this.context = context;
    this.web = web;
  }

  /**
   * Builds what all releases have in common and starts a registry for them.
   *
   * @param dir gives the images a name of their own, too: tests share the state that they are in
   */
  static Releases start(Path dir) throws IOException {
    Cli cli = BaseImages.trixie();
    String web = "localhost/slipway-test-" + dir.getFileName();
    String source = Cli.ROOT.resolve("examples/web").toString();
    cli.must("build", "--quiet", "--build-arg", "VERSION=1", "-t", web, source);
    Path context = Files.createDirectory(dir.resolve("context"));
    Files.writeString(context.resolve("Containerfile"), CONTAINERFILE.formatted(web));
    return new Releases(cli, Served.slipway(cli, dir.resolve("registry")), context, web);
  }

  /** The registry as a machine's user network shows it. */
  String registryInGuest() {
    return inGuest(registry);
  }

  /** Any registry of this machine, likewise. */
  static String inGuest(Served registry) {
    return registry.host().replace("127.0.0.1", "10.0.2.2");
  }

  /** Builds a release into the local store and returns its name there. */
  String build(int release) {
    String name = web + "-release:" + release;
    cli.must(
        "build",
        "--quiet",
        "--build-arg",
        "RELEASE=" + release,
        "--build-arg",
        "GENERATION=" + (1 + release / GENERATION),
        "-t",
        name,
        context.toString());
    return name;
  }

  /** Builds a release and makes it the one that machines follow. */
  void publish(int release) {
    publish(release, FOLLOWED);
  }

  /** Builds a release and pushes it under a repository and tag. */
  void publish(int release, String target) {
    String name = build(release);
    cli.must("push", "--quiet", name, registry.host() + "/" + target);
    cli.must("rmi", name);
  }

  /** Instructions that add packages to a release, and to its initramfs what they have for that. */
  static String packages(String names) {
    return """
        RUN apt-get -qq update && apt-get -qq -y install %s \\
         && %s \\
         && rm -rf /var/lib/apt/lists/*
        """
        .formatted(names, NEW_INITRAMFS);
  }

  /**
   * Builds a release with more instructions behind it and makes it the one that machines follow.
   */
  void publishWith(int release, String instructions) throws IOException {
    publishOnto(release, folder(instructions), FOLLOWED);
  }

  private Path folder(String instructions) throws IOException {
    Path folder = Files.createTempDirectory(context.getParent(), "special");
    Files.writeString(folder.resolve("Containerfile"), "ARG BASE\nFROM $BASE\n" + instructions);
    return folder;
  }

  /**
   * Builds a release, an image onto it, and pushes that.
   *
   * @param folder whose Containerfile begins with the release: {@code ARG BASE}, {@code FROM $BASE}
   * @param target repository and tag
   * @param options more options of the build
   */
  void publishOnto(int release, Path folder, String target, String... options) {
    String special = buildOnto(release, folder, options);
    cli.must("push", "--quiet", special, registry.host() + "/" + target);
    cli.must("rmi", special);
  }

  /** Builds a release and an image onto it, and returns the image's name in the local store. */
  private String buildOnto(int release, Path folder, String... options) {
    String name = build(release);
    String special = name + "-special";
    List<String> build = new ArrayList<>(List.of("build", "--quiet", "-t", special));
    build.addAll(List.of("--build-arg", "BASE=" + name));
    build.addAll(List.of(options));
    build.add(folder.toString());
    cli.must(build.toArray(String[]::new));
    cli.must("rmi", name);
    return special;
  }

  /** Builds an image that has nothing to do with releases, and pushes that. */
  void publishAlone(Path folder, String target) {
    String name = web + "-alone";
    cli.must("build", "--quiet", "-t", name, folder.toString());
    cli.must("push", "--quiet", name, registry.host() + "/" + target);
    cli.must("rmi", name);
  }

  /**
   * Builds a release, an image onto it, and an application, and pushes the last two to another
   * registry.
   *
   * @param folder as of {@link #publishOnto}
   * @param authFile with credentials for it
   * @param options more options of the build
   */
  void publishElsewhere(int release, Path folder, String host, Path authFile, String... options)
      throws IOException {
    Path app = Files.createTempDirectory(context.getParent(), "app");
    Files.writeString(app.resolve("Containerfile"), "FROM scratch\nCOPY Containerfile /note\n");
    String alone = web + "-alone";
    cli.must("build", "--quiet", "-t", alone, app.toString());
    String special = buildOnto(release, folder, options);
    String auth = authFile.toString();
    cli.must("push", "--quiet", "--authfile", auth, alone, host + "/app:1");
    cli.must("push", "--quiet", "--authfile", auth, special, host + "/" + FOLLOWED);
    cli.must("rmi", special, alone);
  }

  /**
   * Turns a byte of the newest layer in the registry over; once more, and the layer is whole again.
   */
  void turnAByteOver() throws IOException {
    Path newest;
    try (Stream<Path> blobs = Files.walk(context.resolveSibling("registry/blobs/sha256"))) {
      newest =
          blobs
              .filter(file -> Files.isRegularFile(file) && file.toFile().length() > LAYER)
              .max(Comparator.comparingLong(file -> file.toFile().lastModified()))
              .orElseThrow();
    }
    try (RandomAccessFile file = new RandomAccessFile(newest.toFile(), "rw")) {
      file.seek(file.length() / 2);
      int turned = file.read() ^ 1;
      file.seek(file.length() / 2);
      file.write(turned);
    }
  }

  /** An image in the registry, as skopeo names it. */
  String source(String target) {
    return "docker://" + registry.host() + "/" + target;
  }

  /**
   * Makes a raw disk of a release and returns its file.
   *
   * @param more options for the disk
   */
  Path disk(int release, Path config, Path output, String... more) {
    return disk(build(release), config, output, more);
  }

  /** The same of a release with more instructions behind it. */
  Path diskWith(int release, String instructions, Path config, Path output) throws IOException {
    return disk(buildOnto(release, folder(instructions)), config, output);
  }

  private Path disk(String name, Path config, Path output, String... more) {
    List<String> command =
        new ArrayList<>(List.of("disk", "build", "--quiet", "--type", "raw", "--size", "5G"));
    command.addAll(List.of("--config", config.toString()));
    command.addAll(List.of("--target-imgref", registryInGuest() + "/" + FOLLOWED));
    command.addAll(List.of("--output", output.toString()));
    command.addAll(List.of(more));
    command.add(name);
    cli.must(command.toArray(String[]::new));
    cli.must("rmi", name);
    return output.resolve("image/disk.raw");
  }

  @Override
  public void close() throws Exception {
    registry.close();
    cli.run("rmi", web);
  }
}
