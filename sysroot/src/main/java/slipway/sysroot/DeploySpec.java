package slipway.sysroot;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import slipway.ostree.object.Checksum;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.Origin;
import slipway.system.kargs.KernelArguments;

/**
 * What to deploy.
 *
 * @param stateroot where; it exists
 * @param commit in the sysroot's repository
 * @param origin where its updates come from
 * @param kargs all kernel arguments (without {@code ostree=}), or null to take over those of what
 *     is staged, else of {@code merge}, and follow the change of {@code kargs.d} from its image to
 *     the new one
 * @param extensions keys of the boot entry beside those that describe kernel and command line, or
 *     null to take over those of what is staged, else of {@code merge}
 * @param merge whose local changes of {@code /etc} are taken over, or null for none, as at an
 *     installation
 */
public record DeploySpec(
    String stateroot,
    Checksum commit,
    Origin origin,
    @Nullable KernelArguments kargs,
    @Nullable Map<String, String> extensions,
    @Nullable Deployment merge) {
  public DeploySpec {
    if (kargs == null && merge == null) {
      throw new IllegalArgumentException("without a merge deployment kernel arguments are given");
    }
    extensions = extensions == null ? null : Map.copyOf(extensions);
  }

  /** A first deployment, as an installation makes it. */
  public static DeploySpec install(
      String stateroot, Checksum commit, Origin origin, KernelArguments kargs) {
    return new DeploySpec(stateroot, commit, origin, kargs, null, null);
  }

  /** A new version after {@code merge}. */
  public static DeploySpec upgrade(Deployment merge, Checksum commit, Origin origin) {
    return new DeploySpec(merge.stateroot(), commit, origin, null, null, merge);
  }

  /** The image of a deployment again, started otherwise; {@code /etc} comes from {@code merge}. */
  public static DeploySpec restart(
      Deployment image, KernelArguments kargs, Map<String, String> extensions, Deployment merge) {
    return new DeploySpec(
        merge.stateroot(), image.checksum(), image.origin(), kargs, extensions, merge);
  }
}
