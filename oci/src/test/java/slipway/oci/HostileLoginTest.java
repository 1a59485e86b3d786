package slipway.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static slipway.oci.HostileRegistry.answer;
import static slipway.oci.HostileRegistry.header;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.oci.registry.CredentialSource;
import slipway.oci.registry.Credentials;
import slipway.oci.registry.RegistryClient;

/** Registries and token services that fish for secrets. */
class HostileLoginTest extends HostileCase {
  @Test
  void takesNoCredentialsToAnotherHost() throws Exception {
    try (HostileRegistry other = new HostileRegistry((e, count) -> answer(e, 200, BLOB));
        HostileRegistry registry =
            new HostileRegistry(
                (e, count) -> {
                  if (e.getRequestHeaders().getFirst("Authorization") == null) {
                    header(e, "WWW-Authenticate", "Basic realm=\"x\"");
                    answer(e, 401, "");
                  } else {
                    header(e, "Location", "http://" + other.host() + "/cdn/blob?sig=1");
                    answer(e, 307, "");
                  }
                });
        RegistryClient client =
            new RegistryClient(
                registry.reference(), OPTIONS.withCredentials(CredentialSource.of(SECRET)))) {
      assertThat(read(client)).isEqualTo(BLOB);
      assertThat(other.asked).containsExactly("GET /cdn/blob?sig=1 null");
      assertThat(registry.asked.getLast()).contains("Basic ");
    }
  }

  /** Whoever looks after the network should not look at the registry. */
  @Test
  void namesTheServerThatDoesNotAnswerAndNotTheRegistry() throws Exception {
    String nobody = "127.0.0.1:" + DockerRegistry.freePort();
    HostileRegistry.Handler away =
        (e, count) -> {
          header(e, "Location", "http://" + nobody + "/cdn/blob");
          answer(e, 307, "");
        };
    HostileRegistry.Handler tokens =
        (e, count) -> {
          header(e, "WWW-Authenticate", "Bearer realm=\"http://" + nobody + "/token\"");
          answer(e, 401, "");
        };
    for (HostileRegistry.Handler handler : List.of(away, tokens)) {
      try (HostileRegistry registry = new HostileRegistry(handler);
          RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
        fails(Problem.Kind.UNAVAILABLE, () -> read(client))
            .hasMessageEndingWith(": " + nobody + " does not answer; is it up and reachable?");
      }
    }
    try (HostileRegistry cdn = new HostileRegistry((e, count) -> answer(e, 503, ""));
        HostileRegistry registry =
            new HostileRegistry(
                (e, count) -> {
                  header(e, "Location", "http://" + cdn.host() + "/cdn/blob");
                  answer(e, 307, "");
                });
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      fails(Problem.Kind.UNAVAILABLE, () -> read(client))
          .hasMessageEndingWith("; " + cdn.host() + " fails with status 503, try again later");
    }
  }

  @Test
  void followsNoRedirectsWithoutEndOrToNowhere() throws Exception {
    HostileRegistry.Handler circle =
        (e, count) -> {
          header(e, "Location", e.getRequestURI().toString());
          answer(e, 302, "");
        };
    try (HostileRegistry registry = new HostileRegistry(circle);
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      fails(Problem.Kind.CORRUPT, () -> client.manifest(null)).hasMessageContaining("without end");
    }
    for (String target :
        List.of("file:///etc/passwd", "http://[", "", "gopher://x/", "http://127.0.0.1:99999/x")) {
      HostileRegistry.Handler away =
          (e, count) -> {
            header(e, "Location", target);
            answer(e, 302, "");
          };
      try (HostileRegistry registry = new HostileRegistry(away);
          RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
        assertThatThrownBy(() -> client.manifest(null)).isInstanceOf(Problem.class);
      }
    }
  }

