package slipway.sysroot;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import slipway.base.KeyFile;
import slipway.base.Problem;
import slipway.linux.lock.Flock;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Pretence;
import slipway.ostree.repo.Repository;
import slipway.sysroot.state.BootEntry;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.EspMenu;
import slipway.sysroot.state.MachineSettings;
import slipway.sysroot.state.Origin;
import slipway.sysroot.state.RunState;
import slipway.sysroot.state.StagedFile;
import slipway.sysroot.state.SysrootState;
import slipway.sysroot.write.BootWriter;
import slipway.sysroot.write.DeploymentWriter;
import slipway.sysroot.write.Durability;
import slipway.system.kargs.KernelArguments;

/**
 * A root file system that ostree deployments boot from: {@code /ostree} and {@code /boot} below one
 * directory. On a running machine that is {@code /} with its boot partition mounted. ostree's own
 * tools read all that we write and we all that they write.
 *
 * <p>Reading needs no privilege and holds no lock; every change needs root, takes the lock that
 * ostree takes, and has one commit point (see {@link BootWriter}). What was decided by the
 * deployments that this object knows is not done to others: a change that finds other ones under
 * the lock is refused, and the object knows those from then on.
 */
public final class Sysroot {
  private final Path root;
  private final RunState run;
  private final Consumer<String> warnings;
  private SysrootState state;
  private @Nullable Repository repository;

  private Sysroot(Path root, RunState run, Consumer<String> warnings) throws IOException {
    this.root = root;
    this.run = run;
    this.warnings = warnings;
    this.state = SysrootState.read(root, run);
  }

  /** Opens one that is not running: a mounted disk, a directory. */
  public static Sysroot open(Path root) throws IOException {
    return open(root, RunState.none());
  }

  /**
   * Opens one that may be the running system's.
   *
   * @throws Problem of kind NOT_FOUND when the directory holds no sysroot, of kind CORRUPT when its
   *     boot entries and links do not fit together
   */
  public static Sysroot open(Path root, RunState run) throws IOException {
    System.Logger logger = System.getLogger(Sysroot.class.getName());
    return open(root, run, line -> logger.log(System.Logger.Level.WARNING, line));
  }

  /**
   * As {@link #open(Path, RunState)}.
   *
   * @param warnings is told in a sentence what could not be tidied up after a change was made; the
   *     next change tries again
   */
  public static Sysroot open(Path root, RunState run, Consumer<String> warnings)
      throws IOException {
    if (!Files.isDirectory(root.resolve("ostree/repo"))) {
      throw Problem.notFound(root + " holds no ostree repository in ostree/repo");
    }
    return new Sysroot(root, run, warnings);
  }

  public Path root() {
    return root;
  }

  /** The repository, opened when first asked for. */
  public Repository repository() throws IOException {
    if (repository == null) {
      repository = Repository.open(root.resolve("ostree/repo"));
    }
    return repository;
  }

  /** The deployments of the boot menu, default first, without a staged one. */
  public List<Deployment> deployments() {
    return state.deployments();
  }

  /** The one that is running. */
  public Optional<Deployment> booted() {
    return state.deployments().stream().filter(Deployment::booted).findFirst();
  }

  /** The one that waits for the shutdown. */
  public Optional<Deployment> staged() {
    return Optional.ofNullable(state.staged());
  }

  /**
   * Where local changes of {@code /etc} come from for a new deployment: the running one, else the
   * default of the boot menu.
   */
  public Optional<Deployment> mergeSource(String stateroot) {
    return booted()
        .filter(d -> d.stateroot().equals(stateroot))
        .or(
            () ->
                state.deployments().stream()
                    .filter(d -> d.stateroot().equals(stateroot))
                    .findFirst());
  }

  /** The absolute directory of a deployment. */
  public Path path(Deployment deployment) {
    return root.resolve(deployment.directory());
  }

  /** Where a deployment has what does not lie in its own directory, such as overlays. */
  public Path backing(Deployment deployment) {
    return DeploymentWriter.backing(root, deployment);
  }

  /** A text that is another one when the deployments that are known have changed. */
  public String fingerprint() {
    return state.fingerprint();
  }

  /** The starts of a new default that are counted. */
  public BootTrials trials() {
    return new BootTrials(this);
  }

  /** The running system's {@code /etc}. */
  public MachineEtc etc() {
    return new MachineEtc(this);
  }

  SysrootState state() {
    return state;
  }

  Consumer<String> warnings() {
    return warnings;
  }

  SysrootChange change() {
    return new SysrootChange(this, run);
  }

