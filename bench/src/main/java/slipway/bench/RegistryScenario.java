package slipway.bench;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.linux.process.Command;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;

/** Pulls from and pushes to a registry over the loopback. */
final class RegistryScenario implements Scenario {
  private static final String OURS = "slipway registry";
  private static final String PEER = "docker-registry";
  private static final String NGINX = "nginx, the same bytes as files";
  private static final String MANIFEST = "GET manifest by tag";
  private static final String SMALL = "GET 1 MiB";
  private static final String LARGE = "GET 100 MiB";
  private static final String PUSH_SMALL = "push 1 MiB, 4 at once";
  private static final String PUSH_LARGE = "push 100 MiB, 2 at once";

  private static final int MIB = 1024 * 1024;
  private static final int SECONDS = 4;
  private static final Pattern RATE = Pattern.compile("Requests/sec:\\s*([0-9.]+)");

  private final HttpClient client = HttpClient.newHttpClient();

  /** What is pulled. */
  private record Content(byte[] config, byte[] small, byte[] large) {
    Manifest.Image image() {
      return Manifest.Image.of(
          Descriptor.of(MediaTypes.OCI_CONFIG, config),
          List.of(
              Descriptor.of(MediaTypes.OCI_LAYER, small),
              Descriptor.of(MediaTypes.OCI_LAYER, large)),
          Map.of());
    }
  }

