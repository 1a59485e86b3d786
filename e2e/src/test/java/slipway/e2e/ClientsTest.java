package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.linux.process.Command;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** One image that goes through the hands of skopeo, podman and docker's registry, and ours. */
@Tag("slow")
class ClientsTest {
  private static final String NAME = "localhost/clients:1";

  /** The same with layers that docker's own formats know: they have no zstd. */
  private static final String GZIP = "localhost/clients:gzip";

  private static final String GREETING = "made by RUN of 17\nfrom the context";

  @TempDir(cleanup = CleanupMode.ALWAYS)
  static Path dir;

  private static Cli cli;
  private static Served registry;
  private static Podman podman;
  private static String digest = "";

  @BeforeAll
  static void buildAndPush() throws Exception {
    cli = Cli.withState(dir.resolve("state"));
    Path context = Files.createDirectory(dir.resolve("context"));
    Files.copy(Path.of("/bin/busybox"), context.resolve("busybox"));
    Files.writeString(context.resolve("file"), "from the context\n");
    Files.writeString(
        context.resolve("Containerfile"),
        """
        FROM scratch
        ARG NUMBER
        COPY --chmod=755 busybox /bin/busybox
        RUN ["/bin/busybox", "ln", "-s", "busybox", "/bin/sh"]
        COPY --chown=7:8 file /data/file
        RUN echo "made by RUN of $NUMBER" > /greeting
        LABEL org.example.number=$NUMBER
        ENV GREETING=/greeting
        WORKDIR /data
        CMD ["/bin/sh", "-c", "/bin/busybox cat $GREETING file"]
        """);
    build(NAME, "zstd", context);
    build(GZIP, "gzip", context);
    digest = inspect(NAME).path("Digest").asString();
    podman = new Podman(dir.resolve("podman"));
    registry = Served.slipway(cli, dir.resolve("registry"));
    assertThat(cli.must("push", NAME, ours("app:1")).strip()).isEqualTo(digest);
    cli.must("push", GZIP, ours("app:gzip"));
  }

  private static void build(String name, String compression, Path context) {
    cli.must(
        "build",
        "--build-arg",
        "NUMBER=17",
        "--compression",
        compression,
        "-t",
        name,
        context.toString());
  }

  @AfterAll
  static void stop() throws Exception {
    if (registry != null) {
      registry.close();
    }
    if (podman != null) {
      podman.close();
    }
  }

  private static String ours(String name) {
    return registry.host() + "/clients/" + name;
  }

  private static JsonNode inspect(String image) {
    return JsonMapper.shared().readTree(cli.must("inspect", image));
  }

  private static String run(String... argv) {
    return Command.of(argv).idleLimit(Cli.IDLE_LIMIT).output();
  }

  private static String skopeoDigest(String image) {
    return run("skopeo", "inspect", "--tls-verify=false", "--format", "{{.Digest}}", image);
  }

  @Test
  void skopeoCopiesFromOurRegistry() throws Exception {
    String image = "docker://" + ours("app:1");
    assertThat(skopeoDigest(image)).isEqualTo(digest);
    Path oci = dir.resolve("oci");
    run("skopeo", "copy", "--src-tls-verify=false", image, "oci:" + oci + ":1");
    assertThat(skopeoDigest("oci:" + oci + ":1")).isEqualTo(digest);
    Path plain = dir.resolve("dir");
    run("skopeo", "copy", "--src-tls-verify=false", image, "dir:" + plain);
    assertThat(run("skopeo", "manifest-digest", plain.resolve("manifest.json").toString()))
        .isEqualTo(digest);
    assertThat(Files.readString(plain.resolve("manifest.json")))
        .isEqualToIgnoringNewLines(cli.must("inspect", "--raw", NAME));
    JsonNode config =
        JsonMapper.shared().readTree(run("skopeo", "inspect", "--config", "oci:" + oci + ":1"));
    assertThat(config).isEqualTo(inspect(NAME).path("Config"));
    assertThat(config.at("/config/Labels/org.example.number").asString()).isEqualTo("17");
  }

