package slipway.sysroot;

import org.jspecify.annotations.Nullable;
import slipway.sysroot.state.BootTrial;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.write.EtcMerge;

/**
 * What became of a staged deployment at shutdown.
 *
 * @param deployment which, or null when nothing was staged
 * @param etc the local changes of {@code /etc} that were carried over, or null for none
 * @param trial how many tries it has to show that it is healthy, or null for no such trial
 */
public record Finalization(
    Outcome outcome,
    @Nullable Deployment deployment,
    @Nullable EtcMerge etc,
    @Nullable BootTrial trial) {
  /** How it went. */
  public enum Outcome {
    /** Nothing was staged. */
    NOTHING,
    /** It is locked and stays as it is. */
    LOCKED,
    /** It is now the default of the boot menu. */
    DONE
  }
}
