package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import slipway.media.Firmware;
import tools.jackson.databind.JsonNode;

/**
 * A machine whose upgrades are interrupted at random moments. Before every boot its disk is checked
 * from outside, after every boot it is in the old or the new release with all local changes, and in
 * the one that the disk announced. In the soak all rounds of a lane are of one machine, so that
 * what one leaves behind meets the next. The system property {@code powercut.seed} repeats a run,
 * {@code powercut.rounds} says how many rounds each lane has.
 */
@Execution(ExecutionMode.CONCURRENT)
@Order(1)
class PowerCutTest {
  /** Where the upgrade is hit. */
  enum Manner {
    AGENT_KILLED("agent killed while upgrading"),
    CUT_IN_UPGRADE("power cut while upgrading"),
    CUT_IN_FINALIZATION("power cut while finalizing"),
    FINALIZER_KILLED("finalizer killed"),
    CUT_IN_SHUTDOWN("power cut while shutting down");

    final String text;

    Manner(String text) {
      this.text = text;
    }
  }

  /** A machine of the soak: what starts it, and the file system of its root. */
  enum Lane {
    BIOS_EXT4(Firmware.BIOS, "ext4"),
    UEFI_XFS(Firmware.UEFI, "xfs"),
    UEFI_BTRFS(Firmware.UEFI, "btrfs");

    final Firmware firmware;
    final String rootfs;

    Lane(Firmware firmware, String rootfs) {
      this.firmware = firmware;
      this.rootfs = rootfs;
    }
  }

