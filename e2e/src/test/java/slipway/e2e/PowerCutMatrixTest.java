package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.linux.mount.MountNamespace;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;

/**
 * Every verb that writes to a machine's disk, interrupted at random moments, on every root file
 * system, without a virtual machine. The verbs run once, undisturbed, on a disk whose writes are
 * logged. The log is replayed up to random moments, with a part of the writes lost that no flush
 * had made durable, and what is left is examined. Then the verbs are killed at random moments, and
 * run again. The system properties {@code matrix.seed}, {@code matrix.moments} and {@code
 * matrix.kills}, each for a file system, repeat a run.
 */
@Execution(ExecutionMode.CONCURRENT)
@Order(2)
class PowerCutMatrixTest {
  private static final long SIZE = 3L << 30;

  /** Of so many moments one is in an installation; of kills, too. */
  private static final int INSTALLATIONS = 10;

  /** Of so many disks whose power was cut one goes on as a machine. */
  private static final int GOING_ON = 5;

  private static final long SEED = Long.getLong("matrix.seed", System.nanoTime());

  private static final Map<String, MatrixFigures> ALL =
      Collections.synchronizedMap(new TreeMap<>());

  @TempDir Path dir;

  private final Random random = new Random();
  private final Map<String, MatrixFigures> figures = new TreeMap<>();
  private final List<String> wrong = new ArrayList<>();
  private String filesystem = "ext4";
  private int folders;
  private long installMillis;

  @Test
  @Tag("slow")
  void someMomentsOfAFinalization() throws Exception {
    run("ext4", Integer.getInteger("matrix.moments", 3), 0, Set.of(Step.FIRST_FINALIZATION));
  }

  @ParameterizedTest
  @Tag("soak")
  @ValueSource(strings = {"ext4", "xfs", "btrfs"})
  void allMoments(String kind) throws Exception {
    run(
        kind,
        Integer.getInteger("matrix.moments", 80),
        Integer.getInteger("matrix.kills", 11),
        Set.of(Step.values()));
  }

  @AfterAll
  static void table() {
    MatrixFigures.print(ALL);
  }

  private void run(String kind, int moments, int kills, Set<Step> steps) throws Exception {
    filesystem = kind;
    random.setSeed(SEED + kind.hashCode());
    System.out.printf(
        "matrix.seed=%d matrix.moments=%d matrix.kills=%d %s%n", SEED, moments, kills, kind);
    MountNamespace.call(
        "matrix",
        () -> {
          play(moments, kills, steps);
          return true;
        });
    assertThat(wrong).isEmpty();
  }

  private MatrixFigures row(String verb) {
    return figures.computeIfAbsent(
        String.format(Locale.ROOT, "| %-5s | %-12s ", filesystem, verb), k -> new MatrixFigures());
  }

  private Path folder() throws IOException {
    return Files.createDirectory(dir.resolve("work" + folders++));
  }

  private Path shared() {
    return dir.resolve("shared");
  }

  private void play(int moments, int kills, Set<Step> steps) throws Exception {
    StillMachine.writeTools(shared());
    for (int version = 1; version <= 3; version++) {
      // The second has the kernel of the first, so that only links change; the third has its own.
      TinyImage.write(shared().resolve("v" + version), version, version == 3 ? 30 : 10);
    }
    Played played = record(steps);
    List<Stretch> wanted =
        played.stretches.stream().filter(stretch -> steps.contains(stretch.step())).toList();
    try (WriteLog log = WriteLog.open(played.log)) {
      if (wanted.size() == Step.values().length) {
        cutInstallations(log, played.installed, Math.max(1, moments / INSTALLATIONS));
        killInstallations(Math.max(1, kills / INSTALLATIONS));
      }
      replay(log, wanted, moments);
      killVerbs(log, wanted, kills);
    } finally {
      ALL.putAll(figures);
    }
  }

  /**
   * What went undisturbed.
   *
   * @param log the file with all writes
   * @param installed the first request behind the installation
   */
  private record Played(Path log, int installed, List<Stretch> stretches) {}

  private Played record(Set<Step> steps) throws Exception {
    try (LoggedDisk disk = LoggedDisk.make(dir, SIZE)) {
      long begun = System.nanoTime();
      install(disk.file()).run();
      installMillis = millis(begun);
      long end = disk.logged();
      List<Long> ends = new ArrayList<>();
      List<Stretch> raw = undisturbed(disk, steps, ends);
      disk.close();
      try (WriteLog log = WriteLog.open(disk.log())) {
        Played played = new Played(disk.log(), log.indexAt(end), indexed(log, raw, ends));
        tell(log, played);
        return played;
      }
    } finally {
      Files.deleteIfExists(dir.resolve("content.raw"));
    }
  }

