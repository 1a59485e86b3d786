package slipway.oci.registry;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.security.cert.CertificateException;
import java.time.Duration;
import java.util.Locale;
import javax.net.ssl.SSLException;
import slipway.base.Printable;
import slipway.base.Problem;

/** What a failure of the network means: whether it may pass, and in words what to do. */
final class NetworkFailure {
  private static final int REASON_SHOWN = 300;

  private NetworkFailure() {}

  /** A failure of another server than the registry, to which the registry led. */
  static final class Elsewhere extends IOException {
    private static final long serialVersionUID = 1L;

    private final String server;
    private final IOException failure;

    /**
     * @param server {@code host[:port]}
     */
    Elsewhere(String server, IOException failure) {
      super(failure.getMessage(), failure);
      this.server = server;
      this.failure = failure;
    }
  }

  /** Whether the same request may succeed a little later. */
  static boolean isPassing(IOException failure) {
    IOException e = failure instanceof Elsewhere other ? other.failure : failure;
    return !(e instanceof InterruptedIOException && !(e instanceof HttpTimeoutException))
        && !has(e, CertificateException.class)
        && !isPlain(e);
  }

  private static boolean isPlain(IOException e) {
    // The two ways in which the JDK says that the bytes are not TLS.
    String message = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
    return e instanceof SSLException
        && (message.contains("unrecognized ssl message") || message.contains("plaintext"));
  }

  /**
   * The problem behind a failure.
   *
   * @param action what was tried, after "cannot"
   * @param server {@code host[:port]}
   * @param stall after how long without a byte a server is given up
   */
  static Problem of(IOException e, String action, String server, Duration stall) {
    return e instanceof Elsewhere other
        ? of(other.failure, action, other.server, server, stall)
        : of(e, action, server, server, stall);
  }

  private static Problem of(
      IOException e, String action, String server, String registry, Duration stall) {
    String start = "cannot " + action + ": ";
    if (e instanceof SSLException refused) {
      return tls(refused, start, server, registry);
    }
    if (e instanceof HttpConnectTimeoutException || e instanceof ConnectException) {
      boolean unknown =
          has(e, UnresolvedAddressException.class) || has(e, UnknownHostException.class);
      return Problem.unavailable(
          start
              + (unknown
                  ? "the host name of " + server + " is not known; is it spelt right?"
                  : server + " does not answer; is it up and reachable?"),
          e);
    }
    if (e instanceof SpeedFloor.TooSlow) {
      return Problem.unavailable(start + server + " is too slow: " + e.getMessage(), e);
    }
    if (e instanceof HttpTimeoutException) {
      return Problem.unavailable(
          start + server + " sent nothing for " + stall.toSeconds() + " s", e);
    }
    String with = server.equals(registry) ? "" : " with " + server;
    return Problem.unavailable(start + "the connection" + with + " failed: " + reason(e), e);
  }

  /** Authorities are those of the registry, wherever it leads. */
  private static Problem tls(SSLException e, String start, String server, String registry) {
    if (isPlain(e)) {
      return environment(
          start
              + server
              + " does not speak TLS; allow plain HTTP with --tls-verify=false, or for every"
              + " command with insecure = true for it in /etc/containers/registries.conf",
          e);
    }
    if (!has(e, CertificateException.class)) {
      return environment(start + "TLS with " + server + " fails: " + reason(e), e);
    }
    return environment(
        start
            + "the certificate of "
            + server
            + " is not accepted ("
            + reason(e)
            + "); put its authority into /etc/containers/certs.d/"
            + registry
            + "/ca.crt",
        e);
  }

  /** A failure's message may hold what the peer sent, such as a status line that is none. */
  private static String reason(IOException e) {
    String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    return Printable.text(
        why.length() <= REASON_SHOWN ? why : why.substring(0, REASON_SHOWN) + "…");
  }

  private static boolean has(Throwable e, Class<? extends Throwable> kind) {
    for (Throwable t = e; t != null; t = t.getCause()) {
      if (kind.isInstance(t)) {
        return true;
      }
    }
    return false;
  }

  private static Problem environment(String message, Throwable cause) {
    return new Problem(Problem.Kind.ENVIRONMENT, message, cause);
  }
}
