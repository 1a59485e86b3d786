package slipway.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static slipway.oci.HostileRegistry.answer;
import static slipway.oci.HostileRegistry.cut;
import static slipway.oci.HostileRegistry.header;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import slipway.base.Problem;
import slipway.oci.model.Descriptor;
import slipway.oci.model.MediaTypes;
import slipway.oci.registry.RegistryClient;
import slipway.oci.registry.RegistryOptions;
import slipway.oci.registry.SpeedFloor;

/** Registries that fall silent: how long that is borne, and how it goes on. */
@Timeout(120)
class StallTest {
  private static final Duration LIMIT = Duration.ofMillis(1500);

  /** What a busy machine may take longer for anything. */
  private static final Duration SLACK = Duration.ofSeconds(10);

  private static final RegistryOptions OPTIONS =
      RegistryOptions.anonymous(Map.of()).withPatience(9, Duration.ofMillis(2), LIMIT);

  private static final byte[] BLOB = blob();
  private static final Descriptor DESCRIPTOR = Descriptor.of(MediaTypes.OCI_LAYER, BLOB);

  private final CountDownLatch over = new CountDownLatch(1);

  /** When the server fell silent, and when it was asked next. */
  private final List<Long> silences = new CopyOnWriteArrayList<>();

  private final List<Long> requests = new CopyOnWriteArrayList<>();

  private static byte[] blob() {
    byte[] bytes = new byte[3_000_000];
    Seeds.random("StallTest").nextBytes(bytes);
    return bytes;
  }

  @AfterEach
  void end() {
    over.countDown();
  }

  private static int from(HttpExchange e) {
    String range = e.getRequestHeaders().getFirst("Range");
    return range == null ? 0 : Integer.parseInt(range.replaceAll("[^0-9]", ""));
  }

  private static void part(HttpExchange e, int from) {
    header(e, "Content-Range", "bytes " + from + "-" + (BLOB.length - 1) + "/" + BLOB.length);
  }

  /** Sends some bytes of the rest and then nothing, with the connection open. */
  private void stall(HttpExchange e, int status, int from, int length) throws IOException {
    e.sendResponseHeaders(status, BLOB.length - from);
    OutputStream out = e.getResponseBody();
    out.write(BLOB, from, length);
    out.flush();
    silences.add(System.nanoTime());
    try {
      over.await();
    } catch (InterruptedException x) {
      Thread.currentThread().interrupt();
    }
  }