  /** With the requests' numbers in the log instead of its sizes. */
  private static List<Stretch> indexed(WriteLog log, List<Stretch> raw, List<Long> ends) {
    List<Stretch> stretches = new ArrayList<>();
    for (int i = 0; i < raw.size(); i++) {
      Stretch r = raw.get(i);
      stretches.add(
          new Stretch(
              r.step(),
              log.indexAt(ends.get(2 * i)),
              log.indexAt(ends.get(2 * i + 1)),
              r.booted(),
              r.before(),
              r.after(),
              r.millis()));
    }
    return stretches;
  }

  private void tell(WriteLog log, Played played) {
    System.out.printf(
        "%s: %d requests, the installation %d in %d ms%n",
        filesystem, log.size(), played.installed, installMillis);
    for (Stretch s : played.stretches) {
      System.out.printf(
          "%s: %s requests %d to %d, %d flushes, %d ms%n",
          filesystem, s.step(), s.from(), s.to(), log.windows(s.from(), s.to()).size(), s.millis());
    }
  }

  private static long millis(long since) {
    return (System.nanoTime() - since) / 1_000_000;
  }

  private Command install(Path disk) {
    return StillMachine.agent(
        "install",
        "to-disk",
        "--quiet",
        "--wipe",
        "--via-loopback",
        "--filesystem",
        filesystem,
        "--source-imgref",
        "oci:" + shared().resolve("v1"),
        "--target-imgref",
        "registry.example/os:1",
        disk.toString());
  }

  /**
   * Does the steps up to the last one that is wanted.
   *
   * @param ends takes the sizes of the log before and after each
   */
  private List<Stretch> undisturbed(LoggedDisk disk, Set<Step> steps, List<Long> ends)
      throws Exception {
    List<Stretch> stretches = new ArrayList<>();
    Step last = new TreeSet<>(steps).last();
    StillMachine machine = StillMachine.start(disk.file(), shared(), folder());
    try {
      for (Step step : Step.values()) {
        if (step.compareTo(last) > 0) {
          break;
        }
        prepare(step, machine);
        machine.keepStaged(staged(step));
        MachineContent before = MachineContent.of(machine.sysroot());
        ends.add(disk.logged());
        long begun = System.nanoTime();
        String said = machine.bootc(step.words).run().text();
        long millis = millis(begun);
        machine.sync();
        ends.add(disk.logged());
        MachineContent after = MachineContent.of(machine.sysroot());
        assertThat(before.menu().equals(after.menu()))
            .as("%s leaves the menu as it is: %s", step, said)
            .isEqualTo(List.of("upgrade", "edit", "reset").contains(step.verb));
        stretches.add(
            new Stretch(
                step,
                0,
                0,
                MachineContent.name(machine.booted().toRealPath()),
                before,
                after,
                millis));
        if (step.restarts()) {
          machine.close();
          machine = StillMachine.start(disk.file(), shared(), folder());
        }
      }
    } finally {
      machine.close();
    }
    return stretches;
  }

  private Path staged(Step step) {
    return dir.resolve("staged-" + step);
  }

  /** Makes local changes and publishes what the step brings. */
  private void prepare(Step step, StillMachine machine) throws IOException {
    Path etc = machine.booted().resolve("etc");
    Files.writeString(etc.resolve("motd"), "mine\n");
    Files.writeString(etc.resolve("local-" + step), "local\n");
    Files.deleteIfExists(etc.resolve("defaults.d/" + step.ordinal()));
    Path var = Files.createDirectories(machine.var().resolve("lib/local"));
    Files.writeString(var.resolve(step.toString()), "local\n");
    machine.sync();
    publish(step);
  }

  private void publish(Step step) throws IOException {
    Path followed = shared().resolve("followed");
    Files.deleteIfExists(followed);
    Files.createSymbolicLink(followed, Path.of(step.compareTo(Step.UPGRADE) < 0 ? "v2" : "v3"));
  }

  // ---- power cuts ----

  /** A moment to cut at. */
  private record Moment(int durable, int cut, Stretch stretch) {}

