package slipway.oci.registry;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Optional;
import java.util.OptionalLong;
import slipway.base.Problem;

/**
 * One file of any web server, fetched as layers are fetched from registries: the same authorities
 * and certs.d directories, proxies, patience with failures, and the guard against servers that send
 * nothing, which holds for the body too. No credentials are sent.
 */
public final class WebFile implements AutoCloseable {
  private static final int MAX_REDIRECTS = 10;

  private final HttpClient client;
  private final HttpResponse<InputStream> response;
  private final InputStream body;

  private WebFile(HttpClient client, HttpResponse<InputStream> response, InputStream body) {
    this.client = client;
    this.response = response;
    this.body = body;
  }

  /**
   * Asks for a file until the answer is worth something; follows redirects, but not from HTTPS to
   * HTTP.
   *
   * @param address {@code http://} or {@code https://}, with a host
   * @throws Problem UNAVAILABLE when it cannot be had, NOT_FOUND or DENIED when the server says so,
   *     ENVIRONMENT when its certificate is not accepted, INPUT when the address is none
   */
  public static WebFile open(URI address, RegistryOptions options) throws IOException {
    URI uri = address;
    for (int redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      WebFile file = patiently(uri, options);
      int status = file.response.statusCode();
      if (status == 200) {
        return file;
      }
      try (file) {
        if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308) {
          throw refused(uri, status);
        }
        uri = file.redirect(uri);
      }
    }
    throw Problem.corrupt(address + " redirects without end");
  }

  private static Problem refused(URI uri, int status) {
    String message = uri + " answers with status " + status;
    return switch (status) {
      case 401, 403 -> Problem.denied(message);
      case 404, 410 -> Problem.notFound(message);
      default -> Problem.unavailable(message, null);
    };
  }

  private URI redirect(URI from) {
    URI to = WebAddress.resolve(from, header("Location").orElse(""));
    if (to == null) {
      throw Problem.corrupt(from + " redirects to nowhere");
    }
    if (!"https".equals(to.getScheme())
        && !("http".equals(to.getScheme()) && "http".equals(from.getScheme()))) {
      throw Problem.denied(from + " leads away from TLS");
    }
    return to;
  }

  private static WebFile patiently(URI uri, RegistryOptions options) throws IOException {
    for (int failures = 1; true; failures++) {
      try {
        WebFile file = once(uri, options);
        if (!RegistryHttp.isPassing(file.response.statusCode()) || failures >= options.attempts()) {
          return file;
        }
        file.close();
      } catch (IOException e) {
        if (failures >= options.attempts() || !NetworkFailure.isPassing(e)) {
          throw NetworkFailure.of(e, "fetch " + uri, host(uri), options.stall());
        }
      }
      pause(options, failures);
    }
  }

  private static void pause(RegistryOptions options, int failures) throws InterruptedIOException {
    try {
      Thread.sleep(options.delay(failures, null));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }

  private static WebFile once(URI uri, RegistryOptions options) throws IOException {
    HttpClient client = RegistryHttp.client(host(uri), options).build();
    boolean opened = false;
    try {
      HttpRequest request =
          HttpRequest.newBuilder(uri)
              .header("User-Agent", RegistryHttp.USER_AGENT)
              .timeout(options.stall())
              .build();
      HttpResponse<InputStream> response =
          client.send(request, HttpResponse.BodyHandlers.ofInputStream());
      opened = true;
      return new WebFile(client, response, new StallGuard(response.body(), options.stall()));
    } catch (IllegalArgumentException e) {
      throw new Problem(Problem.Kind.INPUT, uri + " is not the address of a file", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    } finally {
      if (!opened) {
        client.shutdownNow();
      }
    }
  }

  /** As directories below certs.d are named. */
  private static String host(URI uri) {
    return uri.getPort() < 0 ? String.valueOf(uri.getHost()) : uri.getHost() + ":" + uri.getPort();
  }

  /** The content; a read that gets nothing for too long fails. */
  public InputStream body() {
    return body;
  }

  /** A field of the answer's header. */
  public Optional<String> header(String name) {
    return response.headers().firstValue(name);
  }

  /** How many bytes the server says there are. */
  public OptionalLong length() {
    try {
      return response.headers().firstValueAsLong("Content-Length");
    } catch (NumberFormatException e) {
      return OptionalLong.empty();
    }
  }

  @Override
  public void close() throws IOException {
    try (body) {
      client.shutdownNow();
    }
  }
}
