package slipway.host.install;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.base.CommandValue;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.RawText;
import slipway.disk.BootableImage;
import slipway.disk.DeviceInstall;
import slipway.disk.FilesystemInstall;
import slipway.disk.FilesystemInstallRequestBuilder;
import slipway.disk.MachineWishes;
import slipway.disk.config.BlockSetup;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.InstallConfig;
import slipway.disk.config.RootFileSystem;
import slipway.host.status.BoundImages;
import slipway.host.system.BoundStore;
import slipway.host.system.HostEnvironment;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.RootedFile;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Transfer;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.transport.TransportRef;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.ContainerReference;
import slipway.sysroot.state.Deployment;
import slipway.system.kargs.KernelArguments;
import slipway.system.kargs.KernelArgumentsDirectory;
import slipway.tree.FileTree;

/** {@code bootc install}. */
public final class Installer {
  /** As the reference: long enough to read what is about to happen. */
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /** What Anaconda sets for its scripts. */
  private static final String ANACONDA = "ANA_INSTALL_PATH";

  private static final List<String> ROOT_ARGUMENTS = List.of("root=", "rootflags=", "rd.");

  private final HostEnvironment host;
  private final Duration patience;

  public Installer(HostEnvironment host) {
    this(host, PATIENCE);
  }

  /**
   * @param patience how long to wait before the running system is replaced
   */
  Installer(HostEnvironment host, Duration patience) {
    this.host = host;
    this.patience = patience;
  }

  /**
   * What to install.
   *
   * @param source where the image is read from, with its transport; null for the running
   *     container's
   * @param target what the machine follows; null for the image's own name
   * @param stateroot name of the stateroot; null for what the image says, else {@code default}
   * @param bootLoader what starts it; null for what the image says, else GRUB
   * @param added kernel arguments
   * @param deleted kernel arguments, or keys of them, that the image brings and the machine does
   *     not get
   * @param rootKeys a file of SSH keys that may log in as root; null for none
   * @param signed whether the image, if it comes from a registry, and its updates must be signed as
   *     the policy demands
   * @param bound where the images of applications come from that are bound to the image
   * @param companions an OCI layout, of which those come that {@code bound} leaves to the machine;
   *     null for none
   */
  public record Options(
      @Nullable String source,
      @Nullable Reference target,
      @Nullable String stateroot,
      @Nullable BootLoader bootLoader,
      List<String> added,
      List<String> deleted,
      @Nullable Path rootKeys,
      boolean signed,
      Bound bound,
      @Nullable Path companions) {
    public Options {
      added = List.copyOf(added);
      deleted = List.copyOf(deleted);
    }
  }

  /** What becomes of the images of applications that are bound to an image. */
  public enum Bound {
    /** They are taken out of podman's store on this machine. */
    STORED,
    /** They are left to the machine, whose next upgrade fetches them. */
    SKIP,
    /** They are fetched from their registries. */
    PULL
  }

  /** The disk that is installed to, as {@link DeviceInstall.Request} has it. */
  public record Disk(
      Path device,
      boolean file,
      boolean wipe,
      @Nullable RootFileSystem rootfs,
      long rootSize,
      @Nullable BlockSetup setup) {}

  /**
   * The file systems that are installed to, as {@link FilesystemInstall.Request} has them.
   *
   * @param acknowledged whether nobody has to be warned that the running system is replaced
   */
  public record Filesystem(
      Path root,
      FilesystemInstall.Replace replace,
      @Nullable String rootSpec,
      @Nullable String bootSpec,
      boolean finish,
      boolean acknowledged) {}

  /** An image and the name that it is known by, if it has one. */
  private record Origin(ContainerReference place, Optional<String> name) {}

  /**
   * {@code bootc install to-disk}.
   *
   * @throws Problem of kind USAGE when nothing says which image is meant or what to follow
   */
  public void toDisk(Options options, Disk disk) throws IOException {
    toDisk(options, disk, keys(options.rootKeys()));
  }

  /** Does the last to what is installed, as {@link MachineWishes.Companions#finish} has it. */
  @FunctionalInterface
  interface Finish {
    /** There is nothing. */
    Finish NONE = (root, tree, var) -> {};

    void finish(Path root, Path tree, Path var) throws IOException;
  }

  private void toDisk(Options options, Disk disk, DiskConfig customizations) throws IOException {
    toDisk(options, disk, customizations, Finish.NONE);
  }

