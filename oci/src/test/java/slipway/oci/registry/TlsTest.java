package slipway.oci.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.linux.process.Command;
import slipway.oci.DockerRegistry;
import slipway.oci.Seeds;
import slipway.oci.model.Descriptor;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Reference;

/** Certificates made by openssl; servers of the JDK. */
class TlsTest {
  private static final char[] PASSWORD = "changeit".toCharArray();
  private static final RegistryOptions OPTIONS =
      RegistryOptions.anonymous(Map.of())
          .withPatience(2, Duration.ofMillis(2), Duration.ofSeconds(5));

  @TempDir Path dir;

  private void openssl(String line) {
    Command.of(("openssl " + line).split(" ")).directory(dir).run();
  }

  private KeyStore keys() throws Exception {
    openssl(
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=testca");
    openssl("req -newkey rsa:2048 -nodes -keyout s.key -out s.csr -subj /CN=localhost");
    Files.writeString(dir.resolve("ext"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
    openssl(
        "x509 -req -in s.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out s.crt");
    openssl("pkcs12 -export -in s.crt -inkey s.key -out s.p12 -passout pass:changeit");
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(dir.resolve("s.p12"))) {
      store.load(in, PASSWORD);
    }
    try (InputStream in = Files.newInputStream(dir.resolve("ca.crt"))) {
      store.setCertificateEntry(
          "ca", java.security.cert.CertificateFactory.getInstance("X.509").generateCertificate(in));
    }
    return store;
  }

  private HttpsServer serve(KeyStore keys, boolean wantClient) throws Exception {
    KeyManagerFactory own = KeyManagerFactory.getInstance("PKIX");
    own.init(keys, PASSWORD);
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
    trust.init(keys);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(own.getKeyManagers(), trust.getTrustManagers(), null);
    HttpsServer server =
        HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setHttpsConfigurator(
        new HttpsConfigurator(context) {
          @Override
          public void configure(HttpsParameters parameters) {
            SSLParameters ssl = context.getDefaultSSLParameters();
            ssl.setNeedClientAuth(wantClient);
            parameters.setSSLParameters(ssl);
          }
        });
    answer(server);
    return server;
  }

  private static void answer(HttpServer server) {
    server.createContext(
        "/",
        exchange -> {
          try (exchange) {
            byte[] body = "{\"tags\":[\"t\"]}".getBytes("UTF-8");
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
          }
        });
    server.start();
  }

  @Test
  void trustsTheRegistrysDirectoryAndNobodyElse() throws Exception {
    HttpsServer server = serve(keys(), false);
    try {
      String host = "localhost:" + server.getAddress().getPort();
      Reference name = Reference.parse(host + "/x");
      try (RegistryClient client = new RegistryClient(name, OPTIONS.withCertificates(List.of()))) {
        assertThatThrownBy(client::tags)
            .isInstanceOfSatisfying(
                Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.ENVIRONMENT))
            .hasMessageContaining("the certificate of " + host + " is not accepted")
            .hasMessageContaining("/etc/containers/certs.d/" + host + "/ca.crt");
      }
      try (RegistryClient client =
          new RegistryClient(name, OPTIONS.withCertificates(List.of()).withTlsVerify(false))) {
        assertThat(client.tags()).containsExactly("t");
      }
      Path directory = Files.createDirectories(dir.resolve("certs.d").resolve(host));
      Files.copy(dir.resolve("ca.crt"), directory.resolve("ca.crt"));
      RegistryOptions trusting = OPTIONS.withCertificates(List.of(dir.resolve("certs.d")));
      try (RegistryClient client = new RegistryClient(name, trusting)) {
        assertThat(client.tags()).containsExactly("t");
      }
    } finally {
      server.stop(0);
    }
  }

  /** ADD fetches so: a file of a web server comes by the same certificates as layers. */
  @Test
  @Tag("slow")
  void filesOfTheWebComeByTheSameCertificates() throws Exception {
    HttpsServer server = serve(keys(), false);
    try {
      String host = "localhost:" + server.getAddress().getPort();
      URI address = URI.create("https://" + host + "/file");
      assertThatThrownBy(() -> WebFile.open(address, OPTIONS.withCertificates(List.of())).close())
          .isInstanceOfSatisfying(
              Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.ENVIRONMENT))
          .hasMessageContaining("the certificate of " + host + " is not accepted");
      Path directory = Files.createDirectories(dir.resolve("certs.d").resolve(host));
      Files.copy(dir.resolve("ca.crt"), directory.resolve("ca.crt"));
      RegistryOptions trusting = OPTIONS.withCertificates(List.of(dir.resolve("certs.d")));
      try (WebFile file = WebFile.open(address, trusting)) {
        assertThat(file.body()).hasContent("{\"tags\":[\"t\"]}");
      }
    } finally {
      server.stop(0);
    }
  }

