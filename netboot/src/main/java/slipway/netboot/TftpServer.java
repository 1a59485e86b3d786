package slipway.netboot;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import slipway.base.Printable;

/** A TFTP server that only reads (RFC 1350): each transfer on a virtual thread and a port. */
final class TftpServer implements AutoCloseable {
  /** Transfers at once; the firmware of a machine has one or two. */
  static final int TRANSFERS = 1000;

  /** Of them of one address. */
  static final int TRANSFERS_OF_ONE = 16;

  private final DatagramSocket socket;
  private final ServedFolder folder;
  private final Consumer<NetbootEvent> log;

  /** The socket of each transfer by the client that it is for. */
  private final Map<InetSocketAddress, DatagramSocket> transfers = new ConcurrentHashMap<>();

  private volatile boolean closed;

  private TftpServer(DatagramSocket socket, ServedFolder folder, Consumer<NetbootEvent> log) {
    this.socket = socket;
    this.folder = folder;
    this.log = log;
  }

  /**
   * @throws slipway.base.Problem of kind ENVIRONMENT when the address cannot be had
   */
  static TftpServer start(
      InetSocketAddress address, ServedFolder folder, Consumer<NetbootEvent> log) {
    TftpServer server = new TftpServer(UdpSockets.bind(address, "TFTP"), folder, log);
    Thread.ofPlatform().daemon().name("tftp").start(server::listen);
    return server;
  }

  int port() {
    return socket.getLocalPort();
  }

  private void listen() {
    byte[] bytes = new byte[TftpPacket.LONGEST_REQUEST + 4];
    while (!closed) {
      DatagramPacket packet = new DatagramPacket(bytes, bytes.length);
      try {
        socket.receive(packet);
        if (TftpPacket.parse(ByteBuffer.wrap(bytes, 0, packet.getLength())).orElse(null)
            instanceof TftpPacket.Request request) {
          take((InetSocketAddress) packet.getSocketAddress(), request);
        }
      } catch (IOException e) {
        // One that could not be answered; those after it may be.
      }
    }
  }

  private void take(InetSocketAddress client, TftpPacket.Request request) throws IOException {
    InetAddress address = client.getAddress();
    boolean again = transfers.containsKey(client);
    long same = transfers.keySet().stream().filter(c -> c.getAddress().equals(address)).count();
    // A request that comes again is answered by what was begun; for others the client asks again.
    if (again || transfers.size() >= TRANSFERS || same >= TRANSFERS_OF_ONE) {
      return;
    }
    DatagramSocket own = new DatagramSocket(new InetSocketAddress(socket.getLocalAddress(), 0));
    try {
      own.connect(client);
    } catch (SocketException e) {
      own.close();
      throw e;
    }
    transfers.put(client, own);
    Thread.ofVirtual().name("tftp-" + client.getPort()).start(() -> serve(client, own, request));
  }

  private void serve(InetSocketAddress client, DatagramSocket own, TftpPacket.Request request) {
    long start = System.nanoTime();
    long sent = 0;
    String result = "failed";
    try (own) {
      if (!request.read()) {
        result = refuse(own, TftpPacket.ACCESS_VIOLATION, "nothing can be written here");
        return;
      }
      if (!request.mode().equals("octet")) {
        result = refuse(own, TftpPacket.ILLEGAL, "only mode octet (binary) is served");
        return;
      }
      var found = folder.open(request.file());
      if (found.isEmpty()) {
        result = refuse(own, TftpPacket.NOT_FOUND, "no such file");
        return;
      }
      try (ServedFolder.Served file = found.get()) {
        TftpOptions options = TftpOptions.of(request.options(), file.size());
        TftpSession session = new TftpSession(own, file, options);
        try {
          result =
              switch (session.run()) {
                case DONE -> "sent";
                case REFUSED -> "ended by the client";
                case STALLED -> "the client fell silent";
              };
        } finally {
          sent = session.sent();
        }
      }
    } catch (IOException e) {
      result = "failed: " + e.getMessage();
    } finally {
      transfers.remove(client);
      log.accept(
          new NetbootEvent(
              "tftp",
              client.getAddress().getHostAddress(),
              Printable.text(request.file()),
              Printable.text(result),
              sent,
              Duration.ofNanos(System.nanoTime() - start)));
    }
  }

  private static String refuse(DatagramSocket own, int code, String text) throws IOException {
    ByteBuffer packet = TftpPacket.error(code, text);
    own.send(new DatagramPacket(packet.array(), packet.limit()));
    return text;
  }

  @Override
  public void close() {
    closed = true;
    socket.close();
    transfers.values().forEach(DatagramSocket::close);
  }
}
