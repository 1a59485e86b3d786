package slipway.host.install;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import slipway.base.AfterCommit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.disk.config.InstallConfig;
import slipway.host.status.BoundImages;
import slipway.host.system.BoundStore;
import slipway.host.system.HostEnvironment;
import slipway.host.system.ImageTarget;
import slipway.host.system.ImagesInUse;
import slipway.host.update.HostVoice;
import slipway.host.update.ImagePull;
import slipway.host.update.NextBoot;
import slipway.linux.lock.Flock;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Transfer;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.oci.registry.RegistryOptions;
import slipway.oci.transport.TransportRef;
import slipway.ostree.container.ContainerImages;
import slipway.ostree.container.ContainerImport;
import slipway.ostree.container.EncapsulatedCommit;
import slipway.ostree.container.EncapsulatedImport;
import slipway.ostree.container.Imported;
import slipway.ostree.object.Checksum;
import slipway.ostree.repo.Repository;
import slipway.sysroot.DeploySpec;
import slipway.sysroot.NewSysroot;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.ContainerReference;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.Origin;
import slipway.sysroot.state.RunState;
import slipway.system.kargs.KernelArguments;
import slipway.system.kargs.KernelArgumentsDirectory;
import slipway.tree.FileTree;

/**
 * Images in any repository and any sysroot: what {@code ostree container image} does for installers
 * and builders of disks.
 */
public final class RepositoryImages {
  private static final String DEFAULT_STATEROOT = "default";

  private final HostEnvironment host;

  /**
   * @param host whose images, clock and ears are used; it need not be a machine that is booted
   */
  public RepositoryImages(HostEnvironment host) {
    this.host = host;
  }

  /**
   * What came of a pull.
   *
   * @param commit that has the image's files
   * @param manifest of the image
   * @param fresh whether it was not there before
   */
  public record Pulled(Checksum commit, Manifest.Image manifest, boolean fresh) {}

  /**
   * Brings an image into a repository.
   *
   * @param place where it comes from; it stands under that name
   */
  public Pulled pull(Repository repository, ContainerReference place) throws IOException {
    return pull(repository, place, place);
  }

  private Pulled pull(Repository repository, ContainerReference place, ContainerReference followed)
      throws IOException {
    try (ImageSource source = host.images().open(place)) {
      Manifest.Image manifest = Transfer.resolve(source, null, Platform.host());
      ImageConfig config = ImageConfig.parse(Transfer.config(source, manifest));
      String name = ImagePull.transportName(followed);
      Optional<ContainerImages.Stored> before = new ContainerImages(repository).find(name);
      Imported imported =
          ContainerImport.run(repository, source, manifest, config, name, host.progress());
      boolean fresh =
          before.filter(b -> b.commit().checksum().equals(imported.mergeCommit())).isEmpty();
      return new Pulled(imported.mergeCommit(), manifest, fresh);
    }
  }

  /**
   * The manifest of an image that the repository does not have in this very form.
   *
   * @return nothing when it has it
   */
  public Optional<Manifest.Image> newer(Repository repository, ContainerReference place)
      throws IOException {
    try (ImageSource source = host.images().open(place)) {
      Manifest.Image manifest = Transfer.resolve(source, null, Platform.host());
      boolean known =
          new ContainerImages(repository)
              .find(ImagePull.transportName(place))
              .filter(stored -> stored.manifestDigest().equals(manifest.digest()))
              .isPresent();
      return known ? Optional.empty() : Optional.of(manifest);
    }
  }

  /**
   * An image that a repository has.
   *
   * @throws Problem of kind NOT_FOUND
   */
  public static ContainerImages.Stored stored(Repository repository, ContainerReference image)
      throws IOException {
    return new ContainerImages(repository)
        .find(ImagePull.transportName(image))
        .orElseThrow(
            () ->
                Problem.notFound(
                    "No such image: "
                        + Printable.text(image.image())
                        + "; image list shows those that are there"));
  }

  /**
   * What to deploy.
   *
   * @param sysroot where {@code ostree} and {@code boot} are; null for this machine's
   * @param stateroot which is there; null for the booted one's, else {@code default}
   * @param image where it comes from
   * @param target what updates follow; null for {@code image}
   * @param named whether the image keeps its name in the repository
   * @param kargs kernel arguments
   */
  public record Deploy(
      @Nullable Path sysroot,
      @Nullable String stateroot,
      ContainerReference image,
      @Nullable ContainerReference target,
      boolean named,
      List<String> kargs) {
    public Deploy {
      kargs = List.copyOf(kargs);
    }
  }

  /**
   * Deploys an image: on a booted machine for its next boot, elsewhere at once as the default of
   * the boot menu. Kernel arguments are those given, else those of the deployment before; what the
   * image itself and the installation configuration here want stands behind those of a first
   * deployment. Images that are bound to it come first.
   *
   * @return the commit
   * @throws Problem of kind NOT_FOUND when there is no such stateroot, of kind INPUT when the image
   *     cannot boot
   */
  public Checksum deploy(Deploy wanted) throws IOException {
    if (Posix.geteuid() != 0) {
      throw Problem.denied("This command must be executed as the root user");
    }
    Path given = wanted.sysroot();
    boolean own = given == null || isMachines(given);
    Path root = given == null || own ? host.root() : given;
    RunState run = own ? host.runState() : RunState.none();
    Sysroot sysroot = Sysroot.open(root, run, host.progress()::note);
    String stateroot = stateroot(wanted, sysroot);
    ContainerReference followed = wanted.target() == null ? wanted.image() : wanted.target();
    if (sysroot.booted().isEmpty()) {
      return deploy(wanted, sysroot, stateroot, followed);
    }
    try (Flock fetched = ImagesInUse.fetching(host)) {
      return deploy(wanted, sysroot, stateroot, followed);
    }
  }

