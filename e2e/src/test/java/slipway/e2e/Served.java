package slipway.e2e;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import slipway.linux.process.Command;

/** A registry as a process of its own on a free port of loopback; closing it ends the process. */
final class Served implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final String LISTENING = "Listening on ";

  private final Process process;
  private final String host;

  private Served(Process process, String host) {
    this.process = process;
    this.host = host;
  }

  /** {@code slipway registry serve}, told by its own first line where it listens. */
  static Served slipway(Cli cli, Path root) throws IOException {
    Process process =
        cli.command("registry", "serve", "--storage", root.toString(), "--addr", "127.0.0.1:0")
            .start();
    drain(process);
    try {
      BufferedReader out = process.inputReader();
      String line = out.readLine();
      if (line == null || !line.startsWith(LISTENING)) {
        throw new IllegalStateException("slipway registry serve says: " + line);
      }
      return new Served(process, line.substring(LISTENING.length()));
    } catch (IOException | RuntimeException e) {
      Command.kill(process);
      throw e;
    }
  }

  /** Debian's docker-registry, which lets in {@code user} with {@code password} only. */
  static Served docker(Path directory, String user, String password) throws Exception {
    // A port that was free a moment ago may be somebody's now.
    for (int attempt = 1; ; attempt++) {
      try {
        return dockerOnce(directory, user, password);
      } catch (IllegalStateException e) {
        if (attempt == 5) {
          throw e;
        }
      }
    }
  }

  private static Served dockerOnce(Path directory, String user, String password) throws Exception {
    Path htpasswd = directory.resolve("htpasswd");
    Files.writeString(
        htpasswd, Command.of("htpasswd", "-nbB", "-C", "4", user, password).output() + "\n");
    int port = freePort();
    Path config = directory.resolve("docker-registry.yml");
    Files.writeString(
        config,
        """
        version: 0.1
        log: {level: error, accesslog: {disabled: true}}
        storage: {filesystem: {rootdirectory: %s}}
        http: {addr: 127.0.0.1:%d}
        auth: {htpasswd: {realm: test, path: %s}}
        """
            .formatted(directory.resolve("docker-registry"), port, htpasswd));
    Process process = Command.of("docker-registry", "serve", config.toString()).start();
    drain(process);
    Served served = new Served(process, "127.0.0.1:" + port);
    try {
      served.awaitAnswer();
    } catch (Exception e) {
      served.close();
      throw e;
    }
    return served;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static void drain(Process process) {
    Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              try {
                process.getErrorStream().transferTo(System.err);
              } catch (IOException e) {
                // It was ended, and its output with it.
              }
            });
  }

  private void awaitAnswer() throws Exception {
    long end = System.nanoTime() + LIMIT.toNanos();
    while (true) {
      HttpURLConnection connection =
          (HttpURLConnection) URI.create("http://" + host + "/v2/").toURL().openConnection();
      try {
        connection.getResponseCode();
        return;
      } catch (IOException e) {
        // Waiting for the process to end is the pause between two looks.
        if (process.waitFor(50, TimeUnit.MILLISECONDS) || System.nanoTime() > end) {
          throw new IllegalStateException("docker-registry does not answer", e);
        }
      } finally {
        connection.disconnect();
      }
    }
  }

  /** {@code 127.0.0.1:PORT}. */
  String host() {
    return host;
  }

  @Override
  public void close() throws Exception {
    process.destroy();
    if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
      Command.kill(process);
      throw new IllegalStateException("the registry at " + host + " does not end when told to");
    }
  }
}
