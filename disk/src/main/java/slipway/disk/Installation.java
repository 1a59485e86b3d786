package slipway.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import slipway.base.Progress;
import slipway.disk.bootloader.SystemdBoot;
import slipway.disk.config.BootLoader;
import slipway.disk.config.InstallConfig;
import slipway.disk.config.RootFileSystem;
import slipway.ostree.container.ContainerImport;
import slipway.ostree.container.Imported;
import slipway.ostree.repo.Repository;
import slipway.sysroot.DeploySpec;
import slipway.sysroot.MirroredMenu;
import slipway.sysroot.NewSysroot;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.ContainerReference;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.EspMenu;
import slipway.sysroot.state.Origin;
import slipway.system.files.ImageFiles;
import slipway.system.kargs.KernelArguments;

/**
 * An image on a mounted root: first its files, as objects of a new repository, then what it wants
 * of the machine is known, then its deployment.
 */
final class Installation {
  private final Path root;
  private final boolean bootPrefix;
  private final BootableImage image;
  private final MachineWishes wishes;
  private final Progress progress;
  private final Repository repository;
  private final Imported imported;
  private final InstallableImage known;
  private final InstallConfig config;

  private Installation(
      Path root,
      boolean bootPrefix,
      BootableImage image,
      MachineWishes wishes,
      Progress progress,
      Repository repository,
      Imported imported)
      throws IOException {
    this.root = root;
    this.bootPrefix = bootPrefix;
    this.image = image;
    this.wishes = wishes;
    this.progress = progress;
    this.repository = repository;
    this.imported = imported;
    this.known = InstallableImage.of(repository.readTree(imported.mergeCommit()), image, wishes);
    this.config = known.config();
  }

  /**
   * Imports the image. Of what lies on the root only the folder {@code ostree} is written to.
   *
   * @param root where the root file system is mounted
   * @param bootPrefix whether /boot is a folder of the root, and none of its own
   */
  static Installation begin(
      Path root, boolean bootPrefix, BootableImage image, MachineWishes wishes, Progress progress)
      throws IOException {
    Repository repository = NewSysroot.makeRepository(root, bootPrefix);
    Imported imported =
        ContainerImport.run(
            repository,
            image.source(),
            image.manifest(),
            image.config(),
            // As the machine itself will name it when it upgrades.
            "docker://" + image.target(),
            image.cache(),
            progress);
    return new Installation(root, bootPrefix, image, wishes, progress, repository, imported);
  }

  /** Brings what has to be there beside the image; the last that may fail for want of a network. */
  void bringCompanions() throws IOException {
    wishes.companions().bring(root, known.files());
    int bound = new ImageFiles(known.files()).names("usr/lib/bootc/bound-images.d").size();
    if (bound > 0 && wishes.companions().equals(MachineWishes.Companions.NONE)) {
      progress.note(
          bound
              + " images of applications that are bound to the image are not on the disk; bootc"
              + " upgrade on the machine fetches them");
    }
  }

  /** The image, whose files are all there. */
  InstallableImage known() {
    return known;
  }

  /** The file system that the image wants for its root, or null. */
  @Nullable RootFileSystem rootfs() {
    return config.rootfs();
  }

  /** What the image says of its installation. */
  InstallConfig config() {
    return config;
  }

  /** What starts the machine. */
  BootLoader bootLoader() {
    return wishes.bootLoader(config);
  }

  /**
   * Deploys it, with all but {@code ostree=} of its kernel arguments, and says in the root what it
   * was installed from. /boot is there and mounted, if it is a file system of its own.
   *
   * @param first those that find the root
   * @param usual of this kind of installation; the image may delete them
   */
  Deployed deploy(KernelArguments first, KernelArguments usual) throws IOException {
    config.notFollowed(first.value("luks.uuid").isPresent()).forEach(progress::note);
    String append = config.blsAppendExceptDefault();
    if (append != null) {
      repository.writeConfig(
          repository.config().with("sysroot", "bls-append-except-default", append));
    }
    String stateroot = wishes.stateroot(config);
    Sysroot sysroot = NewSysroot.make(root, stateroot, bootPrefix);
    Deployment deployment =
        sysroot.deploy(
            DeploySpec.install(
                stateroot,
                imported.mergeCommit(),
                origin(),
                known.arguments(first, usual, wishes)));
    Aleph.of(image, known.files()).write(root);
    return new Deployed(
        sysroot,
        sysroot.path(deployment),
        root.resolve("ostree/deploy").resolve(stateroot).resolve("var"));
  }

  /**
   * Lets systemd-boot start what was deployed.
   *
   * @param partition a folder; what is in it then belongs on the EFI system partition
   */
  void startBySystemdBoot(Deployed deployed, Path partition) throws IOException {
    SystemdBoot.of(image.architecture()).write(deployed.tree(), partition);
    new MirroredMenu(deployed.sysroot()).begin(partition);
    Files.createDirectories(root.resolve(EspMenu.PLACE));
  }

  /**
   * The mount by which a machine that systemd-boot starts finds its boot menu. Without the
   * partition it starts all the same, and changes of the menu are refused.
   *
   * @param id of the file system
   */
  static MachineMounts.Entry espMount(String id) {
    return new MachineMounts.Entry(
        "UUID=" + id, "/" + EspMenu.PLACE, "vfat", "umask=0077,nofail", 2);
  }

  /**
   * Gives all that was written the labels of the image's SELinux policy; the last that is done to
   * the root and to /boot.
   */
  void label() throws IOException {
    NewSysroot.label(root, known.files());
  }

  /**
   * Gives a folder, with all in it, the labels of the path that it is renamed to.
   *
   * @param path without a slash in front
   */
  void label(Path folder, String path) throws IOException {
    NewSysroot.label(folder, path, known.files());
  }

  /** What the machine follows, and whether that must be signed. */
  private Origin origin() {
    ContainerReference followed =
        new ContainerReference(
            wishes.signed() || config.enforcesSignatures()
                ? ContainerReference.Signature.CONTAINER_POLICY
                : ContainerReference.Signature.UNVERIFIED,
            "",
            "registry",
            image.target().toString());
    return Origin.NONE.withContainer(followed.toString());
  }

  /**
   * Where the deployment's files are.
   *
   * @param sysroot that it is in
   * @param tree its root, writable in etc
   * @param var the stateroot's /var
   */
  record Deployed(Sysroot sysroot, Path tree, Path var) {}
}
