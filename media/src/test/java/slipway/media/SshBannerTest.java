package slipway.media;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class SshBannerTest {
  @Test
  void asksTheSilentLessAndLessOften() throws IOException {
    try (ServerSocket silent = listen()) {
      SshBanner banner =
          new SshBanner(silent.getLocalPort(), Duration.ofMillis(50), Duration.ofMillis(200));
      for (int least : new int[] {50, 100, 200, 200}) {
        long start = System.nanoTime();
        assertThat(banner.answers()).isFalse();
        assertThat(Duration.ofNanos(System.nanoTime() - start))
            .isGreaterThanOrEqualTo(least(least));
      }
    }
  }

  /** Otherwise a process that is told to end would wait for a guest that says nothing. */
  @Test
  @Timeout(20)
  void anInterruptEndsTheWait() throws Exception {
    try (ServerSocket silent = listen()) {
      SshBanner banner =
          new SshBanner(silent.getLocalPort(), Duration.ofMinutes(5), Duration.ofMinutes(5));
      Thread waiter = Thread.ofPlatform().daemon().start(banner::answers);
      try (Socket client = silent.accept()) {
        waiter.interrupt();
        waiter.join();
        assertThat(client.getInputStream().read()).as("what it says before it goes").isEqualTo(-1);
      }
    }
  }

  /** Timers may be a little early. */
  private static Duration least(int milliseconds) {
    return Duration.ofMillis(milliseconds * 9 / 10);
  }

  @Test
  void knowsAServerFromAClosedDoor() throws Exception {
    try (ServerSocket server = listen()) {
      SshBanner banner = new SshBanner(server.getLocalPort());
      Thread guest = Thread.ofVirtual().start(() -> serve(server));
      assertThat(banner.answers()).as("closed at once").isFalse();
      assertThat(banner.answers()).as("an ssh server").isTrue();
      guest.join();
    }
  }

  private static void serve(ServerSocket server) {
    try {
      server.accept().close();
      try (Socket client = server.accept()) {
        client.getOutputStream().write("SSH-2.0-x\r\n".getBytes(StandardCharsets.US_ASCII));
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static ServerSocket listen() throws IOException {
    return new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
  }
}