  /** Reads boot entries and links anew. */
  public void reload() throws IOException {
    state = SysrootState.read(root, run);
  }

  // ---- plans ----

  /**
   * Works out a deployment that becomes the default of the boot menu at once. Nothing is written.
   *
   * @throws Problem when the image lacks what it needs to boot, {@code /boot} has no room, or a
   *     local change of {@code /etc} cannot be merged
   */
  Plan planDeploy(DeploySpec spec) throws IOException {
    return planner().deployment(spec, false, false);
  }

  /**
   * Works out a deployment that becomes the default at shutdown.
   *
   * @param lock whether the shutdown leaves it until it is unlocked
   */
  Plan planStage(DeploySpec spec, boolean lock) throws IOException {
    if (booted().isEmpty()) {
      throw Problem.environment("only a booted system can stage a deployment");
    }
    return planner().deployment(spec, true, lock);
  }

  /**
   * Works out another boot menu from deployments that exist, default first; those left out go away,
   * and a staged one too.
   *
   * @throws Problem of kind INPUT when the running one is left out
   */
  Plan planOrder(List<Deployment> order) throws IOException {
    return planner().order(order, false);
  }

  DeployPlanner planner() {
    return new DeployPlanner(this, state, warnings);
  }

  // ---- changes ----

  /**
   * Carries a plan out.
   *
   * @throws Problem of kind UNAVAILABLE when the sysroot changed since the plan was made
   */
  void execute(Plan plan) throws IOException {
    try (Flock lock = lock()) {
      reload();
      if (!plan.basis().equals(state.fingerprint())) {
        throw changedMeanwhile();
      }
      change().perform(plan);
    }
  }

  /** Deploys at once, as the default of the boot menu. */
  public Deployment deploy(DeploySpec spec) throws IOException {
    return planned(() -> planDeploy(spec), planned -> {});
  }

  /**
   * Deploys for the next boot: all but the merge of {@code /etc} and the boot menu is done now, the
   * rest by {@link #finalizeStaged} at shutdown. Replaces one that is staged.
   *
   * @throws Problem of kind UNAVAILABLE when the deployments are no longer those that were known
   */
  public Deployment stage(DeploySpec spec, boolean lock) throws IOException {
    return stage(spec, lock, deployment -> {});
  }

  /**
   * As {@link #stage(DeploySpec, boolean)}.
   *
   * @param check is told what will be staged before anything is written, and may refuse it
   */
  public Deployment stage(DeploySpec spec, boolean lock, Admission check) throws IOException {
    return planned(
        () -> {
          Plan plan = planStage(spec, lock);
          check.admit(java.util.Objects.requireNonNull(plan.created()));
          return plan;
        },
        check);
  }

  /** Looks at a deployment before it is made, and at what was made before it counts. */
  @FunctionalInterface
  public interface Admission {
    /** Throws when it must not be. */
    void admit(Deployment planned) throws IOException;

    /**
     * Does what is missing in a new deployment that no /etc is merged into.
     *
     * @param directory its root
     */
    default void dress(Path directory) throws IOException {}
  }

  /** What goes with a change: done under the lock, when nothing stands against the change. */
  public interface Before {
    /** There is nothing. */
    Before NOTHING = () -> {};

    /** Does it. */
    void run() throws IOException;
  }

  private interface Planner {
    Plan plan() throws IOException;
  }

  private Deployment planned(Planner planner, Admission check) throws IOException {
    try (Flock lock = lockUnchanged()) {
      Plan plan = planner.plan();
      change().perform(plan, check);
      Deployment created = java.util.Objects.requireNonNull(plan.created());
      return state.all().stream().filter(created::isSame).findFirst().orElse(created);
    }
  }

  /**
   * Gives the boot menu another order, default first. Deployments left out are removed, a staged
   * one too.
   *
   * @throws Problem of kind UNAVAILABLE when the deployments are no longer those that were known
   */
  public void setBootOrder(List<Deployment> order, Before before) throws IOException {
    try (Flock lock = lockUnchanged()) {
      Plan plan = planOrder(order);
      before.run();
      change().perform(plan);
    }
  }

  /**
   * Gives the boot menu another order in which the staged deployment is an entry like the others:
   * it is finished now, with {@code /etc} as it is now, and no shutdown puts it first.
   *
   * @param order with the staged one in it, which is not its first
   * @throws Problem of kind INPUT when a local change of {@code /etc} cannot be merged into it, of
   *     kind UNAVAILABLE when the deployments are no longer those that were known
   */
  public void setBootOrderWithStaged(List<Deployment> order, Before before) throws IOException {
    try (Flock lock = lockUnchanged()) {
      StagedFile file = state.stagedFile();
      Deployment staged = state.staged();
      if (file == null || staged == null || order.stream().noneMatch(staged::isSame)) {
        throw changedMeanwhile();
      }
      Deployment ready = staged.finalized(SysrootChange.begunEntry(file));
      List<Deployment> menu = order.stream().map(d -> d.isSame(ready) ? ready : d).toList();
      Plan plan = planner().order(menu, false);
      before.run();
      change().finish(ready, change().mergeOf(file), plan.order(), plan.firstStep());
    }
  }

