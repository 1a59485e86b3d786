package slipway.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.eclipse.jetty.io.ByteArrayEndPoint;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.LocalConnector;
import org.eclipse.jetty.server.Server;
import org.junit.jupiter.api.Test;

class SerialConnectionTest {
  /** Kept, as the server of the product does. */
  private static final Logger JETTY_LOG = Logger.getLogger("org.eclipse.jetty");

  private final AtomicInteger reading = new AtomicInteger();
  private final CountDownLatch begun = new CountDownLatch(1);
  private final CountDownLatch goOn = new CountDownLatch(1);
  private volatile boolean together;

  /** A client of whom nothing comes. */
  private final class Client extends ByteArrayEndPoint {
    @Override
    public int fill(ByteBuffer buffer) {
      together |= reading.incrementAndGet() > 1;
      begun.countDown();
      try {
        goOn.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      reading.decrementAndGet();
      return -1;
    }
  }

  /** As Jetty would have it where what came is no HTTP. */
  @Test
  void twoThreadsNeverReadAtOnce() throws Exception {
    JETTY_LOG.setLevel(Level.WARNING);
    Server server = new Server();
    LocalConnector connector = new LocalConnector(server);
    server.addConnector(connector);
    server.start();
    try {
      Client client = new Client();
      SerialConnection connection =
          new SerialConnection(new HttpConfiguration(), connector, client);
      client.setConnection(connection);
      Thread first = Thread.ofPlatform().start(connection::onFillable);
      begun.await();
      Thread second = Thread.ofPlatform().start(connection::run);
      while (second.getState() != Thread.State.WAITING && !together) {
        Thread.onSpinWait();
      }
      goOn.countDown();
      first.join();
      second.join();
      assertThat(together).as("two threads in the reading loop").isFalse();
    } finally {
      server.stop();
    }
  }
}
