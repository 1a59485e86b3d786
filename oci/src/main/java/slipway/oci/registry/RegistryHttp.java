package slipway.oci.registry;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import slipway.base.BlockInput;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.oci.model.Reference;

/**
 * HTTP with one registry: where it is (TLS or not), redirects by hand (Authorization stays with its
 * host), patience, retries, and failures in the words of {@link Problem}.
 *
 * <p>HTTP/1.1, a connection for each request that runs: one HTTP/2 connection is slower for layers.
 * The launcher should set {@code -Djdk.httpclient.bufsize=131072}: the default of 16 KiB halves the
 * speed (646 against 1318 MB/s over loopback). It must stand before the first request of the
 * process; when it is not set, this class sets it.
 */
final class RegistryHttp implements AutoCloseable {
  private static final String BUFFER_PROPERTY = "jdk.httpclient.bufsize";
  private static final int MAX_REDIRECTS = 10;
  private static final Duration CONNECT = Duration.ofSeconds(20);
  private static final Duration PING = Duration.ofSeconds(10);
  static final String USER_AGENT = "slipway/0.1";

  static {
    if (System.getProperty(BUFFER_PROPERTY) == null) {
      System.setProperty(BUFFER_PROPERTY, "131072");
    }
  }

  private final String registry;
  private final boolean loopback;
  private final RegistryOptions options;
  private final HttpClient client;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final RegistryAuth auth;
  private @Nullable URI base;

  RegistryHttp(Reference anyOfRegistry, RegistryOptions options) {
    this.registry = anyOfRegistry.registry();
    this.loopback = anyOfRegistry.isLoopback();
    this.options = options;
    this.client = client(registry, options).executor(threads).build();
    this.auth = new RegistryAuth(this, options);
  }

  /**
   * A client for one server, that follows no redirects.
   *
   * @param host {@code host[:port]}
   */
  static HttpClient.Builder client(String host, RegistryOptions options) {
    return HttpClient.newBuilder()
        .version(HttpClient.Version.HTTP_1_1)
        .followRedirects(HttpClient.Redirect.NEVER)
        .connectTimeout(CONNECT)
        .sslContext(Tls.context(host, options))
        .proxy(new ProxyVariables(options.environment()));
  }

  String registry() {
    return registry;
  }

  RegistryOptions options() {
    return options;
  }

  RegistryAuth auth() {
    return auth;
  }

  /** A response whose body is not read yet. Close it. */
  record Answer(int status, HttpHeaders headers, InputStream body, URI uri)
      implements AutoCloseable {
    String header(String name) {
      return headers.firstValue(name).orElse("");
    }

    /** The whole body, which must not be longer than {@code limit}. */
    byte[] bytes(Limit limit, String action) throws IOException {
      return limit.read(body, "cannot " + action + ": the answer");
    }

    /** Reads a short rest, so that the connection can be used again, and drops a long one. */
    @Override
    public void close() throws IOException {
      try (body) {
        body.readNBytes(16 * 1024);
      } catch (IOException e) {
        // The answer was judged already; its rest does not matter.
      }
    }
  }

  /**
   * A request as a value.
   *
   * @param path below the registry's root, beginning with {@code /v2/}, or a whole URI
   * @param scopes what a token must allow
   * @param action for messages, after "cannot"
   */
  record Call(Reference repository, String path, Set<String> scopes, String action) {}

  /** Fills in method, headers and body; called again for each attempt. */
  interface Shape {
    HttpRequest.Builder apply(HttpRequest.Builder builder);
  }

  /**
   * Makes a request until it has an answer that is worth something: failures of the network, 429
   * and 5xx are tried again.
   *
   * @return an answer of any other status
   * @throws Problem of kind UNAVAILABLE after the last attempt
   */
  Answer exchange(Call call, Shape shape) throws IOException {
    for (int failures = 1; true; failures++) {
      Duration asked = null;
      try {
        Answer answer = once(call, shape);
        if (!isPassing(answer.status())) {
          return answer;
        }
        try (answer) {
          asked = retryAfter(answer);
          if (failures >= options.attempts()) {
            throw refused(answer, call.action());
          }
        }
      } catch (IOException e) {
        if (failures >= options.attempts() || !NetworkFailure.isPassing(e)) {
          throw failed(e, call.action());
        }
      }
      pause(failures, asked);
    }
  }

