package slipway.media;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * The control connection to a running QEMU (QEMU, docs/interop/qmp-spec): one command at a time,
 * events are read and dropped. Safe for use by many threads.
 */
final class Qmp implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final JsonMapper JSON = new JsonMapper();

  private final SocketChannel channel;
  private final BlockingQueue<JsonNode> answers = new ArrayBlockingQueue<>(16);

  /** Takes over a connected socket and does the handshake. */
  Qmp(SocketChannel channel) throws IOException {
    this.channel = channel;
    Thread.ofVirtual().name("qmp").start(this::read);
    execute("qmp_capabilities", Map.of());
  }

  /**
   * Runs a command and returns its {@code return} value.
   *
   * @throws Problem of kind ENVIRONMENT when QEMU refuses or does not answer
   */
  synchronized JsonNode execute(String command, Map<String, String> arguments) throws IOException {
    ObjectNode request = JSON.createObjectNode();
    request.put("execute", command);
    if (!arguments.isEmpty()) {
      ObjectNode object = request.putObject("arguments");
      arguments.forEach(object::put);
    }
    ByteBuffer bytes = ByteBuffer.wrap((request + "\n").getBytes(StandardCharsets.UTF_8));
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
    JsonNode answer = next();
    if (answer == null || !answer.has("return")) {
      throw Problem.environment(
          "QEMU does not do "
              + command
              + ": "
              + (answer == null ? "no answer" : answer.path("error").path("desc").asString("")));
    }
    return answer.path("return");
  }

  private @Nullable JsonNode next() {
    try {
      return answers.poll(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    }
  }

  private void read() {
    try (BufferedReader lines =
        new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        JsonNode message = JSON.readTree(line);
        if (message.has("return") || message.has("error")) {
          answers.add(message);
        }
      }
    } catch (IOException | JacksonException e) {
      // QEMU ended; whoever waits for an answer is told below.
    }
    answers.offer(JSON.createObjectNode());
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
