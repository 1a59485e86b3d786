package slipway.media;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * How long to wait for a guest: as long as it gets on. Its console says that it does; and a guest
 * that does not run, because other programs have the processors of this machine, is not to blame,
 * so its clock stands still meanwhile. A limit is thus time in which the guest could work and
 * nothing came of it. A guest that talks for ever, as one that restarts again and again, gets
 * {@value #TALK} limits in all.
 */
final class Patience {
  static final int TALK = 4;

  /** Where a thread's times are kept (Linux, Documentation/scheduler/sched-stats.rst). */
  private static final String TIMES = "schedstat";

  private final long limit;
  private final LongSupplier now;
  private final LongSupplier talk;
  private final LongSupplier starved;
  private final long begin;
  private long talked;
  private long quietSince;

  /**
   * @param limit without progress
   * @param now nanoseconds on this machine's clock
   * @param talk how much the guest has said so far
   * @param starved nanoseconds that the guest had to wait for a processor so far
   */
  Patience(Duration limit, LongSupplier now, LongSupplier talk, LongSupplier starved) {
    this.limit = limit.toNanos();
    this.now = now;
    this.talk = talk;
    this.starved = starved;
    this.begin = guestClock();
    this.talked = talk.getAsLong();
    this.quietSince = begin;
  }

  /** Patience with a process and its console. */
  static Patience with(Process process, Console console, Duration limit) {
    return with(process.pid(), console::received, limit);
  }

  /**
   * Patience with a guest.
   *
   * @param pid of its QEMU
   * @param talk bytes that it has said so far
   */
  static Patience with(long pid, LongSupplier talk, Duration limit) {
    return new Patience(limit, System::nanoTime, talk, new Starvation(pid)::nanos);
  }

  private long guestClock() {
    return now.getAsLong() - starved.getAsLong();
  }

  /** Whether it is over; to be asked every now and then. */
  boolean isOver() {
    long clock = guestClock();
    long said = talk.getAsLong();
    if (said != talked) {
      talked = said;
      quietSince = clock;
    }
    return clock - quietSince > limit || clock - begin > TALK * limit;
  }

  /**
   * The time that threads of a process were ready to run and did not. Of several threads the one
   * that waits most counts: it is what the others wait for.
   */
  private static final class Starvation {
    private final Path threads;
    private final Map<Path, Long> waited = new HashMap<>();
    private long sum;

    Starvation(long pid) {
      this.threads = Path.of("/proc", Long.toString(pid), "task");
      nanos();
      sum = 0;
    }

    long nanos() {
      long most = 0;
      try (DirectoryStream<Path> all = Files.newDirectoryStream(threads)) {
        for (Path thread : all) {
          long total = waited(thread);
          Long before = waited.put(thread, total);
          most = Math.max(most, before == null ? 0 : total - before);
        }
      } catch (IOException e) {
        // The process has ended, which its waiter sees.
      }
      sum += most;
      return sum;
    }

    /** Nothing is known where the kernel keeps no such times: then the clock on the wall counts. */
    private static long waited(Path thread) {
      try {
        String[] times = Files.readString(thread.resolve(TIMES)).strip().split(" ");
        return times.length < 2 ? 0 : Long.parseLong(times[1]);
      } catch (IOException | NumberFormatException e) {
        return 0;
      }
    }
  }
}
