package slipway.bench;

import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import slipway.base.Problem;
import slipway.linux.process.Command;

/** A server under test in processes of its own, and what they use. */
final class ServedProcess implements AutoCloseable {
  private final Process process;
  private final int port;

  private ServedProcess(Process process, int port) {
    this.process = process;
    this.port = port;
  }

  /**
   * A port of the loopback that nobody listens on. It is none that the kernel gives to those who
   * connect, or a connection to it before the server listens may be given that very port, and so
   * end at itself and keep the server from it.
   */
  static int freePort() throws IOException {
    while (true) {
      int port = ThreadLocalRandom.current().nextInt(20_000, 30_000);
      try (ServerSocket socket = new ServerSocket()) {
        socket.bind(new InetSocketAddress("127.0.0.1", port));
        return port;
      } catch (BindException e) {
        // Somebody has it.
      }
    }
  }

  /**
   * Starts a server, whose output goes to a file.
   *
   * @throws Problem with the end of that output when it ends before it listens
   */
  static ServedProcess start(Command command, int port, Path log) throws IOException {
    Process process =
        new ProcessBuilder(command.argv())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    ServedProcess served = new ServedProcess(process, port);
    while (!served.listens()) {
      if (!process.isAlive()) {
        String said = Files.readString(log, StandardCharsets.ISO_8859_1);
        throw new Problem(
            Problem.Kind.ENVIRONMENT, String.join(" ", command.argv()) + " ended: " + said);
      }
      Thread.onSpinWait();
    }
    return served;
  }

  private boolean listens() {
    try (Socket socket = new Socket("127.0.0.1", port)) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  String url(String path) {
    return "http://127.0.0.1:" + port + path;
  }

  private List<ProcessHandle> all() {
    return Stream.concat(Stream.of(process.toHandle()), process.descendants()).toList();
  }

  /** Seconds of processors that its processes have used. */
  double cpu() throws IOException {
    double sum = 0;
    for (ProcessHandle each : all()) {
      sum += Timer.ownCpu(each.pid());
    }
    return sum;
  }

  /** The sum of the most bytes that each process ever had resident. */
  long peakRss() throws IOException {
    long sum = 0;
    for (ProcessHandle each : all()) {
      sum += Timer.residentPeak(Path.of("/proc", Long.toString(each.pid()), "status"));
    }
    return sum;
  }

  @Override
  public void close() {
    List<ProcessHandle> processes = all();
    processes.forEach(ProcessHandle::destroyForcibly);
    processes.forEach(each -> each.onExit().join());
  }
}
