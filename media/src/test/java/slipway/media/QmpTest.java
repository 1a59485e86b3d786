package slipway.media;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A QEMU that is played by the test. */
class QmpTest {
  @TempDir Path directory;

  private interface Conversation {
    void hold(BufferedReader in, PrintWriter out) throws IOException;
  }

  private SocketChannel qemu(Conversation conversation) throws IOException {
    UnixDomainSocketAddress address = UnixDomainSocketAddress.of(directory.resolve("qmp"));
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(address);
    SocketChannel client = SocketChannel.open(address);
    SocketChannel accepted = server.accept();
    server.close();
    Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              try (var in =
                      new BufferedReader(Channels.newReader(accepted, StandardCharsets.UTF_8));
                  var out =
                      new PrintWriter(Channels.newWriter(accepted, StandardCharsets.UTF_8), true)) {
                out.println("{\"QMP\": {\"version\": {}, \"capabilities\": []}}");
                answer(in, out, "{}");
                conversation.hold(in, out);
              } catch (IOException e) {
                // The client went away.
              }
            });
    return client;
  }

  private static String id(BufferedReader in) throws IOException {
    JsonNode request = new JsonMapper().readTree(in.readLine());
    return request.path("id").toString();
  }

  private static void answer(BufferedReader in, PrintWriter out, String value) throws IOException {
    out.println("{\"return\": " + value + ", \"id\": " + id(in) + "}");
  }

  /** An answer that comes when its question was given up is not the next question's. */
  @Test
  void aLateAnswerIsNobodys() throws Exception {
    CompletableFuture<String> late = new CompletableFuture<>();
    SocketChannel channel =
        qemu(
            (in, out) -> {
              late.complete(id(in));
              String second = id(in);
              out.println("{\"event\": \"STOP\"}");
              out.println("{\"return\": \"first\", \"id\": " + late.join() + "}");
              out.println("{\"return\": \"second\", \"id\": " + second + "}");
              in.readLine();
            });
    try (Qmp qmp = new Qmp(channel, Duration.ofMillis(300))) {
      assertThatThrownBy(() -> qmp.execute("slow", Map.of()))
          .isInstanceOf(Problem.class)
          .hasMessageContaining("slow");
      assertThat(qmp.execute("quick", Map.of()).asString()).isEqualTo("second");
    }
  }

  @Test
  void theEndOfQemuEndsTheWait() throws Exception {
    SocketChannel channel = qemu((in, out) -> in.readLine());
    try (Qmp qmp = new Qmp(channel, Duration.ofMinutes(5))) {
      assertThatThrownBy(() -> qmp.execute("stop", Map.of()))
          .isInstanceOf(Problem.class)
          .hasMessageContaining("ended");
    }
  }
}
