package slipway.builder.copy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.builder.engine.Builder;
import slipway.builder.engine.LabCase;
import slipway.builder.session.BuildRequest;
import slipway.builder.session.ImagePuller;
import slipway.oci.model.Manifest;
import slipway.oci.registry.RegistryOptions;

/** ADD from servers that are slow, odd or hostile. */
@Timeout(60)
class DownloadTest extends LabCase {
  private HttpServer server;
  private String root;
  private final CountDownLatch over = new CountDownLatch(1);
  private final Map<String, String> dispositions = new java.util.concurrent.ConcurrentHashMap<>();
  private final Random random = new Random(1);
  private int failures;

  @BeforeEach
  void open() throws Exception {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    root = "http://127.0.0.1:" + server.getAddress().getPort();
    server.createContext(
        "/",
        exchange -> {
          byte[] body = "content\n".getBytes(StandardCharsets.UTF_8);
          String path = exchange.getRequestURI().getPath();
          String name = dispositions.get(path);
          if (name != null) {
            exchange.getResponseHeaders().add("Content-Disposition", name);
          }
          if (path.equals("/loop")) {
            exchange.getResponseHeaders().add("Location", "/loop");
          }
          if (path.equals("/away")) {
            exchange.getResponseHeaders().add("Location", "file:///etc/passwd");
          }
          boolean fails = path.equals("/twice") && ++failures < 3;
          int status = fails ? 503 : path.equals("/loop") || path.equals("/away") ? 302 : 200;
          boolean stalls = path.startsWith("/stall");
          exchange.sendResponseHeaders(status, stalls ? 1_000_000 : body.length);
          exchange.getResponseBody().write(body);
          exchange.getResponseBody().flush();
          if (stalls) {
            try {
              over.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          }
          exchange.close();
        });
    server.start();
  }

  @AfterEach
  void close() {
    over.countDown();
    server.stop(0);
    lab.close();
  }

  private Manifest.Image build(String instruction) throws Exception {
    RegistryOptions web =
        RegistryOptions.anonymous(Map.of())
            .withPatience(3, Duration.ofMillis(1), Duration.ofSeconds(2));
    Builder builder =
        new Builder(
            lab.store,
            directory.resolve("build"),
            ImagePuller.NONE,
            Clock.systemUTC(),
            Map.of(),
            random,
            () -> web);
    return lab.build(builder, BuildRequest.of(lab.context("FROM scratch\n" + instruction + "\n")));
  }

  @Test
  @Tag("slow")
  void aBodyThatStopsIsGivenUp() {
    assertThatThrownBy(() -> build("ADD " + root + "/stall /f"))
        .isInstanceOf(Problem.class)
        .hasMessage(
            lastContext() + ":2: ADD: " + root + "/stall cannot be fetched: nothing came for 2 s");
  }

  @Test
  @Tag("slow")
  void aFetchByGitHasALimit() {
    Limit.set("git-seconds=1", "test");
    try {
      assertThatThrownBy(() -> build("ADD " + root + "/stall.git /f"))
          .isInstanceOf(Problem.class)
          .hasMessageContaining(
              ":2: ADD: " + root + "/stall.git: more than 1 (seconds of one fetch")
          .hasMessageContaining("--limit git-seconds=N");
    } finally {
      Limit.set("git-seconds=" + Limit.GIT_SECONDS.preset(), "test");
    }
  }

  private String lastContext() {
    try (var contexts = java.nio.file.Files.list(directory)) {
      return contexts
          .filter(p -> p.getFileName().toString().startsWith("context"))
          .findFirst()
          .orElseThrow()
          .resolve("Containerfile")
          .toString();
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void failuresThatPassAreTriedAgain() throws Exception {
    assertThat(lab.text(build("ADD " + root + "/twice /f"), "f")).isEqualTo("content\n");
  }

  @Test
  void redirectsEndAndStayOnTheWeb() {
    assertThatThrownBy(() -> build("ADD " + root + "/loop /f"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("Containerfile:2: ADD: " + root + "/loop redirects without end");
    assertThatThrownBy(() -> build("ADD " + root + "/away /f"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("Containerfile:2: ADD: " + root + "/away redirects to nowhere");
    assertThatThrownBy(() -> build("ADD http:///x /f"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("Containerfile:2: ADD: \"http:///x\" has no host");
  }

  @Test
  void downloadsAreBounded() {
    Limit.set("download-bytes=4", "the test");
    try {
      assertThatThrownBy(() -> build("ADD " + root + "/x /f"))
          .isInstanceOf(Problem.class)
          .hasMessageContaining("Containerfile:2: ADD: " + root + "/x: more than 4 bytes")
          .hasMessageContaining("--limit download-bytes=N");
    } finally {
      Limit.set("download-bytes=64GiB", "the test");
    }
  }

  @Test
  void serversNameFilesThatTheAddressDoesNot() throws Exception {
    dispositions.put("/", "attachment; filename=\"a b.txt\"");
    assertThat(lab.text(build("ADD " + root + "/ /d/"), "d/a b.txt")).isEqualTo("content\n");
    dispositions.put("/", "attachment; filename=x; filename*=UTF-8''%c3%a4.txt");
    Manifest.Image umlaut = build("ADD " + root + "/?v=2 /d/");
    assertThat(lab.text(umlaut, "d/ä.txt")).isEqualTo("content\n");
    dispositions.put("/", "attachment; filename=\"../../../evil\"");
    assertThat(lab.text(build("ADD " + root + "/?v=3 /d/"), "d/evil")).isEqualTo("content\n");
    dispositions.put("/named", "attachment; filename=other");
    assertThat(lab.text(build("ADD " + root + "/named /d/"), "d/named")).isEqualTo("content\n");
    for (String bad :
        List.of("attachment", "attachment; filename=..", "x; filename*=UTF-8''a%00")) {
      dispositions.put("/", bad);
      assertThatThrownBy(() -> build("ADD " + root + "/ /d/"))
          .isInstanceOf(Problem.class)
          .hasMessageContaining("has no file name; give one in the destination");
    }
  }
}
