package slipway.oci;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import slipway.linux.process.Command;
import slipway.oci.model.Reference;

/** Debian's docker-registry on a free loopback port, as an independent peer. */
public final class DockerRegistry implements AutoCloseable {
  private final Process process;
  private final String host;
  private final ByteArrayOutputStream log = new ByteArrayOutputStream();

  private DockerRegistry(Process process, String host) {
    this.process = process;
    this.host = host;
  }

  /**
   * @param directory for its data and config
   * @param user with password {@code secret} that it wants, or null for none
   */
  public static DockerRegistry start(Path directory, @Nullable String user) throws Exception {
    return start(directory, user, "127.0.0.1");
  }

  public static DockerRegistry start(Path directory, @Nullable String user, String address)
      throws Exception {
    // A port that was free a moment ago may be somebody's now.
    for (int attempt = 1; ; attempt++) {
      try {
        return startOnce(directory, user, address);
      } catch (IllegalStateException e) {
        if (attempt == 5) {
          throw e;
        }
      }
    }
  }

  private static DockerRegistry startOnce(Path directory, @Nullable String user, String address)
      throws Exception {
    int port = freePort();
    String auth = "";
    if (user != null) {
      Path htpasswd = directory.resolve("htpasswd");
      Files.writeString(
          htpasswd, Command.of("htpasswd", "-nbB", "-C", "4", user, "secret").output() + "\n");
      auth = "auth: {htpasswd: {realm: test, path: " + htpasswd + "}}\n";
    }
    Path config = directory.resolve("config.yml");
    Files.writeString(
        config,
        """
        version: 0.1
        log: {level: error, accesslog: {disabled: true}}
        storage: {filesystem: {rootdirectory: %s}, delete: {enabled: true}}
        http: {addr: %s:%d}
        %s"""
            .formatted(directory.resolve("data"), address, port, auth));
    Process process = Command.of("docker-registry", "serve", config.toString()).start();
    DockerRegistry registry = new DockerRegistry(process, address + ":" + port);
    Thread.ofPlatform().daemon().start(registry::drain);
    registry.await();
    return registry;
  }

  public static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private void drain() {
    try {
      log.write(process.getErrorStream().readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void await() throws Exception {
    long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (true) {
      try {
        HttpURLConnection c =
            (HttpURLConnection) URI.create("http://" + host() + "/v2/").toURL().openConnection();
        c.getResponseCode();
        return;
      } catch (IOException e) {
        if (System.nanoTime() > end || !process.isAlive()) {
          close();
          throw new IllegalStateException("docker-registry does not start: " + log, e);
        }
        LockSupport.parkNanos(Duration.ofMillis(20).toNanos()); // Between two looks.
      }
    }
  }

  public String host() {
    return host;
  }

  public Reference reference(String repository) {
    return Reference.parse(host() + "/" + repository);
  }

  @Override
  public void close() throws Exception {
    process.destroyForcibly().waitFor();
  }
}
