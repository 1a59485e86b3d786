package slipway.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;

/** Whether an address is free is asked without anybody noticing. */
class FreeAddressTest {
  private static InetSocketAddress loopback(int port) {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
  }

  @Test
  void oneThatIsListenedOnIsRefused() throws IOException {
    try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      assertThatThrownBy(() -> HttpServer.requireFree(loopback(other.getLocalPort())))
          .isInstanceOf(Problem.class)
          .hasMessageContaining("the port is in use");
    }
  }

  /** A connection that the server before closed itself waits for minutes in the kernel. */
  @Test
  void oneWhereConnectionsLingerIsFree() throws IOException {
    int port;
    try (ServerSocket before = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = before.getLocalPort();
      try (Socket client = new Socket(InetAddress.getLoopbackAddress(), port)) {
        before.accept().close();
        assertThat(client.getInputStream().read()).isEqualTo(-1);
      }
    }
    HttpServer.requireFree(loopback(port));
  }

  /** Who waits for the server by connecting would take this for it. */
  @Test
  void askingListensToNobody() throws Exception {
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    AtomicBoolean done = new AtomicBoolean();
    AtomicInteger connected = new AtomicInteger();
    AtomicInteger refused = new AtomicInteger();
    Thread client =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (!done.get()) {
                    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                      // The kernel may give it the port that it connects to: then it met itself.
                      if (socket.getLocalPort() != port) {
                        connected.incrementAndGet();
                      }
                    } catch (IOException e) {
                      refused.incrementAndGet();
                    }
                  }
                });
    try {
      while (refused.get() < 20_000 && connected.get() == 0) {
        HttpServer.requireFree(loopback(port));
      }
    } catch (Problem e) {
      // The client met itself and so has the port.
      assertThat(refused.get()).isPositive();
    } finally {
      done.set(true);
      client.join();
    }
    assertThat(connected.get()).isZero();
  }
}
