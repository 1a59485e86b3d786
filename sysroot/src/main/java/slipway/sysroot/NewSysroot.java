package slipway.sysroot;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.RootedFile;
import slipway.ostree.repo.Repository;
import slipway.sysroot.state.Origin;
import slipway.sysroot.state.SysrootState;
import slipway.sysroot.write.BootWriter;
import slipway.sysroot.write.DeploymentWriter;
import slipway.sysroot.write.MachineId;
import slipway.sysroot.write.SysrootLabels;
import slipway.tree.FileTree;

/** Makes sysroots where there is none, and looks at what installers find or made. */
public final class NewSysroot {
  private static final OsPath MACHINE_ID = OsPath.of("etc/machine-id");

  private NewSysroot() {}

  /**
   * Makes a new one with one stateroot: what {@code ostree admin init-fs --modern} and {@code
   * os-init} do, with {@code sysroot.bootloader=none} and {@code sysroot.readonly=true}. The
   * directory exists; a mounted boot partition in it is fine.
   *
   * @param bootPrefix whether paths in boot entries start with {@code /boot}: when {@code /boot} is
   *     no partition of its own
   */
  public static Sysroot make(Path root, String stateroot, boolean bootPrefix) throws IOException {
    requireStateroot(stateroot);
    makeRepository(root, bootPrefix);
    Files.createDirectories(root.resolve("boot"));
    Files.createDirectories(root.resolve("ostree/deploy").resolve(stateroot).resolve("var"));
    BootWriter.makeBootLink(root.resolve("boot"));
    return Sysroot.open(root);
  }

  /** The first part of {@link #make}: the repository alone, nothing in {@code /boot}. */
  public static Repository makeRepository(Path root, boolean bootPrefix) throws IOException {
    Files.createDirectories(root.resolve("ostree/deploy"));
    Path repo = root.resolve("ostree/repo");
    Repository repository =
        Files.exists(repo.resolve("config"))
            ? Repository.open(repo)
            : Repository.create(repo, Repository.Mode.BARE);
    repository.writeConfig(
        repository
            .config()
            .with("sysroot", "bootloader", "none")
            .with("sysroot", "bootprefix", Boolean.toString(bootPrefix))
            .with("sysroot", "readonly", "true"));
    return repository;
  }

  /**
   * Gives all that an installation wrote the labels of its image's SELinux policy; nothing for an
   * image without one.
   *
   * @param root of a sysroot that nothing runs from, with /boot mounted in it
   * @param image that was installed
   */
  public static void label(Path root, FileTree image) throws IOException {
    SysrootLabels.apply(root, image);
  }

  /**
   * The same for a folder, with all in it, that is not in its place yet.
   *
   * @param path of its place below the root
   */
  public static void label(Path folder, String path, FileTree image) throws IOException {
    SysrootLabels.apply(folder, path, image);
  }

  /**
   * Changes what a deployment's origin says, in a sysroot whose boot menu may be mounted elsewhere.
   *
   * @param directory of the deployment
   */
  public static void changeOrigin(Path directory, UnaryOperator<Origin> change) throws IOException {
    DeploymentWriter.writeOrigin(directory, change.apply(SysrootState.origin(directory)));
  }

  /**
   * Whether a system has started from a deployment: its first start gives it a name in {@code
   * /etc/machine-id} (machine-id(5)), and each that was whole leaves a mark in {@code /etc} and
   * {@code /var} (systemd-update-done.service(8)), also where {@code /etc} is not kept.
   *
   * @param stateroot its folder
   * @param directory of the deployment, in that
   */
  public static boolean hasStarted(Path stateroot, Path directory) throws IOException {
    return Stateroots.isMarked(stateroot.resolve("var"))
        || Stateroots.isMarked(directory.resolve("etc"))
        || RootedFile.read(
                OsPath.of(directory),
                MACHINE_ID,
                RootedFile.Links.BENEATH,
                directory + "/" + MACHINE_ID)
            .filter(MachineId::isGiven)
            .isPresent();
  }

  /**
   * Refuses the name of a new stateroot that a kernel command line cannot hold as a word.
   *
   * @throws Problem of kind INPUT
   */
  public static void requireStateroot(String name) {
    if (!SysrootState.isName(name) || !name.matches("[A-Za-z0-9_.-]+")) {
      throw Problem.input(
          "\""
              + Printable.text(name)
              + "\" cannot be the name of a stateroot; use letters, digits, and _ . -");
    }
  }
}
