package slipway.sysroot;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import slipway.base.FileReason;
import slipway.base.Problem;
import slipway.ostree.repo.ObjectContent;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.DeploymentBuilder;
import slipway.sysroot.state.EspMenu;
import slipway.sysroot.state.MachineSettings;
import slipway.sysroot.state.SysrootState;
import slipway.sysroot.write.BootSpace;
import slipway.sysroot.write.DeploymentWriter;
import slipway.sysroot.write.EtcMerge;
import slipway.sysroot.write.OtherMenus;
import slipway.system.boot.KernelLayout;
import slipway.system.boot.PrepareRootConfig;
import slipway.system.files.ImageFiles;
import slipway.system.kargs.KernelArguments;
import slipway.tree.FileTree;

/** Works out changes of the deployments, of which it makes none. */
final class DeployPlanner {
  private final Sysroot sysroot;
  private final SysrootState state;
  private final Consumer<String> warnings;

  /**
   * @param state what is in force
   */
  DeployPlanner(Sysroot sysroot, SysrootState state, Consumer<String> warnings) {
    this.sysroot = sysroot;
    this.state = state;
    this.warnings = warnings;
  }

  /**
   * A new deployment, as {@link Sysroot#planDeploy} and {@link Sysroot#planStage} say.
   *
   * @param stage whether it becomes the default at shutdown, not at once
   * @param lock whether the shutdown leaves it until it is unlocked
   */
  Plan deployment(DeploySpec spec, boolean stage, boolean lock) throws IOException {
    FileTree tree = sysroot.repository().readTree(spec.commit());
    KernelLayout layout = KernelLayout.require(tree);
    DeploymentWriter.requireEtc(tree);
    PrepareRootConfig.read(new ImageFiles(tree)).requireStartable();
    Deployment created =
        DeploymentBuilder.builder()
            .stateroot(spec.stateroot())
            .checksum(spec.commit())
            .serial(
                DeploymentWriter.nextSerial(sysroot.root(), spec.stateroot(), spec.commit().hex()))
            .bootChecksum(bootChecksum(layout, spec.merge()))
            .kargs(arguments(spec, stage, tree))
            .origin(spec.origin().withoutTransientState())
            .staged(stage)
            .locked(lock)
            .unlocked(Deployment.Unlocked.NO)
            .build();
    List<EtcMerge.Change> etc = List.of();
    Deployment merge = spec.merge();
    if (merge != null) {
      EtcMerge changes = DeploymentWriter.etcChanges(sysroot.path(merge));
      etc = changes.changes();
    }
    Menu menu = menuWith(created, merge, tree);
    List<Deployment> order = menu.order();
    BootSpace space = menu.space();
    List<Deployment> removed = new ArrayList<>(notIn(order, state.deployments()));
    if (state.staged() != null) {
      removed.add(state.staged());
    }
    return new Plan(
        state.fingerprint(),
        created,
        spec,
        stage,
        lock,
        false,
        order,
        removed,
        space.needed(),
        space.firstStep(),
        etc);
  }

  /** The kernel arguments of a new deployment. */
  KernelArguments arguments(DeploySpec spec, boolean stage, FileTree tree) throws IOException {
    return new DeployArguments(sysroot.repository(), warnings).of(spec, before(spec, stage), tree);
  }

  /**
   * The sum over kernel and initramfs; that of the deployment before when its files are the very
   * same objects, because hashing them takes longer than all else that is planned.
   */
  private String bootChecksum(KernelLayout layout, @Nullable Deployment before) throws IOException {
    if (before != null) {
      try {
        KernelLayout old = KernelLayout.of(sysroot.repository().lookIntoTree(before.checksum()));
        if (objects(old).equals(objects(layout))) {
          return before.bootChecksum();
        }
      } catch (Problem e) {
        // Whatever is wrong with the old image, the new one is what counts.
        return layout.bootChecksum();
      }
    }
    return layout.bootChecksum();
  }

  /** What the sum is over, in its order. */
  private static List<Object> objects(KernelLayout layout) {
    List<Object> objects = new ArrayList<>();
    for (KernelLayout.BootFile file : layout.files()) {
      if (file.summed()) {
        objects.add(file.name());
        objects.add(
            file.content() instanceof ObjectContent object ? object.checksum() : file.content());
      }
    }
    return objects;
  }

  /**
   * Whose kernel arguments a new deployment takes over: those of one that is staged and never
   * started, so that what was changed since the boot stays.
   */
  private @Nullable Deployment before(DeploySpec spec, boolean stage) {
    Deployment staged = stage ? state.staged() : null;
    return staged != null && staged.stateroot().equals(spec.stateroot()) ? staged : spec.merge();
  }

