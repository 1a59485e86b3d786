package slipway.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static slipway.oci.HostileRegistry.answer;
import static slipway.oci.HostileRegistry.cut;
import static slipway.oci.HostileRegistry.header;

import com.sun.net.httpserver.HttpExchange;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Problem;
import slipway.oci.model.Descriptor;
import slipway.oci.model.MediaTypes;
import slipway.oci.registry.RegistryClient;
import slipway.oci.registry.RegistryOptions;

/** Registries that fail, lie, stall and forget while an image is pushed. */
class HostilePushTest extends HostileCase {
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
}
