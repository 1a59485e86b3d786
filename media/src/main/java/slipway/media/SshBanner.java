package slipway.media;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * Waits for an ssh server behind a forwarded port. The forward itself always accepts, so only the
 * server's first line counts (RFC 4253, 4.2); looking for it costs less than starting ssh.
 *
 * <p>What asks a guest that is still booting stays in QEMU's user network when it is given up, and
 * reaches the server once that listens. From some fifteen clients that say nothing on, OpenSSH
 * turns everybody away who comes from the same address, for a time (PerSourcePenalties in
 * sshd_config(5)). So each question that gets no answer doubles the patience for the next.
 */
final class SshBanner {
  private final int port;
  private final int longest;
  private int patience;

  SshBanner(int port) {
    this(port, Duration.ofSeconds(2), Duration.ofSeconds(16));
  }

  SshBanner(int port, Duration patience, Duration longest) {
    this.port = port;
    this.patience = (int) patience.toMillis();
    this.longest = (int) longest.toMillis();
  }

  /** Whether the server speaks now, or within the time for which silence is borne. */
  boolean answers() {
    // A channel's socket, because an interrupt ends its waits.
    try (SocketChannel channel = SocketChannel.open()) {
      Socket socket = channel.socket();
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), patience);
      socket.setSoTimeout(patience);
      byte[] begin = socket.getInputStream().readNBytes(4);
      return new String(begin, StandardCharsets.US_ASCII).equals("SSH-");
    } catch (SocketTimeoutException e) {
      patience = Math.min(2 * patience, longest);
      return false;
    } catch (IOException e) {
      return false;
    }
  }
}
