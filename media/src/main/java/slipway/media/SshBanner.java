package slipway.media;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/**
 * Whether an ssh server speaks behind a forwarded port. The forward itself always accepts, so only
 * the server's first line counts (RFC 4253, 4.2); looking for it costs less than starting ssh.
 */
final class SshBanner {
  private static final int TIMEOUT_MS = 2000;

  private SshBanner() {}

  static boolean answers(int port) {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), TIMEOUT_MS);
      socket.setSoTimeout(TIMEOUT_MS);
      byte[] begin = socket.getInputStream().readNBytes(4);
      return new String(begin, StandardCharsets.US_ASCII).equals("SSH-");
    } catch (IOException e) {
      return false;
    }
  }
}
