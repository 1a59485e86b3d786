package slipway.sysroot;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.DeploymentBuilder;
import slipway.sysroot.state.SysrootState;
import slipway.sysroot.write.BootSpace;
import slipway.sysroot.write.DeploymentWriter;
import slipway.sysroot.write.EtcMerge;
import slipway.system.boot.KernelLayout;
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
    KernelLayout layout = KernelLayout.of(tree);
    DeploymentWriter.requireEtc(tree);
    Deployment created =
        DeploymentBuilder.builder()
            .stateroot(spec.stateroot())
            .checksum(spec.commit())
            .serial(
                DeploymentWriter.nextSerial(sysroot.root(), spec.stateroot(), spec.commit().hex()))
            .bootChecksum(layout.bootChecksum())
            .kargs(new DeployArguments(sysroot.repository(), warnings).of(spec, tree))
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
    List<Deployment> order = orderWith(created, merge);
    BootSpace space = BootSpace.check(sysroot.root(), state, order, created, tree);
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
        order,
        removed,
        space.needed(),
        space.firstStep(),
        etc);
  }

  /**
   * The boot menu with one more in front: kept are the running one, the merge source, pinned ones
   * and those of other stateroots.
   */
  List<Deployment> orderWith(Deployment created, @Nullable Deployment merge) {
    List<Deployment> order = new ArrayList<>();
    order.add(created);
    for (Deployment d : state.deployments()) {
      if (d.booted()
          || d.isSame(merge)
          || d.pinned()
          || !d.stateroot().equals(created.stateroot())) {
        order.add(d);
      }
    }
    return order;
  }

  /** Another boot menu, as {@link Sysroot#planOrder} says. */
  Plan order(List<Deployment> order) throws IOException {
    Optional<Deployment> running = sysroot.booted();
    if (running.isPresent() && order.stream().noneMatch(running.get()::isSame)) {
      throw Problem.input("the booted deployment cannot be removed");
    }
    BootSpace space = BootSpace.check(sysroot.root(), state, order, null, null);
    List<Deployment> removed = new ArrayList<>(notIn(order, state.deployments()));
    if (state.staged() != null) {
      removed.add(state.staged());
    }
    return new Plan(
        state.fingerprint(),
        null,
        null,
        false,
        false,
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
