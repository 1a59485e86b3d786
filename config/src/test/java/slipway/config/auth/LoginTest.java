package slipway.config.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.linux.process.Command;
import slipway.oci.DockerRegistry;
import slipway.oci.FuzzTest;
import slipway.oci.model.Reference;
import slipway.oci.registry.Credentials;
import slipway.oci.registry.RegistryOptions;

/** Files of credentials beside a registry that wants them, and damaged ones. */
class LoginTest {
  private static final RegistryOptions OPTIONS =
      RegistryOptions.anonymous(Map.of())
          .withPatience(3, Duration.ofMillis(5), Duration.ofSeconds(20));

  @Test
  void isStoredOnceTheRegistryTakesIt(@TempDir Path dir) throws Exception {
    try (DockerRegistry closed =
        DockerRegistry.start(Files.createDirectory(dir.resolve("closed")), "joe")) {
      AuthFile file = AuthFile.at(dir.resolve("auth.json"));
      assertThatThrownBy(
              () -> file.login(closed.host(), new Credentials.Basic("joe", "wr0ng"), OPTIONS))
          .isInstanceOf(Problem.class);
      assertThat(file.path()).doesNotExist();
      file.login(closed.host(), new Credentials.Basic("joe", "secret"), OPTIONS);
      String said =
          Command.of("skopeo", "list-tags", "--authfile", file.path().toString())
              .with("--tls-verify=false", "docker://" + closed.reference("private/x"))
              .tryRun()
              .stderr();
      assertThat(said).contains("404").doesNotContain("401", "nauthorized");
      assertThat(file.logout(closed.host())).isTrue();
      assertThat(file.find(closed.reference("private/x"))).isEqualTo(Optional.empty());
    }
  }

  @Test
  void damagedFilesAreTold(@TempDir Path dir) {
    AuthFile file = AuthFile.at(dir.resolve("auth.json"));
    Reference name = Reference.parse("quay.io/a/b");
    byte[] seed =
        """
        {"auths":{"quay.io/a":{"auth":"am9lOnMzY3IzdA=="},"quay.io":{"identitytoken":"t0ken"},
        "https://index.docker.io/v1/":{"auth":"am9lOng="}},"other":1}"""
            .getBytes(StandardCharsets.UTF_8);
    FuzzTest.fuzz(
        1000, // Each writes a file.
        seed,
        EnumSet.of(Problem.Kind.INPUT),
        b -> {
          Files.write(file.path(), b);
          try {
            file.find(name);
            file.find(Reference.parse("nginx"));
          } catch (Problem e) {
            assertThat(e.getMessage()).doesNotContain("s3cr3t", "am9l", "t0ken");
            throw e;
          }
        });
  }
}
