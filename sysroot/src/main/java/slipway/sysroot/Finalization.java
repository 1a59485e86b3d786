package slipway.sysroot;

import org.jspecify.annotations.Nullable;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.write.EtcMerge;

/**
 * What became of a staged deployment at shutdown.
 *
 * @param deployment which, or null when nothing was staged
 * @param etc the local changes of {@code /etc} that were carried over, or null for none
 */
public record Finalization(
    Outcome outcome, @Nullable Deployment deployment, @Nullable EtcMerge etc) {
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
