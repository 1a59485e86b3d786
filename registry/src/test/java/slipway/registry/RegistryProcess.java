package slipway.registry;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import slipway.linux.process.Command;

/** A registry in a process of its own, to be killed. */
public final class RegistryProcess implements AutoCloseable {
  private final Process process;
  private final int port;

  private RegistryProcess(Process process, int port) {
    this.process = process;
    this.port = port;
  }

  /** Arguments: directory, port. Prints the port and serves until killed. */
  public static void main(String[] args) throws InterruptedException {
    RegistryServer server =
        RegistryServer.start(
            Path.of(args[0]), new InetSocketAddress("127.0.0.1", Integer.parseInt(args[1])));
    System.out.println(server.address().getPort());
    Thread.currentThread().join();
  }

  static RegistryProcess start(Path root) throws IOException {
    return start(root, List.of("-Xmx128m", "-XX:+UseSerialGC"));
  }

  public static RegistryProcess start(Path root, List<String> options) throws IOException {
    return start(Command.of(ProcessHandle.current().info().command().orElseThrow()), root, options);
  }

  /** With the environment of a command that names the JVM. */
  public static RegistryProcess start(Command java, Path root, List<String> options)
      throws IOException {
    Process process =
        java.with(options.toArray(String[]::new))
            .with(
                "-cp",
                System.getProperty("java.class.path"),
                RegistryProcess.class.getName(),
                root.toString(),
                "0")
            .start();
    BufferedReader out =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    String port = out.readLine();
    if (port == null) {
      throw new IOException(
          new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8));
    }
    return new RegistryProcess(process, Integer.parseInt(Objects.requireNonNull(port)));
  }

  /** The most bytes that it ever had resident. */
  long peakMemory() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/" + process.pid() + "/status"))) {
      if (line.startsWith("VmHWM:")) {
        return 1024 * Long.parseLong(line.replaceAll("[^0-9]", ""));
      }
    }
    throw new IOException("the process is over");
  }

  public int port() {
    return port;
  }

  /** kill -9, and wait until it is gone. */
  @Override
  public void close() {
    process.destroyForcibly();
    process.onExit().join();
  }
}
