package slipway.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;

/** The server is killed while clients push; what it had acknowledged must be there afterwards. */
class CrashTest {
  private static final int CLIENTS = 4;

  @TempDir Path root;

  /** Acknowledged: tag and the bytes of its manifest. */
  private final Map<String, byte[]> tags = new ConcurrentHashMap<>();

  /** Acknowledged deletions. */
  private final Map<String, Boolean> deleted = new ConcurrentHashMap<>();

  @Test
  @Tag("slow")
  void acknowledgedContentSurvivesKills() throws Exception {
    long seed = System.nanoTime();
    System.out.println("CrashTest seed " + seed);
    Random random = new Random(seed);
    for (int round = 0; round < 4; round++) {
      int goal = 1 + random.nextInt(20);
      pushUntilKilled(round, goal, random.nextLong());
      verify();
    }
    assertThat(tags).hasSizeGreaterThan(4);
  }

  private void pushUntilKilled(int round, int goal, long seed) throws Exception {
    CountDownLatch pushed = new CountDownLatch(goal);
    List<Thread> clients = new ArrayList<>();
    try (RegistryProcess process = RegistryProcess.start(root)) {
      for (int c = 0; c < CLIENTS; c++) {
        int client = c;
        Wire wire = new Wire("http://127.0.0.1:" + process.port());
        Random random = new Random(seed + c);
        clients.add(
            Thread.ofPlatform()
                .start(() -> push(wire, round + "-" + client + "-", random, pushed)));
      }
      pushed.await();
    }
    for (Thread client : clients) {
      client.join();
    }
  }

  private void push(Wire wire, String prefix, Random random, CountDownLatch pushed) {
    try {
      for (int i = 0; ; i++) {
        String tag = prefix + i;
        byte[] layer = new byte[random.nextInt(10) == 0 ? 1_000_000 : random.nextInt(2000)];
        random.nextBytes(layer);
        Manifest.Image image = wire.pushImage("crash/repo", tag, layer);
        tags.put(tag, image.bytes());
        pushed.countDown();
        if (random.nextInt(5) == 0) {
          tags.remove(tag);
          wire.delete("/v2/crash/repo/manifests/" + tag).expect(202);
          deleted.put(tag, true);
        }
      }
    } catch (IOException e) {
      // The server was killed.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void verify() throws Exception {
    try (RegistryServer server =
        RegistryServer.start(root, new InetSocketAddress("127.0.0.1", 0))) {
      Wire wire = new Wire(server.address());
      for (Map.Entry<String, byte[]> entry : tags.entrySet()) {
        byte[] bytes = wire.get("/v2/crash/repo/manifests/" + entry.getKey()).expect(200).body();
        assertThat(bytes).isEqualTo(entry.getValue());
      }
      for (String tag : deleted.keySet()) {
        wire.get("/v2/crash/repo/manifests/" + tag).expect(404);
      }
      everyTagIsWhole(wire);
    }
  }

  /** Those that were not acknowledged too. */
  private static void everyTagIsWhole(Wire wire) throws Exception {
    String list = wire.get("/v2/crash/repo/tags/list").expect(200).text();
    String[] all = list.replaceAll(".*\"tags\":\\[(.*)\\]}", "$1").replace("\"", "").split(",");
    for (String tag : all) {
      byte[] bytes = wire.get("/v2/crash/repo/manifests/" + tag).expect(200).body();
      Manifest.Image image = (Manifest.Image) Manifest.parse(bytes, null);
      assertThat(new String(bytes, StandardCharsets.UTF_8)).contains("\"title\":\"" + tag + "\"");
      Digest layer = image.layers().getFirst().digest();
      byte[] content = wire.get("/v2/crash/repo/blobs/" + layer).expect(200).body();
      assertThat(layer.matches(content)).isTrue();
    }
  }
}