  private Checksum deploy(
      Deploy wanted, Sysroot sysroot, String stateroot, ContainerReference followed)
      throws IOException {
    Pulled pulled = pull(sysroot.repository(), wanted.image(), followed);
    FileTree files = sysroot.repository().readTree(pulled.commit());
    new BoundStore(sysroot.root(), host.images(), host.clock(), host.progress())
        .bring(BoundImages.of(files), BoundStore.From.REGISTRIES);
    Origin origin = Origin.ofContainer(followed.toString());
    DeploySpec spec =
        spec(wanted, sysroot.mergeSource(stateroot), stateroot, pulled, origin, files);
    if (sysroot.booted().isPresent()) {
      host.system().startFinalizer();
      AfterCommit after = new AfterCommit(host.progress()::note);
      HostVoice voice = new HostVoice(host, after);
      NextBoot nextBoot = new NextBoot(host, after, voice);
      sysroot.stage(spec, false, staged -> nextBoot.forgetSoftReboot());
      voice.tellReboot(sysroot);
      voice.touch();
    } else {
      sysroot.deploy(spec);
    }
    if (!wanted.named()) {
      // The deployment holds its commit, and the refs of the layers stay.
      new ContainerImages(sysroot.repository()).remove(Set.of(ImagePull.transportName(followed)));
    }
    return pulled.commit();
  }

  /** Whether a sysroot is that of the running machine, by whatever path. */
  private boolean isMachines(Path sysroot) throws IOException {
    Path theirs = sysroot.resolve("ostree");
    Path ours = host.root().resolve("ostree");
    return Files.isDirectory(theirs)
        && Files.isDirectory(ours)
        && Posix.stat(OsPath.of(theirs)).device() == Posix.stat(OsPath.of(ours)).device()
        && Posix.stat(OsPath.of(theirs)).inode() == Posix.stat(OsPath.of(ours)).inode();
  }

  private static String stateroot(Deploy wanted, Sysroot sysroot) {
    String name =
        wanted.stateroot() != null
            ? wanted.stateroot()
            : sysroot.booted().map(Deployment::stateroot).orElse(DEFAULT_STATEROOT);
    NewSysroot.requireStateroot(name);
    if (!Files.isDirectory(sysroot.root().resolve("ostree/deploy").resolve(name))) {
      throw Problem.notFound(
          "there is no stateroot "
              + name
              + " in "
              + sysroot.root()
              + "; make it: ostree admin os-init --sysroot="
              + sysroot.root()
              + " "
              + name);
    }
    return name;
  }

  private DeploySpec spec(
      Deploy wanted,
      Optional<Deployment> merge,
      String stateroot,
      Pulled pulled,
      Origin origin,
      FileTree files)
      throws IOException {
    if (merge.isPresent()) {
      KernelArguments given = wanted.kargs().isEmpty() ? null : new KernelArguments(wanted.kargs());
      return new DeploySpec(stateroot, pulled.commit(), origin, given, null, merge.get());
    }
    String architecture = Platform.host().architecture();
    KernelArguments usual =
        InstallConfig.of(files, architecture, host.run())
            .kernelArguments()
            .append(KernelArgumentsDirectory.read(files, architecture));
    return DeploySpec.install(
        stateroot, pulled.commit(), origin, new KernelArguments(wanted.kargs()).append(usual));
  }

  /**
   * Brings the commit out of an image that encapsulates it.
   *
   * @param ref that is to lead to it, or null
   */
  public Checksum unencapsulate(
      Repository repository, ContainerReference place, @Nullable String ref) throws IOException {
    try (ImageSource source = host.images().open(place)) {
      Manifest.Image manifest = Transfer.resolve(source, null, Platform.host());
      ImageConfig config = ImageConfig.parse(Transfer.config(source, manifest));
      return EncapsulatedImport.run(repository, source, manifest, config, ref, host.progress());
    }
  }

  /**
   * Makes an image of a commit.
   *
   * @param rev a ref or a checksum
   * @param to where the image is to be
   * @param access how a registry is reached
   * @return the digest of its manifest
   */
  public Digest encapsulate(
      Repository repository,
      String rev,
      TransportRef to,
      EncapsulatedCommit.Options options,
      RegistryOptions access)
      throws IOException {
    Optional<Checksum> named =
        Checksum.isChecksum(rev) ? Optional.of(new Checksum(rev)) : repository.resolveRef(rev);
    Checksum commit =
        named.orElseThrow(
            () ->
                Problem.notFound(
                    repository.path() + " has no ref and no commit " + Printable.text(rev)));
    try (EncapsulatedCommit image = EncapsulatedCommit.of(repository, commit, options)) {
      ImageTarget.copy(image, to, host, access, host.progress());
      return image.manifest(null).digest();
    }
  }
}