  /** One attempt, with a second request when the first was answered with a challenge. */
  Answer once(Call call, Shape shape) throws IOException {
    URI uri = resolve(call.path());
    boolean ours = sameOrigin(uri, base());
    String header = ours ? auth.header(call.repository(), call.scopes()) : null;
    Answer answer = send(shape.apply(HttpRequest.newBuilder(uri)), header, call.action());
    if (answer.status() != 401 || !ours) {
      return answer;
    }
    try (answer) {
      header =
          auth.challenged(
              answer.headers().allValues("WWW-Authenticate"),
              call.repository(),
              call.scopes(),
              header,
              call.action());
    }
    Answer second = send(shape.apply(HttpRequest.newBuilder(uri)), header, call.action());
    if (second.status() == 401) {
      second.close();
      throw auth.denied(call.action(), call.repository());
    }
    return second;
  }

  private URI resolve(String path) throws IOException {
    try {
      return base().resolve(path);
    } catch (IllegalArgumentException e) {
      throw new Problem(Problem.Kind.CORRUPT, registry + " sent an address that is no URL", e);
    }
  }

  /**
   * A whole URI that the registry sent as the place to go on. On its own host it keeps our scheme
   * and port: registries behind a proxy often do not know theirs.
   */
  String location(Answer answer, String action) throws IOException {
    URI target = WebAddress.resolve(answer.uri(), answer.header("Location"));
    if (target == null) {
      throw Problem.corrupt("cannot " + action + ": " + registry + " did not say where to go on");
    }
    if (target.getHost().equalsIgnoreCase(base().getHost()) && !sameOrigin(target, base())) {
      String rest =
          target.getRawPath() + (target.getRawQuery() == null ? "" : "?" + target.getRawQuery());
      return base().resolve(rest).toString();
    }
    requireProtection(target, action);
    return target.toString();
  }

  /**
   * Sends and follows redirects. Authorization goes to the first host only.
   *
   * @throws IOException when the network fails
   */
  Answer send(HttpRequest.Builder builder, @Nullable String authorization, String action)
      throws IOException {
    builder.header("User-Agent", USER_AGENT).timeout(options.stall());
    HttpRequest first = builder.build();
    HttpRequest request =
        authorization == null ? first : builder.header("Authorization", authorization).build();
    for (int redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      Answer answer = opened(request);
      if (!isRedirect(answer, request.method())) {
        return answer;
      }
      URI target;
      try (answer) {
        target = redirectTarget(answer, action);
      }
      boolean reads = request.method().equals("GET") || request.method().equals("HEAD");
      if (!reads && !sameOrigin(target, first.uri())) {
        throw Problem.denied("cannot " + action + ": " + registry + " leads to another host");
      }
      request =
          HttpRequest.newBuilder(
                  sameOrigin(target, first.uri()) ? request : first, (name, value) -> true)
              .uri(target)
              .build();
    }
    throw Problem.corrupt("cannot " + action + ": " + registry + " redirects without end");
  }

  private static boolean isRedirect(Answer answer, String method) {
    return switch (answer.status()) {
      case 301, 302, 303 -> method.equals("GET") || method.equals("HEAD");
      case 307, 308 -> !method.equals("PUT") && !method.equals("PATCH");
      default -> false;
    };
  }

  private URI redirectTarget(Answer answer, String action) {
    URI target = WebAddress.resolve(answer.uri(), answer.header("Location"));
    if (target == null) {
      throw Problem.corrupt("cannot " + action + ": " + registry + " redirects to nowhere");
    }
    requireProtection(target, action);
    return target;
  }

