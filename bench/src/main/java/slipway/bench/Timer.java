package slipway.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import slipway.base.Problem;
import slipway.linux.process.Command;

/**
 * Runs child processes one after the other and measures them. CPU time is what this process's count
 * of its waited-for children grows by (proc_pid_stat(5), fields 16 and 17), so nothing else of this
 * process may end meanwhile. The peak of memory is {@code VmHWM} of proc_pid_status(5), read again
 * and again while the process lives: rusage would tell the peak of this JVM, which a child started
 * by vfork inherits.
 */
final class Timer {
  /** The kernel's clock tick as it shows it to programs, on every architecture. */
  private static final double TICKS = 100;

  private static final int KEPT = 4000;

  private final Duration sampling;

  /**
   * @param sampling how long between two looks at a process's memory
   */
  Timer(Duration sampling) {
    this.sampling = sampling;
  }

  /**
   * Runs commands one after the other and adds up.
   *
   * @throws Problem when one ends with a status other than 0
   */
  Measured run(Command... commands) throws IOException {
    Measured sum = new Measured(0, 0, 0);
    for (Command command : commands) {
      sum = sum.then(one(command));
    }
    return sum;
  }

  /** Runs a command so many times; each has its own wall time and memory, and the mean CPU time. */
  List<Measured> repeat(int times, Command command) throws IOException {
    List<Measured> runs = new ArrayList<>();
    double before = childrenCpu();
    for (int i = 0; i < times; i++) {
      runs.add(one(command));
    }
    double mean = (childrenCpu() - before) / times;
    return runs.stream().map(m -> new Measured(m.wall(), mean, m.peakRss())).toList();
  }

  private Measured one(Command command) throws IOException {
    double cpu = childrenCpu();
    long start = System.nanoTime();
    Process process = command.start();
    long peak = 0;
    int status;
    StringBuilder said = new StringBuilder();
    try {
      process.getOutputStream().close();
      Thread out = drain(process.getInputStream(), said);
      Thread err = drain(process.getErrorStream(), said);
      Path state = Path.of("/proc", Long.toString(process.pid()), "status");
      do {
        peak = Math.max(peak, residentPeak(state));
      } while (!process.waitFor(sampling.toMillis(), TimeUnit.MILLISECONDS));
      out.join();
      err.join();
      status = process.exitValue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Problem(Problem.Kind.ENVIRONMENT, "interrupted", e);
    } finally {
      Command.kill(process);
    }
    Measured measured = new Measured((System.nanoTime() - start) / 1e9, childrenCpu() - cpu, peak);
    if (status != 0) {
      throw new Problem(
          Problem.Kind.ENVIRONMENT,
          String.join(" ", command.argv()) + " ended with status " + status + ": " + said);
    }
    return measured;
  }

  private static Thread drain(InputStream in, StringBuilder kept) {
    return Thread.ofPlatform()
        .start(
            () -> {
              byte[] buffer = new byte[8192];
              try (in) {
                for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                  keep(kept, new String(buffer, 0, n, StandardCharsets.UTF_8));
                }
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
  }

  private static void keep(StringBuilder kept, String text) {
    synchronized (kept) {
      kept.append(text);
      kept.delete(0, Math.max(0, kept.length() - KEPT));
    }
  }

  /** Bytes; 0 when the process is over. */
  static long residentPeak(Path status) throws IOException {
    try {
      for (String line : Files.readAllLines(status, StandardCharsets.ISO_8859_1)) {
        if (line.startsWith("VmHWM:")) {
          return 1024 * Long.parseLong(line.replaceAll("[^0-9]", ""));
        }
      }
      return 0;
    } catch (NoSuchFileException e) {
      return 0;
    } catch (IOException e) {
      // ESRCH: it ended between open and read.
      if (!Files.exists(status)) {
        return 0;
      }
      throw e;
    }
  }

  /** Seconds of all children that ended and were waited for. */
  private static double childrenCpu() throws IOException {
    return cpu("self", 13);
  }

  /** Seconds of a process itself, its children left out. */
  static double ownCpu(long pid) throws IOException {
    return cpu(Long.toString(pid), 11);
  }

  /** The sum of a field of proc_pid_stat(5) and the next one, counted from the process's state. */
  private static double cpu(String process, int field) throws IOException {
    String stat = Files.readString(Path.of("/proc", process, "stat"));
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
    return (Long.parseLong(fields[field]) + Long.parseLong(fields[field + 1])) / TICKS;
  }
}