  /** What one round was and how it ended. */
  private record Round(
      int number,
      Manner manner,
      double moment,
      boolean hit,
      String then,
      boolean isNew,
      Duration boot) {
    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "| %2d | %-29s | %6.1f | %-13s | %-13s | %-3s | %5.1f |",
          number,
          manner.text,
          moment,
          hit ? "hit" : "after the end",
          then,
          isNew ? "new" : "old",
          boot.toMillis() / 1000.0);
    }
  }

  private static final long SEED = Long.getLong("powercut.seed", System.nanoTime());

  /** The rounds of all machines of a long run. */
  private static final List<Round> SOAKED = Collections.synchronizedList(new ArrayList<>());

  @TempDir Path dir;

  private final Random random = new Random();
  private final List<Round> played = new ArrayList<>();

  /** Seconds that an undisturbed run takes, in which the moments are drawn. */
  private double upgradeSeconds;

  private double finalizationSeconds;
  private double shutdownSeconds;

  private int release;
  private int lastRelease;
  private int remembered;

  /**
   * Two of the manners, another two in each run, and the agent killed; each from a moment of one
   * machine that was kept: before an upgrade, or with one staged. Where it ends is read from the
   * disk; one disk whose power was cut boots, and the agent that was killed upgrades again. The
   * soak plays all manners.
   */
  @Test
  @Tag("vm")
  void someManners() throws Exception {
    random.setSeed(SEED);
    System.out.println("powercut.seed=" + SEED);
    try (Releases releases = Releases.start(dir);
        UpgradingMachine machine = UpgradingMachine.start(releases, 0, dir)) {
      machine.change();
      machine.remember(1);
      remembered = 1;
      releases.publish(++lastRelease);
      UpgradingMachine.Moment idle = machine.keep("idle");
      upgradeSeconds = seconds(machine.upgrade());
      Commits commits = Commits.of(machine.status());
      UpgradingMachine.Moment staged = machine.keep("staged");
      // Often a quarter of an upgrade, which has more to hash and to write; less, so as to hit.
      finalizationSeconds = shutdownSeconds = upgradeSeconds / 8;
      List<Manner> manners = new ArrayList<>(List.of(Manner.values()));
      manners.remove(Manner.AGENT_KILLED);
      Collections.shuffle(manners, random);
      manners = manners.subList(0, 2);
      Manner boots = manners.stream().filter(m -> m != Manner.FINALIZER_KILLED).findFirst().get();
      for (Manner manner : manners) {
        machine.backTo(manner == Manner.CUT_IN_UPGRADE ? idle : staged);
        strikeOnce(manner, machine, commits, manner == boots);
      }
      machine.backTo(idle);
      DiskCheck.Report end = strikeOnce(Manner.AGENT_KILLED, machine, commits, true);
      assertThat(release).isEqualTo(lastRelease);
      assertThat(end.rubbish()).as("what the agent that was killed left behind").isEmpty();
    } finally {
      table();
    }
    assertThat(played).as("rounds in which the interruption came in time").anyMatch(Round::hit);
  }

  /** What a disk may boot. */
  private record Commits(String old, String fresh) {
    static Commits of(JsonNode status) {
      return new Commits(
          UpgradingMachine.commit(status, "booted"), UpgradingMachine.commit(status, "staged"));
    }
  }

  private DiskCheck.Report strikeOnce(
      Manner manner, UpgradingMachine machine, Commits commits, boolean boots) throws Exception {
    double moment = random.nextDouble() * limit(manner);
    boolean hit = strike(manner, moment, machine);
    boolean again = manner == Manner.AGENT_KILLED || random.nextBoolean();
    boolean lives = manner == Manner.AGENT_KILLED || manner == Manner.FINALIZER_KILLED;
    String then = lives ? live(machine, again) : "";
    DiskCheck.Report report = DiskCheck.ofCopy(machine.disk(), dir);
    assertThat(report.next()).as("boots next").isIn(commits.old, commits.fresh);
    boolean isNew = report.next().equals(commits.fresh);
    check(manner, hit, again, isNew);
    Duration boot = Duration.ZERO;
    if (boots) {
      boot = machine.boot();
      checkBooted(machine, report);
    }
    played.add(new Round(played.size() + 1, manner, moment, hit, then, isNew, boot));
    System.out.println(played.getLast());
    return report;
  }

  @ParameterizedTest
  @Tag("soak")
  @EnumSource
  void tenInterruptions(Lane lane) throws Exception {
    try {
      interrupt(Integer.getInteger("powercut.rounds", 10), lane);
    } finally {
      SOAKED.addAll(played);
    }
  }

  @AfterAll
  static void mostInterruptionsCameInTime() {
    if (SOAKED.isEmpty()) {
      return;
    }
    assertThat(SOAKED.stream().filter(Round::hit).count())
        .as("rounds in which the interruption came in time")
        .isGreaterThanOrEqualTo(SOAKED.size() / 2);
    assertThat(SOAKED).anyMatch(r -> r.hit() && r.isNew()).anyMatch(r -> r.hit() && !r.isNew());
  }

  private void interrupt(int rounds, Lane lane) throws Exception {
    random.setSeed(SEED + lane.ordinal());
    System.out.println("powercut.seed=" + SEED + " " + lane + ", rounds " + rounds);
    try (Releases releases = Releases.start(dir);
        UpgradingMachine machine =
            UpgradingMachine.start(releases, dir, lane.firmware, "--rootfs", lane.rootfs)) {
      machine.change();
      undisturbed(releases, machine);
      for (int number = 1; number <= rounds; number++) {
        Manner manner = Manner.values()[(number - 1) % Manner.values().length];
        played.add(play(number, manner, releases, machine));
        System.out.println(played.getLast());
      }
      DiskCheck.Report end = undisturbed(releases, machine);
      assertThat(end.rubbish()).as("what the interruptions left behind").isEmpty();
    } finally {
      table();
    }
  }

  private void table() {
    System.out.println(
        "|  # | manner                        | at (s) |               | then          | to  |  boot |");
    System.out.println(
        "|---:|-------------------------------|-------:|---------------|---------------|-----|------:|");
    played.forEach(System.out::println);
    System.out.printf(
        Locale.ROOT,
        "upgrade %.1f s, finalization %.1f s, shutdown %.1f s; %d rounds, %d hit, %d new, %d old%n",
        upgradeSeconds,
        finalizationSeconds,
        shutdownSeconds,
        played.size(),
        played.stream().filter(Round::hit).count(),
        played.stream().filter(Round::isNew).count(),
        played.stream().filter(r -> !r.isNew()).count());
  }

  /** A whole upgrade that nobody interrupts; it ends in the new release. */
  private DiskCheck.Report undisturbed(Releases releases, UpgradingMachine machine)
      throws Exception {
    releases.publish(++lastRelease);
    upgradeSeconds = seconds(machine.upgrade());
    finalizationSeconds = seconds(machine.finalizeStaged());
    shutdownSeconds = seconds(machine.goDown());
    DiskCheck.Report report = DiskCheck.ofCopy(machine.disk(), dir);
    Duration boot = machine.boot();
    checkBooted(machine, report);
    assertThat(release).isEqualTo(lastRelease);
    System.out.printf(
        Locale.ROOT,
        "undisturbed: upgrade %.1f s, finalization %.1f s, shutdown %.1f s, boot %.1f s%n",
        upgradeSeconds,
        finalizationSeconds,
        shutdownSeconds,
        seconds(boot));
    return report;
  }

  private static double seconds(Duration duration) {
    return duration.toMillis() / 1000.0;
  }

  private Round play(int number, Manner manner, Releases releases, UpgradingMachine machine)
      throws Exception {
    int old = release;
    releases.publish(++lastRelease);
    machine.remember(number);
    remembered = number;
    double moment = random.nextDouble() * limit(manner);
    boolean again = random.nextBoolean();
    if (manner != Manner.AGENT_KILLED && manner != Manner.CUT_IN_UPGRADE) {
      machine.upgrade();
    }
    boolean hit = strike(manner, moment, machine);
    String then = "";
    if (manner == Manner.AGENT_KILLED || manner == Manner.FINALIZER_KILLED) {
      then = live(machine, again);
    }
    DiskCheck.Report report = DiskCheck.ofCopy(machine.disk(), dir);
    Duration boot = machine.boot();
    checkBooted(machine, report);
    assertThat(release).as("release booted").isIn(old, lastRelease);
    boolean isNew = release == lastRelease;
    if (!report.settled()) {
      // GRUB did not see a rename that Linux finds in the journal; from the next boot on it does.
      machine.goDown();
      report = DiskCheck.ofCopy(machine.disk(), dir);
      assertThat(report.settled()).as("menu settled by a boot").isTrue();
      machine.boot();
      checkBooted(machine, report);
    }
    check(manner, hit, again, isNew);
    return new Round(number, manner, moment, hit, then, isNew, boot);
  }

  /** Which release an interruption may end in. */
  private static void check(Manner manner, boolean hit, boolean again, boolean isNew) {
    switch (manner) {
      case CUT_IN_UPGRADE -> assertThat(isNew).as("new without a shutdown").isFalse();
      case AGENT_KILLED, FINALIZER_KILLED -> {
        if (again || !hit) {
          assertThat(isNew).as("new after a whole upgrade").isTrue();
        }
      }
      case CUT_IN_FINALIZATION, CUT_IN_SHUTDOWN -> {
        if (!hit) {
          assertThat(isNew).as("new after a whole shutdown").isTrue();
        }
      }
    }
  }

  private double limit(Manner manner) {
    return switch (manner) {
      case AGENT_KILLED, CUT_IN_UPGRADE -> upgradeSeconds;
      case FINALIZER_KILLED, CUT_IN_FINALIZATION -> finalizationSeconds;
      case CUT_IN_SHUTDOWN -> shutdownSeconds + finalizationSeconds;
    };
  }

  /** Hits an upgrade, or what follows it: then one is staged. */
  private static boolean strike(Manner manner, double moment, UpgradingMachine machine)
      throws Exception {
    return switch (manner) {
      case AGENT_KILLED -> machine.killAgent(moment);
      case CUT_IN_UPGRADE -> machine.cutDuringUpgrade(moment);
      case CUT_IN_FINALIZATION -> machine.cutDuringFinalization(moment);
      case FINALIZER_KILLED -> machine.killFinalizer(moment);
      case CUT_IN_SHUTDOWN -> machine.cutDuringShutdown(moment);
    };
  }

  /** The machine goes on without its agent; the next one works, or nobody calls it. */
  private static String live(UpgradingMachine machine, boolean again) throws Exception {
    JsonNode status = machine.status();
    assertThat(status.path("kind").asString()).isEqualTo("BootcHost");
    assertThat(status.at("/status/booted").isObject()).isTrue();
    if (again) {
      machine.upgrade();
    }
    machine.goDown();
    return again ? "upgrade again" : "restart";
  }

  private void checkBooted(UpgradingMachine machine, DiskCheck.Report report) {
    UpgradingMachine.Probe probe = machine.probe();
    assertThat(probe.failedUnits()).as("failed units").isEmpty();
    assertThat(probe.state()).isEqualTo("running");
    assertThat(probe.bootedCommit()).as("booted").isEqualTo(report.next());
    release = probe.release();
    List<String> rounds = IntStream.rangeClosed(1, remembered).mapToObj(Integer::toString).toList();
    assertThat(probe.rounds()).as("/etc/rounds").isEqualTo(rounds);
    assertThat(probe.roundFiles()).as("/etc/rounds.d").isEqualTo(rounds);
    assertThat(probe.varRounds()).as("/var/lib/rounds").isEqualTo(rounds);
    assertThat(probe.motd()).as("/etc/motd").isEqualTo("mine");
    assertThat(probe.releaseDefaults())
        .as("/etc/release.d")
        .containsExactly(Integer.toString(release));
  }
}
