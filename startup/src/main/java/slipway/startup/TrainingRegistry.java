package slipway.startup;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;

/**
 * As much of a registry as the client needs to pull (OCI distribution-spec, "Pull"), on a free port
 * of the loopback: the agent's runtime has no HTTP server.
 */
final class TrainingRegistry implements AutoCloseable {
  static final String REPOSITORY = "os";
  private static final String PATH = "/v2/" + REPOSITORY + "/";

  private record Document(String type, byte[] bytes) {}

  private final Map<String, Document> documents = new ConcurrentHashMap<>();
  private final ServerSocket socket;

  TrainingRegistry() throws IOException {
    documents.put("/v2/", new Document("application/json", new byte[] {'{', '}'}));
    socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().start(this::accept);
  }

  /** {@code 127.0.0.1:PORT}. */
  String host() {
    return "127.0.0.1:" + socket.getLocalPort();
  }

  void publish(String tag, Manifest.Image manifest) {
    Document document = new Document(MediaTypes.OCI_MANIFEST, manifest.bytes());
    documents.put(PATH + "manifests/" + tag, document);
    documents.put(PATH + "manifests/" + manifest.digest(), document);
  }

  Descriptor blob(String mediaType, byte[] bytes) {
    Descriptor descriptor = Descriptor.of(mediaType, bytes);
    documents.put(
        PATH + "blobs/" + descriptor.digest(), new Document("application/octet-stream", bytes));
    return descriptor;
  }

  private void accept() {
    while (true) {
      try {
        Socket client = socket.accept();
        Thread.ofVirtual().start(() -> serve(client));
      } catch (IOException e) {
        return; // Closed.
      }
    }
  }

  /** One connection, for as many requests as the client sends. */
  private void serve(Socket client) {
    try (client) {
      InputStream in = new BufferedInputStream(client.getInputStream());
      OutputStream out = client.getOutputStream();
      for (String request = head(in); !request.isEmpty(); request = head(in)) {
        String[] words = request.split(" ", 3);
        answer(out, words[0], documents.get(words[1]));
      }
    } catch (IOException e) {
      // The client has what it wanted.
    }
  }

  /** The head of the next request; empty when none comes. Requests to pull have no body. */
  private static String head(InputStream in) throws IOException {
    ByteArrayOutputStream head = new ByteArrayOutputStream();
    for (int b; (b = in.read()) >= 0; ) {
      head.write(b);
      if (b == '\n' && head.toString(StandardCharsets.ISO_8859_1).endsWith("\r\n\r\n")) {
        return head.toString(StandardCharsets.ISO_8859_1);
      }
    }
    return "";
  }

  private static void answer(OutputStream out, String method, @Nullable Document document)
      throws IOException {
    String head =
        document == null
            ? "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
            : "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
                .formatted(document.type, document.bytes.length);
    out.write(head.getBytes(StandardCharsets.ISO_8859_1));
    if (document != null && method.equals("GET")) {
      out.write(document.bytes);
    }
    out.flush();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