  /** From TLS nothing leads to plain HTTP, and nothing to another kind of address. */
  private void requireProtection(URI target, String action) {
    boolean plain = "http".equals(target.getScheme()) && allowsPlain(target);
    if (!plain && !"https".equals(target.getScheme())) {
      throw Problem.denied("cannot " + action + ": " + registry + " leads away from TLS");
    }
  }

  /** Whether plain HTTP is good enough: asked for, or from loopback to loopback. */
  boolean allowsPlain(URI target) {
    URI ours = base;
    boolean plainHere = ours != null && "http".equals(ours.getScheme());
    return !options.tlsVerify()
        || (plainHere && Reference.isLoopbackHost(String.valueOf(target.getHost())));
  }

  private Answer opened(HttpRequest request) throws IOException {
    try {
      return open(request);
    } catch (IOException e) {
      throw at(request.uri(), e);
    }
  }

  /** A failure, with the server that it is of when that is not the registry. */
  private IOException at(URI uri, IOException e) {
    return isElsewhere(uri) && !(e instanceof InterruptedIOException)
        ? new NetworkFailure.Elsewhere(uri.getRawAuthority(), e)
        : e;
  }

  private boolean isElsewhere(URI uri) {
    URI ours = base;
    return ours != null && !sameOrigin(uri, ours);
  }

  /** Who answers at an address, for messages. */
  private String server(URI uri) {
    return isElsewhere(uri) ? uri.getRawAuthority() : registry;
  }

  private Answer open(HttpRequest request) throws IOException {
    try {
      HttpResponse<InputStream> response =
          client.send(request, HttpResponse.BodyHandlers.ofInputStream());
      return answer(response);
    } catch (InterruptedException e) {
      throw interrupted();
    }
  }

  private Answer answer(HttpResponse<InputStream> response) {
    URI uri = response.uri();
    InputStream guarded = new StallGuard(response.body(), options.stall());
    InputStream body =
        isElsewhere(uri)
            ? new BlockInput() {
              @Override
              public int read(byte[] target, int offset, int length) throws IOException {
                try {
                  return guarded.read(target, offset, length);
                } catch (IOException e) {
                  throw at(uri, e);
                }
              }

              @Override
              public void close() throws IOException {
                guarded.close();
              }
            }
            : guarded;
    return new Answer(response.statusCode(), response.headers(), body, response.uri());
  }

  /**
   * Sends a request with a long body, once. It may take as long as it wants while it moves.
   *
   * @param lastMove when the body was asked for bytes last, by {@link System#nanoTime}
   */
  Answer upload(Call call, Shape shape, Supplier<Long> lastMove) throws IOException {
    URI uri = URI.create(call.path());
    HttpRequest.Builder builder =
        shape.apply(HttpRequest.newBuilder(uri)).header("User-Agent", USER_AGENT);
    String header = sameOrigin(uri, base()) ? auth.header(call.repository(), call.scopes()) : null;
    if (header != null) {
      builder.header("Authorization", header);
    }
    CompletableFuture<HttpResponse<InputStream>> future =
        client.sendAsync(builder.build(), HttpResponse.BodyHandlers.ofInputStream());
    while (true) {
      long left = options.stall().toNanos() - (System.nanoTime() - lastMove.get());
      if (left <= 0) {
        future.cancel(true);
        String stalled = "nothing moved for " + options.stall().toSeconds() + " s";
        throw at(uri, new HttpTimeoutException(stalled));
      }
      try {
        return answer(future.get(left, TimeUnit.NANOSECONDS));
      } catch (TimeoutException e) {
        continue; // It may have moved since.
      } catch (InterruptedException e) {
        future.cancel(true);
        throw interrupted();
      } catch (ExecutionException e) {
        if (e.getCause() instanceof IOException cause) {
          throw at(uri, cause);
        }
        throw new IOException("the upload failed: " + e.getCause(), e);
      }
    }
  }