  /**
   * @param customizations what the machine gets beside the image
   */
  void toDisk(Options options, Disk disk, DiskConfig customizations, Finish finish)
      throws IOException {
    install(
        options,
        customizations,
        finish,
        true,
        (image, wishes) ->
            DeviceInstall.run(
                new DeviceInstall.Request(
                    image,
                    disk.device(),
                    disk.file(),
                    disk.wipe(),
                    disk.rootfs(),
                    disk.rootSize(),
                    disk.setup(),
                    wishes),
                host.progress()));
  }

  /**
   * {@code bootc install to-filesystem}.
   *
   * @throws Problem as {@link #toDisk}
   */
  public void toFilesystem(Options options, Filesystem filesystem) throws IOException {
    onto(options, filesystem, KernelArguments.NONE, false);
  }

  /**
   * {@code bootc install to-existing-root}: the root is that of this machine, so it is found as the
   * running kernel has found it.
   *
   * @param cleanup whether the machine removes what it was before at its first boot
   * @throws Problem as {@link #toDisk}
   */
  public void toExistingRoot(Options options, Filesystem filesystem, boolean cleanup)
      throws IOException {
    new ContainerView(host).requireMachine(filesystem.root(), options.source() == null);
    onto(options, filesystem, inherited(), cleanup);
  }

  /** The arguments by which the running kernel and its initramfs have found the root. */
  KernelArguments inherited() throws IOException {
    byte[] running = Files.readAllBytes(host.root().resolve("proc/cmdline"));
    return new KernelArguments(
        KernelArguments.parse(RawText.decode(running)).list().stream()
            .filter(a -> ROOT_ARGUMENTS.stream().anyMatch(a::startsWith))
            .toList());
  }

  private void onto(Options options, Filesystem target, KernelArguments inherited, boolean cleanup)
      throws IOException {
    FilesystemInstall.requireSpecs(target.rootSpec(), target.bootSpec());
    String source = options.source();
    if (target.replace() == FilesystemInstall.Replace.WIPE && source != null) {
      for (Path place :
          CommandValue.of("--source-imgref", () -> TransportRef.parse(source)).places()) {
        FilesystemInstall.requireOutside(target.root(), place);
      }
    }
    install(
        options,
        keys(options.rootKeys()),
        Finish.NONE,
        target.replace() == FilesystemInstall.Replace.WIPE,
        (image, wishes) ->
            FilesystemInstall.run(
                FilesystemInstallRequestBuilder.builder()
                    .image(image)
                    .root(target.root())
                    .host(host.root().resolve("proc/1/root"))
                    .replace(target.replace())
                    .rootSpec(target.rootSpec())
                    .bootSpec(target.bootSpec())
                    .inherited(inherited)
                    .finish(target.finish())
                    .cleanup(cleanup)
                    .wishes(wishes)
                    .build(),
                running -> warn(running && !target.acknowledged()),
                host.progress()));
  }

  void warn(boolean running) {
    if (!running) {
      return;
    }
    host.out()
        .accept(
            "WARNING: This replaces the system that this machine runs on and cannot be undone."
                + " Waiting "
                + patience.toSeconds()
                + " s; Ctrl-C ends it.");
    try {
      Thread.sleep(patience);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Problem(Problem.Kind.ENVIRONMENT, "the installation was interrupted", e);
    }
  }

  /** Puts an image somewhere. */
  @FunctionalInterface
  private interface Placing {
    void place(BootableImage image, MachineWishes wishes) throws IOException;
  }

  /**
   * @param twice whether the image may be read before it is imported, as for who erases something
   *     in between: then it is fetched once, and no cut ends that half way
   */
  private void install(
      Options options, DiskConfig customizations, Finish finish, boolean twice, Placing placing)
      throws IOException {
    Origin origin = origin(options.source());
    Reference target = target(options, origin);
    MachineWishes.Companions bound = companions(options, finish);
    MachineWishes wishes =
        new MachineWishes(
            options.stateroot(),
            options.bootLoader(),
            options.added(),
            options.deleted(),
            customizations,
            host.run(),
            options.signed(),
            bound);
    wishes.check();
    try (ImageSource source = host.images().open(place(origin, options.signed()))) {
      Manifest.Image manifest = Transfer.resolve(source, null, Platform.host());
      boolean fetch = twice && origin.place().transport().equals("registry");
      try (FetchedSource fetched =
          fetch ? new FetchedSource(source, manifest, host.progress()) : null) {
        placing.place(
            new BootableImage(
                origin.name().map(name -> exact(name, manifest)).orElse(null),
                fetched == null ? source : fetched,
                manifest,
                ImageConfig.parse(Transfer.config(source, manifest)),
                target,
                null),
            wishes);
      }
    }
    host.out().accept("Installation complete!");
  }

