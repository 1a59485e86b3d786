package slipway.netboot;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;

/** Answers by {@link ProxyDhcp} on the ports of DHCP and of boot servers. */
final class ProxyDhcpServer implements AutoCloseable {
  private static final int LONGEST = 1500;
  private static final int SERVER_PORT = 67;
  private static final int CLIENT_PORT = 68;

  private final ProxyDhcp answers;
  private final DatagramSocket dhcp;
  private final DatagramSocket boot;
  private final Consumer<NetbootEvent> log;
  private volatile boolean closed;

  private ProxyDhcpServer(
      ProxyDhcp answers, DatagramSocket dhcp, DatagramSocket boot, Consumer<NetbootEvent> log) {
    this.answers = answers;
    this.dhcp = dhcp;
    this.boot = boot;
    this.log = log;
  }

  /**
   * @param dhcp where machines ask, port 67
   * @param boot where they ask once more, port 4011
   * @throws slipway.base.Problem of kind ENVIRONMENT when an address cannot be had
   */
  static ProxyDhcpServer start(
      ProxyDhcp answers,
      InetSocketAddress dhcp,
      InetSocketAddress boot,
      Consumer<NetbootEvent> log) {
    DatagramSocket first = UdpSockets.bind(dhcp, "DHCP");
    ProxyDhcpServer server;
    try {
      server = new ProxyDhcpServer(answers, first, UdpSockets.bind(boot, "PXE"), log);
    } catch (RuntimeException e) {
      first.close();
      throw e;
    }
    Thread.ofPlatform().daemon().name("dhcp").start(() -> server.listen(server.dhcp, false));
    Thread.ofPlatform().daemon().name("pxe").start(() -> server.listen(server.boot, true));
    return server;
  }

  int dhcpPort() {
    return dhcp.getLocalPort();
  }

  int bootPort() {
    return boot.getLocalPort();
  }

  private void listen(DatagramSocket socket, boolean isBoot) {
    byte[] bytes = new byte[LONGEST];
    while (!closed) {
      DatagramPacket packet = new DatagramPacket(bytes, bytes.length);
      try {
        socket.receive(packet);
        long start = System.nanoTime();
        ByteBuffer question = ByteBuffer.wrap(bytes, 0, packet.getLength()).slice();
        Optional<ProxyDhcp.Reply> reply = answers.answer(question, isBoot);
        if (reply.isPresent()) {
          send(socket, reply.get(), (InetSocketAddress) packet.getSocketAddress());
          log.accept(
              new NetbootEvent(
                  "dhcp",
                  reply.get().machine(),
                  reply.get().file(),
                  "told",
                  0,
                  Duration.ofNanos(System.nanoTime() - start)));
        }
      } catch (IOException e) {
        // One that could not be answered; those after it may be.
      }
    }
  }

  /** To the relay that asked, to the address that asked, or to all while there is none yet. */
  private static void send(DatagramSocket socket, ProxyDhcp.Reply reply, InetSocketAddress from)
      throws IOException {
    InetAddress relay = InetAddress.getByAddress(reply.question().relay());
    InetSocketAddress to;
    if (!relay.isAnyLocalAddress()) {
      to = new InetSocketAddress(relay, SERVER_PORT);
    } else if (!from.getAddress().isAnyLocalAddress()) {
      to = from;
    } else {
      to = new InetSocketAddress("255.255.255.255", CLIENT_PORT);
    }
    socket.send(new DatagramPacket(reply.packet(), reply.packet().length, to));
  }

  @Override
  public void close() {
    closed = true;
    dhcp.close();
    boot.close();
  }
}
