package slipway.media;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import slipway.base.Problem;

/**
 * A TCP port of the guest that answers on this machine's loopback address.
 *
 * @param host port here; 0 lets the system choose a free one
 * @param guest port in the guest
 */
public record PortForward(int host, int guest) {
  public PortForward {
    if (host < 0 || host > 65535 || guest < 1 || guest > 65535) {
      throw Problem.usage(
          host + ":" + guest + " is not a port forward; expected HOST:GUEST, such as 2222:22");
    }
  }

  /**
   * The same with a port of this machine that is free now, unless one was asked for. Somebody else
   * may take it before the guest does; QEMU then refuses to start.
   */
  public PortForward settled() throws IOException {
    if (host != 0) {
      return this;
    }
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return new PortForward(free.getLocalPort(), guest);
    }
  }

  /** Parses {@code HOST:GUEST}, or one number for a free port here and that port in the guest. */
  public static PortForward parse(String text) {
    String[] parts = text.split(":", -1);
    try {
      if (parts.length == 1) {
        return new PortForward(0, Integer.parseInt(parts[0]));
      }
      if (parts.length == 2) {
        return new PortForward(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]));
      }
    } catch (NumberFormatException e) {
      // The sentence below says what is expected.
    }
    throw Problem.usage(
        "\"" + text + "\" is not a port forward; expected HOST:GUEST, such as 2222:22");
  }
}
