package slipway.config.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.oci.HostileRegistry;
import slipway.oci.model.Json;
import slipway.oci.model.Reference;
import slipway.oci.registry.CredentialSource;
import slipway.oci.registry.Credentials;
import slipway.oci.registry.RegistryOptions;

class AuthFileTest {
  private static final RegistryOptions OPTIONS =
      RegistryOptions.anonymous(Map.of())
          .withPatience(2, Duration.ofMillis(2), Duration.ofSeconds(5));

  @TempDir Path dir;

  private AuthFile file(String text) throws IOException {
    Path path = dir.resolve("auth.json");
    Files.writeString(path, text);
    return AuthFile.at(path);
  }

  private static Optional<Credentials> basic(String user, String password) {
    return Optional.of(new Credentials.Basic(user, password));
  }

  @Test
  void takesTheMostSpecificKey() throws Exception {
    AuthFile file =
        file(
            """
            {"auths":{
              "quay.io":{"auth":"aG9zdDphOmI="},
              "quay.io/team":{"auth":"dGVhbTp4"},
              "quay.io/team/app":{"identitytoken":"tok"},
              "https://index.docker.io/v1/":{"auth":"aHViOmg="},
              "https://old.example.com/v2/":{"auth":"b2xkOm8AAA=="}}}""");
    assertThat(file.find(Reference.parse("quay.io/x/y"))).isEqualTo(basic("host", "a:b"));
    assertThat(file.find(Reference.parse("quay.io/team/z"))).isEqualTo(basic("team", "x"));
    assertThat(file.find(Reference.parse("quay.io/teamster/z"))).isEqualTo(basic("host", "a:b"));
    assertThat(file.find(Reference.parse("quay.io/team/app:v")))
        .contains(new Credentials.IdentityToken("tok"));
    assertThat(file.find(Reference.parse("nginx"))).isEqualTo(basic("hub", "h"));
    assertThat(file.find(Reference.parse("old.example.com/a"))).isEqualTo(basic("old", "o"));
    assertThat(file.find(Reference.parse("other.io/a"))).isEmpty();
    assertThat(file.find(Reference.parse("quay.io/x")).orElseThrow().toString())
        .doesNotContain("a:b");
  }

  @Test
  void looksWherePodmanLooks() throws Exception {
    Path run = dir.resolve("run");
    Path home = dir.resolve("home");
    Reference name = Reference.parse("a.io/x");
    write(home.resolve(".docker/config.json"), "docker");
    Map<String, String> env = Map.of("XDG_RUNTIME_DIR", run.toString(), "HOME", home.toString());
    assertThat(AuthFile.search(null, env).find(name)).map(Credentials::user).contains("docker");
    write(home.resolve(".config/containers/auth.json"), "config");
    assertThat(AuthFile.search(null, env).find(name)).map(Credentials::user).contains("config");
    write(run.resolve("containers/auth.json"), "run");
    assertThat(AuthFile.search(null, env).find(name)).map(Credentials::user).contains("run");
    Path own = dir.resolve("own.json");
    assertThatThrownBy(() -> AuthFile.search(own, env)).hasMessageContaining("own.json");
    write(own, "own");
    assertThat(AuthFile.search(own, env).find(name)).map(Credentials::user).contains("own");
    assertThat(AuthFile.search(null, Map.of("REGISTRY_AUTH_FILE", own.toString())).find(name))
        .map(Credentials::user)
        .contains("own");
    assertThat(AuthFile.forWriting(null, env).path())
        .isEqualTo(run.resolve("containers/auth.json"));
    assertThat(AuthFile.forWriting(null, Map.of()).path())
        .startsWithRaw(Path.of("/run/containers"));
  }

  /** As podman has it: also when no registry asks for credentials. */
  @Test
  void aNamedFileThatIsNoneIsToldAtOnce() throws Exception {
    Path broken = Files.writeString(dir.resolve("broken.json"), "{\n nope\n}");
    Path list = Files.writeString(dir.resolve("list.json"), "[]");
    Path empty = Files.createFile(dir.resolve("empty.json"));
    Path missing = dir.resolve("missing.json");
    Map<Path, String> sentences =
        Map.of(
            broken, broken + " is not valid JSON at line 2",
            list, list + " is not a JSON object",
            empty, empty + ", is empty; log in with it, or write {} into it",
            missing, missing + ", does not exist",
            dir, "cannot read the credentials in " + dir + ": Is a directory");
    sentences.forEach(
        (path, sentence) -> {
          Map<String, String> environment = Map.of("REGISTRY_AUTH_FILE", path.toString());
          assertThatThrownBy(() -> AuthFile.options(Map.of(), path))
              .isInstanceOf(Problem.class)
              .hasMessageEndingWith(sentence);
          assertThatThrownBy(() -> AuthFile.options(environment, null))
              .isInstanceOf(Problem.class)
              .hasMessageEndingWith(sentence);
        });
    CredentialSource none = AuthFile.search(Path.of("/dev/null"), Map.of());
    assertThat(none.find(Reference.parse("a.io/x"))).isEmpty();
    // Where nobody named it, it counts once it is asked.
    write(dir.resolve("containers/auth.json"), "x");
    Files.writeString(dir.resolve("containers/auth.json"), "nope");
    CredentialSource usual = AuthFile.search(null, Map.of("XDG_RUNTIME_DIR", dir.toString()));
    assertThatThrownBy(() -> usual.find(Reference.parse("a.io/x")))
        .hasMessageContaining("is not valid JSON");
  }

