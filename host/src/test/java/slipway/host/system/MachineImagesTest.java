package slipway.host.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Manifest;
import slipway.sysroot.state.ContainerReference;

class MachineImagesTest {
  @TempDir Path root;

  private void policy(String text) throws Exception {
    Files.writeString(
        Files.createDirectories(root.resolve("etc/containers")).resolve("policy.json"), text);
  }

  /** As in the reference: "unverified" means that policy.json decides, not that nobody does. */
  @Test
  void imagesOfWhichNobodySaidThatTheyAreSignedObeyThePolicy() throws Exception {
    policy("{\"default\": [{\"type\": \"reject\"}]}");
    MachineImages images = new MachineImages(root, Map.of());
    try (ImageSource source = images.open(ContainerReference.registry("registry.example/os:1"))) {
      assertThatThrownBy(() -> source.manifest(null))
          .isInstanceOfSatisfying(
              Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.DENIED))
          .hasMessageContaining("registry.example/os:1 is refused: the policy rejects it");
    }
    assertThatThrownBy(() -> images.open(ContainerReference.unverified("oci", root + "/images")))
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.DENIED));
  }

  /** Neither an unsigned image of a registry nor one that a stick has under its name comes in. */
  @Test
  void boundImagesObeyThePolicy() throws Exception {
    policy(
        """
        {"default": [{"type": "reject"}],
         "transports": {"oci": {"": [{"type": "insecureAcceptAnything"}]}}}
        """);
    String app = "registry.example/app:1";
    BoundStore store =
        new BoundStore(root, new MachineImages(root, Map.of()), Clock.systemUTC(), Progress.NONE);
    ImageSource stick =
        new ImageSource() {
          @Override
          public String describe() {
            return "stick";
          }

          @Override
          public Manifest manifest(@Nullable String selector) {
            throw new AssertionError("the stick's image is asked for");
          }

          @Override
          public InputStream blob(Descriptor descriptor, long offset) {
            throw new AssertionError("the stick's image is asked for");
          }

          @Override
          public List<Held> images() {
            return List.of(new Held(app, List.of(app)));
          }
        };
    assertThatThrownBy(() -> store.bring(List.of(app), BoundStore.From.REGISTRIES, stick))
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.DENIED))
        .hasMessageContaining("the bound image " + app + ": " + app + " is refused");
    assertThat(store.find(app)).isEmpty();
  }

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
