package slipway.host.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.oci.copy.ImageSource;
import slipway.sysroot.state.ContainerReference;

class MachineImagesTest {
  @TempDir Path root;

  /** A machine has no {@code slipway login}. */
  @Test
  void tellsWhereAMachineKeepsCredentials() throws Exception {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          exchange.getResponseHeaders().add("WWW-Authenticate", "Basic realm=\"x\"");
          exchange.sendResponseHeaders(401, -1);
          exchange.close();
        });
    server.start();
    try {
      String host = "127.0.0.1:" + server.getAddress().getPort();
      Path conf = Files.createDirectories(root.resolve("etc/containers/registries.conf.d"));
      Files.writeString(
          conf.resolve("x.conf"), "[[registry]]\nlocation = \"" + host + "\"\ninsecure = true\n");
      try (ImageSource source =
          new MachineImages(root, Map.of()).open(ContainerReference.registry(host + "/os:1"))) {
        assertThatThrownBy(() -> source.manifest(null))
            .isInstanceOfSatisfying(
                Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.DENIED))
            .hasMessageContaining("log in: put credentials for " + host)
            .hasMessageContaining("/etc/ostree/auth.json")
            .message()
            .doesNotContain("slipway login");
      }
    } finally {
      server.stop(0);
    }
  }
}
