package slipway.container;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.linux.lock.ScratchFolder;
import slipway.linux.mount.Mounts;
import slipway.linux.posix.OsPath;
import slipway.linux.process.Command;

/**
 * A network namespace that slirp4netns or pasta connects to the outside. Its processes see neither
 * the machine's interfaces nor its abstract sockets, and nobody outside can connect to them. Both
 * programs end when their standard input does, so they never outlive this process.
 */
public final class UserNetwork implements AutoCloseable {
  private static final List<String> PLACES =
      List.of("/usr/local/bin", "/usr/bin", "/usr/sbin", "/bin");
  private static final Path ROUTES_6 = Path.of("/proc/net/ipv6_route");
  private static final String NO_ADDRESS_6 = "0".repeat(32);

  private final Path namespace;

  /** What the namespace lies in when that is not the directory that was given. */
  private final @Nullable ScratchFolder elsewhere;

  private final Program program;
  private final Process process;
  private final ErrorTail errors;

  /** What connects the namespace. */
  private enum Program {
    SLIRP4NETNS("slirp4netns", "10.0.2.3"),
    PASTA("pasta", "169.254.1.1");

    private final String command;

    /** Where the program takes questions for names, which it asks the machine's resolvers. */
    private final String resolver;

    Program(String command, String resolver) {
      this.command = command;
      this.resolver = resolver;
    }
  }

  private UserNetwork(
      Path namespace, @Nullable ScratchFolder elsewhere, Program program, Process process) {
    this.namespace = namespace;
    this.elsewhere = elsewhere;
    this.program = program;
    this.process = process;
    this.errors = ErrorTail.of(process);
  }

  /**
   * Makes one.
   *
   * @param scratch an empty directory in this thread's mount namespace
   * @throws Problem (ENVIRONMENT) when neither program is there, or it cannot connect
   */
  public static UserNetwork start(RunNetwork wanted, Path scratch) throws IOException {
    Program program = choose(wanted);
    if (!hasComma(scratch)) {
      return start(program, wanted, scratch, null);
    }
    ScratchFolder elsewhere = ScratchFolder.small("slipway-network-", note -> {});
    try {
      if (hasComma(elsewhere.path())) {
        throw Problem.environment(
            "RUN cannot have a network of its own below %s or %s, because runc takes no path of a network with a comma; keep the state elsewhere with --root, or give --network=host or --network=none"
                .formatted(scratch.getParent(), elsewhere.path().getParent()));
      }
      return start(program, wanted, elsewhere.path(), elsewhere);
    } catch (IOException | RuntimeException e) {
      elsewhere.close();
      throw e;
    }
  }

  /** Whether runc would take a path in here for two: it joins those of namespaces by commas. */
  private static boolean hasComma(Path place) {
    return place.toString().indexOf(',') >= 0;
  }

  private static UserNetwork start(
      Program program, RunNetwork wanted, Path scratch, @Nullable ScratchFolder elsewhere)
      throws IOException {
    Path namespace = Files.createFile(scratch.resolve("namespace"));
    Command.of("unshare", "--net=" + namespace, "true").run();
    UserNetwork network = null;
    try {
      List<String> argv =
          program == Program.PASTA
              ? pasta(namespace, wanted.hostLoopback())
              : slirp4netns(namespace, wanted.hostLoopback());
      network = new UserNetwork(namespace, elsewhere, program, Command.of(argv).start());
      network.awaitReady();
      return network;
    } catch (IOException | RuntimeException e) {
      if (network != null) {
        network.close();
      } else {
        unmount(namespace);
      }
      throw e;
    }
  }

  private static Program choose(RunNetwork wanted) {
    for (Program p : Program.values()) {
      boolean fits = wanted.program().isEmpty() || wanted.program().equals(p.command);
      if (fits && PLACES.stream().anyMatch(d -> Files.isExecutable(Path.of(d, p.command)))) {
        return p;
      }
    }
    throw Problem.environment(
        "RUN needs "
            + (wanted.program().isEmpty() ? "slirp4netns or pasta" : wanted.program())
            + " for a network of its own; install it (apt install slirp4netns), or give"
            + " --network=host or --network=none");
  }

