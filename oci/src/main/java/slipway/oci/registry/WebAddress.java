package slipway.oci.registry;

import java.net.URI;
import org.jspecify.annotations.Nullable;

/** Addresses that a server names: what HTTP can ask, or none. */
final class WebAddress {
  private static final int LAST_PORT = 0xFFFF;

  private WebAddress() {}

  /**
   * What a text leads to from an address, or null when nothing can be asked there: without a host,
   * or with a port that cannot be, which the JDK finds out only when it connects.
   */
  static @Nullable URI resolve(URI from, String text) {
    try {
      URI target = text.isEmpty() ? null : from.resolve(text);
      return target == null || !canBeAsked(target) ? null : target;
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  /** Whether there are a host and a port that can be. */
  static boolean canBeAsked(URI address) {
    return address.getHost() != null && address.getPort() <= LAST_PORT;
  }
}
