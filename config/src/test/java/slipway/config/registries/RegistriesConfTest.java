package slipway.config.registries;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.process.Command;
import slipway.oci.DockerRegistry;
import slipway.oci.Images;
import slipway.oci.Seeds;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Transfer;
import slipway.oci.copy.Validate;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.registry.RegistryClient;
import slipway.oci.registry.RegistryOptions;
import slipway.oci.store.LocalStore;

class RegistriesConfTest {
  private static final String TEXT =
      """
      unqualified-search-registries = ["docker.io"]
      short-name-mode = "enforcing"
      [[registry]]
      location = "10.0.2.2:5000"
      insecure = true
      [[registry]]
      prefix = "quay.io/mine"
      location = "mirror.example:5000/theirs"
      [[registry]]
      prefix = "quay.io"
      blocked = true
      location = "quay.io"
      [[registry]]
      prefix = "*.internal.example"
      insecure = true
      [[registry]]
      prefix = "*.moved.example"
      location = "new.example/all"
      [[registry]]
      prefix = "host.example/os:1"
      blocked = true
      [[registry]]
      prefix = "host.example/os:2"
      location = "other.example/os:3"
      [aliases]
      "web" = "apps.example/team/web"
      """;

  private static final RegistriesConf CONF = RegistriesConf.parse(TEXT, "r.conf");

  private static RegistriesConf.Place find(String image) {
    List<RegistriesConf.Place> places = CONF.places(Reference.parse(image));
    assertThat(places).hasSize(1);
    return places.getFirst();
  }

