package slipway.sysroot;

import java.io.IOException;
import java.util.List;
import slipway.base.FileReason;
import slipway.base.Problem;
import slipway.linux.lock.Flock;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.SysrootState;

/** Makes and removes whole stateroots of a sysroot, as {@link Sysroot} says. */
record StaterootChange(Sysroot sysroot) {
  void make(String name, Sysroot.Before before) throws IOException {
    NewSysroot.requireStateroot(name);
    try (Flock lock = sysroot.lockUnchanged()) {
      SysrootState state = sysroot.state();
      if (sysroot.stateroots().contains(name)) {
        if (state.staged() != null
            && state.staged().stateroot().equals(name)
            && !sysroot.isStaterootTaken(name)) {
          sysroot.change().mirror();
          before.run();
          sysroot.change().dropStagedFile();
          sysroot.reload();
        }
        // What a power cut left of deployments in it may be sealed already.
        sysroot.change().sweep(false);
      }
      new Stateroots(sysroot.root()).make(name, sysroot.state().all());
      sysroot.durability().syncRoot();
    }
  }

  void remove(String name, Sysroot.Before before) throws IOException {
    try (Flock lock = sysroot.lockUnchanged()) {
      Stateroots stateroots = new Stateroots(sysroot.root());
      SysrootState state = sysroot.state();
      stateroots.requireRemovable(name, state.all());
      List<Deployment> order =
          state.deployments().stream().filter(d -> !d.stateroot().equals(name)).toList();
      sysroot.change().mirror();
      before.run();
      if (order.size() < state.deployments().size()) {
        sysroot.change().perform(sysroot.planner().order(order, true));
        requireMirrored(name);
      }
      stateroots.remove(name);
    }
  }

  /** What systemd-boot reads may lead into a stateroot that the boot menu has no more. */
  private void requireMirrored(String stateroot) throws IOException {
    try {
      sysroot.reload();
      sysroot.change().mirror();
    } catch (IOException | Problem e) {
      throw new Problem(
              Problem.Kind.ENVIRONMENT,
              "the boot menu has nothing of the stateroot "
                  + stateroot
                  + " any more, but that on the EFI system partition may, so its files stay: "
                  + FileReason.why(e)
                  + "; run the command again",
              e)
          .afterChange();
    }
  }
}