  /**
   * A boot menu to come.
   *
   * @param order default first
   * @param space what {@code /boot} needs for it
   */
  record Menu(List<Deployment> order, BootSpace space) {}

  /**
   * The boot menu with one more in front: kept are the running one, the merge source, pinned ones,
   * those of other stateroots, and of the rest as many as the machine is told to keep and {@code
   * /boot} has room for. So is one whose origin is damaged, which may be pinned. While the running
   * one is itself on trial, what was proven before it stays as well, and stands behind the new one:
   * it is what a machine goes back to whose new one fails.
   *
   * @param tree of the new one when it is not on disk yet, else null
   * @throws Problem of kind ENVIRONMENT when {@code /boot} has no room even without the rest, or
   *     the boot loader would not read the menu
   */
  Menu menuWith(Deployment created, @Nullable Deployment merge, @Nullable FileTree tree)
      throws IOException {
    Deployment proven = proven(created);
    List<Deployment> spare = new ArrayList<>();
    if (proven != null) {
      spare.add(proven); // The first of them is the last to go where there is no room.
    }
    List<Deployment> others =
        state.deployments().stream()
            .filter(d -> !isNeeded(d, created, merge) && !d.isSame(proven))
            .toList();
    others.stream().filter(d -> d.origin().damage() != null).forEach(spare::add);
    others.stream().filter(d -> d.origin().damage() == null).limit(keep() - 1L).forEach(spare::add);
    OtherMenus.requireNone(sysroot.root());
    Optional<EspMenu> partition = EspMenu.of(sysroot.root());
    if (partition.isPresent()) {
      partition.get().require(); // Where it is missing, nothing is gained by keeping less.
    }
    List<String> notKept = new ArrayList<>(); // Told when that makes room enough.
    while (true) {
      List<Deployment> order = new ArrayList<>();
      order.add(created);
      for (Deployment d : state.deployments()) {
        if (isNeeded(d, created, merge) || spare.contains(d)) {
          order.add(d.isSame(proven) ? 1 : order.size(), d);
        }
      }
      try {
        BootSpace space =
            BootSpace.check(sysroot.root(), state, order, tree == null ? null : created, tree);
        notKept.forEach(warnings);
        return new Menu(order, space);
      } catch (Problem e) {
        if (spare.isEmpty() || e.kind() != Problem.Kind.ENVIRONMENT) {
          throw e;
        }
        notKept.add("no room to keep " + spare.removeLast().id() + ": " + e.sentence());
      }
    }
  }

  /** What stands behind the running one while that is on trial; null when it is not. */
  private @Nullable Deployment proven(Deployment created) {
    List<Deployment> now = state.deployments();
    boolean tried =
        now.size() > 1
            && now.getFirst().booted()
            && sysroot.trials().current().filter(t -> t.isOf(now.getFirst())).isPresent();
    return tried && now.get(1).stateroot().equals(created.stateroot()) ? now.get(1) : null;
  }

  private static boolean isNeeded(Deployment d, Deployment created, @Nullable Deployment merge) {
    return d.booted()
        || d.isSame(merge)
        || d.pinned()
        || !d.stateroot().equals(created.stateroot());
  }

  /**
   * How many stay beside the running one; no damage of the settings keeps an update from coming.
   */
  private int keep() {
    try {
      return sysroot.settings().keep();
    } catch (Problem | IOException e) {
      warnings.accept("warning: the machine's settings are not obeyed: " + FileReason.why(e));
      return MachineSettings.NONE.keep();
    }
  }

  /**
   * Another boot menu, as {@link Sysroot#planOrder} says.
   *
   * @param stays whether a staged deployment stays staged
   */
  Plan order(List<Deployment> order, boolean stays) throws IOException {
    Optional<Deployment> running = sysroot.booted();
    if (running.isPresent() && order.stream().noneMatch(running.get()::isSame)) {
      throw Problem.input("the booted deployment cannot be removed");
    }
    OtherMenus.requireNone(sysroot.root());
    BootSpace space = BootSpace.check(sysroot.root(), state, order, null, null);
    List<Deployment> removed = new ArrayList<>(notIn(order, state.deployments()));
    if (state.staged() != null && !stays && order.stream().noneMatch(state.staged()::isSame)) {
      removed.add(state.staged());
    }
    return new Plan(
        state.fingerprint(),
        null,
        null,
        false,
        false,
        stays,
        order,
        removed,
        space.needed(),
        space.firstStep(),
        List.of());
  }

  private static List<Deployment> notIn(List<Deployment> order, List<Deployment> all) {
    return all.stream().filter(d -> order.stream().noneMatch(d::isSame)).toList();
  }
}