  /** Fetches the blob from a registry that answers so. */
  private static byte[] read(HostileRegistry.Handler handler) throws Exception {
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS);
        InputStream in = client.openBlob(DESCRIPTOR)) {
      return in.readAllBytes();
    }
  }

  /** Every silence ended with a new request after the limit, and not long after. */
  private void assertPatience(int times) {
    assertThat(silences).hasSize(times);
    for (int i = 0; i < times; i++) {
      assertThat(Duration.ofNanos(requests.get(i + 1) - silences.get(i)))
          .isBetween(LIMIT.minusMillis(50), LIMIT.plusMillis(LIMIT.toMillis() / 4).plus(SLACK));
    }
  }

  @Test
  @Tag("slow")
  void goesOnAfterTheLimitAndNotLater() throws Exception {
    HostileRegistry.Handler handler =
        (e, count) -> {
          requests.add(System.nanoTime());
          int from = from(e);
          part(e, from);
          if (count < 2) {
            stall(e, from == 0 ? 200 : 206, from, 1_200_000);
          } else {
            answer(e, 206, Arrays.copyOfRange(BLOB, from, BLOB.length));
          }
        };
    assertThat(read(handler)).isEqualTo(BLOB);
    assertPatience(2);
  }

  @Test
  @Tag("slow")
  void watchesWhatIsReadOverToo() throws Exception {
    HostileRegistry.Handler handler =
        (e, count) -> {
          switch (count) {
            case 0 -> cut(e, 200, BLOB, 0, 1_500_000);
            case 1 -> {
              requests.add(System.nanoTime());
              stall(e, 200, 0, 700_000);
            }
            default -> {
              requests.add(System.nanoTime());
              answer(e, 200, BLOB);
            }
          }
        };
    assertThat(read(handler)).isEqualTo(BLOB);
    assertPatience(1);
  }

  @Test
  void triesAgainWhenWhatIsReadOverFirstBreaksOff() throws Exception {
    HostileRegistry.Handler handler =
        (e, count) -> {
          if (count == 0) {
            cut(e, 200, BLOB, 0, 1_000_000);
          }
          answer(e, 200, BLOB);
        };
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), OPTIONS);
        InputStream in = client.blob(DESCRIPTOR, 2_000_000)) {
      assertThat(in.readAllBytes()).isEqualTo(Arrays.copyOfRange(BLOB, 2_000_000, BLOB.length));
    }
  }

  @Test
  @Tag("slow")
  void bearsOneThatIsSlow() throws Exception {
    HostileRegistry.Handler handler =
        (e, count) -> {
          requests.add(System.nanoTime());
          e.sendResponseHeaders(200, BLOB.length);
          try (OutputStream out = e.getResponseBody()) {
            int piece = (int) (SpeedFloor.BYTES_A_SECOND * LIMIT.toMillis() / 1000);
            for (int i = 0; i < 6; i++) {
              out.write(BLOB, i * piece, piece);
              out.flush();
              if (over.await(LIMIT.toMillis() / 2, TimeUnit.MILLISECONDS)) {
                return;
              }
            }
            out.write(BLOB, 6 * piece, BLOB.length - 6 * piece);
          } catch (InterruptedException x) {
            Thread.currentThread().interrupt();
          }
        };
    assertThat(read(handler)).isEqualTo(BLOB);
    assertThat(requests).hasSize(1);
  }

  /** A byte now and then is no transfer: it ends after so many windows as there are attempts. */
  @Test
  @Tag("slow")
  void endsOneThatDrips() throws Exception {
    HostileRegistry.Handler handler =
        (e, count) -> {
          requests.add(System.nanoTime());
          int from = from(e);
          part(e, from);
          e.sendResponseHeaders(from == 0 ? 200 : 206, BLOB.length - from);
          OutputStream out = e.getResponseBody();
          try {
            for (int i = from; i < BLOB.length; i++) {
              out.write(BLOB, i, 1);
              out.flush();
              if (over.await(LIMIT.toMillis() / 10, TimeUnit.MILLISECONDS)) {
                return;
              }
            }
          } catch (InterruptedException x) {
            Thread.currentThread().interrupt();
          }
        };
    RegistryOptions two = OPTIONS.withPatience(2, Duration.ofMillis(2), LIMIT);
    long begin = System.nanoTime();
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), two);
        InputStream in = client.openBlob(DESCRIPTOR)) {
      assertThatThrownBy(in::readAllBytes)
          .isInstanceOf(Problem.class)
          .hasMessageContaining("is too slow: less than 1024 bytes a second");
    }
    assertThat(requests).hasSize(2);
    assertThat(Duration.ofNanos(System.nanoTime() - begin))
        .isBetween(LIMIT.multipliedBy(2), LIMIT.multipliedBy(3).plus(SLACK));
  }

  /**
   * The same in the other direction: a registry that takes a little now and then. The kernels
   * between hand room on in large pieces only, so that it looks like silence.
   */
  @Test
  @Tag("slow")
  void endsAnUploadThatDrips() throws Exception {
    byte[] large = new byte[64 << 20];
    Descriptor descriptor = Descriptor.of(MediaTypes.OCI_LAYER, large);
    HostileRegistry.Handler handler =
        (e, count) -> {
          if (e.getRequestMethod().equals("POST")) {
            header(e, "Location", "/v2/x/blobs/uploads/1");
            e.sendResponseHeaders(202, -1);
            return;
          }
          if (!e.getRequestMethod().startsWith("P")) {
            e.sendResponseHeaders(404, -1); // It forgets what it got, and has no such blob.
            return;
          }
          requests.add(System.nanoTime());
          byte[] buffer = new byte[16];
          try {
            while (e.getRequestBody().read(buffer) >= 0) {
              if (over.await(LIMIT.toMillis() / 10, TimeUnit.MILLISECONDS)) {
                return;
              }
            }
          } catch (InterruptedException x) {
            Thread.currentThread().interrupt();
          }
        };
    RegistryOptions two = OPTIONS.withPatience(2, Duration.ofMillis(2), LIMIT);
    long begin = System.nanoTime();
    try (HostileRegistry registry = new HostileRegistry(handler);
        RegistryClient client = new RegistryClient(registry.reference(), two)) {
      assertThatThrownBy(
              () -> client.putBlob(descriptor, at -> new java.io.ByteArrayInputStream(large)))
          .isInstanceOf(Problem.class)
          .hasMessageEndingWith("sent nothing for " + LIMIT.toSeconds() + " s");
    }
    // What ends an attempt is the limit, not the registry.
    assertThat(requests).hasSize(2);
    assertThat(Duration.ofNanos(System.nanoTime() - begin))
        .isBetween(LIMIT.multipliedBy(2), LIMIT.multipliedBy(3).plus(SLACK));
  }
}
