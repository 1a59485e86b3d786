package slipway.media;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import slipway.base.Problem;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * The control connection to a running QEMU (QEMU, docs/interop/qmp-spec): one command at a time.
 * Each has an id that its answer repeats, so an answer that comes too late is nobody's; it and
 * events are dropped. Safe for use by many threads.
 */
final class Qmp implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final JsonMapper JSON = new JsonMapper();

  private final SocketChannel channel;
  private final Duration patience;
  private final Map<String, CompletableFuture<JsonNode>> waiting = new ConcurrentHashMap<>();
  private long commands;
  private final CompletableFuture<Void> end = new CompletableFuture<>();
  private volatile boolean ended;

  /** Takes over a connected socket and does the handshake. */
  Qmp(SocketChannel channel) throws IOException {
    this(channel, PATIENCE);
  }

  /**
   * @param patience how long an answer may take
   */
  Qmp(SocketChannel channel, Duration patience) throws IOException {
    this.channel = channel;
    this.patience = patience;
    Thread.ofVirtual().name("qmp").start(this::read);
    execute("qmp_capabilities", Map.of());
  }

  /**
   * Runs a command and returns its {@code return} value.
   *
   * @throws Problem of kind ENVIRONMENT when QEMU refuses or does not answer
   */
  synchronized JsonNode execute(String command, Map<String, String> arguments) throws IOException {
    String id = "slipway-" + ++commands;
    ObjectNode request = JSON.createObjectNode();
    request.put("execute", command);
    request.put("id", id);
    if (!arguments.isEmpty()) {
      ObjectNode object = request.putObject("arguments");
      arguments.forEach(object::put);
    }
    CompletableFuture<JsonNode> answer = new CompletableFuture<>();
    waiting.put(id, answer);
    try {
      ByteBuffer bytes = ByteBuffer.wrap((request + "\n").getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      return result(command, answer);
    } finally {
      waiting.remove(id);
    }
  }

  private JsonNode result(String command, CompletableFuture<JsonNode> answer) {
    String reason;
    try {
      if (ended) {
        answer.completeExceptionally(new IOException("the connection is closed"));
      }
      JsonNode got = answer.get(patience.toMillis(), TimeUnit.MILLISECONDS);
      if (got.has("return")) {
        return got.path("return");
      }
      reason = got.path("error").path("desc").asString("");
    } catch (ExecutionException e) {
      reason = "QEMU has ended";
    } catch (TimeoutException e) {
      reason = "no answer within " + patience.toSeconds() + " s";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      reason = "interrupted";
    }
    throw Problem.environment("QEMU does not do " + command + ": " + reason);
  }

  private void read() {
    try (BufferedReader lines =
        new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        JsonNode message = JSON.readTree(line);
        if (message.has("return") || message.has("error")) {
          CompletableFuture<JsonNode> asked = waiting.get(message.path("id").asString(""));
          if (asked != null) {
            asked.complete(message);
          }
        }
      }
    } catch (IOException | JacksonException e) {
      // QEMU ended; whoever waits for an answer is told below.
    }
    ended = true;
    waiting.values().forEach(w -> w.completeExceptionally(new IOException("QEMU has ended")));
    end.complete(null);
  }

  /**
   * Waits a while for the end of QEMU, or of the connection.
   *
   * @return whether it has come
   */
  boolean awaitEnd(Duration time) throws InterruptedException {
    try {
      end.get(time.toMillis(), TimeUnit.MILLISECONDS);
      return true;
    } catch (TimeoutException e) {
      return false;
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
