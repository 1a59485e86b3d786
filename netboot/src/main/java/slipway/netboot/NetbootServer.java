package slipway.netboot;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.http.HttpOptions;
import slipway.http.HttpServer;
import slipway.http.Router;

/** Serves a folder to machines that start from the network, until it is closed. */
public final class NetbootServer implements AutoCloseable {
  private final ServedFolder folder;
  private final List<AutoCloseable> servers = new ArrayList<>();
  private @Nullable HttpServer http;
  private @Nullable TftpServer tftp;
  private @Nullable ProxyDhcpServer dhcp;

  private NetbootServer(ServedFolder folder) {
    this.folder = folder;
  }

  /**
   * Where it listens; port 0 takes a free one.
   *
   * @param address of all of them
   * @param server how machines reach it
   * @param http port
   * @param tftp port; -1 for none
   * @param dhcp port where machines ask what to load; -1 for none
   * @param boot port where they ask once more
   * @param connections of HTTP at once
   */
  public record Listening(
      InetAddress address,
      Inet4Address server,
      int http,
      int tftp,
      int dhcp,
      int boot,
      int connections) {
    InetSocketAddress at(int port) {
      return new InetSocketAddress(address, port);
    }
  }

  /**
   * Starts it.
   *
   * @param log told of each file that was asked for, by several threads
   * @throws Problem of kind NOT_FOUND for no folder, ENVIRONMENT when an address cannot be had
   */
  public static NetbootServer start(Path path, Listening where, Consumer<NetbootEvent> log)
      throws IOException {
    NetbootServer server = new NetbootServer(ServedFolder.open(path));
    try {
      server.listen(where, log);
      return server;
    } catch (RuntimeException e) {
      server.close();
      throw e;
    }
  }

  private void listen(Listening where, Consumer<NetbootEvent> log) {
    HttpOptions options =
        HttpOptions.at(where.at(where.http()))
            .withConnections(where.connections())
            .withAccessLog(a -> log.accept(event(a)));
    HttpServer web =
        HttpServer.start(options, new Router().on("GET", "/{path...}", new FileHandler(folder)));
    http = web;
    servers.add(web);
    if (where.tftp() >= 0) {
      tftp = TftpServer.start(where.at(where.tftp()), folder, log);
      servers.add(tftp);
    }
    if (where.dhcp() >= 0) {
      BootFiles files = new BootFiles(url(where.server(), web.address().getPort()));
      dhcp =
          ProxyDhcpServer.start(
              new ProxyDhcp(where.server(), files),
              where.at(where.dhcp()),
              where.at(where.boot()),
              log);
      servers.add(dhcp);
    }
  }

  private static NetbootEvent event(HttpOptions.Access access) {
    return new NetbootEvent(
        "http",
        access.remote(),
        access.path(),
        Integer.toString(access.status()),
        access.bytes(),
        access.took());
  }

  /** What HTTP is served at, with a slash at the end. */
  public static String url(Inet4Address server, int port) {
    return "http://" + server.getHostAddress() + (port == 80 ? "" : ":" + port) + "/";
  }

  /** The port of HTTP. */
  public int httpPort() {
    return java.util.Objects.requireNonNull(http).address().getPort();
  }

  /** The port of TFTP; -1 for none. */
  public int tftpPort() {
    return tftp == null ? -1 : tftp.port();
  }

  /** The ports of DHCP and of boot servers; none, or both. */
  public List<Integer> dhcpPorts() {
    return dhcp == null ? List.of() : List.of(dhcp.dhcpPort(), dhcp.bootPort());
  }

  /**
   * The address by which other machines reach this one.
   *
   * @throws Problem of kind USAGE when there are several or none
   */
  public static Inet4Address ownAddress() throws SocketException {
    List<Inet4Address> all = new ArrayList<>();
    for (NetworkInterface each : Collections.list(NetworkInterface.getNetworkInterfaces())) {
      if (each.isUp() && !each.isLoopback()) {
        each.inetAddresses()
            .filter(a -> a instanceof Inet4Address && !a.isLinkLocalAddress())
            .forEach(a -> all.add((Inet4Address) a));
      }
    }
    if (all.size() != 1) {
      throw Problem.usage(
          "by which address do machines reach this one? Say it by --server"
              + (all.isEmpty()
                  ? ""
                  : "; there are "
                      + all.stream()
                          .map(InetAddress::getHostAddress)
                          .collect(Collectors.joining(", "))));
    }
    return all.getFirst();
  }

  @Override
  public void close() throws IOException {
    for (AutoCloseable each : servers.reversed()) {
      try {
        each.close();
      } catch (Exception e) { // AutoCloseable declares no less, and none of them throws one
        throw new IllegalStateException(e);
      }
    }
    folder.close();
  }
}
