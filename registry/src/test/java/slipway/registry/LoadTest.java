package slipway.registry;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.oci.model.Digest;
import slipway.oci.model.MediaTypes;

/**
 * Clients that want to stop the server: many that announce much and stay silent, many pulls, large
 * referrers read by many at once, uploads that are begun and left. Honest requests beside them are
 * answered in time, and the memory stays bounded.
 */
class LoadTest {
  /** As the product serves: tools/Assemble.java. */
  private static final List<String> OPTIONS =
      List.of("-Xms32m", "-Xmx320m", "-Xss1m", "-XX:+UseSerialGC", "-XX:MaxDirectMemorySize=64m");

  private static final long MIB = 1024 * 1024;

  @TempDir Path root;

  /** Honest requests before the load, which say what this machine can do. */
  private static final int BASELINE = 40;

  /** An honest request may take so many times as long as the slowest half without a load. */
  private static final double TIMES = 50;

  /** Whatever the machine: less than this is in time. */
  private static final double IN_TIME = 0.25;

  /** Seconds that honest requests took that were answered as they must. */
  private final List<Double> took = new CopyOnWriteArrayList<>();

  /** Honest requests that were not. */
  private final List<Throwable> failed = new CopyOnWriteArrayList<>();

  /**
   * How much of each.
   *
   * @param silent connections that announce 8 MiB
   * @param pulls of a small blob
   * @param referrers of 4 MB each, read at once by as many clients
   * @param starts of uploads
   */
  private record Load(int silent, int pulls, int referrers, int starts) {}

  @Test
  @Tag("slow")
  void honestRequestsAreAnsweredInTime() throws Exception {
    run(new Load(300, 4000, 12, 3000));
  }

  @Test
  @Tag("soak")
  void honestRequestsAreAnsweredInTimeUnderTheWholeLoad() throws Exception {
    run(new Load(1500, 20_000, 200, 10_000));
  }

  private void run(Load load) throws Exception {
    List<Socket> sockets = new ArrayList<>();
    try (RegistryProcess server = RegistryProcess.start(root, OPTIONS);
        ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
      Wire wire = new Wire("http://127.0.0.1:" + server.port());
      byte[] small = new byte[2000];
      Digest blob = wire.pushBlob("honest", small, "x").digest();
      wire.pushImage("honest", "v1", new byte[] {1});
      pushReferrers(wire, load.referrers, blob);
      for (int i = 0; i < BASELINE / 4; i++) {
        honest(wire, blob, i);
      }
      assertThat(failed).isEmpty();
      double idle = quantile(0.5);
      took.clear();
      Thread honest = Thread.ofPlatform().start(() -> honestOnes(wire, blob));
      try {
        for (int i = 0; i < load.silent; i++) {
          sockets.add(silent(server.port(), i));
        }
        assertThat(hostile(wire, server.port(), blob, load, clients))
            .as("the load: answers of success to all pulls, and to some of the rest")
            .satisfies(done -> assertThat(done.pulls).isEqualTo(load.pulls / 20 * 20))
            .satisfies(done -> assertThat(done.starts).isGreaterThan(0))
            .satisfies(done -> assertThat(done.referrers).isEqualTo(load.referrers));
      } finally {
        honest.interrupt();
        honest.join();
      }
      double inTime = Math.max(IN_TIME, TIMES * idle);
      System.out.printf(
          "LoadTest: %d honest requests, median %.4f s (idle %.4f s), 90 %% %.2f s, worst %.2f s,"
              + " peak memory %d MiB%n",
          took.size(), quantile(0.5), idle, quantile(0.9), quantile(1), server.peakMemory() / MIB);
      assertThat(failed).isEmpty();
      assertThat(took).hasSizeGreaterThan(BASELINE);
      assertThat(quantile(0.9)).as("9 of 10 are answered in time").isLessThan(inTime);
      assertThat(quantile(1)).as("all are answered soon").isLessThan(4 * inTime);
      assertThat(server.peakMemory()).isLessThan(512 * MIB);
      // Nobody is locked out afterwards.
      wire.pushImage("honest", "v2", new byte[] {2});
    } finally {
      for (Socket socket : sockets) {
        socket.close();
      }
    }
  }

  private double quantile(double share) {
    List<Double> sorted = took.stream().sorted().toList();
    return sorted.get((int) Math.min(sorted.size() - 1L, Math.round(share * sorted.size())));
  }

  /** Answers of success that the load got. */
  private record Done(int pulls, int starts, int referrers) {}