  @Test
  @Tag("slow")
  @Timeout(60)
  void goesOnAfterAStall() throws Exception {
    byte[] blob = new byte[500_000];
    Seeds.random("TlsTest").nextBytes(blob);
    Descriptor descriptor = Descriptor.of(MediaTypes.OCI_LAYER, blob);
    AtomicInteger asked = new AtomicInteger();
    HttpsServer server = serve(keys(), false);
    try {
      server.createContext(
          "/v2/x/blobs/",
          exchange -> {
            boolean first = asked.getAndIncrement() == 0;
            exchange.sendResponseHeaders(200, blob.length);
            exchange.getResponseBody().write(blob, 0, first ? 300_000 : blob.length);
            exchange.getResponseBody().flush();
            if (!first) {
              exchange.close(); // The first one stays open until the server ends.
            }
          });
      RegistryOptions hasty =
          OPTIONS
              .withTlsVerify(false)
              .withPatience(9, Duration.ofMillis(2), Duration.ofMillis(1500));
      Reference name = Reference.parse("localhost:" + server.getAddress().getPort() + "/x");
      try (RegistryClient client = new RegistryClient(name, hasty);
          InputStream in = client.openBlob(descriptor)) {
        assertThat(in.readAllBytes()).isEqualTo(blob);
      }
      assertThat(asked).hasValue(2);
    } finally {
      server.stop(0);
    }
  }

  @Test
  @Tag("slow")
  void showsItsOwnCertificate() throws Exception {
    HttpsServer server = serve(keys(), true);
    try {
      String host = "127.0.0.1:" + server.getAddress().getPort();
      Reference name = Reference.parse(host + "/x");
      Path directory = Files.createDirectories(dir.resolve("certs.d").resolve(host));
      Files.copy(dir.resolve("ca.crt"), directory.resolve("ca.crt"));
      RegistryOptions trusting = OPTIONS.withCertificates(List.of(dir.resolve("certs.d")));
      try (RegistryClient client = new RegistryClient(name, trusting)) {
        assertThatThrownBy(client::tags).isInstanceOf(Problem.class);
      }
      openssl("req -newkey rsa:2048 -nodes -keyout c.key -out c.csr -subj /CN=client");
      openssl("x509 -req -in c.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out c.crt");
      Files.copy(dir.resolve("c.crt"), directory.resolve("client.cert"));
      assertThatThrownBy(() -> new RegistryClient(name, trusting))
          .hasMessageContaining("needs its private key");
      Path key = directory.resolve("client.key");
      Files.copy(dir.resolve("c.key"), key);
      try (RegistryClient client = new RegistryClient(name, trusting)) {
        assertThat(client.tags()).containsExactly("t");
      }
      openssl("rsa -in c.key -traditional -out c1.key");
      assertThat(dir.resolve("c1.key")).content().contains("BEGIN RSA PRIVATE KEY");
      Files.delete(key);
      Files.copy(dir.resolve("c1.key"), key);
      try (RegistryClient client = new RegistryClient(name, trusting)) {
        assertThat(client.tags()).containsExactly("t");
      }
      for (String curve : List.of("prime256v1", "secp384r1", "secp521r1")) {
        openssl("ecparam -name " + curve + " -genkey -out e.key"); // SEC 1, the curve before it.
        assertThat(dir.resolve("e.key")).content().contains("BEGIN EC PRIVATE KEY");
        openssl("req -new -key e.key -out e.csr -subj /CN=client");
        openssl("x509 -req -in e.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out e.crt");
        copy("e.crt", directory.resolve("client.cert"));
        copy("e.key", key);
        try (RegistryClient client = new RegistryClient(name, trusting)) {
          assertThat(client.tags()).containsExactly("t");
        }
      }
      openssl("ec -in e.key -aes128 -passout pass:x -out locked.key");
      copy("locked.key", key);
      assertThatThrownBy(() -> new RegistryClient(name, trusting))
          .isInstanceOf(Problem.class)
          .hasMessageContaining("without a password");
    } finally {
      server.stop(0);
    }
  }

  private void copy(String name, Path to) throws Exception {
    Files.copy(dir.resolve(name), to, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
  }

  @Test
  void speaksPlainHttpOnlyToLoopbackOrWhenTold() throws Exception {
    try (DockerRegistry registry = DockerRegistry.start(dir, null, ownAddress().getHostAddress())) {
      Reference name = registry.reference("x");
      try (RegistryClient client = new RegistryClient(name, OPTIONS)) {
        assertThatThrownBy(client::catalog)
            .isInstanceOf(Problem.class)
            .hasMessage(
                ("cannot list the repositories of %s: %s does not speak TLS; allow plain HTTP with"
                        + " --tls-verify=false, or for every command with insecure = true for it in"
                        + " /etc/containers/registries.conf")
                    .formatted(registry.host(), registry.host()));
      }
      try (RegistryClient client = new RegistryClient(name, OPTIONS.withTlsVerify(false))) {
        assertThat(client.catalog()).isEmpty();
      }
    }
  }

  /** An address of this machine that is not loopback. */
  private static InetAddress ownAddress() throws Exception {
    return java.net.NetworkInterface.networkInterfaces()
        .flatMap(java.net.NetworkInterface::inetAddresses)
        .filter(a -> a instanceof java.net.Inet4Address && !a.isLoopbackAddress())
        .findFirst()
        .orElseThrow();
  }
}
