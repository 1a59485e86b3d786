package slipway.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Problem;
import slipway.oci.model.Descriptor;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Reference;
import slipway.oci.registry.RegistryClient;
import slipway.oci.registry.RegistryOptions;

/** An upload by our client that is cut goes on where it was. */
class ResumedUploadTest {
  private static final RegistryOptions OPTIONS =
      RegistryOptions.anonymous(Map.of())
          .withPatience(3, Duration.ofMillis(20), Duration.ofSeconds(20));

  @TempDir Path dir;

  /** Passes connections on and cuts each that has carried so many bytes to the registry. */
  private static final class Cutter implements AutoCloseable {
    private final ServerSocket server;
    private final int target;
    private final AtomicInteger cuts;
    private final long after;
    private final int behind;
    private final AtomicLong sent = new AtomicLong();
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final List<Socket> open = new CopyOnWriteArrayList<>();

    Cutter(int target, int cuts, long after) throws IOException {
      this(target, cuts, after, 0);
    }

    /**
     * @param behind how many pieces of 16 KiB the registry still waits for when the client is cut
     */
    Cutter(int target, int cuts, long after, int behind) throws IOException {
      this.behind = behind;
      this.target = target;
      this.cuts = new AtomicInteger(cuts);
      this.after = after;
      this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
      threads.submit(this::accept);
    }

    String host() {
      return "127.0.0.1:" + server.getLocalPort();
    }

    private Void accept() throws IOException {
      while (true) {
        Socket client = server.accept();
        Socket registry = new Socket("127.0.0.1", target);
        open.add(client);
        open.add(registry);
        threads.submit(() -> pass(client, registry, true));
        threads.submit(() -> pass(registry, client, false));
      }
    }

    private Void pass(Socket from, Socket to, boolean count) throws Exception {
      Deque<byte[]> held = new ArrayDeque<>();
      long total = 0;
      try (from;
          to) {
        InputStream in = from.getInputStream();
        OutputStream out = to.getOutputStream();
        for (byte[] piece; (piece = piece(in)).length > 0; ) {
          total += piece.length;
          held.add(piece);
          // Headers pass at once; of a long body the registry gets what came a while ago.
          while (held.size() > (count && cuts.get() > 0 && total > 1 << 20 ? behind : 0)) {
            out.write(held.remove());
          }
          if (count) {
            sent.addAndGet(piece.length);
            if (total > after && cuts.getAndDecrement() > 0) {
              from.close();
              deliverSlowly(held, out);
              return null;
            }
          }
        }
        for (byte[] piece : held) {
          out.write(piece);
        }
      }
      return null;
    }

    private static byte[] piece(InputStream in) throws IOException {
      byte[] buffer = new byte[16 * 1024];
      return Arrays.copyOf(buffer, Math.max(in.read(buffer), 0));
    }

    /** As a registry that is busy takes in what waits in its socket, while the client is gone. */
    private static void deliverSlowly(Deque<byte[]> held, OutputStream out) throws Exception {
      for (byte[] piece : held) {
        out.write(piece);
        Thread.sleep(2);
      }
    }

    @Override
    public void close() throws IOException {
      server.close();
      for (Socket socket : open) {
        socket.close();
      }
      threads.shutdownNow();
    }
  }

  /**
   * @param behind see {@link Cutter}: the registry tells less than it will have, for 0.4 s
   */
  @ParameterizedTest
  @Tag("slow")
  @ValueSource(ints = {0, 192})
  void goesOnAfterCuts(int behind) throws Exception {
    byte[] bytes = new byte[24 << 20];
    new Random(7).nextBytes(bytes);
    Descriptor blob = Descriptor.of(MediaTypes.OCI_LAYER, bytes);
    try (RegistryServer registry =
            RegistryServer.start(dir, new InetSocketAddress("127.0.0.1", 0));
        Cutter cutter = new Cutter(registry.address().getPort(), 4, 5 << 20, behind)) {
      Reference name = Reference.parse(cutter.host() + "/x");
      try (RegistryClient client = new RegistryClient(name, OPTIONS)) {
        client.putBlob(
            blob, at -> new ByteArrayInputStream(bytes, (int) at, (int) (bytes.length - at)));
        try (InputStream in = client.openBlob(blob)) {
          assertThat(in.readAllBytes()).isEqualTo(bytes);
        }
      }
      // Four cuts with three attempts: patience begins anew, and little is sent twice.
      assertThat(cutter.sent.get()).isLessThan(bytes.length * 3L / 2);
    }
  }

  /** What was changed at the source between two requests is not what was promised. */
  @Test
  void aSourceThatChangesIsToldAfterOneMoreTry() throws Exception {
    byte[] bytes = new byte[12 << 20];
    Descriptor blob = Descriptor.of(MediaTypes.OCI_LAYER, bytes);
    byte[] other = new byte[12 << 20];
    other[11 << 20] = 1;
    try (RegistryServer registry =
            RegistryServer.start(dir, new InetSocketAddress("127.0.0.1", 0));
        Cutter cutter = new Cutter(registry.address().getPort(), 1, 5 << 20)) {
      Reference name = Reference.parse(cutter.host() + "/x");
      try (RegistryClient client = new RegistryClient(name, OPTIONS)) {
        assertThatThrownBy(
                () ->
                    client.putBlob(
                        blob,
                        at -> new ByteArrayInputStream(other, (int) at, (int) (other.length - at))))
            .isInstanceOf(Problem.class)
            .hasMessageContaining("damaged or forged");
      }
    }
  }
}