  private void replay(WriteLog log, List<Stretch> wanted, int moments) throws Exception {
    List<Moment> drawn = new ArrayList<>();
    for (int i = 0; i < moments; i++) {
      Stretch stretch = wanted.get(i % wanted.size());
      WriteLog.Window window = draw(log, stretch, i / wanted.size() % 2 == 0);
      drawn.add(new Moment(window.durable(), window.draw(random), stretch));
    }
    drawn.sort(Comparator.comparing(Moment::cut));
    Path base = dir.resolve("base.raw");
    Path crashed = dir.resolve("crashed.raw");
    LoggedDisk.empty(base, SIZE);
    int done = 0;
    int number = 0;
    try (FileChannel durable = FileChannel.open(base, StandardOpenOption.WRITE)) {
      for (Moment moment : drawn) {
        log.apply(durable, done, moment.durable);
        done = moment.durable;
        UpgradingMachine.copy(base, crashed);
        int lost;
        try (FileChannel disk = FileChannel.open(crashed, StandardOpenOption.WRITE)) {
          lost = log.applySome(disk, moment.durable, moment.cut, random);
        }
        boolean goesOn = number++ % GOING_ON == 0;
        examine(crashed, moment, lost, goesOn);
      }
    }
  }

  /** A time between two flushes, each as likely; or one with many requests more so than others. */
  private WriteLog.Window draw(WriteLog log, Stretch stretch, boolean even) {
    List<WriteLog.Window> windows = log.windows(stretch.from(), stretch.to());
    int at = stretch.from() + random.nextInt(stretch.to() - stretch.from());
    return even
        ? windows.get(random.nextInt(windows.size()))
        : windows.stream().filter(w -> w.end() > at).reduce((a, later) -> later).orElseThrow();
  }

  /** What is not as it has to be is told, and the others are looked at all the same. */
  private void holds(String what, Action action) throws Exception {
    Path work = folder();
    try {
      action.run(work);
    } catch (AssertionError | RuntimeException e) {
      String text = filesystem + " " + what + ": " + e;
      System.out.println(text);
      wrong.add(text);
    } finally {
      Posix.removeTree(OsPath.of(work));
    }
  }

  /** Something that is done with a folder for it alone. */
  private interface Action {
    void run(Path work) throws Exception;
  }

  private void examine(Path crashed, Moment moment, int lost, boolean goesOn) throws Exception {
    Stretch stretch = moment.stretch;
    MatrixFigures row = row(stretch.step().verb);
    row.moments++;
    row.cached = Math.max(row.cached, moment.cut - moment.durable);
    row.lost = Math.max(row.lost, lost);
    String what =
        String.format(
            "%s cut at %d, durable %d, %d pieces lost",
            stretch.step(), moment.cut, moment.durable, lost);
    holds(
        what,
        work -> {
          DiskCheck.Report report =
              DiskCheck.of(crashed, work, (root, grub) -> stretch.compare(root, grub, row));
          row.unsettled += report.settled() ? 0 : 1;
        });
    if (goesOn) {
      row.again++;
      holds(
          what + ", then again",
          work -> {
            try (StillMachine machine =
                StillMachine.start(crashed, shared(), work.resolve("machine"))) {
              again(machine, stretch);
            }
            assertThat(DiskCheck.of(crashed, work, stretch.compared()).rubbish())
                .as("what the power cut left behind")
                .isEmpty();
          });
    }
  }

  /**
   * Does the step again where it is not done, and whatever it takes that there is nothing left to
   * finalize and nothing left behind.
   */
  private void again(StillMachine machine, Stretch stretch) throws Exception {
    publish(stretch.step());
    boolean done = MachineContent.of(machine.sysroot()).menu().equals(stretch.after().menu());
    boolean stages = stretch.before().menu().equals(stretch.after().menu());
    if (stages || !done) {
      machine.bootc(stretch.step().words).run();
    }
    if (!machine.isStaged()) {
      // What was there before and what boots next may be two now, and nothing else is staged then.
      machine.restart();
      machine.bootc("kargs", "add", "again=1").run();
    }
    machine.bootc(Step.FINALIZATION.words).run();
  }

  // ---- kills ----

