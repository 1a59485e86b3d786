package slipway.http;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.io.ArrayByteBufferPool;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.io.ManagedSelector;
import org.eclipse.jetty.io.SelectorManager;
import org.eclipse.jetty.io.SocketChannelEndPoint;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.jspecify.annotations.Nullable;

/**
 * The connections of a server. Their buffers all come from one pool that is not let grow. When
 * there are as many connections as may be, a new one is let in at the cost of the client that has
 * the most: of its connections one that waits for a request ends, the longest quiet one first, or,
 * when the client has more than its share, one in the middle of a request that the client keeps
 * waiting. So nobody is locked out by who opens many and stays silent.
 */
final class ClientConnector extends ServerConnector {
  private static final System.Logger LOG = System.getLogger("slipway.http");

  /** Bytes read from a connection at once. */
  private static final int INPUT = 64 * 1024;

  /** Bytes of buffers that are kept for the next request. */
  private static final long POOLED = 32L * 1024 * 1024;

  /** When all connections are being answered, none can make room; it is looked for again. */
  private static final Duration RETRY = Duration.ofMillis(50);

  /**
   * How long the client that has the most may be busy with all that it has, or not heard yet,
   * before another one that is idle makes room in its place.
   */
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  private final int limit;
  private final Object room = new Object();

  /** Connections that are there; guarded by {@link #room}. */
  private int open;

  /** Those among them that were chosen to make room and are about to end; guarded likewise. */
  private int leaving;

  ClientConnector(Server server, HttpOptions options) {
    super(
        server,
        null,
        null,
        new ArrayByteBufferPool(0, 4096, INPUT, -1, POOLED / 4, POOLED),
        1,
        -1,
        new SerialConnection.Factory(configuration(options)));
    limit = options.connections();
    setHost(options.address().getHostString());
    setPort(options.address().getPort());
    setIdleTimeout(options.idleTimeout().toMillis());
    setAcceptQueueSize(1024);
    addBean(new Count());
  }

  private static HttpConfiguration configuration(HttpOptions options) {
    HttpConfiguration configuration = new HttpConfiguration();
    configuration.setSendServerVersion(false);
    configuration.setRequestHeaderSize(options.maxHeaderBytes());
    configuration.setResponseHeaderSize(16 * 1024);
    configuration.setInputBufferSize(INPUT);
    configuration.setOutputBufferSize(32 * 1024);
    return configuration;
  }

  @Override
  protected SocketChannelEndPoint newEndPoint(
      SocketChannel channel, ManagedSelector selector, SelectionKey key) {
    SocketChannelEndPoint client = new ClientEndPoint(channel, selector, key, getScheduler());
    client.setIdleTimeout(getIdleTimeout());
    return client;
  }

  /** Counts connections from when they are accepted, before they can be used. */
  private final class Count implements SelectorManager.AcceptListener {
    @Override
    public void onAccepting(SelectableChannel channel) {
      count(1, 0);
    }

    @Override
    public void onAcceptFailed(SelectableChannel channel, Throwable cause) {
      count(-1, 0);
    }
  }

  @Override
  protected void onEndPointClosed(EndPoint closed) {
    super.onEndPointClosed(closed); // From here on nobody chooses it any more.
    synchronized (room) {
      count(-1, ((ClientEndPoint) closed).isLeaving() ? -1 : 0);
    }
  }

  private void count(int more, int moreLeaving) {
    synchronized (room) {
      open += more;
      leaving += moreLeaving;
      room.notifyAll();
    }
  }

  /** Takes one client in, and no further one before there is room again. */
  @Override
  public void accept(int acceptor) throws IOException {
    super.accept(acceptor);
    long begun = System.nanoTime();
    synchronized (room) {
      while (open > limit && isRunning()) {
        if (open - leaving > limit) {
          List<ClientEndPoint> chosen = makeRoom(System.nanoTime() - begun > PATIENCE.toNanos());
          leaving += chosen.size();
          getExecutor().execute(() -> chosen.forEach(c -> c.end("others need its place")));
        }
        try {
          room.wait(RETRY.toMillis());
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          return;
        }
      }
    }
  }

