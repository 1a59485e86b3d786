package slipway.host.health;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.base.AfterCommit;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.host.health.HealthReport.State;
import slipway.host.status.DeploymentChoice;
import slipway.host.status.HealthRecord;
import slipway.host.status.JournalEntry;
import slipway.host.system.FailedUnit;
import slipway.host.system.HostEnvironment;
import slipway.host.update.DeployedImage;
import slipway.host.update.Host;
import slipway.host.update.HostVoice;
import slipway.host.update.NextBoot;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.BootTrial;
import slipway.sysroot.state.Deployment;

/**
 * Looks whether the system that started is well, and ends the trial of a new deployment: either it
 * is the machine's from now on, or after its last try the one before is again. A machine is
 * restarted only for a try that was counted on disk before, so it never restarts for ever; without
 * a trial nothing is ever restarted or changed.
 */
public final class BootHealth {
  private static final String NOT_STARTED = "it did not start well in all its tries";

  private final HostEnvironment host;
  private final AfterCommit after;
  private final HostVoice voice;

  public BootHealth(HostEnvironment host) {
    this.host = host;
    this.after = new AfterCommit(host.progress()::note);
    this.voice = new HostVoice(host, after);
  }

  /** Where in {@code /run} it stands whose try this start was. */
  private Path counted() {
    return host.run().resolve("slipway/boot-attempt");
  }

  // ---- the try ----

  /**
   * Takes the try that this start is, once, when the boot loader has not; goes back to the
   * deployment before when the boot loader did so or no try was left.
   */
  public void attempt() throws IOException {
    host.requireHost();
    take(host.sysroot());
  }

  /**
   * The trial of the deployment that runs. One of another deployment that the boot loader has given
   * up is ended: the one that runs is the machine's again.
   */
  private Optional<BootTrial> running(Sysroot sysroot) throws IOException {
    if (!BootTrial.isNoted(host.root())) {
      return Optional.empty();
    }
    Optional<BootTrial> noted = sysroot.trials().current();
    if (noted.isEmpty()) {
      // Over, or of a menu that another tool changed behind it.
      sysroot.trials().end();
      return noted;
    }
    Deployment booted = Host.requireBooted(sysroot);
    Deployment first = sysroot.deployments().getFirst();
    if (noted.get().isOf(booted)) {
      return noted;
    }
    // Somebody may have chosen it in the menu while the new one has tries left.
    if (noted.get().isUsedUp() && booted.stateroot().equals(first.stateroot())) {
      goBack(sysroot, first, booted);
    }
    return Optional.empty();
  }

  /**
   * Counts this start.
   *
   * @return the trial of what runs, counted on disk; nothing when none goes on, and when no try was
   *     left and a restart is on its way
   */
  private Optional<BootTrial> take(Sysroot sysroot) throws IOException {
    Optional<BootTrial> found = running(sysroot);
    if (found.isEmpty() || isCounted(found.get())) {
      return found;
    }
    BootTrial trial = found.get();
    boolean byLoader = trial.countedByLoader();
    if (!byLoader && trial.isUsedUp()) {
      goBackFrom(sysroot, Host.requireBooted(sysroot));
      return Optional.empty();
    }
    int left = byLoader ? trial.left() : trial.left() - 1;
    sysroot.trials().count(trial, left);
    AtomicFile.write(counted(), trial.deployment());
    voice.say(
        "This is try "
            + (trial.tries() - Math.max(left, 0))
            + " of "
            + trial.tries()
            + " of a new deployment, counted by "
            + (byLoader ? "the boot loader" : "the system"));
    return sysroot.trials().current();
  }

  private boolean isCounted(BootTrial trial) throws IOException {
    return Files.exists(counted()) && Files.readString(counted()).equals(trial.deployment());
  }

  // ---- the checks ----

  /**
   * Runs the checks and notes in {@code /run} what came of them.
   *
   * @throws Problem of kind ENVIRONMENT when one failed that must pass
   */
  public void check() throws IOException {
    List<HealthCheck> results = new CheckScripts(host).check();
    RunHealth.of(results).write(host.run());
    List<String> failed =
        results.stream().filter(HealthCheck::isFatal).map(HealthCheck::name).toList();
    if (!failed.isEmpty()) {
      throw Problem.environment("this system is not healthy: " + String.join(", ", failed));
    }
  }

  // ---- what comes of them ----

  /** The start went well: a trial that goes on is over, and the deployment boots from now on. */
  public void healthy() throws IOException {
    host.requireHost();
    Sysroot sysroot = host.sysroot();
    List<FailedUnit> failed = failedUnits();
    if (running(sysroot).isPresent()) {
      sysroot.trials().end();
      Deployment booted = Host.requireBooted(sysroot);
      after.attempt("what failed before is still told", this::forget);
      after.attempt(
          "the journal does not tell that the new deployment is healthy",
          () ->
              JournalEntry.of(
                      JournalEntry.HEALTHY,
                      "The new deployment is healthy: " + DeployedImage.describe(sysroot, booted))
                  .send(host.system()));
      voice.touch();
    }
    noteVerdict(State.HEALTHY, "", failed);
    new CheckScripts(host).run(CheckScripts.Hook.GREEN);
  }

  /** What is only told keeps nothing from being done. */
  private List<FailedUnit> failedUnits() {
    try {
      return host.system().failedBootUnits();
    } catch (Problem e) {
      host.progress().note("warning: which units failed is not known: " + e.getMessage());
      return List.of();
    }
  }

  private void forget() throws IOException {
    Optional<HealthRecord> forgotten = HealthRecord.read(host.root()).forgotten();
    if (forgotten.isPresent()) {
      forgotten.get().write(host.root(), host.progress()::note);
    }
  }

