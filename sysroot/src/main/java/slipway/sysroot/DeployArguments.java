package slipway.sysroot;

import java.io.IOException;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.oci.model.Platform;
import slipway.ostree.repo.Repository;
import slipway.sysroot.state.Deployment;
import slipway.system.kargs.KernelArguments;
import slipway.system.kargs.KernelArgumentsDirectory;
import slipway.tree.FileTree;

/**
 * The kernel arguments of a deployment to come: those that are given, or those of the deployment it
 * follows, changed as the images' {@code kargs.d} changed.
 *
 * @param warnings is told in a sentence what of the old image cannot be read
 */
record DeployArguments(Repository repository, Consumer<String> warnings) {
  /**
   * Works them out.
   *
   * @param before whose arguments are taken over when none are given; null when they are given
   * @param tree of the new image
   * @throws Problem of kind INPUT for arguments that a boot menu cannot hold, or a kernel not read
   */
  KernelArguments of(DeploySpec spec, @Nullable Deployment before, FileTree tree)
      throws IOException {
    KernelArguments given = spec.kargs();
    if (given != null) {
      given.requireWritable("the kernel arguments");
      return fitting(given.withoutKey("ostree"), spec.stateroot(), spec.merge());
    }
    Deployment old = Objects.requireNonNull(before);
    KernelArguments fresh =
        KernelArgumentsDirectory.read(tree, Platform.host().architecture()).withoutKey("ostree");
    KernelArguments followed = old.kargs().followImage(ofImage(old), fresh);
    followed.requireWritable("the boot entry of " + old.id());
    return fitting(followed, spec.stateroot(), old);
  }

  /** Refuses a line that is too long, unless it is none the longer for a machine that has it. */
  private static KernelArguments fitting(
      KernelArguments all, String stateroot, @Nullable Deployment old) {
    if (old == null || all.toString().length() > old.kargs().toString().length()) {
      all.requireShort("the kernel arguments", stateroot);
    }
    return all;
  }

  /** What the image of a deployment brought; nothing, said aloud, when that cannot be read. */
  private KernelArguments ofImage(Deployment deployment) throws IOException {
    try {
      return KernelArgumentsDirectory.read(
          repository.lookIntoTree(deployment.checksum()), Platform.host().architecture());
    } catch (Problem e) {
      // Whatever is wrong with the old image, the new one must not be kept from coming.
      warnings.accept("the old image's kernel arguments stay: " + e.getMessage());
      return KernelArguments.NONE;
    }
  }
}
