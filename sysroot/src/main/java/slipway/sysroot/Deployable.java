package slipway.sysroot;

import java.io.IOException;
import slipway.base.Problem;
import slipway.sysroot.write.DeploymentWriter;
import slipway.system.boot.KernelLayout;
import slipway.system.boot.PrepareRootConfig;
import slipway.system.files.ImageFiles;
import slipway.system.kargs.KernelArgumentsDirectory;
import slipway.system.osrelease.OsRelease;
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
   * @throws Problem of kind INPUT when it has no kernel or several, no /etc or no name, or kernel
   *     arguments or a configuration of its start that cannot be read
   */
  public static KernelLayout require(FileTree tree, String architecture) throws IOException {
    KernelLayout kernel = KernelLayout.of(tree);
    DeploymentWriter.requireEtc(tree);
    ImageFiles files = new ImageFiles(tree);
    OsRelease.prettyName(files);
    PrepareRootConfig.read(files);
    KernelArgumentsDirectory.read(tree, architecture);
    return kernel;
  }
}