  /**
   * The start did not go well: a new deployment on trial is started once more, or after its last
   * try the one before. Without a trial that is told and nothing else.
   */
  public void unhealthy() throws IOException {
    host.requireHost();
    Sysroot sysroot = host.sysroot();
    List<FailedUnit> failed = failedUnits();
    Deployment booted = Host.requireBooted(sysroot);
    String reason = reason(failed);
    noteVerdict(State.UNHEALTHY, reason, failed);
    after.attempt(
        "why this start failed will not be known after the next",
        () ->
            HealthRecord.read(host.root())
                .withFailure(booted, reason, host.clock().instant())
                .write(host.root(), host.progress()::note));
    Optional<BootTrial> trial = take(sysroot);
    JournalEntry.of(JournalEntry.UNHEALTHY, "This start did not go well: " + reason)
        .with("PRIORITY", "3")
        .with("SLIPWAY_REASON", reason)
        .send(host.system());
    new CheckScripts(host).run(CheckScripts.Hook.RED);
    if (trial.isEmpty()) {
      voice.say("No new deployment is on trial: nothing is restarted.");
    } else if (trial.get().isUsedUp()) {
      goBackFrom(sysroot, booted);
    } else {
      tryAgain(sysroot, trial.get());
    }
  }

  private void tryAgain(Sysroot sysroot, BootTrial trial) throws IOException {
    if (sysroot.staged().isPresent()) {
      // The shutdown would put it in front of the others, and perhaps remove the last good one.
      sysroot.dropStaged(new NextBoot(host, after, voice)::forgetSoftReboot);
      voice.say("Dropped what was staged meanwhile");
    }
    voice.say("Restarting; tries left: " + trial.left());
    host.system().reboot();
  }

  /** What failed, in one sentence without a full stop. */
  private String reason(List<FailedUnit> units) {
    List<String> reasons = new ArrayList<>();
    for (HealthCheck check : RunHealth.read(host.run()).checks()) {
      if (check.isFatal()) {
        reasons.add(check.name() + " " + check.message());
      }
    }
    boolean told = !reasons.isEmpty();
    for (FailedUnit unit : units) {
      // Our own unit failed with the checks that are told already.
      if (unit.required() && !(told && unit.name().equals(RunHealth.UNIT))) {
        reasons.add(unit.name() + " failed");
      }
    }
    return reasons.isEmpty() ? "boot-complete.target was not reached" : String.join("; ", reasons);
  }

  private void noteVerdict(State state, String reason, List<FailedUnit> failed) {
    after.attempt(
        "bootc health will not tell of this",
        () -> RunHealth.read(host.run()).withVerdict(state, reason, failed).write(host.run()));
  }

  /** Puts the deployment behind the one that runs in front of it, and restarts into it. */
  private void goBackFrom(Sysroot sysroot, Deployment booted) throws IOException {
    Optional<Deployment> good = DeploymentChoice.rollback(sysroot);
    if (good.isEmpty()) {
      voice.say("There is no deployment to go back to: nothing is restarted.");
      sysroot.trials().end();
      return;
    }
    goBack(sysroot, booted, good.get());
    host.system().reboot();
  }

  private void goBack(Sysroot sysroot, Deployment bad, Deployment good) throws IOException {
    HealthRecord before = HealthRecord.read(host.root());
    String reason = before.failureOf(bad).orElse(NOT_STARTED);
    String from = DeployedImage.digestOrChecksum(sysroot, bad);
    String to = DeployedImage.digestOrChecksum(sysroot, good);
    Host.of(host).rollBackAutomatically(sysroot, bad, good, reason);
    after.attempt(
        "the status will not tell that the machine went back",
        () ->
            before
                .withRollback(bad, from, to, reason, host.clock().instant())
                .write(host.root(), host.progress()::note));
  }

  // ---- what is told ----

  /** How the system is; needs no privilege. */
  public HealthReport report() throws IOException {
    if (!host.runState().booted()) {
      throw Problem.environment("System is not deployed via bootc.");
    }
    Sysroot sysroot = host.sysroot();
    RunHealth run = RunHealth.read(host.run());
    State state =
        run.verdict()
            .orElseGet(() -> host.system().isBootComplete() ? State.HEALTHY : State.PENDING);
    return new HealthReport(
        state,
        run.reason(),
        run.checks(),
        run.units(),
        trial(sysroot),
        HealthRecord.read(host.root()).rollback().orElse(null),
        tries(sysroot));
  }

  private HealthReport.@Nullable Trial trial(Sysroot sysroot) throws IOException {
    Optional<BootTrial> trial = sysroot.trials().current();
    if (trial.isEmpty()) {
      return null;
    }
    Deployment first = sysroot.deployments().getFirst();
    return new HealthReport.Trial(
        DeployedImage.digestOrChecksum(sysroot, first),
        trial.get().tries(),
        Math.max(trial.get().left(), 0),
        first.booted(),
        BootTrial.isCountedByLoader(host.root()));
  }

  private static int tries(Sysroot sysroot) {
    try {
      return sysroot.settings().tries();
    } catch (Problem | IOException e) {
      // Settings that cannot be read begin no trial.
      return 0;
    }
  }

  /**
   * Sets how many tries a new deployment has, from the next update on.
   *
   * @param number 0 to {@link BootTrial#MOST_TRIES}; with 0 nothing is rolled back by itself
   */
  public void setTries(int number) throws IOException {
    host.requireHost();
    host.sysroot().changeSettings(settings -> settings.withTries(number));
    voice.say(
        number == 0
            ? "New deployments are not on trial from the next update on"
            : "New deployments have "
                + number
                + (number == 1 ? " try" : " tries")
                + " from the next update on");
  }
}