  private static Done hostile(Wire wire, int port, Digest blob, Load load, ExecutorService clients)
      throws Exception {
    List<Future<Integer>> pulls = new ArrayList<>();
    List<Future<Integer>> starts = new ArrayList<>();
    List<Future<Integer>> referrers = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      pulls.add(clients.submit(() -> pull(port, blob, load.pulls / 20)));
      starts.add(clients.submit(() -> begin(port, load.starts / 20)));
    }
    for (int i = 0; i < load.referrers; i++) {
      referrers.add(clients.submit(() -> someReferrers(wire, blob) > 0 ? 1 : 0));
    }
    return new Done(sum(pulls), sum(starts), sum(referrers));
  }

  private static int sum(List<Future<Integer>> parts) throws Exception {
    int sum = 0;
    for (Future<Integer> part : parts) {
      sum += part.get();
    }
    return sum;
  }

  private static void pushReferrers(Wire wire, int count, Digest subject) throws Exception {
    wire.pushBlob("honest", Wire.EMPTY_JSON, MediaTypes.OCI_CONFIG);
    String signature = new String(Wire.signature(subject), StandardCharsets.UTF_8);
    for (int i = 0; i < count; i++) {
      // Half of them are large where lists of referrers look, half elsewhere.
      String padding = "x".repeat(4_000_000) + i;
      String text =
          i % 2 == 0
              ? signature.replace("\"value\"", "\"" + padding + "\"")
              : signature.replaceFirst("\\{", "{\"padding\":\"" + padding + "\",");
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      wire.pushManifest("honest", Digest.sha256(bytes).toString(), bytes, MediaTypes.OCI_MANIFEST)
          .expect(201);
    }
  }

  private void honestOnes(Wire wire, Digest blob) {
    for (int i = BASELINE; !Thread.currentThread().isInterrupted(); i++) {
      honest(wire, blob, i);
    }
  }

  /** One of each kind; the end of the test is none of their failures. */
  private void honest(Wire wire, Digest blob, int number) {
    byte[] own = ("honest " + number).getBytes(US_ASCII);
    timed(() -> wire.get("/v2/").expect(200));
    timed(() -> wire.get("/v2/honest/manifests/v1").expect(200));
    timed(() -> wire.get("/v2/honest/blobs/" + blob).expect(200));
    timed(() -> wire.put(wire.begin("honest") + "?digest=" + Digest.sha256(own), own).expect(201));
  }

  private void timed(Callable<Wire.Answer> request) {
    if (Thread.currentThread().isInterrupted()) {
      return;
    }
    long start = System.nanoTime();
    try {
      request.call();
      took.add((System.nanoTime() - start) / 1e9);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (Exception | AssertionError e) {
      if (!Thread.currentThread().isInterrupted()) {
        failed.add(e);
      }
    }
  }

  private static Socket silent(int port, int number) throws IOException {
    Socket socket = new Socket("127.0.0.1", port);
    String head =
        "PUT /v2/silent/manifests/t"
            + number
            + " HTTP/1.1\r\nHost: x\r\nContent-Length: 8388608\r\n\r\n{";
    socket.getOutputStream().write(head.getBytes(US_ASCII));
    return socket;
  }

  private static int pull(int port, Digest blob, int count) throws IOException {
    return requests(port, count, "GET /v2/honest/blobs/" + blob);
  }

  private static int begin(int port, int count) throws IOException {
    return requests(port, count, "POST /v2/left/blobs/uploads/");
  }

  /** On one connection, one after the other; counts the answers of success. */
  private static int requests(int port, int count, String line) throws IOException {
    byte[] request =
        (line + " HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").getBytes(US_ASCII);
    int good = 0;
    try (Socket socket = new Socket("127.0.0.1", port)) {
      InputStream in = new BufferedInputStream(socket.getInputStream());
      for (int i = 0; i < count; i++) {
        socket.getOutputStream().write(request);
        long length = 0;
        for (String head = line(in); !head.isEmpty(); head = line(in)) {
          good += head.startsWith("HTTP/1.1 20") ? 1 : 0;
          if (head.startsWith("Content-Length: ")) {
            length = Long.parseLong(head.substring(16));
          }
        }
        in.skipNBytes(length);
      }
    }
    return good;
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder text = new StringBuilder();
    for (int c = in.read(); c != '\n'; c = in.read()) {
      if (c < 0) {
        throw new IOException("the server closed the connection");
      }
      text.append((char) c);
    }
    return text.toString().strip();
  }

  /** The first page; gives how many were told. */
  private static int someReferrers(Wire wire, Digest subject) throws Exception {
    String text = wire.get("/v2/honest/referrers/" + subject).expect(200).text();
    return text.split("test/signature", -1).length - 1;
  }
}
