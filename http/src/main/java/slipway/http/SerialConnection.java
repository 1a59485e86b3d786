package slipway.http;

import java.util.concurrent.locks.ReentrantLock;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.internal.HttpConnection;

/**
 * Jetty's connection, but with one thread at a time in its reading loop. Jetty (12.1) lets in a
 * second one when what a client sent is no HTTP, such as the beginning of TLS: the answer is given
 * by another thread, which goes on reading when it is done, while the first has not left yet. Both
 * then give the buffer back to the pool, which hands it to two other connections at once, and one
 * client reads what the other sent (as in jetty.project's issue 12939).
 */
final class SerialConnection extends HttpConnection {
  private final ReentrantLock reading = new ReentrantLock();

  SerialConnection(HttpConfiguration configuration, Connector connector, EndPoint endPoint) {
    super(configuration, connector, endPoint);
  }

  @Override
  public void onFillable() {
    reading.lock();
    try {
      super.onFillable();
    } finally {
      reading.unlock();
    }
  }

  /** Makes them. */
  static final class Factory extends HttpConnectionFactory {
    Factory(HttpConfiguration configuration) {
      super(configuration);
    }

    @Override
    public Connection newConnection(Connector connector, EndPoint endPoint) {
      SerialConnection connection =
          new SerialConnection(getHttpConfiguration(), connector, endPoint);
      connection.setTransferEncodingChunkMaxLength(getTransferEncodingChunkMaxLength());
      return configure(connection, connector, endPoint);
    }
  }
}
