package slipway.registry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;

/** Speaks to a registry request by request, as the specification words it. */
public final class Wire {
  public static final byte[] EMPTY_JSON = "{}".getBytes(UTF_8);

  private final HttpClient client = HttpClient.newHttpClient();
  private final String base;

  public Wire(InetSocketAddress address) {
    this("http://127.0.0.1:" + address.getPort());
  }

  public Wire(String base) {
    this.base = base;
  }

  /** An answer with its body. */
  public record Answer(HttpResponse<byte[]> response) {
    public int status() {
      return response.statusCode();
    }

    public byte[] body() {
      return response.body();
    }

    public String text() {
      return new String(response.body(), UTF_8);
    }

    public String header(String name) {
      return response.headers().firstValue(name).orElse("");
    }

    List<String> headers(String name) {
      return response.headers().allValues(name);
    }

    /** Fails unless it has this status. */
    public Answer expect(int status) {
      assertThat(status()).as("%s: %s", response.request(), text()).isEqualTo(status);
      return this;
    }

    /** Fails unless it is an error of this code in the specified form. */
    public Answer error(int status, String code) {
      expect(status);
      assertThat(header("Content-Type")).isEqualTo("application/json");
      assertThat(text()).startsWith("{\"errors\":[{\"code\":\"" + code + "\",\"message\":\"");
      return this;
    }
  }

  public Answer send(String method, String path, BodyPublisher body, String... headers)
      throws IOException, InterruptedException {
    URI uri = URI.create(path.startsWith("/") ? base + path : path);
    HttpRequest.Builder request = HttpRequest.newBuilder(uri).method(method, body);
    if (headers.length > 0) {
      request.headers(headers);
    }
    Answer answer = new Answer(client.send(request.build(), BodyHandlers.ofByteArray()));
    if (answer.status() < 500) {
      assertThat(answer.header("Docker-Distribution-API-Version")).isEqualTo("registry/2.0");
    }
    return answer;
  }

  public Answer get(String path, String... headers) throws IOException, InterruptedException {
    return send("GET", path, BodyPublishers.noBody(), headers);
  }

  public Answer head(String path) throws IOException, InterruptedException {
    return send("HEAD", path, BodyPublishers.noBody());
  }

  public Answer delete(String path) throws IOException, InterruptedException {
    return send("DELETE", path, BodyPublishers.noBody());
  }

  Answer post(String path) throws IOException, InterruptedException {
    return send("POST", path, BodyPublishers.noBody());
  }

  public Answer put(String path, byte[] body, String... headers)
      throws IOException, InterruptedException {
    return send("PUT", path, BodyPublishers.ofByteArray(body), headers);
  }

  public Answer patch(String path, byte[] body, String... headers)
      throws IOException, InterruptedException {
    return send("PATCH", path, BodyPublishers.ofByteArray(body), headers);
  }

  /** Without a length, in transfer chunks. */
  static BodyPublisher stream(byte[] body) {
    return BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body));
  }

  public String begin(String name) throws IOException, InterruptedException {
    return post("/v2/" + name + "/blobs/uploads/").expect(202).header("Location");
  }

  public Descriptor pushBlob(String name, byte[] bytes, String mediaType)
      throws IOException, InterruptedException {
    Digest digest = Digest.sha256(bytes);
    put(begin(name) + "?digest=" + digest, bytes).expect(201);
    return Descriptor.of(mediaType, digest, bytes.length);
  }

  public Answer pushManifest(String name, String reference, byte[] bytes, String mediaType)
      throws IOException, InterruptedException {
    return put("/v2/" + name + "/manifests/" + reference, bytes, "Content-Type", mediaType);
  }

  /** The manifest of an artifact that refers to another one. */
  public static byte[] signature(Digest subject) {
    return ("{\"schemaVersion\":2,\"mediaType\":\""
            + MediaTypes.OCI_MANIFEST
            + "\",\"artifactType\":\"test/signature\",\"config\":{\"mediaType\":\"x/y\",\"digest\":\""
            + Digest.sha256(EMPTY_JSON)
            + "\",\"size\":2},\"layers\":[],\"subject\":{\"mediaType\":\"x/y\",\"digest\":\""
            + subject
            + "\",\"size\":4},\"annotations\":{\"key\":\"value\"}}")
        .getBytes(UTF_8);
  }

  /** Pushes an image with one layer and returns its manifest. */
  public Manifest.Image pushImage(String name, String tag, byte[] layer)
      throws IOException, InterruptedException {
    Descriptor config = pushBlob(name, EMPTY_JSON, MediaTypes.OCI_CONFIG);
    Descriptor content = pushBlob(name, layer, MediaTypes.OCI_LAYER);
    Manifest.Image image =
        Manifest.Image.of(config, List.of(content), java.util.Map.of("title", tag));
    pushManifest(name, tag, image.bytes(), image.mediaType()).expect(201);
    return image;
  }

  static String query(String location, String query) {
    return location + (location.contains("?") ? "&" : "?") + query;
  }
}
