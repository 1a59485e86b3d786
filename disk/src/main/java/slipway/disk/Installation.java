package slipway.disk;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import slipway.base.Progress;
import slipway.disk.config.InstallConfig;
import slipway.ostree.container.ContainerImport;
import slipway.ostree.container.Imported;
import slipway.sysroot.DeploySpec;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.Origin;
import slipway.system.kargs.KernelArguments;
import slipway.system.kargs.KernelArgumentsDirectory;
import slipway.tree.FileTree;

/**
 * An image on a mounted root: first its files, as objects of a new repository, then what it wants
 * of the machine is known, then its deployment.
 */
final class Installation {
  private final Path root;
  private final String stateroot;
  private final BootableImage image;
  private final Progress progress;
  private final Sysroot sysroot;
  private final Imported imported;
  private final FileTree files;
  private final InstallConfig wishes;

  private Installation(
      Path root,
      String stateroot,
      BootableImage image,
      Progress progress,
      Sysroot sysroot,
      Imported imported)
      throws IOException {
    this.root = root;
    this.stateroot = stateroot;
    this.image = image;
    this.progress = progress;
    this.sysroot = sysroot;
    this.imported = imported;
    this.files = sysroot.repository().readTree(imported.mergeCommit());
    this.wishes = InstallConfig.of(files, image.architecture());
  }

  /**
   * Imports the image.
   *
   * @param root where the root file system is mounted, and /boot in it if that is one of its own
   * @param bootPrefix whether /boot is a folder of the root, and none of its own
   */
  static Installation begin(
      Path root, String stateroot, boolean bootPrefix, BootableImage image, Progress progress)
      throws IOException {
    Sysroot sysroot = Sysroot.init(root, stateroot, bootPrefix);
    Imported imported =
        ContainerImport.run(
            sysroot.repository(),
            image.source(),
            image.manifest(),
            image.config(),
            // As the machine itself will name it when it upgrades.
            "docker://" + image.target(),
            progress);
    return new Installation(root, stateroot, image, progress, sysroot, imported);
  }

  /** What the image says of its installation. */
  InstallConfig wishes() {
    return wishes;
  }

  /**
   * Deploys it, with all but {@code ostree=} of its kernel arguments.
   *
   * @param first those that find the root
   * @param usual of this kind of installation; the image may delete them
   * @param deleted by who installs: arguments, or keys of them, that are taken away from the usual
   *     ones and the image's
   * @param added by who installs
   */
  Deployed deploy(
      KernelArguments first, KernelArguments usual, List<String> deleted, List<String> added)
      throws IOException {
    wishes.ignored().forEach(progress::note);
    KernelArguments arguments =
        usual
            .append(wishes.kernelArguments())
            .append(KernelArgumentsDirectory.read(files, image.architecture()));
    Deployment deployment =
        sysroot.deploy(
            DeploySpec.install(
                stateroot,
                imported.mergeCommit(),
                Origin.ofRegistry(image.target().toString()),
                first.append(wishes.withoutDeleted(arguments).without(deleted)).append(added)));
    return new Deployed(
        sysroot.path(deployment), root.resolve("ostree/deploy").resolve(stateroot).resolve("var"));
  }

  /**
   * Where the deployment's files are.
   *
   * @param tree its root, writable in etc
   * @param var the stateroot's /var
   */
  record Deployed(Path tree, Path var) {}
}