  private static List<String> slirp4netns(Path namespace, boolean hostLoopback) throws IOException {
    List<String> argv =
        new ArrayList<>(
            List.of(
                "slirp4netns",
                "--configure",
                "--mtu=65520",
                "--enable-sandbox",
                "--enable-seccomp",
                "--netns-type=path",
                "--ready-fd=1",
                "--exit-fd=0"));
    if (!hostLoopback) {
      argv.add("--disable-host-loopback");
    }
    if (hasRoute6()) {
      argv.add("--enable-ipv6");
    }
    argv.addAll(List.of(namespace.toString(), "tap0"));
    return argv;
  }

  /**
   * pasta goes into the background when it is ready, and has no switch that ends it with somebody
   * else. In a process namespace whose first process waits for the end of its input, it cannot stay
   * behind.
   */
  private static List<String> pasta(Path namespace, boolean hostLoopback) {
    List<String> argv =
        new ArrayList<>(
            List.of(
                "unshare",
                "--fork",
                "--kill-child",
                "--pid",
                "--mount-proc",
                "sh",
                "-ec",
                "\"$@\" </dev/null >/dev/null; echo ready; exec cat",
                "sh"));
    argv.addAll(List.of("pasta", "--quiet", "--runas", "0:0", "--netns-only", "--config-net"));
    argv.addAll(List.of("-t", "none", "-u", "none", "-T", "none", "-U", "none"));
    argv.addAll(List.of("--dns-forward", Program.PASTA.resolver));
    if (!hostLoopback) {
      argv.add("--no-map-gw");
    }
    argv.addAll(List.of("--netns", namespace.toString()));
    return argv;
  }

  /** Whether this machine has a way to IPv6 addresses of others (proc_net_ipv6_route). */
  private static boolean hasRoute6() throws IOException {
    if (!Files.isReadable(ROUTES_6)) {
      return false;
    }
    try (Stream<String> lines = Files.lines(ROUTES_6, StandardCharsets.US_ASCII)) {
      return lines.anyMatch(l -> l.startsWith(NO_ADDRESS_6 + " 00 ") && !l.endsWith(" lo"));
    }
  }

  private void awaitReady() throws IOException {
    InputStream out = process.getInputStream();
    if (out.read() < 0) {
      throw Problem.environment(
          program.command + " cannot connect RUN's network: " + errors.afterEnd());
    }
  }

  /** The namespace as a file, seen in the mount namespace of the thread that made it. */
  public Path namespace() {
    return namespace;
  }

  /** Whether the program that connects it still runs. */
  public boolean isConnected() {
    return process.isAlive();
  }

  /** The address that answers questions for names. */
  public String resolver() {
    return program.resolver;
  }

  /** The line of /etc/hosts by which the machine is found when it may be, in podman's words. */
  public String gatewayName(RunNetwork wanted) {
    return wanted.hostLoopback() && program == Program.SLIRP4NETNS
        ? "10.0.2.2\thost.containers.internal\n"
        : "";
  }

  @Override
  public void close() throws IOException {
    try {
      process.getOutputStream().close();
      if (!process.waitFor(5, TimeUnit.SECONDS)) {
        Command.kill(process);
      }
    } catch (InterruptedException e) {
      Command.kill(process);
      Thread.currentThread().interrupt();
    } finally {
      unmount(namespace);
      if (elsewhere != null) {
        elsewhere.close();
      }
    }
  }

  private static void unmount(Path namespace) throws IOException {
    Mounts.umount(OsPath.of(namespace), Mounts.MNT_DETACH);
    Files.delete(namespace);
  }

  /** Reads what a process complains of, so that it never waits for a reader, and keeps the end. */
  private static final class ErrorTail {
    private static final int KEPT = 2000;

    private final StringBuilder text = new StringBuilder();
    private final Thread reader;

    private ErrorTail(Process process) {
      this.reader = Thread.ofPlatform().daemon().name("network-errors").start(() -> read(process));
    }

    static ErrorTail of(Process process) {
      return new ErrorTail(process);
    }

    private void read(Process process) {
      process.errorReader().lines().forEach(this::add);
    }

    private synchronized void add(String line) {
      text.append(text.isEmpty() ? "" : "; ").append(line);
      if (text.length() > KEPT) {
        text.delete(0, text.length() - KEPT);
      }
    }

    String afterEnd() {
      try {
        reader.join(1000);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      synchronized (this) {
        return text.isEmpty() ? "it ended without a word" : text.toString();
      }
    }
  }
}