  private static InterruptedIOException interrupted() {
    Thread.currentThread().interrupt();
    return new InterruptedIOException("interrupted");
  }

  static boolean sameOrigin(URI a, URI b) {
    return a.getScheme().equalsIgnoreCase(b.getScheme())
        && a.getHost().equalsIgnoreCase(b.getHost())
        && port(a) == port(b);
  }

  private static int port(URI uri) {
    return uri.getPort() >= 0 ? uri.getPort() : "http".equals(uri.getScheme()) ? 80 : 443;
  }

  /** Root of the registry: https, or http where that is allowed and spoken. */
  synchronized URI base() throws IOException {
    if (base == null) {
      String host = registry.equals("docker.io") ? "registry-1.docker.io" : registry;
      URI https = URI.create("https://" + host + "/");
      URI http = URI.create("http://" + host + "/");
      if (loopback) {
        base = speaksHttp(http) ? http : https;
      } else if (!options.tlsVerify()) {
        base = speaksTls(https) ? https : http;
      } else {
        base = https;
      }
    }
    return base;
  }

  /** A TLS server answers plain HTTP not at all, or with 400. */
  private boolean speaksHttp(URI http) throws IOException {
    try (Answer answer = ping(http)) {
      return answer.status() != 400;
    } catch (ConnectException e) {
      return true; // Nobody is there; the request itself will say so.
    } catch (InterruptedIOException e) {
      throw e;
    } catch (IOException e) {
      return false;
    }
  }

  private boolean speaksTls(URI https) throws IOException {
    try (Answer answer = ping(https)) {
      return answer.status() > 0;
    } catch (InterruptedIOException e) {
      throw e;
    } catch (IOException e) {
      return false;
    }
  }

  private Answer ping(URI root) throws IOException {
    return open(
        HttpRequest.newBuilder(root.resolve("/v2/"))
            .header("User-Agent", USER_AGENT)
            .timeout(options.stall().compareTo(PING) < 0 ? options.stall() : PING)
            .GET()
            .build());
  }

  /** Whether a status says that the same request may succeed a little later. */
  static boolean isPassing(int status) {
    return status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
  }

  private @Nullable Duration retryAfter(Answer answer) {
    String value = answer.header("Retry-After").strip();
    if (value.matches("[0-9]{1,6}")) {
      return Duration.ofSeconds(Long.parseLong(value));
    }
    try {
      Instant at = ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
      Duration wait = Duration.between(options.clock().instant(), at);
      return wait.isNegative() ? null : wait;
    } catch (DateTimeParseException e) {
      return null; // Absent, or nothing we understand.
    }
  }

  /** Waits before another attempt. */
  void pause(int failures, @Nullable Duration asked) throws InterruptedIOException {
    try {
      Thread.sleep(options.delay(failures, asked));
    } catch (InterruptedException e) {
      throw interrupted();
    }
  }

  /** The problem behind a status that is not the wanted one. Reads the body. */
  Problem refused(Answer answer, String action) {
    ErrorAnswer error = ErrorAnswer.read(answer.body());
    String text = "cannot " + action + error.suffix();
    int status = answer.status();
    String server = server(answer.uri());
    return switch (status) {
      case 401, 403 ->
          Problem.denied(text + (error.suffix().isEmpty() ? ": permission denied" : ""));
      case 404 -> Problem.notFound(text + (error.suffix().isEmpty() ? ": not found" : ""));
      case 429 ->
          Problem.unavailable(
              text + "; " + server + " asks for fewer requests, try again later", null);
      default ->
          status >= 500
              ? Problem.unavailable(
                  text + "; " + server + " fails with status " + status + ", try again later", null)
              : Problem.input(text + "; " + server + " answered with status " + status);
    };
  }

  /** The problem behind a failure of the network. */
  Problem failed(IOException e, String action) {
    return NetworkFailure.of(e, action, registry, options.stall());
  }

  @Override
  public void close() {
    client.shutdownNow();
    threads.shutdownNow();
  }
}