  /**
   * One that can make room, as it was when it was looked at: what it does meanwhile must not change
   * the order while that is made.
   */
  private record Waiting(ClientEndPoint connection, boolean betweenRequests, long idle) {
    Waiting(ClientEndPoint connection) {
      this(connection, connection.isBetweenRequests(), connection.getIdleFor());
    }
  }

  /** What one client has. */
  private static final class Client {
    int connections;

    /** Those that can make room, the first to go at the end. */
    final List<Waiting> waiting = new ArrayList<>();

    @Nullable ClientEndPoint next(int share) {
      if (waiting.isEmpty()) {
        return null;
      }
      ClientEndPoint last = waiting.getLast().connection();
      return last.isBetweenRequests() || connections > share ? last : null;
    }
  }

  /**
   * Chooses some at once, because it looks at all; the caller holds {@link #room}.
   *
   * @param anyone whether the client that can make room and has the most will do, although others
   *     have more
   */
  private List<ClientEndPoint> makeRoom(boolean anyone) {
    Map<Object, Client> clients = clients();
    int share = Math.max(1, limit / Math.max(1, clients.size()));
    List<ClientEndPoint> chosen = new ArrayList<>();
    while (chosen.size() < Math.max(1, limit / 64)) {
      Client most =
          clients.values().stream()
              .filter(c -> !anyone || c.next(share) != null)
              .max(Comparator.comparingInt(c -> c.connections))
              .orElse(null);
      ClientEndPoint next = most == null ? null : most.next(share);
      if (most == null || next == null) {
        break;
      }
      most.waiting.removeLast();
      most.connections--;
      next.leave();
      chosen.add(next);
    }
    return chosen;
  }

  private Map<Object, Client> clients() {
    Map<Object, Client> clients = new HashMap<>();
    for (EndPoint each : getConnectedEndPoints()) {
      ClientEndPoint connection = (ClientEndPoint) each;
      if (connection.isLeaving()) {
        continue;
      }
      Client client = clients.computeIfAbsent(address(connection), a -> new Client());
      client.connections++;
      if (connection.isWaiting()) {
        client.waiting.add(new Waiting(connection));
      }
    }
    for (Client client : clients.values()) {
      client.waiting.sort(
          Comparator.comparing(Waiting::betweenRequests).thenComparing(Waiting::idle));
    }
    return clients;
  }

  /** Who has an IPv6 network of the usual size has all its addresses. */
  private static Object address(ClientEndPoint connection) {
    if (connection.getRemoteSocketAddress() instanceof InetSocketAddress remote) {
      InetAddress address = remote.getAddress();
      return address instanceof Inet6Address six
          ? ByteBuffer.wrap(six.getAddress(), 0, 8)
          : Objects.requireNonNullElse(address, "");
    }
    return "";
  }

  /**
   * Begins to look at all connections four times in each window, and end those that are too slow.
   */
  void sweep(HttpOptions.Floor floor) {
    long window = floor.window().toNanos();
    getServer().getScheduler().schedule(() -> look(floor), window / 4, TimeUnit.NANOSECONDS);
  }

  private void look(HttpOptions.Floor floor) {
    try {
      long now = System.nanoTime();
      for (EndPoint client : getConnectedEndPoints()) {
        endIfSlow((ClientEndPoint) client, now, floor);
      }
    } finally {
      sweep(floor);
    }
  }

  /** What goes wrong with one connection must not keep the others from being looked at. */
  private static void endIfSlow(ClientEndPoint client, long now, HttpOptions.Floor floor) {
    try {
      client.endIfSlow(now, floor.window().toNanos(), floor.bytes());
    } catch (RuntimeException e) {
      LOG.log(Level.ERROR, "a slow connection could not be ended", e);
    }
  }
}
