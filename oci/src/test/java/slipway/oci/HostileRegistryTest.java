package slipway.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static slipway.oci.HostileRegistry.answer;
import static slipway.oci.HostileRegistry.cut;
import static slipway.oci.HostileRegistry.header;

import com.sun.net.httpserver.HttpExchange;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.AbstractThrowableAssert;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.Transfer;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.registry.CredentialSource;
import slipway.oci.registry.Credentials;
import slipway.oci.registry.RegistryClient;
import slipway.oci.registry.RegistryOptions;
import slipway.oci.store.LocalStore;

/** Registries that fail, lie, stall and fish for secrets. */
class HostileRegistryTest {
  private static final Random RANDOM = Seeds.random("HostileRegistryTest");
  private static final RegistryOptions OPTIONS =
      RegistryOptions.anonymous(Map.of())
          .withPatience(4, Duration.ofMillis(2), Duration.ofMillis(700));
  private static final Credentials SECRET = new Credentials.Basic("joe", "s3cr3t");

  private static final byte[] BLOB = blob();
  private static final Descriptor DESCRIPTOR = Descriptor.of(MediaTypes.OCI_LAYER, BLOB);

  private static byte[] blob() {
    byte[] bytes = new byte[3_000_000];
    RANDOM.nextBytes(bytes);
    return bytes;
  }

  private static AbstractThrowableAssert<?, ?> fails(Problem.Kind kind, ThrowingCallable call) {
    return assertThatThrownBy(call)
        .isInstanceOfSatisfying(Problem.class, p -> assertThat(p.kind()).isEqualTo(kind))
        .hasMessageNotContaining("s3cr3t");
  }

  private static byte[] read(RegistryClient client) throws IOException {
    try (InputStream in = client.openBlob(DESCRIPTOR)) {
      return in.readAllBytes();
    }
  }

  private static int rangeStart(HttpExchange e) {
    String range = e.getRequestHeaders().getFirst("Range");
    return range == null ? 0 : Integer.parseInt(range.replaceAll("[^0-9]", ""));
  }