  /**
   * Removes a deployment from the boot menu; a staged one stays staged.
   *
   * @throws Problem of kind INPUT for the running one, a pinned one, and the one that the staged
   *     one takes its {@code /etc} from; of kind UNAVAILABLE when the deployments are no longer
   *     those that were known
   */
  public void remove(Deployment gone, Before before) throws IOException {
    try (Flock lock = lockUnchanged()) {
      Deployment present = current(gone);
      if (present.pinned()) {
        throw Problem.input("the deployment " + present.id() + " is pinned: unpin it first");
      }
      List<Deployment> order = state.deployments().stream().filter(d -> !d.isSame(gone)).toList();
      Plan plan = planner().order(order, true);
      StagedFile file = state.stagedFile();
      if (file != null && file.merge() != null && file.merge().equals(StagedFile.Name.of(gone))) {
        throw Problem.input(
            "the staged deployment takes /etc from " + gone.id() + ": delete the staged one first");
      }
      before.run();
      change().perform(plan);
    }
  }

  /**
   * Makes a stateroot with an empty /var. What is only staged in one of that name is dropped.
   *
   * @throws Problem of kind INPUT when the name is taken or cannot be one, of kind UNAVAILABLE when
   *     the deployments are no longer those that were known
   */
  public void makeStateroot(String name, Before before) throws IOException {
    new StaterootChange(this).make(name, before);
  }

  /**
   * Whether a stateroot of that name cannot be made. One that lost its power before anything could
   * start from it is no hindrance.
   */
  public boolean isStaterootTaken(String name) throws IOException {
    return new Stateroots(root).isTaken(name, state.all());
  }

  /** The names of all stateroots, with deployments or without. */
  public List<String> stateroots() throws IOException {
    return new Stateroots(root).names();
  }

  /**
   * Removes a stateroot: its deployments from the boot menu first, which is the commit point, then
   * all that it holds. What a failure leaves goes when this is done again.
   *
   * @throws Problem of kind INPUT for the running one, one with something staged, and one with a
   *     pinned deployment; of kind UNAVAILABLE when the deployments are no longer those that were
   *     known
   */
  public void removeStateroot(String name, Before before) throws IOException {
    new StaterootChange(this).remove(name, before);
  }

  /** What is known now of a deployment of the menu. */
  private Deployment current(Deployment deployment) {
    return state.deployments().stream()
        .filter(deployment::isSame)
        .findFirst()
        .orElseThrow(Sysroot::changedMeanwhile);
  }

  static Problem changedMeanwhile() {
    return Problem.unavailable(
        "another process changed the deployments meanwhile; run the command again", null);
  }

  /** The one writer, among our processes and ostree's. */
  Flock lock() throws IOException {
    if (!Pretence.mayOwn(OsPath.of(root))) {
      throw Problem.denied("changing the deployments of " + root + " needs root");
    }
    return Flock.file(OsPath.of(root.resolve("ostree/lock")), true, 0660);
  }

