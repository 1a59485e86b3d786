package slipway.linux.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What a process and all that it started and that is still there have done so far.
 *
 * @param processes their ids
 * @param time of processors that they took
 * @param bytes that they read and wrote (proc_pid_io(5)); 0 where nobody may know
 */
record Activity(Set<Long> processes, Duration time, long bytes) {
  /** Of a processor's time; who takes less waits, and looks around at most. */
  private static final int IDLE_PART = 100;

  /** A slow download has more. */
  private static final long IDLE_BYTES_A_SECOND = 4096;

  static Activity of(Process process) {
    Set<Long> processes = new HashSet<>();
    Duration time = Duration.ZERO;
    long bytes = 0;
    for (ProcessHandle p :
        Stream.concat(Stream.of(process.toHandle()), process.descendants()).toList()) {
      processes.add(p.pid());
      time = time.plus(p.info().totalCpuDuration().orElse(Duration.ZERO));
      bytes += bytes(p.pid());
    }
    return new Activity(processes, time, bytes);
  }

  private static long bytes(long pid) {
    try (Stream<String> lines = Files.lines(Path.of("/proc", Long.toString(pid), "io"))) {
      return lines
          .filter(line -> line.startsWith("rchar: ") || line.startsWith("wchar: "))
          .mapToLong(line -> Long.parseLong(line.substring("rchar: ".length())))
          .sum();
    } catch (IOException | RuntimeException e) {
      // It has ended, or is another user's.
      return 0;
    }
  }

  /** Whether no process came or went since {@code before} and hardly anything was done. */
  boolean isIdle(Activity before, Duration between) {
    return processes.equals(before.processes)
        && time.minus(before.time).compareTo(between.dividedBy(IDLE_PART)) < 0
        && bytes - before.bytes < IDLE_BYTES_A_SECOND * between.toSeconds();
  }
}
