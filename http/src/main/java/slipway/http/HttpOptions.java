package slipway.http;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How a server listens and what it puts up with.
 *
 * @param address where to listen; port 0 takes a free one
 * @param maxHeaderBytes request line and headers together; more is answered 431 (or 414)
 * @param connections at once; a further one takes the place of one of the client that has the most
 * @param idleTimeout a connection on which nothing moves for so long is cut
 * @param floor a connection that keeps the server waiting with less than this is cut
 * @param stopTimeout how long {@link HttpServer#close} lets requests under way finish
 * @param accessLog told of each finished request, or null
 */
public record HttpOptions(
    InetSocketAddress address,
    int maxHeaderBytes,
    int connections,
    Duration idleTimeout,
    Floor floor,
    Duration stopTimeout,
    @Nullable Consumer<Access> accessLog) {

  /** Each takes some tens of KiB while a request is handled. */
  public static final int CONNECTIONS = 4000;

  /**
   * The least that must move, as curl's {@code --speed-limit} and {@code --speed-time}.
   *
   * @param bytes in both directions together, in each {@code window} without a new request
   */
  public record Floor(long bytes, Duration window) {}

  /**
   * One finished request.
   *
   * @param method printable, whatever the client sent, as is {@code path}
   * @param bytes of the body sent
   */
  public record Access(
      String remote, String method, String path, int status, long bytes, Duration took) {}

  /**
   * The defaults: 16 KiB of headers, 4,000 connections, 60 s idle, at least 6,000 bytes a minute
   * (100 a second), 10 s to stop, no access log.
   */
  public static HttpOptions at(InetSocketAddress address) {
    return new HttpOptions(
        address,
        16 * 1024,
        CONNECTIONS,
        Duration.ofSeconds(60),
        new Floor(6000, Duration.ofSeconds(60)),
        Duration.ofSeconds(10),
        null);
  }

  public HttpOptions withConnections(int most) {
    return new HttpOptions(
        address, maxHeaderBytes, most, idleTimeout, floor, stopTimeout, accessLog);
  }

  public HttpOptions withIdleTimeout(Duration timeout) {
    return new HttpOptions(
        address, maxHeaderBytes, connections, timeout, floor, stopTimeout, accessLog);
  }

  public HttpOptions withFloor(Floor least) {
    return new HttpOptions(
        address, maxHeaderBytes, connections, idleTimeout, least, stopTimeout, accessLog);
  }

  public HttpOptions withStopTimeout(Duration timeout) {
    return new HttpOptions(
        address, maxHeaderBytes, connections, idleTimeout, floor, timeout, accessLog);
  }

  public HttpOptions withAccessLog(Consumer<Access> log) {
    return new HttpOptions(
        address, maxHeaderBytes, connections, idleTimeout, floor, stopTimeout, log);
  }
}
