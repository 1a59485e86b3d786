package slipway.netboot;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.util.Locale;
import slipway.base.Problem;

/** Sockets for datagrams. */
final class UdpSockets {
  private UdpSockets() {}

  /**
   * @throws Problem of kind ENVIRONMENT when the address cannot be had
   */
  static DatagramSocket bind(InetSocketAddress address, String protocol) {
    try {
      return new DatagramSocket(address);
    } catch (IOException e) {
      String said = String.valueOf(e.getMessage());
      String known = said.toLowerCase(Locale.ROOT);
      String reason =
          known.contains("in use")
              ? "the port is in use; choose another, or stop what listens there"
              : known.contains("permission")
                  ? "permission denied; choose a port from 1024 on, or be root"
                  : known.contains("assign") ? "this machine does not have that address" : said;
      throw new Problem(
          Problem.Kind.ENVIRONMENT,
          "cannot listen on %s:%d for %s: %s"
              .formatted(address.getHostString(), address.getPort(), protocol, reason),
          e);
    }
  }
}