  @Test
  void resumesWhereItWasCut() throws Exception {
    AtomicInteger served = new AtomicInteger();
    HostileRegistry.Handler handler =
        (e, count) -> {
          int from = rangeStart(e);
          if (from > 0) {
            header(
                e, "Content-Range", "bytes " + from + "-" + (BLOB.length - 1) + "/" + BLOB.length);
          }
          int part = Math.min(400_000, BLOB.length - from);
          served.addAndGet(part);
          if (from + part < BLOB.length) {
            cut(e, from > 0 ? 206 : 200, BLOB, from, part);
          }
          answer(e, from > 0 ? 206 : 200, Arrays.copyOfRange(BLOB, from, BLOB.length));
        };
    RegistryOptions patient = OPTIONS.withPatience(9, Duration.ofMillis(2), Duration.ofSeconds(10));
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), patient)) {
      assertThat(read(client)).isEqualTo(BLOB);
      assertThat(registry.asked.stream().filter(a -> a.contains("/blobs/")).count())
          .isGreaterThan(7);
      assertThat(served.get()).isLessThan(2 * BLOB.length);
    }
  }

  @Test
  void resumesWithoutRangesByReadingOver() throws Exception {
    HostileRegistry.Handler handler =
        (e, count) -> {
          if (count == 0) {
            cut(e, 200, BLOB, 0, 1_500_000);
          }
          answer(e, 200, BLOB);
        };
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      assertThat(read(client)).isEqualTo(BLOB);
    }
  }

  @Test
  void givesUpOnOneThatAlwaysCutsAtTheSamePlace() throws Exception {
    HostileRegistry.Handler handler =
        (e, count) -> {
          int from = rangeStart(e);
          header(e, "Content-Range", "bytes " + from + "-" + (BLOB.length - 1) + "/" + BLOB.length);
          cut(e, from > 0 ? 206 : 200, BLOB, from, Math.max(0, 1000 - from));
        };
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      fails(Problem.Kind.UNAVAILABLE, () -> read(client))
          .hasMessageContaining("cannot pull blob " + DESCRIPTOR.digest() + " from ");
      assertThat(registry.asked).hasSizeLessThan(20);
    }
  }

  @Test
  void refusesAWrongRange() throws Exception {
    HostileRegistry.Handler handler =
        (e, count) -> {
          if (rangeStart(e) == 0) {
            cut(e, 200, BLOB, 0, 1_000_000);
          }
          header(e, "Content-Range", "bytes 2000000-2999999/3000000");
          answer(e, 206, Arrays.copyOfRange(BLOB, 2_000_000, 3_000_000));
        };
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      fails(Problem.Kind.CORRUPT, () -> read(client)).hasMessageContaining("another range");
    }
  }

  @Test
  void noticesAWrongDigestAndStoresNothing(@TempDir Path dir) throws Exception {
    byte[] forged = BLOB.clone();
    forged[2_999_999]++;
    try (HostileRegistry registry = new HostileRegistry((e, count) -> answer(e, 200, forged));
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS);
        LocalStore store = LocalStore.open(dir)) {
      fails(Problem.Kind.CORRUPT, () -> read(client)).hasMessageContaining("damaged or forged");
      ImageSink sink = store.sink(null);
      fails(
          Problem.Kind.CORRUPT, () -> sink.putBlob(DESCRIPTOR, at -> client.blob(DESCRIPTOR, at)));
      assertThat(store.has(DESCRIPTOR.digest())).isFalse();
      sink.close();
    }
  }

  @Test
  void stopsAtAnEndlessBody() throws Exception {
    HostileRegistry.Handler handler =
        (e, count) -> {
          e.sendResponseHeaders(200, 0); // Chunked.
          try (OutputStream out = e.getResponseBody()) {
            while (true) {
              out.write(BLOB);
            }
          }
        };
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      fails(Problem.Kind.CORRUPT, () -> read(client)).hasMessageContaining("longer than its");
      fails(Problem.Kind.CORRUPT, () -> client.manifest(null))
          .hasMessageContaining("more than 8 MiB");
      fails(Problem.Kind.CORRUPT, client::tags).hasMessageContaining("more than 8 MiB");
    }
  }

  @Test
  void refusesALengthThatIsNotThePromisedOne() throws Exception {
    try (HostileRegistry registry =
            new HostileRegistry((e, count) -> answer(e, 200, Arrays.copyOf(BLOB, 10)));
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      fails(Problem.Kind.CORRUPT, () -> read(client))
          .hasMessageContaining("it has 10 bytes instead of the promised 3000000");
    }
  }

  @Test
  void waitsAsLongAsItIsAskedTo() throws Exception {
    HostileRegistry.Handler handler =
        (e, count) -> {
          if (count == 0) {
            header(e, "Retry-After", "1");
            answer(e, 429, "{\"errors\":[{\"code\":\"TOOMANYREQUESTS\"}]}");
          } else {
            answer(e, 200, BLOB);
          }
        };
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      long begin = System.nanoTime();
      assertThat(read(client)).isEqualTo(BLOB);
      assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThan(Duration.ofMillis(990));
    }
  }

  @Test
  void triesAgainAfterFailuresOfTheServerAndThenGivesUp() throws Exception {
    int[] failures = {500, 502, 503, 200};
    try (HostileRegistry registry =
            new HostileRegistry((e, count) -> answer(e, failures[count], BLOB));
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      assertThat(read(client)).isEqualTo(BLOB);
    }
    try (HostileRegistry registry =
            new HostileRegistry((e, count) -> answer(e, 503, "<html>busy</html>"));
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      fails(Problem.Kind.UNAVAILABLE, () -> client.manifest(null))
          .hasMessage(
              "cannot pull manifest latest from %s/x; %s fails with status 503, try again later"
                  .formatted(registry.host(), registry.host()));
      assertThat(registry.asked).hasSize(5);
    }
  }

  @Test
  void endsAStalledDownload() throws Exception {
    CountDownLatch over = new CountDownLatch(1);
    HostileRegistry.Handler handler =
        (e, count) -> {
          e.sendResponseHeaders(200, BLOB.length);
          OutputStream out = e.getResponseBody();
          out.write(BLOB, 0, 1000);
          out.flush();
          try {
            over.await();
          } catch (InterruptedException x) {
            Thread.currentThread().interrupt();
          }
        };
    RegistryOptions hasty = OPTIONS.withPatience(2, Duration.ofMillis(2), Duration.ofMillis(200));
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), hasty)) {
      long begin = System.nanoTime();
      fails(Problem.Kind.UNAVAILABLE, () -> read(client)).hasMessageContaining("sent nothing");
      assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(20));
      over.countDown();
    }
  }

  @Test
  void takesNoCredentialsToAnotherHost() throws Exception {
    try (HostileRegistry other = new HostileRegistry((e, count) -> answer(e, 200, BLOB));
        HostileRegistry registry =
            new HostileRegistry(
                (e, count) -> {
                  if (e.getRequestHeaders().getFirst("Authorization") == null) {
                    header(e, "WWW-Authenticate", "Basic realm=\"x\"");
                    answer(e, 401, "");
                  } else {
                    header(e, "Location", "http://" + other.host() + "/cdn/blob?sig=1");
                    answer(e, 307, "");
                  }
                });
        RegistryClient client =
            new RegistryClient(
                registry.reference(), OPTIONS.withCredentials(CredentialSource.of(SECRET)))) {
      assertThat(read(client)).isEqualTo(BLOB);
      assertThat(other.asked).containsExactly("GET /cdn/blob?sig=1 null");
      assertThat(registry.asked.getLast()).contains("Basic ");
    }
  }

  @Test
  void followsNoRedirectsWithoutEndOrToNowhere() throws Exception {
    HostileRegistry.Handler circle =
        (e, count) -> {
          header(e, "Location", e.getRequestURI().toString());
          answer(e, 302, "");
        };
    try (HostileRegistry registry = new HostileRegistry(circle);
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      fails(Problem.Kind.CORRUPT, () -> client.manifest(null)).hasMessageContaining("without end");
    }
    for (String target : List.of("file:///etc/passwd", "http://[", "", "gopher://x/")) {
      HostileRegistry.Handler away =
          (e, count) -> {
            header(e, "Location", target);
            answer(e, 302, "");
          };
      try (HostileRegistry registry = new HostileRegistry(away);
          RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
        assertThatThrownBy(() -> client.manifest(null)).isInstanceOf(Problem.class);
      }
    }
  }

  @Test
  void getsTokensForScopesAndKeepsThem() throws Exception {
    AtomicReference<String> form = new AtomicReference<>("");
    HostileRegistry.Handler handler =
        (e, count) -> {
          String path = e.getRequestURI().getPath();
          String auth = e.getRequestHeaders().getFirst("Authorization");
          if (path.equals("/token")) {
            form.set(new String(e.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            answer(e, 200, "{\"token\":\"t" + count + "\",\"expires_in\":300}");
          } else if (auth == null || !auth.startsWith("Bearer t") || auth.equals("Bearer told")) {
            String host = e.getRequestHeaders().getFirst("Host");
            header(
                e,
                "WWW-Authenticate",
                "Bearer realm=\"http://"
                    + host
                    + "/token\",service=\"it's, \\\"one\\\"\",scope=\"repository:x:pull\"");
            answer(e, 401, "");
          } else {
            answer(e, 200, BLOB);
          }
        };
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client =
            new RegistryClient(
                registry.reference(), OPTIONS.withCredentials(CredentialSource.of(SECRET)))) {
      for (int i = 0; i < 3; i++) {
        assertThat(read(client)).isEqualTo(BLOB);
      }
      List<String> tokens = registry.asked.stream().filter(a -> a.contains("/token")).toList();
      assertThat(tokens).hasSize(1);
      assertThat(tokens.getFirst())
          .contains("service=it%27s%2C+%22one%22", "scope=repository%3Ax%3Apull", "account=joe")
          .contains("Basic ");
    }
    CredentialSource identity = CredentialSource.of(new Credentials.IdentityToken("s3cr3t-id"));
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client =
            new RegistryClient(registry.reference(), OPTIONS.withCredentials(identity))) {
      assertThat(read(client)).isEqualTo(BLOB);
      assertThat(form.get())
          .contains("grant_type=refresh_token", "refresh_token=s3cr3t-id", "client_id=slipway");
    }
  }

  @Test
  void renewsATokenThatIsRefused() throws Exception {
    HostileRegistry.Handler handler =
        (e, count) -> {
          String path = e.getRequestURI().getPath();
          String auth = e.getRequestHeaders().getFirst("Authorization");
          if (path.equals("/token")) {
            answer(e, 200, "{\"access_token\":\"t" + count + "\",\"expires_in\":300}");
          } else if ("Bearer t0".equals(auth) && count < 2 || "Bearer t1".equals(auth)) {
            answer(e, 200, BLOB);
          } else {
            header(
                e,
                "WWW-Authenticate",
                "Bearer realm=\"http://" + e.getRequestHeaders().getFirst("Host") + "/token\"");
            answer(e, 401, "");
          }
        };
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      assertThat(read(client)).isEqualTo(BLOB); // Asked twice: challenged, then with t0.
      assertThat(read(client)).isEqualTo(BLOB); // t0 is refused, t1 is good.
      assertThat(registry.asked.stream().filter(a -> a.contains("/token")).count()).isEqualTo(2);
    }
  }

  @Test
  void aTokenServiceThatRefusesIsDenied() throws Exception {
    HostileRegistry.Handler handler =
        (e, count) -> {
          header(
              e,
              "WWW-Authenticate",
              "Bearer realm=\"http://" + e.getRequestHeaders().getFirst("Host") + "/token\"");
          answer(e, 401, "{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"no\"}]}");
        };
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client =
            new RegistryClient(
                registry.reference(), OPTIONS.withCredentials(CredentialSource.of(SECRET)))) {
      fails(Problem.Kind.DENIED, () -> client.manifest(null))
          .hasMessageContaining("refuses the credentials of joe");
    }
  }

  @Test
  void sendsNoSecretsToATokenServiceWithoutTlsElsewhere() throws Exception {
    HostileRegistry.Handler handler =
        (e, count) -> {
          header(e, "WWW-Authenticate", "Bearer realm=\"http://198.51.100.1/token\"");
          answer(e, 401, "");
        };
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client =
            new RegistryClient(
                registry.reference(), OPTIONS.withCredentials(CredentialSource.of(SECRET)))) {
      fails(Problem.Kind.DENIED, () -> client.manifest(null)).hasMessageContaining("without TLS");
    }
  }

  @Test
  void refusesAManifestThatIsNotTheOneAskedFor() throws Exception {
    byte[] manifest = Manifest.Index.of(List.of(), Map.of("a", "b")).bytes();
    String other = Digest.sha256(BLOB).toString();
    try (HostileRegistry registry =
            new HostileRegistry(
                (e, count) -> {
                  header(e, "Content-Type", MediaTypes.OCI_INDEX);
                  if (e.getRequestURI().getPath().endsWith("/lie")) {
                    header(e, "Docker-Content-Digest", other);
                  }
                  answer(e, 200, manifest);
                });
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      assertThat(client.manifest("good").bytes()).isEqualTo(manifest);
      fails(Problem.Kind.CORRUPT, () -> client.manifest(other))
          .hasMessageContaining("another digest");
      fails(Problem.Kind.CORRUPT, () -> client.manifest("lie"))
          .hasMessageContaining("another digest");
      String sha512 =
          Digest.of(
                  Digest.Algorithm.SHA512,
                  Digest.Algorithm.SHA512.newMessageDigest().digest(manifest))
              .toString();
      assertThat(client.manifest(sha512).digest()).hasToString(sha512);
    }
  }

  @Test
  void boundsTheBodyOfAnErrorAndCleansItsText() throws Exception {
    HostileRegistry.Handler handler =
        (e, count) -> {
          e.sendResponseHeaders(403, 0);
          try (OutputStream out = e.getResponseBody()) {
            out.write(
                "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no\\u001b[2J\\nway\"}]}"
                    .getBytes(StandardCharsets.UTF_8));
            if (e.getRequestURI().getPath().endsWith("/long")) {
              while (true) {
                out.write(BLOB);
              }
            }
          }
        };
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      fails(Problem.Kind.DENIED, () -> client.manifest("short"))
          .hasMessageEndingWith(": no [2J way (DENIED)");
      fails(Problem.Kind.DENIED, () -> client.manifest("long"));
    }
  }

  @Test
  void stopsPagesThatGoInACircle() throws Exception {
    HostileRegistry.Handler handler =
        (e, count) -> {
          header(e, "Link", "</v2/x/tags/list?n=1000>; rel=\"next\"");
          answer(e, 200, "{\"tags\":[\"a\"]}");
        };
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      fails(Problem.Kind.CORRUPT, client::tags).hasMessageContaining("circle");
    }
  }

  @Test
  void pushesInPiecesWhereLessFits() throws Exception {
    ByteArrayOutputStream stored = new ByteArrayOutputStream();
    byte[] large = new byte[20_000_000];
    RANDOM.nextBytes(large);
    Descriptor descriptor = Descriptor.of(MediaTypes.OCI_LAYER, large);
    HostileRegistry.Handler handler =
        (e, count) -> {
          byte[] body = e.getRequestBody().readAllBytes();
          header(e, "Location", "/v2/x/blobs/uploads/1?state=" + count);
          switch (e.getRequestMethod()) {
            case "POST" -> answer(e, 202, "");
            case "PATCH" -> {
              if (body.length > 9_000_000) {
                answer(e, 413, "");
              } else {
                assertThat(e.getRequestHeaders().getFirst("Content-Range"))
                    .isEqualTo(stored.size() + "-" + (stored.size() + body.length - 1));
                stored.write(body);
                answer(e, 202, "");
              }
            }
            default -> answer(e, body.length > 0 ? 413 : 201, "");
          }
        };
    RegistryOptions slow = OPTIONS.withPatience(3, Duration.ofMillis(2), Duration.ofSeconds(20));
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), slow)) {
      client.putBlob(descriptor, at -> new ByteArrayInputStream(large));
      assertThat(stored.toByteArray()).isEqualTo(large);
    }
  }

  @Test
  void pushesAnewAfterAFailure() throws Exception {
    AtomicReference<byte[]> stored = new AtomicReference<>();
    AtomicInteger puts = new AtomicInteger();
    HostileRegistry.Handler handler =
        (e, count) -> {
          if (e.getRequestMethod().equals("POST")) {
            header(
                e, "Location", "http://" + e.getRequestHeaders().getFirst("Host") + "/up/" + count);
            answer(e, 202, "");
          } else if (!e.getRequestMethod().equals("PUT")) {
            answer(e, 404, ""); // No session, no blob.
          } else if (puts.getAndIncrement() == 0) {
            e.getRequestBody().readNBytes(1000);
            throw new IOException("cut");
          } else if (puts.get() == 2) {
            e.getRequestBody().readAllBytes();
            answer(e, 503, "");
          } else {
            stored.set(e.getRequestBody().readAllBytes());
            answer(e, 201, "");
          }
        };
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS)) {
      client.putBlob(DESCRIPTOR, at -> new ByteArrayInputStream(BLOB));
      assertThat(stored.get()).isEqualTo(BLOB);
      assertThat(registry.asked.getLast()).contains("digest=" + DESCRIPTOR.digest());
    }
  }

  /** A blob of more than one request, for the session that a test tells what to do. */
  private static final byte[] LARGE = new byte[6 << 20];

  private static final Descriptor LARGE_DESCRIPTOR = Descriptor.of(MediaTypes.OCI_LAYER, LARGE);

  private static void range(HttpExchange e, long received) throws IOException {
    header(e, "Location", "/up");
    header(e, "Range", "0-" + (received - 1));
    answer(e, 204, "");
  }

  private static void push(HostileRegistry.Handler handler, List<String> methods)
      throws IOException {
    RegistryOptions patient = OPTIONS.withPatience(4, Duration.ofMillis(2), Duration.ofSeconds(10));
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), patient)) {
      try {
        client.putBlob(
            LARGE_DESCRIPTOR, at -> new ByteArrayInputStream(LARGE, (int) at, LARGE.length));
      } finally {
        registry.asked.stream()
            .filter(a -> !a.contains(" /v2/ "))
            .forEach(a -> methods.add(a.substring(0, a.indexOf(' '))));
      }
    }
  }

  /** Cut, or lost behind a balancer that gave up, while the registry has all of the blob. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void repeatsOnlyTheRequestThatEndsAnUpload(boolean cut) throws Exception {
    AtomicInteger puts = new AtomicInteger();
    List<String> methods = new ArrayList<>();
    push(
        (e, count) -> {
          e.getRequestBody().readAllBytes();
          header(e, "Location", "/up");
          switch (e.getRequestMethod()) {
            case "GET" -> range(e, LARGE.length);
            case "PUT" -> {
              if (puts.getAndIncrement() == 0 && cut) {
                throw new IOException("cut");
              }
              answer(e, puts.get() == 1 ? 504 : 201, "");
            }
            default -> answer(e, 202, "");
          }
        },
        methods);
    assertThat(methods).containsExactly("POST", "PATCH", "PUT", "GET", "PUT");
  }

  @Test
  void sendsNothingAgainWhenTheLostAnswerWasAYes() throws Exception {
    List<String> methods = new ArrayList<>();
    push(
        (e, count) -> {
          e.getRequestBody().readAllBytes();
          header(e, "Location", "/up");
          switch (e.getRequestMethod()) {
            case "GET" -> answer(e, 404, "");
            case "HEAD" -> answer(e, 200, "");
            case "PUT" -> throw new IOException("cut");
            default -> answer(e, 202, "");
          }
        },
        methods);
    assertThat(methods).containsExactly("POST", "PATCH", "PUT", "GET", "HEAD");
  }

  /** Each session comes as far as the one before it, and is not known then. */
  @Test
  void endsAPushToARegistryThatForgetsItsSessions() {
    List<String> methods = new ArrayList<>();
    AtomicInteger statuses = new AtomicInteger();
    HostileRegistry.Handler handler =
        (e, count) -> {
          header(e, "Location", "/up");
          switch (e.getRequestMethod()) {
            case "POST" -> answer(e, count > 50 ? 400 : 202, "");
            case "GET" -> {
              if (statuses.getAndIncrement() % 2 == 0) {
                range(e, 2 << 20);
              } else {
                answer(e, 404, "");
              }
            }
            case "PATCH" -> {
              e.getRequestBody().readNBytes(2 << 20);
              throw new IOException("cut");
            }
            default -> answer(e, 404, "");
          }
        };
    fails(Problem.Kind.UNAVAILABLE, () -> push(handler, methods));
    assertThat(methods).filteredOn("POST"::equals).hasSizeLessThan(5);
  }

  @Test
  void endsAStalledUpload() throws Exception {
    CountDownLatch over = new CountDownLatch(1);
    HostileRegistry.Handler handler =
        (e, count) -> {
          if (e.getRequestMethod().equals("POST")) {
            header(e, "Location", "/up");
            answer(e, 202, "");
            return;
          }
          try {
            over.await(); // Reads nothing.
          } catch (InterruptedException x) {
            Thread.currentThread().interrupt();
          }
        };
    byte[] large = new byte[40_000_000];
    Descriptor descriptor = Descriptor.of(MediaTypes.OCI_LAYER, large);
    RegistryOptions hasty = OPTIONS.withPatience(2, Duration.ofMillis(2), Duration.ofMillis(300));
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), hasty)) {
      fails(
              Problem.Kind.UNAVAILABLE,
              () -> client.putBlob(descriptor, at -> new ByteArrayInputStream(large)))
          .hasMessageContaining("cannot push blob");
      over.countDown();
    }
  }

  @Test
  void oneFailingLayerEndsTheWholeCopy(@TempDir Path dir) throws Exception {
    byte[] config = ImageConfig.empty(Platform.parse("linux/amd64")).toJson();
    byte[] small = {1, 2, 3};
    Manifest.Image image =
        Manifest.Image.of(
            Descriptor.of(MediaTypes.OCI_CONFIG, config),
            List.of(DESCRIPTOR, Descriptor.of(MediaTypes.OCI_LAYER, small)),
            Map.of());
    HostileRegistry.Handler handler =
        (e, count) -> {
          String path = e.getRequestURI().getPath();
          if (path.contains("/manifests/")) {
            header(e, "Content-Type", MediaTypes.OCI_MANIFEST);
            answer(e, 200, image.bytes());
          } else if (path.endsWith(Digest.sha256(config).toString())) {
            answer(e, 200, config);
          } else if (path.endsWith(DESCRIPTOR.digest().toString())) {
            answer(e, 200, BLOB);
          } else {
            answer(e, 404, "{\"errors\":[{\"code\":\"BLOB_UNKNOWN\",\"message\":\"gone\"}]}");
          }
        };
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS);
        LocalStore store = LocalStore.open(dir);
        ImageSink sink = store.sink(registry.reference())) {
      fails(
              Problem.Kind.NOT_FOUND,
              () -> Transfer.copy(client, null, sink, null, Transfer.Options.all(), Progress.NONE))
          .hasMessageContaining("gone (BLOB_UNKNOWN)");
      assertThat(store.list()).isEmpty();
    }
  }
}
