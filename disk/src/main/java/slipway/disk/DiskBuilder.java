package slipway.disk;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.disk.bootloader.Grub;
import slipway.disk.bootloader.GrubMkimage;
import slipway.disk.config.InstallConfig;
import slipway.disk.config.RootFileSystem;
import slipway.disk.customize.Customizer;
import slipway.disk.filesystem.FileSystems;
import slipway.disk.filesystem.Scratch;
import slipway.disk.plan.DiskPlan;
import slipway.linux.loop.LoopDevice;
import slipway.linux.mount.Mount;
import slipway.linux.mount.MountNamespace;
import slipway.linux.mount.Mounts;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Platform;
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
 * Makes disk images of bootable container images. The disk is written to a temporary file beside
 * the result; the rename to the result's name is the commit point. Mounts live in a namespace of
 * their own and loop devices detach themselves, so the kernel takes both away however the work
 * ends.
 */
public final class DiskBuilder {
  private static final String STATEROOT = "default";
  private static final long MIB = 1L << 20;

  /** Bytes of all layers; larger sums would not fit a long. */
  private static final long LARGEST = 1L << 56;

  private final DiskRequest request;
  private final Progress progress;
  private final DiskSpace space;
  private RootFileSystem rootfs = RootFileSystem.EXT4;

  private DiskBuilder(DiskRequest request, Progress progress) {
    this.request = request;
    this.progress = progress;
    this.space =
        new DiskSpace(request.source(), request.manifest(), request.output().toAbsolutePath());
  }

  /**
   * Builds every requested type.
   *
   * @return the files, in the order of the request's types
   * @throws Problem when the image is not bootable, the disk too small, or root is missing
   */
  public static List<Path> build(DiskRequest request, Progress progress) throws IOException {
    if (Posix.geteuid() != 0) {
      throw Problem.denied("making disk images needs root: run it with sudo");
    }
    return new DiskBuilder(request, progress).build();
  }

  private List<Path> build() throws IOException {
    check();
    rootfs = request.rootfs() == null ? RootFileSystem.EXT4 : request.rootfs();
    DiskPlan plan = DiskPlan.of(request.size(), rootMinimum(), architecture(), UUID::randomUUID);
    Path output = Files.createDirectories(request.output().toAbsolutePath());
    try (Scratch scratch = Scratch.create(progress)) {
      sweep(output, scratch);
      space.require();
      try {
        make(output, plan, scratch);
      } catch (IOException | RuntimeException e) {
        throw thrown(space.explained(e, scratch.folder()));
      }
    }
    if (request.access().isOwned()) {
      own(OsPath.of(output));
    }
    return request.types().stream().map(type -> output.resolve(type.path())).toList();
  }

  /** What a killed build has left may be why there is no room. */
  private static void sweep(Path output, Scratch scratch) throws IOException {
    scratch.sweep(output);
    for (DiskType type : DiskType.values()) {
      Path folder = Objects.requireNonNull(output.resolve(type.path()).getParent());
      if (Files.isDirectory(folder)) {
        scratch.sweep(folder);
      }
    }
  }

  private void make(Path output, DiskPlan plan, Scratch scratch) throws IOException {
    Path raw = written(output, plan, scratch);
    if (request.types().contains(DiskType.QCOW2)) {
      qcow2(raw, output.resolve(DiskType.QCOW2.path()), scratch);
    }
    // The raw file itself is moved away last.
    if (request.types().contains(DiskType.RAW)) {
      publish(raw, output.resolve(DiskType.RAW.path()));
    }
  }

  private static RuntimeException thrown(Exception e) throws IOException {
    switch (e) {
      case IOException io -> throw io;
      case RuntimeException r -> throw r;
      default -> throw new IllegalStateException(e);
    }
  }

  private void check() {
    String name = request.target().toString();
    if (!"1".equals(request.config().labels().get("containers.bootc"))
        && !request.config().labels().containsKey("ostree.bootable")) {
      throw Problem.input(
          "image " + name + " is not a bootable image: it lacks the label containers.bootc=1");
    }
    if (!Platform.host().accepts(request.config().platform())) {
      throw Problem.input(
          "image "
              + name
              + " is for "
              + request.config().platform()
              + ", this machine is "
              + Platform.host()
              + "; a disk is made on a machine of the image's architecture");
    }
    GrubMkimage.program();
  }

  private String architecture() {
    return request.config().platform().architecture();
  }

  /** Room for the image twice, since an upgrade needs the old and the new one. */
  private long rootMinimum() {
    long compressed = 0;
    for (Descriptor layer : request.manifest().layers()) {
      compressed += layer.size();
      if (layer.size() > LARGEST || compressed > LARGEST) {
        throw Problem.corrupt("image " + request.target() + " claims more bytes than any disk has");
      }
    }
    return Math.max(request.customizations().rootMinimum(), 4 * compressed + 256 * MIB);
  }

  /**
   * A whole disk. Which file system an image wants for its root is known when its files are on one:
   * nearly all want the usual one or say nothing, so that is taken, and for the others the disk is
   * begun anew. To read every layer before would cost all of them that time.
   */
  private Path written(Path output, DiskPlan plan, Scratch scratch) throws IOException {
    Path raw = scratch.unfinished(output, "disk.raw");
    if (write(raw, plan, scratch)) {
      return raw;
    }
    progress.note("the image wants " + rootfs.label() + " for its root; beginning anew");
    Files.delete(raw);
    Path second = scratch.unfinished(output, "disk.raw");
    if (!write(second, plan, scratch)) {
      throw new AssertionError("an image that changes what it says");
    }
    return second;
  }

