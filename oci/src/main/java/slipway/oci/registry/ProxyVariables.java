package slipway.oci.registry;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.oci.model.Reference;

/**
 * The proxies that {@code https_proxy}, {@code http_proxy} and {@code no_proxy} name, in lower or
 * upper case, as curl and podman read them. Loopback hosts never go through one.
 */
final class ProxyVariables extends ProxySelector {
  private final Map<String, String> environment;

  public ProxyVariables(Map<String, String> environment) {
    this.environment = environment;
  }

  @Override
  public List<Proxy> select(URI uri) {
    String host = uri.getHost().toLowerCase(Locale.ROOT);
    String value = variable(uri.getScheme() + "_proxy");
    if (value == null || Reference.isLoopbackHost(host) || excluded(host, uri.getPort())) {
      return List.of(Proxy.NO_PROXY);
    }
    return List.of(new Proxy(Proxy.Type.HTTP, address(value)));
  }

  private @Nullable String variable(String name) {
    String value = environment.get(name);
    String chosen = value == null ? environment.get(name.toUpperCase(Locale.ROOT)) : value;
    return chosen == null || chosen.isBlank() ? null : chosen.strip();
  }

  private static InetSocketAddress address(String value) {
    URI uri;
    try {
      uri = URI.create(value.contains("://") ? value : "http://" + value);
    } catch (IllegalArgumentException e) {
      throw new Problem(Problem.Kind.INPUT, "the proxy variable holds no URL", e);
    }
    if (!"http".equals(uri.getScheme())
        || !WebAddress.canBeAsked(uri)
        || uri.getUserInfo() != null) {
      throw Problem.input(
          "the proxy variable must read http://HOST:PORT, without a user; for a proxy that wants"
              + " credentials run a local one that has them");
    }
    return new InetSocketAddress(uri.getHost(), uri.getPort() < 0 ? 80 : uri.getPort());
  }

  private boolean excluded(String host, int port) {
    String list = variable("no_proxy");
    if (list == null) {
      return false;
    }
    for (String entry : list.toLowerCase(Locale.ROOT).split(",")) {
      String name = entry.strip();
      if (name.equals("*") || name.equals(host) || name.equals(host + ":" + port)) {
        return true;
      }
      String suffix = name.startsWith("*.") ? name.substring(1) : name;
      if (!suffix.isEmpty() && host.endsWith(suffix.startsWith(".") ? suffix : "." + suffix)) {
        return true;
      }
    }
    return false;
  }

  @Override
  public void connectFailed(URI uri, SocketAddress address, IOException e) {
    // The request fails with this; there is no other proxy to turn to.
  }
}
