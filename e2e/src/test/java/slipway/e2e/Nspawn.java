package slipway.e2e;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import slipway.linux.process.Command;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A tree booted by systemd-nspawn with no network but its own loopback. Closing it shuts the system
 * down.
 */
final class Nspawn implements AutoCloseable {
  private static final Duration SHUTDOWN_LIMIT = Duration.ofMinutes(3);

  /** Tells what a child and its own children used, which the shell cannot. */
  private static final String METER =
      """
      import json, resource, subprocess, sys, time
      start = time.monotonic()
      done = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
      wall = time.monotonic() - start
      used = resource.getrusage(resource.RUSAGE_CHILDREN)
      print(json.dumps({"status": done.returncode, "output": done.stdout.decode(), "wall": wall,
                        "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss * 1024}))
      """;

  /** What a command printed and used. */
  record Run(String output, double wallSeconds, double cpuSeconds, long peakBytes) {
    String figures() {
      return String.format(
          Locale.ROOT,
          "%.2f s, %.2f s of processor time, peak %.1f MiB",
          wallSeconds,
          cpuSeconds,
          peakBytes / 1048576.0);
    }
  }

  private final Process process;
  private final long start = System.nanoTime();
  private final StringBuffer console = new StringBuffer();
  private final CompletableFuture<Duration> login = new CompletableFuture<>();

  private Nspawn(Process process) {
    this.process = process;
    Thread.ofPlatform().daemon().start(() -> read(process.getInputStream()));
    Thread.ofPlatform().daemon().start(() -> read(process.getErrorStream()));
    process.onExit().thenRun(() -> login.completeExceptionally(new IOException("it ended")));
  }

  /** Boots a tree with its writes in memory. */
  static Nspawn boot(Path tree) {
    return boot(tree, List.of("--volatile=overlay"));
  }

  /**
   * Boots a deployment as a machine without composefs has its mounts: the deployment is the root,
   * its own /etc is writable, and /sysroot and /boot are read-only mounts of what is mounted
   * writable here.
   *
   * @param sysroot the physical root, with the boot file system at its place
   * @param shared what the machine sees as /run/shared
   */
  static Nspawn bootMachine(Path sysroot, Path deployment, Path shared) throws IOException {
    Path mark = Files.createTempFile(shared, "ostree-booted", "");
    Path var = deployment.resolveSibling("../var").normalize();
    return boot(
        deployment,
        List.of(
            "--link-journal=no",
            "--bind=" + var + ":/var",
            "--bind-ro=" + sysroot + ":/sysroot",
            "--bind-ro=" + sysroot.resolve("boot") + ":/boot",
            "--bind-ro=" + mark + ":/run/ostree-booted",
            "--bind-ro=" + shared + ":/run/shared"));
  }

  private static Nspawn boot(Path tree, List<String> options) {
    return new Nspawn(
        Command.of(
                "systemd-nspawn",
                "--register=no",
                "--keep-unit",
                "--private-network",
                "--console=read-only",
                "--machine=slipway-test",
                "--directory=" + tree,
                "--boot")
            .with(options.toArray(String[]::new))
            .start());
  }

  private void read(InputStream in) {
    byte[] buffer = new byte[4096];
    try (in) {
      for (int n; (n = in.read(buffer)) > 0; ) {
        console.append(new String(buffer, 0, n, StandardCharsets.UTF_8));
        if (console.indexOf("login: ") >= 0) {
          login.complete(Duration.ofNanos(System.nanoTime() - start));
        }
      }
    } catch (IOException e) {
      // The pipe broke because the system was shut down.
    }
  }

  /** Waits for the prompt and tells how long it took. */
  Duration awaitLogin(Duration limit) throws Exception {
    try {
      return login.get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException | java.util.concurrent.ExecutionException e) {
      throw new AssertionError("no login prompt; the console says:\n" + console, e);
    }
  }

  /** Runs a command inside, to which status 0 belongs. */
  Run measure(String... argv) {
    long leader =
        process.children().findFirst().orElseThrow(() -> new AssertionError(console)).pid();
    List<String> all =
        new ArrayList<>(
            List.of(
                "python3",
                "-c",
                METER,
                "nsenter",
                "--target",
                Long.toString(leader),
                "--mount",
                "--uts",
                "--ipc",
                "--net",
                "--pid",
                "--root",
                "--wd"));
    all.addAll(List.of(argv));
    Command.Result result = Command.of(all).environment("LC_ALL", "C.UTF-8").run();
    JsonNode told = JsonMapper.shared().readTree(result.text());
    if (told.path("status").asInt() != 0) {
      throw new AssertionError(String.join(" ", argv) + ": " + told + " " + result.stderr());
    }
    return new Run(
        told.path("output").asString(),
        told.path("wall").asDouble(),
        told.path("cpu").asDouble(),
        told.path("peak").asLong());
  }

  @Override
  public void close() throws Exception {
    // Told to end, nspawn asks the system to halt. By the handle: the process' own method closes
    // the
    // console as well, and without that nspawn kills the system.
    process.toHandle().destroy();
    if (!process.waitFor(SHUTDOWN_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
      Command.kill(process);
      process.waitFor();
    }
  }
}