  private MachineWishes.Companions companions(Options options, Finish finish) {
    return new MachineWishes.Companions() {
      @Override
      public void require(FileTree files) throws IOException {
        List<String> names = BoundImages.of(files);
        BoundStore store = store(host.root());
        switch (options.bound()) {
          case PULL -> store.require(names, BoundStore.From.REGISTRIES);
          case SKIP -> {}
          case STORED -> stored(() -> store.require(names, BoundStore.From.PODMAN));
        }
      }

      @Override
      public void bring(Path root, FileTree files) throws IOException {
        bringBound(options, root, files);
      }

      @Override
      public void finish(Path root, Path tree, Path var) throws IOException {
        finish.finish(root, tree, var);
      }
    };
  }

  private BoundStore store(Path root) {
    return new BoundStore(root, host.images(), host.clock(), host.progress());
  }

  void bringBound(Options options, Path root, FileTree files) throws IOException {
    List<String> names = BoundImages.of(files);
    BoundStore store = store(root);
    switch (options.bound()) {
      case PULL -> store.bring(names, BoundStore.From.REGISTRIES);
      case SKIP -> bringCompanions(store, names, options.companions());
      case STORED -> stored(() -> store.bring(names, BoundStore.From.PODMAN));
    }
  }

  private void bringCompanions(BoundStore store, List<String> names, @Nullable Path companions)
      throws IOException {
    if (companions == null) {
      store.bring(List.of(), BoundStore.From.BESIDE);
      return;
    }
    try (ImageSource all =
        host.images().open(ContainerReference.unverified("oci", companions.toString()))) {
      store.bring(names, BoundStore.From.BESIDE, all);
    }
  }

  /** What is done with podman's own store. */
  private interface Stored {
    void run() throws IOException;
  }

  private static void stored(Stored work) throws IOException {
    try {
      work.run();
    } catch (Problem e) {
      throw new Problem(
          e.kind(), e.sentence() + "; --bound-images pull fetches it from its registry", e);
    }
  }

  /** The name with the digest of what it stands for now. */
  private static String exact(String name, Manifest manifest) {
    try {
      return Reference.parse(name).withDigest(manifest.digest()).toString();
    } catch (Problem e) {
      return name;
    }
  }

  /** {@code bootc install print-configuration}: what this system says of its installation. */
  public InstallConfig configuration() throws IOException {
    return InstallConfig.ofSystem(host.root(), Platform.host().architecture());
  }

  /**
   * {@code bootc install finalize}: looks at what another installer made.
   *
   * @throws Problem when there is no deployment, or its boot menu and links do not fit together
   */
  public void finish(Path root) throws IOException {
    requireRoot();
    if (Sysroot.open(root).deployments().isEmpty()) {
      throw Problem.notFound("there is no deployment in " + root + " that its boot menu leads to");
    }
  }

  /**
   * {@code bootc install ensure-completion}: adds the kernel arguments of the image to what
   * Anaconda deployed, and brings the images that are bound to it, once.
   *
   * @throws Problem of kind ENVIRONMENT outside of Anaconda
   */
  public void ensureCompletion() throws IOException {
    requireRoot();
    if (!host.variables().containsKey(ANACONDA)) {
      throw Problem.environment(
          "Missing environment variable " + ANACONDA + ": this runs in a %post of Anaconda");
    }
    Path stamp = host.root().resolve("proc/1/root/run/bootc-install-reconciled");
    if (Files.exists(stamp)) {
      host.out().accept("Reconciliation already completed.");
      return;
    }
    Sysroot sysroot = Sysroot.open(host.root());
    List<Deployment> order = new ArrayList<>(sysroot.deployments());
    if (order.isEmpty()) {
      throw Problem.notFound("Failed to find deployment");
    }
    Deployment first = order.getFirst();
    FileTree files = sysroot.repository().readTree(first.checksum());
    BoundStore.of(host).bring(BoundImages.of(files), BoundStore.From.REGISTRIES);
    String architecture = Platform.host().architecture();
    KernelArguments wanted =
        configuration()
            .kernelArguments()
            .append(KernelArgumentsDirectory.read(files, architecture));
    // Some are there when this was ended after the boot menu was written.
    List<String> missing =
        wanted.list().stream().filter(a -> !first.kargs().list().contains(a)).toList();
    order.set(0, first.with(d -> d.kargs(first.kargs().append(missing))));
    sysroot.setBootOrder(order, Sysroot.Before.NOTHING);
    AtomicFile.write(stamp, "");
  }

