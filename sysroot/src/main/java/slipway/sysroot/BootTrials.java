package slipway.sysroot;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.base.FileReason;
import slipway.base.Problem;
import slipway.linux.lock.Flock;
import slipway.sysroot.state.BootTrial;
import slipway.sysroot.state.Deployment;
import slipway.system.boot.BootAssessment;

/** Boot counting: a new default of the boot menu is on trial until a start of it went well. */
public final class BootTrials {
  private final Sysroot sysroot;

  BootTrials(Sysroot sysroot) {
    this.sysroot = sysroot;
  }

  /**
   * The trial that a new default of the boot menu begins with: none without another deployment to
   * go back to, none when its own system would not end it, none when nobody wants one.
   */
  @Nullable BootTrial beginning(Deployment ready, List<Deployment> order) {
    if (order.size() < 2
        || !order.getFirst().isSame(ready)
        || !order.get(1).stateroot().equals(ready.stateroot())) {
      return null;
    }
    try {
      int tries = sysroot.settings().tries();
      return tries > 0 && BootAssessment.isEnabled(sysroot.path(ready))
          ? BootTrial.begin(ready, tries)
          : null;
    } catch (IOException | RuntimeException e) {
      // The update counts more than its trial.
      sysroot
          .warnings()
          .accept(
              "warning: the starts of the new deployment are not counted: " + FileReason.why(e));
      return null;
    }
  }

  /**
   * The trial of the default of the boot menu that goes on; none when its file cannot be read or
   * another tool made another deployment the default meanwhile.
   */
  public Optional<BootTrial> current() {
    try {
      return BootTrial.read(sysroot.root())
          .filter(
              t -> !sysroot.deployments().isEmpty() && t.isOf(sysroot.deployments().getFirst()));
    } catch (IOException | RuntimeException e) {
      return Optional.empty();
    }
  }

  /**
   * Notes how many tries are left of the trial that goes on; on disk when it returns.
   *
   * @throws Problem of kind UNAVAILABLE when it is not the one that was known
   */
  public void count(BootTrial known, int left) throws IOException {
    try (Flock lock = sysroot.lock()) {
      sysroot.reload();
      if (!current().equals(Optional.of(known))) {
        throw Sysroot.changedMeanwhile();
      }
      known.withLeft(left).update(sysroot.root());
    }
  }

  /** Ends the trial that goes on, and whatever is left of one: the default boots from now on. */
  public void end() throws IOException {
    try (Flock lock = sysroot.lock()) {
      sysroot.reload();
      BootTrial.end(sysroot.root());
    }
  }
}