  /** The lock, for a change that was decided by the deployments that this object knows. */
  Flock lockUnchanged() throws IOException {
    String known = state.fingerprint();
    Flock lock = lock();
    try {
      reload();
      if (!known.equals(state.fingerprint())) {
        throw changedMeanwhile();
      }
      return lock;
    } catch (IOException | RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  /**
   * The keys of other tools in the entry that a new one follows: of what is staged, else of a
   * deployment's.
   */
  public Map<String, String> extensionsBefore(Deployment deployment) {
    StagedFile file = state.stagedFile();
    if (file != null && file.target().stateroot().equals(deployment.stateroot())) {
      return file.extensions();
    }
    return extensionsOf(deployment);
  }

  /** The keys of other tools in a deployment's entry; of a key that stands twice the first. */
  public static Map<String, String> extensionsOf(Deployment deployment) {
    Map<String, String> found = new TreeMap<>();
    BootEntry entry = deployment.entry();
    if (entry != null) {
      entry.extensions().forEach((key, values) -> found.put(key, values.getFirst()));
    }
    return found;
  }

  /**
   * Whether staging the image that runs, in the place of what is staged, would come to what boots
   * without anything staged: what runs is first in the menu, and neither kernel arguments nor other
   * tools' keys that were changed since the boot would be lost.
   */
  public boolean isBootedWithoutStaged() throws IOException {
    Deployment running = booted().orElseThrow();
    return state.deployments().getFirst().booted()
        && extensionsBefore(running).equals(extensionsOf(running))
        && running.kargs().difference(argumentsOfAnother(running)).isEmpty();
  }

  /** The kernel arguments that another deployment of the same image would have. */
  private KernelArguments argumentsOfAnother(Deployment running) throws IOException {
    DeploySpec again = DeploySpec.upgrade(running, running.checksum(), running.origin());
    try {
      return planner().arguments(again, true, repository().lookIntoTree(running.checksum()));
    } catch (Problem e) {
      // Of a damaged tree nobody knows what its image wants: then all that is staged may be wanted.
      return staged().orElse(running).kargs();
    }
  }

  /**
   * Forgets the staged deployment and removes it.
   *
   * @throws Problem of kind UNAVAILABLE when the deployments are no longer those that were known
   */
  public void dropStaged(Before before) throws IOException {
    try (Flock lock = lockUnchanged()) {
      before.run();
      SysrootChange change = change();
      change.dropStagedFile();
      change.settle();
    }
  }

  /**
   * Locks or unlocks the staged deployment.
   *
   * @throws Problem of kind UNAVAILABLE when the deployments are no longer those that were known
   */
  public void setStagedLocked(boolean locked) throws IOException {
    try (Flock lock = lockUnchanged()) {
      StagedFile file = state.stagedFile();
      if (file == null) {
        throw Problem.notFound("No staged deployment found");
      }
      if (!locked) {
        Files.deleteIfExists(run.lockFile());
      }
      file.withLocked(locked).write(run.stagedFile());
      change().announce();
    }
  }

  /**
   * Makes the staged deployment the default of the boot menu; called while the system shuts down. A
   * failure leaves the old menu, and its message in {@code /boot} for the next boot to show.
   */
  public Finalization finalizeStaged() throws IOException {
    return new Finalizer(this).run();
  }

  /**
   * Why the last shutdown did not apply what was staged; nothing when it did, or when that cannot
   * be read.
   */
  public Optional<String> finalizationFailure() {
    return new Finalizer(this).failure();
  }

  /** Sets or takes away the pin that keeps a deployment from being removed. */
  public void setPinned(Deployment deployment, boolean pinned) throws IOException {
    if (deployment.staged()) {
      throw Problem.input("a staged deployment cannot be pinned");
    }
    changeOrigin(deployment, origin -> origin.withPinned(pinned));
  }

  /** Changes what a deployment's origin says. */
  public void changeOrigin(Deployment deployment, UnaryOperator<Origin> change) throws IOException {
    try (Flock lock = lock()) {
      reload();
      Deployment present =
          state.all().stream()
              .filter(deployment::isSame)
              .findFirst()
              .orElseThrow(Sysroot::changedMeanwhile);
      new DeploymentWriter(root, repository())
          .writeOrigin(present.withOrigin(change.apply(present.origin())));
      change().announce();
    }
  }

  /** Compares what is on the disk with what it has to be, and mends it. */
  public SysrootRepair repair() {
    return new SysrootRepair(this);
  }

  /**
   * Removes what nothing leads to: half-made deployments, menus not in force, unused kernels.
   *
   * @param prune whether the repository's unreachable objects go too
   */
  public void cleanup(boolean prune) throws IOException {
    try (Flock lock = lock()) {
      reload();
      change().sweep(prune);
    }
  }

  /** What the administrator wants of the machine. */
  public MachineSettings settings() throws IOException {
    return MachineSettings.read(root);
  }

  /** Changes what the administrator wants; a file that is damaged begins anew, and is kept. */
  public void changeSettings(UnaryOperator<MachineSettings> change) throws IOException {
    try (Flock lock = lock()) {
      MachineSettings before = MachineSettings.NONE;
      Problem damage = null;
      try {
        before = settings();
      } catch (Problem e) {
        damage = e;
      }
      MachineSettings wanted = change.apply(before);
      if (!wanted.file().toString().equals(before.file().toString())) {
        if (damage != null) {
          KeyFile.setAside(MachineSettings.path(root), damage, warnings);
        }
        wanted.write(root);
      }
    }
  }

  /** GRUB alone reads no journals, so only where it may start the machine is /boot frozen. */
  Durability durability() throws IOException {
    return new Durability(root, run.booted() && EspMenu.of(root).isEmpty());
  }
}