  /** Gives false, and leaves the disk unfinished, when the image wants another file system. */
  private boolean write(Path raw, DiskPlan plan, Scratch scratch) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(raw.toFile(), "rw")) {
      file.setLength(plan.size());
    } catch (IOException e) {
      throw new Problem(
          Problem.Kind.INPUT,
          request.output() + " cannot hold a disk of " + plan.size() + " bytes: " + e.getMessage(),
          e);
    }
    Command.of("sfdisk", "--quiet", "--no-tell-kernel", raw.toString()).stdin(plan.script()).run();
    Path mountpoint = Files.createDirectories(scratch.folder().resolve("root"));
    Optional<Grub.Efi> efi =
        MountNamespace.call("disk", () -> populate(raw, plan, mountpoint, scratch));
    if (efi.isPresent()) {
      FileSystems.esp(raw, plan.esp(), efi.get(), scratch.folder());
    }
    return efi.isPresent();
  }

  /** Fills root and /boot and embeds GRUB; gives the loader for the EFI system partition. */
  private Optional<Grub.Efi> populate(Path raw, DiskPlan plan, Path mountpoint, Scratch scratch)
      throws IOException {
    try (LoopDevice rootLoop = LoopDevice.attach(raw, plan.root().start(), plan.root().size());
        LoopDevice bootLoop = LoopDevice.attach(raw, plan.boot().start(), plan.boot().size())) {
      FileSystems.root(rootfs, rootLoop.device(), plan.root().filesystem());
      FileSystems.boot(bootLoop.device(), plan.boot().filesystem());
      try (Mount root =
          Mount.of(
              rootLoop.device().toString(),
              mountpoint,
              rootfs.label(),
              // Nothing of the image is run or used as a device here.
              Mounts.MS_NOSUID | Mounts.MS_NODEV | Mounts.MS_NOEXEC,
              null)) {
        Files.createDirectory(mountpoint.resolve("boot"));
        try (Mount boot =
            Mount.of(
                bootLoop.device().toString(),
                mountpoint.resolve("boot"),
                "ext4",
                Mounts.MS_NOSUID | Mounts.MS_NODEV | Mounts.MS_NOEXEC,
                null)) {
          return install(raw, plan, root.target(), boot.target(), scratch);
        } catch (IOException | RuntimeException e) {
          throw thrown(space.explained(e, plan, root.target(), rootMinimum()));
        }
      }
    }
  }

  private Optional<Grub.Efi> install(Path raw, DiskPlan plan, Path root, Path boot, Scratch scratch)
      throws IOException {
    Sysroot sysroot = Sysroot.init(root, STATEROOT, false);
    Imported imported =
        ContainerImport.run(
            sysroot.repository(),
            request.source(),
            request.manifest(),
            request.config(),
            // As the machine itself will name it when it upgrades.
            "docker://" + request.target(),
            progress);
    FileTree files = sysroot.repository().readTree(imported.mergeCommit());
    InstallConfig install = InstallConfig.of(files, architecture());
    RootFileSystem wanted = request.rootfs() == null ? install.rootfs() : request.rootfs();
    if (wanted != null && wanted != rootfs) {
      rootfs = wanted;
      return Optional.empty();
    }
    Deployment deployment =
        sysroot.deploy(
            DeploySpec.install(
                STATEROOT,
                imported.mergeCommit(),
                Origin.ofRegistry(request.target().toString()),
                kernelArguments(files, install, plan)));
    Path tree = sysroot.path(deployment);
    Path var = root.resolve("ostree/deploy").resolve(STATEROOT).resolve("var");
    new Customizer(tree.resolve("etc"), var)
        .apply(request.customizations(), plan, LocalDate.now(ZoneOffset.UTC));
    Path work = Files.createDirectory(scratch.folder().resolve("grub"));
    Grub grub = new Grub(tree, plan.boot().filesystem(), architecture(), work);
    grub.configure(boot);
    if (grub.hasBios()) {
      grub.embedBios(raw, plan.bios());
    }
    Grub.Efi efi = grub.efi();
    Posix.syncfs(OsPath.of(boot));
    Posix.syncfs(OsPath.of(root));
    return Optional.of(efi);
  }

  private KernelArguments kernelArguments(FileTree tree, InstallConfig install, DiskPlan plan)
      throws IOException {
    install.ignored().forEach(progress::note);
    KernelArguments arguments =
        KernelArguments.of("rw", "console=tty0", "console=ttyS0,115200")
            .append(install.kernelArguments())
            .append(KernelArgumentsDirectory.read(tree, architecture()));
    return KernelArguments.of("root=UUID=" + plan.root().filesystem())
        .append(install.withoutDeleted(arguments))
        .append(request.customizations().kernelArguments());
  }

  private void qcow2(Path raw, Path result, Scratch scratch) throws IOException {
    progress.note("converting to qcow2");
    Path folder = Files.createDirectories(Objects.requireNonNull(result.getParent()));
    Path temporary = scratch.unfinished(folder, "disk.qcow2");
    Command.of("qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-c", "-m", "4", "-W")
        .with("-o", "compat=1.1,compression_type=zstd", raw.toString(), temporary.toString())
        .run();
    publish(temporary, result);
  }

  private void publish(Path temporary, Path result) throws IOException {
    Files.createDirectories(Objects.requireNonNull(result.getParent()));
    OsPath file = OsPath.of(temporary);
    Posix.chmod(file, request.access().mode());
    if (request.access().isOwned()) {
      own(file);
      own(OsPath.of(Objects.requireNonNull(result.getParent())));
    }
    try (RandomAccessFile open = new RandomAccessFile(temporary.toFile(), "rw")) {
      open.getFD().sync();
    }
    AtomicFile.rename(temporary, result);
  }

  private void own(OsPath path) throws IOException {
    Posix.lchown(path, request.access().uid(), request.access().gid());
  }
}
