package slipway.sysroot;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import slipway.base.AfterCommit;
import slipway.base.Problem;
import slipway.sysroot.state.BootEntry;
import slipway.sysroot.state.BootTrial;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.RunState;
import slipway.sysroot.state.StagedFile;
import slipway.sysroot.write.BootWriter;
import slipway.sysroot.write.DeploymentWriter;
import slipway.sysroot.write.EtcMerge;
import slipway.sysroot.write.SysrootSweep;
import slipway.system.osrelease.OsRelease;
import slipway.tree.FileTree;

/** Carries out on the disk what {@link Sysroot} decided; the caller holds the lock. */
final class SysrootChange {
  private final Sysroot sysroot;
  private final RunState run;
  private final AfterCommit after;

  SysrootChange(Sysroot sysroot, RunState run) {
    this.sysroot = sysroot;
    this.run = run;
    this.after = new AfterCommit(sysroot.warnings());
  }

  void perform(Plan plan) throws IOException {
    perform(plan, planned -> {});
  }

  void perform(Plan plan, Sysroot.Admission check) throws IOException {
    if (!plan.stage()) {
      mirror();
    }
    if (plan.created() != null && plan.spec() != null) {
      create(plan.created(), plan.spec(), plan.stage(), check);
    }
    if (plan.stage()) {
      stageCreated(plan);
    } else {
      if (!plan.stays()) {
        dropStagedFile();
      }
      if (plan.created() != null && plan.spec() != null) {
        complete(plan.created(), plan.spec().merge());
      }
      writeMenu(plan.order(), plan.firstStep(), null);
    }
    settle();
  }

  /**
   * Tells watchers of a change that was made, and reads what is in force now; what fails is a
   * warning.
   *
   * @return whether it was read
   */
  boolean announce() {
    after.attempt("nobody is told that the deployments changed", this::touchDeploy);
    return after.attempt("what is in force now could not be read", sysroot::reload);
  }

  /**
   * Removes what nothing leads to.
   *
   * @param prune whether the repository's unreachable objects go too
   */
  void sweep(boolean prune) throws IOException {
    if (cleaner().run(sysroot.state()) && prune) {
      cleaner().prune(sysroot.state());
    }
  }

  /**
   * Brings the copy of the boot menu that systemd-boot reads up to date. One that has not come
   * there yet is what the next one may not be written over, so each change begins with this, before
   * it drops anything.
   *
   * @return whether something was written
   */
  boolean mirror() throws IOException {
    return cleaner().mirror(sysroot.state());
  }

  /** What follows a commit point; nothing of it can fail the change that was made. */
  void settle() {
    // With what is known from before, the clean-up would take what is new for rubbish.
    if (announce()) {
      after.attempt("old deployments could not be removed", () -> cleaner().run(sysroot.state()));
    }
  }

  private void create(Deployment created, DeploySpec spec, boolean stage, Sysroot.Admission check)
      throws IOException {
    FileTree tree = sysroot.repository().readTree(spec.commit());
    boolean done = false;
    try {
      writer().create(created, tree);
      OsRelease.prettyName(sysroot.path(created));
      if (spec.merge() != null) {
        etcTrial().run(sysroot.path(created), sysroot.path(spec.merge()), stage);
      }
      check.dress(sysroot.path(created));
      done = true;
    } finally {
      if (!done) {
        cleaner().removeAfterFailure(created);
      }
    }
  }

  private void stageCreated(Plan plan) throws IOException {
    Deployment created = java.util.Objects.requireNonNull(plan.created());
    Deployment merge = plan.spec() == null ? null : plan.spec().merge();
    sysroot.durability().syncRoot();
    Files.createDirectories(run.directory().resolve("ostree"));
    new StagedFile(
            StagedFile.Name.of(created),
            merge == null ? null : StagedFile.Name.of(merge),
            created.kargs(),
            extensions(plan.spec()),
            plan.lock(),
            Map.of())
        .write(run.stagedFile());
    // Last: what an interruption leaves may be locked for nothing, but never unlocked unasked.
    Files.deleteIfExists(run.lockFile());
  }

  /** The keys of other tools that the entry of a new deployment gets. */
  private Map<String, String> extensions(@Nullable DeploySpec spec) {
    if (spec == null) {
      return Map.of();
    }
    return spec.extensions() != null
        ? spec.extensions()
        : spec.merge() != null ? sysroot.extensionsBefore(spec.merge()) : Map.of();
  }