  @Test
  void getsTokensForScopesAndKeepsThem() throws Exception {
    AtomicReference<String> form = new AtomicReference<>("");
    HostileRegistry.Handler handler =
        (e, count) -> {
          String path = e.getRequestURI().getPath();
          String auth = e.getRequestHeaders().getFirst("Authorization");
          if (path.equals("/token")) {
            form.set(new String(e.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            answer(e, 200, "{\"token\":\"t" + count + "\",\"expires_in\":300}");
          } else if (auth == null || !auth.startsWith("Bearer t") || auth.equals("Bearer told")) {
            String host = e.getRequestHeaders().getFirst("Host");
            header(
                e,
                "WWW-Authenticate",
                "Bearer realm=\"http://"
                    + host
                    + "/token\",service=\"it's, \\\"one\\\"\",scope=\"repository:x:pull\"");
            answer(e, 401, "");
          } else {
            answer(e, 200, BLOB);
          }
        };
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client =
            new RegistryClient(
                registry.reference(), OPTIONS.withCredentials(CredentialSource.of(SECRET)))) {
      for (int i = 0; i < 3; i++) {
        assertThat(read(client)).isEqualTo(BLOB);
      }
      List<String> tokens = registry.asked.stream().filter(a -> a.contains("/token")).toList();
      assertThat(tokens).hasSize(1);
      assertThat(tokens.getFirst())
          .contains("service=it%27s%2C+%22one%22", "scope=repository%3Ax%3Apull", "account=joe")
          .contains("Basic ");
    }
    CredentialSource identity = CredentialSource.of(new Credentials.IdentityToken("s3cr3t-id"));
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client =
            new RegistryClient(registry.reference(), OPTIONS.withCredentials(identity))) {
      assertThat(read(client)).isEqualTo(BLOB);
      assertThat(form.get())
          .contains("grant_type=refresh_token", "refresh_token=s3cr3t-id", "client_id=slipway");
    }
  }

  @Test
  void renewsATokenThatIsRefused() throws Exception {
    HostileRegistry.Handler handler =
        (e, count) -> {
          String path = e.getRequestURI().getPath();
          String auth = e.getRequestHeaders().getFirst("Authorization");
          if (path.equals("/token")) {
            answer(e, 200, "{\"access_token\":\"t" + count + "\",\"expires_in\":300}");
          } else if ("Bearer t0".equals(auth) && count < 2 || "Bearer t1".equals(auth)) {
            answer(e, 200, BLOB);
          } else {
            header(
                e,
                "WWW-Authenticate",
                "Bearer realm=\"http://" + e.getRequestHeaders().getFirst("Host") + "/token\"");
            answer(e, 401, "");
          }
        };
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      assertThat(read(client)).isEqualTo(BLOB); // Asked twice: challenged, then with t0.
      assertThat(read(client)).isEqualTo(BLOB); // t0 is refused, t1 is good.
      assertThat(registry.asked.stream().filter(a -> a.contains("/token")).count()).isEqualTo(2);
    }
  }

  @Test
  void aTokenServiceThatRefusesIsDenied() throws Exception {
    HostileRegistry.Handler handler =
        (e, count) -> {
          header(
              e,
              "WWW-Authenticate",
              "Bearer realm=\"http://" + e.getRequestHeaders().getFirst("Host") + "/token\"");
          answer(e, 401, "{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"no\"}]}");
        };
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client =
            new RegistryClient(
                registry.reference(), OPTIONS.withCredentials(CredentialSource.of(SECRET)))) {
      fails(Problem.Kind.DENIED, () -> client.manifest(null))
          .hasMessageContaining("refuses the credentials of joe");
    }
  }

  @Test
  void sendsNoSecretsToATokenServiceWithoutTlsElsewhere() throws Exception {
    HostileRegistry.Handler handler =
        (e, count) -> {
          header(e, "WWW-Authenticate", "Bearer realm=\"http://198.51.100.1/token\"");
          answer(e, 401, "");
        };
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client =
            new RegistryClient(
                registry.reference(), OPTIONS.withCredentials(CredentialSource.of(SECRET)))) {
      fails(Problem.Kind.DENIED, () -> client.manifest(null)).hasMessageContaining("without TLS");
    }
  }

  @Test
  void saysOfAnAddressThatCannotBeThatItCannot() throws Exception {
    HostileRegistry.Handler handler =
        (e, count) -> {
          header(e, "WWW-Authenticate", "Bearer realm=\"https://auth.example:99999/\"");
          answer(e, 401, "");
        };
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      fails(Problem.Kind.CORRUPT, () -> client.manifest(null))
          .hasMessageContaining("names a token service without an address that can be asked");
    }
  }
}