  private static void requireRoot() {
    if (Posix.geteuid() != 0) {
      throw Problem.denied("This command must be executed as the root user");
    }
  }

  /** What is in podman's store was let in there by podman, which follows the same policy. */
  private static ContainerReference place(Origin origin, boolean signed) {
    ContainerReference place = origin.place();
    return signed && place.transport().equals("registry")
        ? new ContainerReference(
            ContainerReference.Signature.CONTAINER_POLICY, "", "registry", place.name())
        : place;
  }

  private Origin origin(@Nullable String source) throws IOException {
    if (source != null) {
      return switch (CommandValue.of("--source-imgref", () -> TransportRef.parse(source))) {
        case TransportRef.Registry r ->
            new Origin(
                ContainerReference.registry(r.reference().toString()),
                Optional.of(r.reference().toString()));
        case TransportRef other -> {
          String text = other.toString();
          int colon = text.indexOf(':');
          yield new Origin(
              ContainerReference.unverified(text.substring(0, colon), text.substring(colon + 1)),
              other instanceof TransportRef.Podman p ? named(p) : Optional.empty());
        }
      };
    }
    return container();
  }

  /** Podman's images are called by where they come from, if whoever names one says all of it. */
  private static Optional<String> named(TransportRef.Podman image) {
    try {
      String registry = Reference.parse(image.name()).registry();
      return image.name().startsWith(registry + "/") ? Optional.of(image.name()) : Optional.empty();
    } catch (Problem e) {
      return Optional.empty();
    }
  }

  /** The container that this runs in, as podman tells it (podman-run(1), /run/.containerenv). */
  private Origin container() throws IOException {
    Optional<byte[]> file =
        RootedFile.read(
            OsPath.of(host.run()),
            OsPath.of(".containerenv"),
            RootedFile.Links.BENEATH,
            "/run/.containerenv");
    String text = file.map(RawText::decode).orElse("");
    String id = value(text, "imageid");
    if (id.isEmpty()) {
      throw Problem.usage(
          "nothing says which image to install: this is no privileged container of podman; name the"
              + " image by --source-imgref, such as docker://HOST/NAME:TAG");
    }
    new ContainerView(host).requireStorage();
    String name = value(text, "image");
    return new Origin(
        ContainerReference.unverified("containers-storage", "@" + id),
        name.isEmpty() || id.startsWith(name) ? Optional.empty() : Optional.of(name));
  }

  private static String value(String text, String key) {
    String start = key + "=";
    return text.lines()
        .filter(l -> l.startsWith(start))
        .map(l -> l.substring(start.length()).replace("\"", "").strip())
        .findFirst()
        .orElse("");
  }

  private static Reference target(Options options, Origin origin) {
    Reference target = options.target();
    return target != null
        ? target
        : origin
            .name()
            .map(name -> Reference.parse(name).orLatest())
            .orElseThrow(
                () ->
                    Problem.usage(
                        "nothing says what the machine follows for its updates; name it by"
                            + " --target-imgref, such as HOST/NAME:TAG"));
  }

  /** Written at boot while the file is missing, as the reference does it (tmpfiles.d(5)). */
  private static DiskConfig keys(@Nullable Path file) throws IOException {
    if (file == null) {
      return DiskConfig.EMPTY;
    }
    if (!Files.isRegularFile(file)) {
      throw Problem.usage(
          "--root-ssh-authorized-keys: there is no regular file "
              + Printable.text(file.toString()));
    }
    byte[] keys;
    try (InputStream in = Files.newInputStream(file)) {
      keys = Limit.SMALL_FILE_BYTES.read(in, file.toString());
    }
    String line = "d /root/.ssh 700 root root -\nf~ /root/.ssh/authorized_keys 600 root root - ";
    return DiskConfig.EMPTY.withFile(
        new DiskConfig.CustomFile(
            "/etc/tmpfiles.d/bootc-root-ssh.conf",
            line + Base64.getEncoder().encodeToString(keys) + "\n",
            0644,
            "root",
            "root"));
  }
}