  @Test
  void theHostHasItsOwnPlaces() throws Exception {
    Reference name = Reference.parse("a.io/x");
    assertThat(AuthFile.host(dir).find(name)).isEmpty();
    write(dir.resolve("usr/lib/ostree/auth.json"), "vendor");
    assertThat(AuthFile.host(dir).find(name)).map(Credentials::user).contains("vendor");
    write(dir.resolve("etc/ostree/auth.json"), "admin");
    assertThat(AuthFile.host(dir).find(name)).map(Credentials::user).contains("admin");
  }

  private static void write(Path path, String user) throws IOException {
    Files.createDirectories(path.getParent());
    String auth = java.util.Base64.getEncoder().encodeToString((user + ":x").getBytes("UTF-8"));
    Files.writeString(path, "{\"auths\":{\"a.io\":{\"auth\":\"" + auth + "\"}}}");
  }

  @Test
  void loginKeepsOtherFieldsAndIsPrivate() throws Exception {
    AuthFile file =
        file("{\"auths\":{\"b.io\":{\"auth\":\"eDp5\"}},\"HttpHeaders\":{\"X\":\"y\"}}");
    try (HostileRegistry registry =
        new HostileRegistry(
            (e, count) -> {
              boolean known = e.getRequestHeaders().getFirst("Authorization") != null;
              if (!known) {
                HostileRegistry.header(e, "WWW-Authenticate", "Basic realm=x");
              }
              HostileRegistry.answer(e, known ? 200 : 401, "");
            })) {
      file.login(registry.host(), new Credentials.Basic("joe", "s3cr3t"), OPTIONS);
      assertThat(Files.readString(file.path())).contains("HttpHeaders", "b.io", registry.host());
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file.path())))
          .isEqualTo("rw-------");
      assertThat(file.find(registry.reference())).isEqualTo(basic("joe", "s3cr3t"));
      assertThat(file.logout(registry.host())).isTrue();
      assertThat(file.logout(registry.host())).isFalse();
      assertThat(file.find(Reference.parse("b.io/x"))).isEqualTo(basic("x", "y"));
      file.logoutAll();
      assertThat(file.find(Reference.parse("b.io/x"))).isEmpty();
    }
  }

  @Test
  void asksCredentialHelpersByTheirNameOnly() throws Exception {
    AuthFile file =
        file("{\"credHelpers\":{\"h.io\":\"../../tmp/evil\",\"n.io\":\"slipway-absent\"}}");
    assertThatThrownBy(() -> file.find(Reference.parse("h.io/x")))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("not the name of a credential helper");
    assertThatThrownBy(() -> file.find(Reference.parse("n.io/x")))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("docker-credential-slipway-absent");
  }

  @Test
  void talksToACredentialHelper() throws Exception {
    // A helper is found on the PATH of this process, so it is installed for the test.
    Path helper = Path.of("/usr/local/bin/docker-credential-slipway-test");
    Path kept = dir.resolve("kept");
    Files.writeString(
        helper,
        """
        #!/bin/sh
        case $1 in
        get) read -r key; [ "$key" = none.io ] && { echo credentials not found in native keychain; exit 1; }
             printf '{"ServerURL":"%%s","Username":"<token>","Secret":"id-%%s"}' "$key" "$key";;
        store) cat > %s;;
        erase) rm -f %s;;
        esac
        """
            .formatted(kept, kept));
    Files.setPosixFilePermissions(helper, PosixFilePermissions.fromString("rwxr-xr-x"));
    try (HostileRegistry registry =
        new HostileRegistry((e, count) -> HostileRegistry.answer(e, 200, ""))) {
      AuthFile file =
          file(
              """
              {"credHelpers":{"h.io":"slipway-test","none.io":"slipway-test","%s":"slipway-test"}}"""
                  .formatted(registry.host()));
      assertThat(file.find(Reference.parse("h.io/x")))
          .contains(new Credentials.IdentityToken("id-h.io"));
      assertThat(file.find(Reference.parse("none.io/x"))).isEmpty();
      file.login(registry.host(), new Credentials.Basic("joe", "s3cr3t"), OPTIONS);
      assertThat(kept).content().contains("s3cr3t", registry.host());
      assertThat(Files.readString(file.path())).doesNotContain("s3cr3t");
      assertThat(file.logout(registry.host())).isTrue();
      assertThat(kept).doesNotExist();
      // One store for all: what was plain text before is so no more.
      AuthFile all =
          file(
              """
              {"credsStore":"slipway-test","auths":{"%s":{"auth":"eDp5"},"old.io":{"auth":"eDp5"}}}"""
                  .formatted(registry.host()));
      all.login(registry.host(), new Credentials.Basic("joe", "s3cr3t"), OPTIONS);
      assertThat(kept).content().contains("s3cr3t", registry.host());
      assertThat(Json.read(Files.readAllBytes(all.path())).at("/auths/" + registry.host()))
          .isEmpty();
      assertThat(all.find(registry.reference()))
          .contains(new Credentials.IdentityToken("id-" + registry.host()));
      assertThat(all.find(Reference.parse("old.io/x"))).isEqualTo(basic("x", "y"));
      all.login(registry.host() + "/team", new Credentials.Basic("joe", "team"), OPTIONS);
      assertThat(all.find(Reference.parse(registry.host() + "/team/x")))
          .contains(new Credentials.IdentityToken("id-" + registry.host() + "/team"));
      assertThat(all.logout(registry.host())).isTrue();
      assertThat(kept).doesNotExist();
      assertThat(all.logout(registry.host())).isFalse();
      all.logoutAll();
      assertThat(Files.readString(all.path())).doesNotContain("old.io", "team");
    } finally {
      Files.delete(helper);
    }
  }
}
