package slipway.sysroot;

import java.io.IOException;
import java.util.Optional;
import slipway.base.Problem;
import slipway.sysroot.write.DeploymentWriter;
import slipway.system.boot.KernelLayout;
import slipway.system.boot.PrepareRootConfig;
import slipway.system.files.ImageFiles;
import slipway.system.kargs.KernelArgumentsDirectory;
import slipway.system.osrelease.OsRelease;
import slipway.system.selinux.FileLabels;
import slipway.tree.FileTree;

/** Whether a deployment can be made of an image's files, found out without making one. */
public final class Deployable {
  private Deployable() {}

  /**
   * Looks.
   *
   * @param tree with the defaults of /etc in /usr/etc, as an import makes it
   * @param architecture in OCI's names
   * @return the image's kernel
   * @throws Problem of kind INPUT when it has no kernel or several, no /etc or no name, kernel
   *     arguments, a configuration of its start or a policy of SELinux that cannot be read, or
   *     demands fs-verity
   */
  public static KernelLayout require(FileTree tree, String architecture) throws IOException {
    KernelLayout kernel = KernelLayout.require(tree);
    DeploymentWriter.requireEtc(tree);
    ImageFiles files = new ImageFiles(tree);
    OsRelease.prettyName(files);
    PrepareRootConfig.read(files).requireStartable();
    KernelArgumentsDirectory.read(tree, architecture);
    Optional<FileLabels> labels = FileLabels.of(files);
    if (labels.isPresent()) {
      labels.get().require(tree);
    }
    return kernel;
  }
}