  private void killVerbs(WriteLog log, List<Stretch> wanted, int kills) throws Exception {
    List<Stretch> victims = new ArrayList<>();
    for (int i = 0; i < kills; i++) {
      victims.add(wanted.get(i % wanted.size()));
    }
    victims.sort(Comparator.comparing(Stretch::from));
    Path base = dir.resolve("base.raw");
    Path killed = dir.resolve("crashed.raw");
    Files.delete(base);
    LoggedDisk.empty(base, SIZE);
    int done = 0;
    try (FileChannel disk = FileChannel.open(base, StandardOpenOption.WRITE)) {
      for (Stretch stretch : victims) {
        log.apply(disk, done, stretch.from());
        done = stretch.from();
        UpgradingMachine.copy(base, killed);
        killVerb(killed, stretch);
      }
    }
  }

  private void killVerb(Path disk, Stretch stretch) throws Exception {
    MatrixFigures row = row(stretch.step().verb);
    row.kills++;
    long patience = patience(stretch.millis());
    boolean all = random.nextBoolean();
    String what =
        stretch.step() + " killed after " + patience + " ms" + (all ? " with all it started" : "");
    holds(
        what,
        work -> {
          try (StillMachine machine = StillMachine.start(disk, shared(), work.resolve("machine"))) {
            machine.putStaged(staged(stretch.step()));
            publish(stretch.step());
            row.hit += kill(machine.bootc(stretch.step().words), patience, all) ? 1 : 0;
            assertThat(machine.bootc("status", "--json").run().text()).contains("\"BootcHost\"");
            assertThat(MachineContent.of(machine.sysroot()).menu())
                .isIn(stretch.before().menu(), stretch.after().menu());
            again(machine, stretch);
          }
          DiskCheck.Report report = DiskCheck.of(disk, work, stretch.compared());
          assertThat(report.rubbish()).as("what the kill left behind").isEmpty();
        });
  }

  /** Not so soon that only the JVM has started; the last ones may come too late. */
  private long patience(long whole) {
    return (long) (whole * (0.3 + 0.7 * random.nextDouble()));
  }

  /** Whether the command was killed before it ended. */
  private static boolean kill(Command command, long patience, boolean all) throws Exception {
    Process process = command.start();
    process.getOutputStream().close();
    boolean ended = process.waitFor(patience, TimeUnit.MILLISECONDS);
    if (all) {
      Command.kill(process);
    } else {
      process.toHandle().destroyForcibly();
    }
    process.waitFor();
    return !ended;
  }

  // ---- installations ----

  /** A disk whose installation was cut takes another; one that was told to be done is whole. */
  private void cutInstallations(WriteLog log, int installed, int moments) throws Exception {
    List<WriteLog.Window> windows = log.windows(0, installed);
    MatrixFigures row = row("install");
    for (int i = 0; i <= moments; i++) {
      boolean last = i == moments;
      WriteLog.Window window =
          last ? windows.getFirst() : windows.get(random.nextInt(windows.size()));
      int cut = last ? installed : window.draw(random);
      Path disk = dir.resolve("crashed.raw");
      Files.deleteIfExists(disk);
      LoggedDisk.empty(disk, SIZE);
      int lost;
      try (FileChannel channel = FileChannel.open(disk, StandardOpenOption.WRITE)) {
        log.apply(channel, 0, window.durable());
        lost = log.applySome(channel, window.durable(), cut, random);
      }
      row.moments++;
      row.cached = Math.max(row.cached, cut - window.durable());
      row.lost = Math.max(row.lost, lost);
      row.old += last ? 0 : 1;
      row.fresh += last ? 1 : 0;
      String what =
          "installation of "
              + installed
              + " requests cut at "
              + cut
              + ", durable "
              + window.durable()
              + ", "
              + lost
              + " pieces lost";
      holds(
          what,
          work -> {
            if (!last) {
              row.again++;
              install(disk).run();
            }
            assertThat(DiskCheck.of(disk, work, (root, grub) -> {}).rubbish()).isEmpty();
          });
    }
  }

  private void killInstallations(int kills) throws Exception {
    MatrixFigures row = row("install");
    Path disk = dir.resolve("crashed.raw");
    for (int i = 0; i < kills; i++) {
      Files.deleteIfExists(disk);
      LoggedDisk.empty(disk, SIZE);
      long patience = patience(installMillis);
      row.kills++;
      holds(
          "installation killed after " + patience + " ms",
          work -> {
            row.hit += kill(install(disk), patience, true) ? 1 : 0;
            install(disk).run();
            assertThat(DiskCheck.of(disk, work, (root, grub) -> {}).rubbish()).isEmpty();
          });
    }
  }
}
