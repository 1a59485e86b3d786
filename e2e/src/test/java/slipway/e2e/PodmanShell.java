package slipway.e2e;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import slipway.linux.process.Command;

/**
 * A shell of root on this computer in which podman has storage of its own where it has it always,
 * so that lines of documents run as they are. It is in the network of this computer, whose loopback
 * has the registries.
 */
final class PodmanShell implements AutoCloseable {
  private static final String USER = "joe";
  private static final String PASSWORD = "secret-of-joe";

  /**
   * What is mounted goes with the namespace, and so do what podman keeps in /run and its mounts.
   */
  private static final String APART =
      """
      mount --bind "$1/containers" /var/lib/containers
      mount -t tmpfs tmpfs /run
      cd "$1/$2"
      exec bash -euo pipefail "$1/$2.sh" < /dev/null
      """;

  private final Path dir;
  private final Served open;
  private final Served closed;

  private PodmanShell(Path dir, Served open, Served closed) {
    this.dir = dir;
    this.open = open;
    this.closed = closed;
  }

  /** With an image in the open registry, and the product's own in the one that wants a password. */
  static PodmanShell start(Path dir) throws Exception {
    Cli cli = BaseImages.trixie();
    Served open = Served.slipway(cli, dir.resolve("registry"));
    Served closed = Served.docker(dir, USER, PASSWORD);
    PodmanShell shell = new PodmanShell(dir, open, closed);
    try {
      shell.publish(cli);
      shell.configure();
      return shell;
    } catch (Exception e) {
      shell.close();
      throw e;
    }
  }

  private void publish(Cli cli) throws IOException {
    Path context = Files.createDirectory(dir.resolve("context"));
    Files.writeString(
        context.resolve("Containerfile"),
        "FROM " + BaseImages.TRIXIE + "\nRUN groupadd --system wheel\n");
    String image = open.host() + "/web:latest";
    cli.must("build", "--quiet", "-t", image, context.toString());
    cli.must("push", "--quiet", image);
    String pair =
        Base64.getEncoder()
            .encodeToString((USER + ":" + PASSWORD).getBytes(StandardCharsets.UTF_8));
    Path auth = dir.resolve("auth.json");
    Files.writeString(
        auth, "{\"auths\": {\"%s\": {\"auth\": \"%s\"}}}".formatted(closed.host(), pair));
    String builder = closed.host() + "/bootc-image-builder:latest";
    cli.must("self-image", "--quiet", "-t", builder);
    cli.must("push", "--quiet", "--authfile", auth.toString(), builder);
    cli.must("rmi", image, builder);
  }

  /** As this computer needs it, where root may not raise limits, and cgroups may be anybody's. */
  private void configure() throws IOException {
    Files.createDirectory(dir.resolve("containers"));
    if (!Files.isDirectory(Path.of("/var/lib/containers"))) {
      Files.createDirectory(Path.of("/var/lib/containers"));
    }
    Files.writeString(
        dir.resolve("containers.conf"),
        """
        [containers]
        default_ulimits = ["nofile=1024:4096", "nproc=4096:4096"]
        netns = "host"
        [engine]
        cgroup_manager = "cgroupfs"
        events_logger = "none"
        """);
    Files.writeString(
        dir.resolve("registries.conf"),
        Stream.of(open, closed)
            .map(r -> "[[registry]]\nlocation = \"%s\"\ninsecure = true\n".formatted(r.host()))
            .collect(Collectors.joining()));
  }

  /** Plays a script to its end. */
  void play(String name) throws IOException {
    Files.createDirectory(dir.resolve(name));
    String head =
        "registry=%s private=%s user=%s password=%s\n"
            .formatted(open.host(), closed.host(), USER, PASSWORD);
    Files.writeString(
        dir.resolve(name + ".sh"), head + Files.readString(Scenario.SCRIPTS.resolve(name + ".sh")));
    Command.Result result =
        Command.of(
                List.of(
                    "setpriv",
                    "--pdeathsig",
                    "KILL",
                    "--",
                    "unshare",
                    "--mount",
                    "--propagation",
                    "private",
                    "--pid",
                    "--fork",
                    "--kill-child=KILL",
                    "--mount-proc",
                    "sh",
                    "-eu",
                    "-c",
                    APART,
                    "sh",
                    dir.toString(),
                    name))
            .environment("CONTAINERS_CONF", dir.resolve("containers.conf").toString())
            .environment("CONTAINERS_REGISTRIES_CONF", dir.resolve("registries.conf").toString())
            .timeout(Duration.ofMinutes(60))
            .run();
    System.out.print(result.text());
  }

  @Override
  public void close() throws Exception {
    try {
      closed.close();
    } finally {
      open.close();
      // Layers hold links to anywhere, of each of which JUnit would warn.
      Command.of("rm", "-rf", "--one-file-system", dir.resolve("containers").toString()).run();
    }
  }
}