  private static byte[] random(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  @Override
  public String name() {
    return "registry";
  }

  @Override
  public String title() {
    return "Registry: pulls and pushes over the loopback, by thousand requests";
  }

  @Override
  public List<Contender> contenders(Inputs inputs) {
    byte[] config = "{}".getBytes(StandardCharsets.US_ASCII);
    Content content = new Content(config, random(MIB), random(100 * MIB));
    return List.of(
        (dir, samples) -> {
          int port = ServedProcess.freePort();
          Command serve =
              inputs
                  .slipway("registry", "serve", "--storage", dir.resolve("data").toString())
                  .with("--addr", "127.0.0.1:" + port);
          registry(OURS, serve, port, dir, content, samples);
        },
        (dir, samples) -> {
          int port = ServedProcess.freePort();
          Path file = Files.writeString(dir.resolve("config.yml"), distribution(dir, port));
          Command serve = Command.of("docker-registry", "serve", file.toString());
          registry(PEER, serve, port, dir, content, samples);
        },
        (dir, samples) -> nginx(dir, content, samples));
  }

  private static String distribution(Path dir, int port) {
    return """
    version: 0.1
    log: {accesslog: {disabled: true}, level: error}
    storage: {filesystem: {rootdirectory: %s}}
    http: {addr: "127.0.0.1:%d"}
    """
        .formatted(dir.resolve("data"), port);
  }

  private void registry(
      String who, Command serve, int port, Path dir, Content content, Samples samples)
      throws IOException {
    Manifest.Image image = content.image();
    try (ServedProcess server = ServedProcess.start(serve, port, dir.resolve("log"))) {
      for (byte[] blob : List.of(content.config, content.small, content.large)) {
        push(server, blob, Digest.sha256(blob));
      }
      put(server.url("/v2/bench/manifests/latest"), image.bytes(), image.mediaType());
      pull(server, who, MANIFEST, "/v2/bench/manifests/latest", samples);
      pull(server, who, SMALL, "/v2/bench/blobs/" + Digest.sha256(content.small), samples);
      pull(server, who, LARGE, "/v2/bench/blobs/" + Digest.sha256(content.large), samples);
      pushes(server, who, PUSH_SMALL, new Pushes(4, 24, MIB), samples);
      pushes(server, who, PUSH_LARGE, new Pushes(2, 3, 100 * MIB), samples);
    }
  }

  private static void nginx(Path dir, Content content, Samples samples) throws IOException {
    int port = ServedProcess.freePort();
    Path root = Files.createDirectory(dir.resolve("root"));
    Files.write(root.resolve("manifest"), content.image().bytes());
    Files.write(root.resolve("small"), content.small);
    Files.write(root.resolve("large"), content.large);
    String text =
        """
        user root; worker_processes auto; daemon off; pid %1$s/pid; error_log stderr;
        events { worker_connections 1024; }
        http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
          client_body_temp_path %1$s/body; proxy_temp_path %1$s/proxy;
          server { listen 127.0.0.1:%2$d; root %1$s/root; } }
        """
            .formatted(dir, port);
    Path file = Files.writeString(dir.resolve("nginx.conf"), text);
    Command serve = Command.of("nginx", "-c", file.toString(), "-p", dir.toString());
    try (ServedProcess server = ServedProcess.start(serve, port, dir.resolve("log"))) {
      pull(server, NGINX, MANIFEST, "/manifest", samples);
      pull(server, NGINX, SMALL, "/small", samples);
      pull(server, NGINX, LARGE, "/large", samples);
    }
  }

  private static String row(String who, String what) {
    return who + ": " + what;
  }

  /** wrk, for some seconds; the first second is not counted. */
  private static void pull(
      ServedProcess server, String who, String what, String path, Samples samples)
      throws IOException {
    int connections = what.equals(LARGE) ? 4 : 16;
    wrk(server.url(path), connections, SECONDS / 2).run();
    double before = server.cpu();
    double rate = rate(wrk(server.url(path), connections, SECONDS));
    double cpu = (server.cpu() - before) / (rate * SECONDS);
    samples.add(row(who, what), new Measured(1000 / rate, 1000 * cpu, server.peakRss()));
  }

  private static Command wrk(String url, int connections, int seconds) {
    return Command.of("wrk", "--threads", "1", "--connections", Integer.toString(connections))
        .with("--timeout", "30s", "--duration", seconds + "s")
        .with("--header", "Accept: " + MediaTypes.OCI_MANIFEST, url);
  }

  /** Answers a second. */
  private static double rate(Command wrk) {
    String said = wrk.output();
    Matcher rate = RATE.matcher(said);
    if (said.contains("Non-2xx") || !rate.find() || Double.parseDouble(rate.group(1)) == 0) {
      throw new Problem(
          Problem.Kind.ENVIRONMENT, String.join(" ", wrk.argv()) + " got no answers: " + said);
    }
    return Double.parseDouble(rate.group(1));
  }

  /**
   * Pushes of new blobs.
   *
   * @param clients at once
   * @param each blobs that a client pushes, one after the other
   * @param size of one, in bytes
   */
  private record Pushes(int clients, int each, int size) {}

  private void pushes(ServedProcess server, String who, String what, Pushes pushes, Samples samples)
      throws IOException {
    List<Callable<@Nullable Void>> work = new ArrayList<>();
    for (int c = 0; c < pushes.clients; c++) {
      byte[] bytes = random(pushes.size);
      List<Digest> digests = new ArrayList<>();
      for (int i = 0; i < pushes.each; i++) {
        digests.add(Digest.sha256(numbered(bytes, c, i)));
      }
      int number = c;
      work.add(
          () -> {
            for (int i = 0; i < pushes.each; i++) {
              push(server, numbered(bytes, number, i), digests.get(i));
            }
            return null;
          });
    }
    double before = server.cpu();
    long start = System.nanoTime();
    try (ExecutorService threads = Executors.newFixedThreadPool(pushes.clients)) {
      for (Future<?> done : threads.invokeAll(work)) {
        done.get();
      }
    } catch (InterruptedException | ExecutionException e) {
      throw new IOException("a push failed", e);
    }
    double thousand = 1000.0 / (pushes.clients * pushes.each);
    double wall = (System.nanoTime() - start) / 1e9;
    samples.add(
        row(who, what),
        new Measured(wall * thousand, (server.cpu() - before) * thousand, server.peakRss()));
  }

  /** The same array with other first bytes: another blob. */
  private static byte[] numbered(byte[] bytes, int client, int number) {
    ByteBuffer.wrap(bytes).putInt(client).putInt(number);
    return bytes;
  }

  private void push(ServedProcess server, byte[] blob, Digest digest) throws IOException {
    HttpRequest begin =
        HttpRequest.newBuilder(URI.create(server.url("/v2/bench/blobs/uploads/")))
            .POST(BodyPublishers.noBody())
            .build();
    String location = send(begin).headers().firstValue("Location").orElseThrow();
    String url = location.startsWith("/") ? server.url(location) : location;
    put(
        url + (url.contains("?") ? "&" : "?") + "digest=" + digest,
        blob,
        "application/octet-stream");
  }

  private void put(String url, byte[] body, String type) throws IOException {
    send(
        HttpRequest.newBuilder(URI.create(url))
            .header("Content-Type", type)
            .PUT(BodyPublishers.ofByteArray(body))
            .build());
  }

  private HttpResponse<String> send(HttpRequest request) throws IOException {
    try {
      HttpResponse<String> answer = client.send(request, BodyHandlers.ofString());
      if (answer.statusCode() >= 300) {
        throw new IOException(request + ": " + answer.statusCode() + " " + answer.body());
      }
      return answer;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  @Override
  public List<Ratio> ratios(Samples samples) {
    List<Ratio> all = new ArrayList<>();
    all.add(rate(samples, MANIFEST, PEER, 12.0));
    all.add(rate(samples, SMALL, PEER, 4.0));
    all.add(rate(samples, LARGE, PEER, null));
    all.add(rate(samples, PUSH_SMALL, PEER, null));
    all.add(rate(samples, PUSH_LARGE, PEER, null));
    all.add(rate(samples, MANIFEST, NGINX, null));
    all.add(rate(samples, SMALL, NGINX, 0.8));
    all.add(rate(samples, LARGE, NGINX, 0.8));
    double peak =
        samples.rows().keySet().stream()
            .filter(row -> row.startsWith(OURS))
            .mapToDouble(row -> samples.max(row, Measured::peakRss))
            .max()
            .orElseThrow();
    all.add(new Ratio("slipway registry, peak memory", "MiB", peak / MIB, null, 512.0));
    return all;
  }

  private static Ratio rate(Samples samples, String what, String peer, @Nullable Double goal) {
    return samples.rate(what + ": slipway / " + peer, row(OURS, what), row(peer, what), goal);
  }

  @Override
  public List<String> notes() {
    return List.of(
        String.format(
            Locale.ROOT,
            "Seconds are those of the server by thousand requests. Pulls come from wrk (1 thread, 16"
                + " connections, 4 for 100 MiB; %d s after half of that to warm up), pushes from one Java client that asks for"
                + " an upload and puts the blob; both share the processors with the server.",
            SECONDS),
        "Pushed blobs are new ones, and durable with Slipway when it answers; docker-registry does"
            + " not sync. nginx serves files by sendfile and takes no pushes.");
  }
}
