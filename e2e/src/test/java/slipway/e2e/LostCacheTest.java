package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Disks as they are after a power cut that takes the disk's own cache too: what a machine wrote
 * during an upgrade and the shutdown after it is replayed up to random moments, with some of the
 * writes since the last flush lost. Each disk must boot into the old or the new release; two of
 * them do. The system properties {@code lostcache.seed} and {@code lostcache.moments} repeat a run.
 */
@Tag("soak")
class LostCacheTest {
  /** A moment to cut at, between two flushes. */
  private record Moment(int durable, int cut, boolean shutdown) {}

  /** What was left. */
  private record Outcome(Moment moment, int lost, boolean isNew) {
    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "| %6d | %-8s | %6d | %5d | %-3s |",
          moment.cut,
          moment.shutdown ? "shutdown" : "upgrade",
          moment.cut - moment.durable,
          lost,
          isNew ? "new" : "old");
    }
  }

  @TempDir Path dir;

  private final long seed = Long.getLong("lostcache.seed", System.nanoTime());
  private final Random random = new Random(seed);
  private final List<Outcome> outcomes = new ArrayList<>();

  @Test
  void everyMomentOfAnUpgradeLeavesADiskThatBoots() throws Exception {
    int moments = Integer.getInteger("lostcache.moments", 40);
    System.out.println("lostcache.seed=" + seed + " lostcache.moments=" + moments);
    Path file = dir.resolve("writes.log");
    Path before = dir.resolve("before.raw");
    WriteLog.clear(file);
    try (Releases releases = Releases.start(dir);
        UpgradingMachine machine =
            UpgradingMachine.start(releases, 0, dir, WriteLog.arguments(file))) {
      machine.change();
      releases.publish(1);
      machine.upgrade();
      machine.goDown();
      UpgradingMachine.copy(machine.disk(), before);
      WriteLog.clear(file);
      machine.boot();
      // Another kernel and other arguments, so that all of the boot menu is written.
      releases.publish(4);
      String old = machine.probe().bootedCommit();
      final long begin = Files.size(file);
      machine.upgrade();
      final long staged = Files.size(file);
      machine.goDown();
      try (WriteLog log = WriteLog.open(file)) {
        List<Moment> drawn = draw(log, log.indexAt(begin), log.indexAt(staged), moments);
        replay(log, before, drawn, old);
      }
      boot(machine, "old", 1);
      boot(machine, "new", 4);
    } finally {
      table();
    }
    assertThat(outcomes).anyMatch(Outcome::isNew).anyMatch(o -> !o.isNew());
    assertThat(outcomes.getLast().isNew()).as("new in the end").isTrue();
  }

  private void table() {
    System.out.println("|  write | during   |  cache |  lost | to  |");
    System.out.println("|-------:|----------|-------:|------:|-----|");
    outcomes.forEach(System.out::println);
  }

  /** Half of them in the upgrade, half in the shutdown, each time between is as likely. */
  private List<Moment> draw(WriteLog log, int begin, int staged, int count) {
    List<WriteLog.Window> upgrade = log.windows(begin, staged);
    List<WriteLog.Window> shutdown = log.windows(staged, log.size());
    System.out.printf(
        "%d requests; %d flushes in the upgrade, %d in the shutdown%n",
        log.size(), upgrade.size(), shutdown.size());
    List<Moment> drawn = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      List<WriteLog.Window> windows = i % 2 == 0 ? upgrade : shutdown;
      WriteLog.Window window = windows.get(random.nextInt(windows.size()));
      drawn.add(new Moment(window.durable(), window.draw(random), i % 2 != 0));
    }
    drawn.sort(Comparator.comparing(Moment::cut));
    drawn.add(new Moment(log.size(), log.size(), true));
    return drawn;
  }

  private void replay(WriteLog log, Path before, List<Moment> moments, String old)
      throws IOException {
    int done = 0;
    Path crashed = dir.resolve("crashed.raw");
    try (FileChannel durable = FileChannel.open(before, StandardOpenOption.WRITE)) {
      for (Moment moment : moments) {
        log.apply(durable, done, moment.durable);
        done = moment.durable;
        UpgradingMachine.copy(before, crashed);
        int lost;
        try (FileChannel disk = FileChannel.open(crashed, StandardOpenOption.WRITE)) {
          lost = log.applySome(disk, moment.durable, moment.cut, random);
        }
        check(crashed, moment, lost, old);
      }
    }
  }

  private void check(Path crashed, Moment moment, int lost, String old) throws IOException {
    boolean isNew;
    try {
      isNew = !DiskCheck.ofCopy(crashed, dir).next().equals(old);
    } catch (AssertionError | RuntimeException e) {
      throw new AssertionError("cut at " + moment + ", " + lost + " pieces lost", e);
    }
    outcomes.add(new Outcome(moment, lost, isNew));
    System.out.println(outcomes.getLast());
    Path kept = dir.resolve(isNew ? "new.raw" : "old.raw");
    // The last that is old and the first that is new are nearest to the commit point.
    if (!isNew || !Files.exists(kept)) {
      UpgradingMachine.copy(crashed, kept);
    }
  }

  private void boot(UpgradingMachine machine, String name, int release) throws Exception {
    UpgradingMachine.copy(dir.resolve(name + ".raw"), machine.disk());
    machine.boot();
    UpgradingMachine.Probe probe = machine.probe();
    assertThat(probe.release()).isEqualTo(release);
    assertThat(probe.state()).as(probe.failedUnits()).isEqualTo("running");
    assertThat(probe.motd()).isEqualTo("mine");
    machine.powerCut();
  }
}