  @Test
  void decidesByTheLongestPrefix() {
    assertThat(find("10.0.2.2:5000/os:1").insecure()).isTrue();
    assertThat(find("10.0.2.2:5000/os:1").image()).hasToString("10.0.2.2:5000/os:1");
    assertThat(find("10.0.2.2:50001/os:1").insecure()).isFalse();
    assertThat(find("quay.io/mine/os:1").image()).hasToString("mirror.example:5000/theirs/os:1");
    assertThatThrownBy(() -> find("quay.io/other:1"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("r.conf:10 blocks quay.io");
    assertThatThrownBy(() -> CONF.target(Reference.parse("quay.io/other:1")))
        .hasMessageContaining("blocks quay.io");
    assertThat(find("docker.io/x").insecure()).isFalse();
  }

  @Test
  void knowsWildcards() {
    assertThat(find("a.internal.example/x").insecure()).isTrue();
    assertThat(find("a.b.internal.example:5000/x").insecure()).isTrue();
    assertThat(find("internal.example/x").insecure()).isFalse();
    assertThat(find("a.internal.example.evil/x").insecure()).isFalse();
    assertThat(find("evil.io/a.internal.example/x").insecure()).isFalse();
    assertThat(find("a.moved.example/x:1").image()).hasToString("new.example/all/x:1");
  }

  @Test
  void knowsPrefixesWithATag() {
    assertThatThrownBy(() -> find("host.example/os:1")).hasMessageContaining("r.conf:20 blocks");
    assertThat(find("host.example/os:10").image()).hasToString("host.example/os:10");
    assertThat(find("host.example/os:2").image()).hasToString("other.example/os:3");
  }

  @Test
  void completesShortNames() {
    assertThat(CONF.resolve("web:2")).hasToString("apps.example/team/web:2");
    assertThat(CONF.resolve("debian")).hasToString("docker.io/library/debian");
    assertThat(CONF.resolve("a.io/web")).hasToString("a.io/web");
    RegistriesConf two =
        RegistriesConf.parse("unqualified-search-registries = ['a.io', 'b.io']\n", "r.conf");
    assertThatThrownBy(() -> two.resolve("x:1")).hasMessageContaining("(a.io, b.io)");
    RegistriesConf one =
        RegistriesConf.parse("unqualified-search-registries = ['a.io']\n", "r.conf");
    assertThat(one.resolve("x/y:1")).hasToString("a.io/x/y:1");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          [[registry]];location='a';unknown=1                    | r.conf:3: unknown
          [[registry]];location='a';insecure='yes'               | r.conf:3: insecure: it must be true
          [[registry]];prefix='*.a/b';location='x'               | r.conf:2: prefix: a wildcard
          [[registry]];location='https://a'                      | r.conf:2: location: write the host
          [[registry]];insecure=true                             | neither prefix nor location
          [[registry]];location='a';[[registry]];location='a'    | r.conf:4: there is
          [[registry]];location='a';[[registry.mirror]];insecure=true | a mirror needs one
          [[registry]];location='a';[[registry.mirror]];location='b';pull-from-mirror='x' | r.conf:5: pull
          [registries.search];registries=['a']                   | r.conf:1: registries: version 1
          credential-helpers=['secretservice']                   | r.conf:1: credential-helpers
          colour='red'                                           | r.conf:1: colour
          unqualified-search-registries='a.io'                   | r.conf:1: unqualified-search
          [aliases];a='b.io/a';'x/y:z'=1                         | r.conf:3: x/y:z: it must be
          [[registry]];location='a';[[registry]];location=1      | r.conf:4: location: it must be
          [[registry]];location='a';[[registry.mirror]];location=1 | r.conf:4: location: it must
          a =                                                    | r.conf:1: the file ends too early
          """)
  void refusesAloudWhatItDoesNotUnderstand(String text, String sentence) {
    assertThatThrownBy(() -> RegistriesConf.parse(text.replace(';', '\n'), "r.conf"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(sentence);
  }

  @Test
  void readsTheFilesInOrder(@TempDir Path root) throws IOException {
    Reference image = Reference.parse("a.example/b");
    assertThat(insecure(root, Map.of(), image)).isFalse();
    Path directory = Files.createDirectories(root.resolve("etc/containers/registries.conf.d"));
    Files.writeString(
        root.resolve("etc/containers/registries.conf"),
        "[[registry]]\nlocation = \"a.example\"\ninsecure = false\n");
    Files.writeString(
        directory.resolve("10.conf"), "[[registry]]\nlocation = \"a.example\"\ninsecure = true\n");
    Files.writeString(directory.resolve("notes.txt"), "not = [toml");
    assertThat(insecure(root, Map.of(), image)).isTrue();
    Path own = Files.createDirectories(root.resolve("home/.config/containers"));
    Files.writeString(own.resolve("registries.conf"), "[[registry]]\nlocation = \"b.example\"\n");
    Map<String, String> home = Map.of("HOME", root.resolve("home").toString());
    assertThat(insecure(root, home, image)).isTrue(); // The system's drop-ins hold for all.
    Map<String, String> named =
        Map.of("CONTAINERS_REGISTRIES_CONF", own.resolve("registries.conf").toString());
    assertThat(insecure(root, named, image)).isFalse();
    Files.writeString(directory.resolve("20.conf"), "[[registry]\n");
    assertThatThrownBy(() -> RegistriesConf.read(root, Map.of()))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("20.conf:");
  }

  private static boolean insecure(Path root, Map<String, String> environment, Reference image)
      throws IOException {
    return RegistriesConf.read(root, environment).places(image).getFirst().insecure();
  }

  /** The same image by the same file through skopeo and here, with one registry up and one down. */
  @Test
  void mirrorsAreAskedAsSkopeoAsksThem(@TempDir Path dir) throws Exception {
    RegistryOptions options =
        RegistryOptions.anonymous(Map.of())
            .withPatience(1, Duration.ofMillis(1), Duration.ofSeconds(5));
    Random random = Seeds.random("RegistriesConfTest");
    try (DockerRegistry registry = DockerRegistry.start(dir, null);
        LocalStore store = LocalStore.open(dir.resolve("store"))) {
      Manifest.Image image = Images.random(store, random, Platform.parse("linux/amd64"), 1);
      store.putManifest(image, LocalStore.localName("x"));
      Reference mirrored = registry.reference("copies/os:1");
      try (RegistryClient client = new RegistryClient(mirrored, options)) {
        Transfer.copy(store.source(), "x", client, "1", Transfer.Options.all(), Progress.NONE);
      }
      String gone = "127.0.0.1:" + DockerRegistry.freePort();
      String form =
          """
          [[registry]]
          prefix = "up.example/os"
          location = "%2$s/nothing"
          blocked = %4$s
          [[registry.mirror]]
          location = "%2$s/copies/os"
          insecure = true
          [[registry.mirror]]
          location = "%1$s/copies/os"
          insecure = true
          pull-from-mirror = "%3$s"
          """;
      for (String pull : List.of("all", "digest-only", "tag-only")) {
        for (boolean blocked : List.of(false, true)) {
          Path file = dir.resolve("registries.conf");
          Files.writeString(file, form.formatted(registry.host(), gone, pull, blocked));
          RegistriesConf conf =
              RegistriesConf.read(
                  dir.resolve("none"), Map.of("CONTAINERS_REGISTRIES_CONF", file.toString()));
          for (String name : List.of("up.example/os:1", "up.example/os@" + image.digest())) {
            Command.Result judge =
                Command.of(
                        "skopeo",
                        "--registries-conf",
                        file.toString(),
                        "inspect",
                        "--raw",
                        "docker://" + name)
                    .tryRun();
            boolean expected =
                pull.equals("all") || pull.equals("digest-only") == name.contains("@");
            assertThat(judge.status() == 0).as(pull + " " + name).isEqualTo(expected);
            Reference reference = Reference.parse(name);
            try (ImageSource source = new Registries(conf, options, null).source(reference)) {
              if (expected) {
                assertThat(Transfer.resolve(source, null, Platform.parse("linux/amd64")))
                    .isEqualTo(image);
                Validate.image(source, image, Progress.NONE);
              } else {
                assertThatThrownBy(() -> source.manifest(null)).isInstanceOf(Problem.class);
              }
            } catch (Problem e) {
              assertThat(expected).isFalse();
            }
          }
        }
      }
    }
  }

  /** With a digest the tag decides nothing; without either it is latest. */
  @Test
  void aRuleIsAboutAnImageHoweverItsNameIsWritten() {
    String digest = "sha256:" + "a".repeat(64);
    RegistriesConf conf =
        RegistriesConf.parse(
            """
            [[registry]]
            prefix = "host.example/os@%1$s"
            location = "host.example/os@%1$s"
            blocked = true
            [[registry]]
            prefix = "host.example/new:latest"
            location = "host.example/new:latest"
            blocked = true
            [[registry]]
            prefix = "host.example/moved@%1$s"
            location = "other.example/there@%1$s"
            """
                .formatted(digest),
            "registries.conf");
    for (String name :
        List.of(
            "host.example/os@" + digest,
            "host.example/os:1@" + digest,
            "host.example/new",
            "host.example/new:latest")) {
      assertThatThrownBy(() -> conf.places(Reference.parse(name)))
          .isInstanceOf(Problem.class)
          .hasMessageContaining(" blocks host.example/");
    }
    assertThat(conf.places(Reference.parse("host.example/os:1"))).hasSize(1);
    assertThat(conf.places(Reference.parse("host.example/moved:1@" + digest)))
        .extracting(RegistriesConf.Place::image)
        .containsExactly(Reference.parse("other.example/there@" + digest));
  }
}