  /**
   * Writes the boot menu, with the old kernels out of the way first when there is no room. The menu
   * before is mirrored. What a failure leaves of a menu that is not in force goes.
   */
  private void writeMenu(
      List<Deployment> order, @Nullable List<Deployment> firstStep, @Nullable BootTrial trial)
      throws IOException {
    boolean done = false;
    try {
      replaceMenu(order, firstStep, trial);
      done = true;
    } finally {
      if (!done) {
        after.attempt(
            "not all of the boot menu that could not be written was removed",
            () -> {
              sysroot.reload();
              cleaner().removeUnfinishedMenu(sysroot.state());
            });
      }
    }
  }

  private void replaceMenu(
      List<Deployment> order, @Nullable List<Deployment> firstStep, @Nullable BootTrial trial)
      throws IOException {
    BootWriter boot =
        new BootWriter(sysroot.root(), sysroot.repository(), sysroot.durability(), after);
    List<Deployment> all = new ArrayList<>(sysroot.state().all());
    all.addAll(order);
    cleaner().removeKernels(all);
    if (firstStep != null) {
      boot.write(sysroot.state(), firstStep, null);
      sysroot.reload();
      mirror();
      cleaner().removeKernels(sysroot.state().deployments());
    }
    boot.write(sysroot.state(), order, trial);
  }

  void dropStagedFile() throws IOException {
    if (run.booted()) {
      Files.deleteIfExists(run.stagedFile());
      Files.deleteIfExists(run.lockFile());
    }
  }

  /** The entry of a staged deployment, of which only other tools' keys are known so far. */
  static BootEntry begunEntry(StagedFile file) {
    BootEntry begun = new BootEntry(Map.of());
    for (Map.Entry<String, String> extension : file.extensions().entrySet()) {
      begun = begun.with(extension.getKey(), extension.getValue());
    }
    return begun;
  }

  /** Does what a staged deployment lacks and writes the boot menu with it. */
  @Nullable EtcMerge finish(
      Deployment ready,
      @Nullable Deployment merge,
      List<Deployment> order,
      @Nullable List<Deployment> firstStep)
      throws IOException {
    if (merge != null) {
      EtcTrial.refuseConflicts(sysroot.path(ready), sysroot.path(merge));
    }
    mirror();
    // From here on the directory is no longer what a second attempt could start from.
    dropStagedFile();
    EtcMerge etc = complete(ready, merge);
    writeMenu(order, firstStep, new BootTrials(sysroot).beginning(ready, order));
    settle();
    return etc;
  }

  private @Nullable EtcMerge complete(Deployment created, @Nullable Deployment merge)
      throws IOException {
    return writer().complete(created, merge, varOf(created.stateroot()), sysroot.warnings());
  }

  @Nullable Deployment mergeOf(StagedFile file) {
    StagedFile.Name merge = file.merge();
    if (merge == null) {
      return null;
    }
    return sysroot.state().deployments().stream()
        .filter(d -> d.stateroot().equals(merge.stateroot()) && d.id().equals(merge.id()))
        .findFirst()
        .orElseThrow(
            () -> Problem.corrupt("Failed to find merge deployment " + merge.id() + " for staged"));
  }

  private EtcTrial etcTrial() {
    return new EtcTrial(sysroot.warnings());
  }

  private DeploymentWriter writer() throws IOException {
    return new DeploymentWriter(sysroot.root(), sysroot.repository());
  }

  private SysrootSweep cleaner() throws IOException {
    return new SysrootSweep(sysroot.root(), run, sysroot.repository(), after);
  }

  /** The {@code /var} of a stateroot; the running one's may be a mount of its own. */
  private Path varOf(String stateroot) {
    boolean running = sysroot.booted().filter(d -> d.stateroot().equals(stateroot)).isPresent();
    return running
        ? sysroot.root().resolve("var")
        : sysroot.root().resolve("ostree/deploy").resolve(stateroot).resolve("var");
  }

  /** Tells watchers that something changed, as ostree does. */
  private void touchDeploy() throws IOException {
    Files.setLastModifiedTime(
        sysroot.root().resolve("ostree/deploy"), FileTime.from(Instant.now()));
  }
}