  @Test
  void podmanPullsFromOurRegistryAndRuns() {
    // A store of its own: an image that podman has from a gzip copy keeps the digest of that one.
    try (Podman other = new Podman(dir.resolve("pulled"))) {
      other.must("pull", "--quiet", "--tls-verify=false", ours("app:1"));
      assertThat(other.must("image", "inspect", "--format", "{{.Digest}}", ours("app:1")))
          .isEqualTo(digest);
      assertThat(other.runImage(ours("app:1"))).isEqualTo(GREETING);
      assertThat(other.runImage(ours("app:1"), "/bin/busybox", "stat", "-c", "%u:%g %a", "file"))
          .isEqualTo("7:8 644");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"oci-archive", "docker-archive"})
  void skopeoAndPodmanReadWhatWeSave(String format) {
    Path archive = dir.resolve("saved-" + format + ".tar");
    cli.must("save", "--format", format, "-o", archive.toString(), NAME);
    JsonNode config =
        JsonMapper.shared().readTree(run("skopeo", "inspect", "--config", format + ":" + archive));
    assertThat(config).isEqualTo(inspect(NAME).path("Config"));
    Podman other = new Podman(dir.resolve(format));
    try (other) {
      assertThat(other.must("load", "--quiet", "-i", archive.toString())).contains(NAME);
      assertThat(other.runImage(NAME)).isEqualTo(GREETING);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"oci-archive", "docker-archive"})
  void weLoadWhatPodmanAndSkopeoSave(String format) {
    String name = "localhost/saved-" + format + ":2";
    podman.must("pull", "--quiet", "--tls-verify=false", ours("app:gzip"));
    podman.must("tag", ours("app:gzip"), name);
    Path byPodman = dir.resolve("podman-" + format + ".tar");
    podman.must("save", "--quiet", "--format", format, "-o", byPodman.toString(), name);
    assertThat(cli.must("load", "-i", byPodman.toString()))
        .isEqualTo("Loaded image: " + name + "\n");
    assertThat(inspect(name).path("Config")).isEqualTo(inspect(GZIP).path("Config"));
    String again = "localhost/copied-" + format + ":3";
    Path bySkopeo = dir.resolve("skopeo-" + format + ".tar");
    run(
        "skopeo",
        "copy",
        "--src-tls-verify=false",
        "docker://" + ours("app:gzip"),
        format + ":" + bySkopeo + ":" + again);
    assertThat(cli.must("load", "-i", bySkopeo.toString()))
        .isEqualTo("Loaded image: " + again + "\n");
    assertThat(inspect(again).path("Config")).isEqualTo(inspect(GZIP).path("Config"));
  }

  /** podman itself calls an oci-dir after the folder; the name that is written there says more. */
  @ParameterizedTest
  @ValueSource(strings = {"oci-dir", "docker-dir"})
  void weLoadTheFoldersThatPodmanSaves(String format) {
    String name = "localhost/folder-" + format + ":4";
    podman.must("pull", "--quiet", "--tls-verify=false", ours("app:gzip"));
    podman.must("tag", ours("app:gzip"), name);
    Path folder = dir.resolve("podman-" + format);
    podman.must("save", "--quiet", "--format", format, "-o", folder.toString(), name);
    String loaded = cli.must("load", "-i", folder.toString()).strip();
    String image = loaded.replaceFirst("^Loaded image: ", "");
    if (format.equals("oci-dir")) {
      assertThat(image).isEqualTo(name);
    } else {
      assertThat(image).startsWith("sha256:"); // It holds no name.
    }
    assertThat(inspect(image).path("Config")).isEqualTo(inspect(GZIP).path("Config"));
  }

  @Test
  void wePullWhatSkopeoPushes() {
    String pushed = ours("by-skopeo:1");
    run(
        "skopeo",
        "copy",
        "--src-tls-verify=false",
        "--dest-tls-verify=false",
        "--format",
        "v2s2",
        "docker://" + ours("app:gzip"),
        "docker://" + pushed);
    Cli other = Cli.withState(dir.resolve("other-state"));
    String pulled = other.must("pull", pushed).strip();
    assertThat(pulled).isEqualTo(skopeoDigest("docker://" + pushed));
    JsonNode image = JsonMapper.shared().readTree(other.must("inspect", pushed));
    assertThat(image.path("Config")).isEqualTo(inspect(GZIP).path("Config"));
    assertThat(image.path("Manifest").path("mediaType").asString()).contains("docker");
  }

  @Test
  void dockersRegistryLetsUsInWithTheRightPasswordOnly() throws Exception {
    Path auth = dir.resolve("auth.json");
    try (Served closed =
        Served.docker(Files.createDirectory(dir.resolve("closed")), "joe", "s3cret")) {
      String target = closed.host() + "/team/app:1";
      refused(cli.run("push", NAME, target));
      refused(login(auth, closed, "wrong"));
      assertThat(auth).doesNotExist();
      Command.Result in = login(auth, closed, "s3cret");
      assertThat(in.status()).as(in.stderr()).isZero();
      assertThat(in.text()).isEqualTo("Login Succeeded!\n");
      assertThat(Files.getPosixFilePermissions(auth)).hasSize(2);
      assertThat(cli.must("push", "--authfile", auth.toString(), NAME, target).strip())
          .isEqualTo(digest);
      assertThat(
              run(
                  "skopeo",
                  "inspect",
                  "--tls-verify=false",
                  "--authfile",
                  auth.toString(),
                  "--format",
                  "{{.Digest}}",
                  "docker://" + target))
          .isEqualTo(digest);
      cli.must("logout", "--authfile", auth.toString(), closed.host());
      refused(cli.run("pull", "--authfile", auth.toString(), target));
    }
  }

  private static Command.Result login(Path auth, Served server, String password) {
    return cli.command(
            "login",
            "--authfile",
            auth.toString(),
            "--username",
            "joe",
            "--password-stdin",
            server.host())
        .stdin(password.getBytes(StandardCharsets.UTF_8))
        .idleLimit(Cli.IDLE_LIMIT)
        .tryRun();
  }

  private static void refused(Command.Result result) {
    assertThat(result.stderr()).startsWith("error: ").contains("127.0.0.1").doesNotContain("\tat");
    assertThat(result.stderr().strip().lines()).hasSize(1);
    assertThat(result.status()).isEqualTo(1);
  }
}
