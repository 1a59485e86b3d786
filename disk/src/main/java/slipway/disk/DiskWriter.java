package slipway.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.disk.bootloader.Grub;
import slipway.disk.config.BlockSetup;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskConfig;
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
import slipway.system.kargs.KernelArguments;
import slipway.tree.FileTree;

/**
 * Writes a whole disk, a file or a device: table of partitions, file systems, the image, boot
 * loaders. Mounts live in a namespace of their own and loop devices detach themselves, so the
 * kernel takes both away however the work ends. A user who is not root has neither ({@link
 * PretendedDisk}).
 */
final class DiskWriter {
  private static final long NOTHING_RUNS =
      // Nothing of the image is run or used as a device here.
      Mounts.MS_NOSUID | Mounts.MS_NODEV | Mounts.MS_NOEXEC;

  private final BootableImage image;
  private final Options options;
  private final DiskSpace space;
  private final Progress progress;
  private RootFileSystem rootfs;
  private BootLoader loader;
  private KernelArguments arguments = KernelArguments.NONE;

  /**
   * What the machine is to be.
   *
   * @param rootfs file system of the root; null for what the image says, else ext4
   * @param loader that starts it, where the image was asked already; else null
   * @param setup how the root lies on it
   * @param usual kernel arguments of this kind of disk, which the image may delete
   * @param wishes what else is wanted
   * @param isNew whether the disk holds zeros and nothing else
   */
  record Options(
      @Nullable RootFileSystem rootfs,
      @Nullable BootLoader loader,
      BlockSetup setup,
      KernelArguments usual,
      MachineWishes wishes,
      boolean isNew) {}

  DiskWriter(BootableImage image, Options options, DiskSpace space, Progress progress) {
    this.image = image;
    this.options = options;
    this.space = space;
    this.progress = progress;
    this.rootfs = options.rootfs() == null ? RootFileSystem.EXT4 : options.rootfs();
    this.loader = options.loader() == null ? options.wishes().likelyBootLoader() : options.loader();
  }

  /**
   * What a disk has become.
   *
   * @param disk the file or device
   * @param arguments of the kernel, all but {@code ostree=}
   */
  record Written(
      Path disk,
      DiskPlan plan,
      RootFileSystem rootfs,
      BootLoader loader,
      KernelArguments arguments) {}

  /** Bytes that the root needs at least. */
  static long rootMinimum(BootableImage image, DiskConfig customizations) {
    return Math.max(customizations.rootMinimum(), image.rootMinimum());
  }

  /** Gives the disk to write to, empty or to be written over; asked again when it is begun anew. */
  @FunctionalInterface
  interface Begin {
    Path disk(DiskPlan plan) throws IOException;
  }

  /** How the disk is divided, by what starts the machine. */
  @FunctionalInterface
  interface Plans {
    DiskPlan of(BootLoader loader);
  }

  /**
   * Writes it. Which file system an image wants for its root, and which boot loader, is known when
   * its files are on one: nearly all want the usual ones or say nothing, so these are taken, and
   * for the others the disk is begun anew. To read every layer before would cost all of them that
   * time.
   *
   * @return the disk, and what it is
   */
  Written writeWhole(Begin begin, Plans plans, Scratch scratch) throws IOException {
    DiskPlan plan = plans.of(loader);
    Path first = begin.disk(plan);
    if (write(first, plan, scratch)) {
      return new Written(first, plan, rootfs, loader, arguments);
    }
    progress.note(
        "the image wants "
            + rootfs.label()
            + " for its root and "
            + loader.label()
            + " to start it; beginning anew");
    plan = plans.of(loader);
    Path second = begin.disk(plan);
    if (!write(second, plan, scratch)) {
      throw new AssertionError("an image that changes what it says");
    }
    return new Written(second, plan, rootfs, loader, arguments);
  }

  /**
   * Gives false when the image wants another file system for its root, or another boot loader:
   * {@link #rootfs} and {@link #loader} now.
   */
  private boolean write(Path disk, DiskPlan plan, Scratch scratch) throws IOException {
    if (!options.isNew()) {
      FileSystems.wipe(disk, plan);
    }
    // Whether a device is in use was asked before, and by now it is: by this process.
    Command.of("sfdisk", "--quiet", "--no-tell-kernel", "--no-reread", disk.toString())
        .stdin(plan.script())
        .run();
    Path mountpoint = Files.createDirectories(scratch.folder().resolve("root"));
    // What goes to the EFI system partition; empty when there shall be nothing.
    Path partition = scratch.large();
    boolean done =
        Posix.geteuid() == 0
            ? MountNamespace.call(
                "disk", () -> populate(disk, plan, mountpoint, partition, scratch))
            : pretend(disk, plan, partition, scratch);
    if (done) {
      FileSystems.esp(disk, plan.esp());
      FileSystems.put(disk, plan.esp().start(), partition);
    }
    return done;
  }

  private static @Nullable LoopDevice attach(Path disk, DiskPlan.@Nullable Part part)
      throws IOException {
    return part == null ? null : LoopDevice.attach(disk, part.start(), part.size());
  }

  /** Fills root and /boot and embeds GRUB; false when the image wants another root or loader. */
  private boolean populate(
      Path disk, DiskPlan plan, Path mountpoint, Path partition, Scratch scratch)
      throws IOException {
    try (LoopDevice rootLoop = LoopDevice.attach(disk, plan.root().start(), plan.root().size());
        LoopDevice bootLoop = attach(disk, plan.boot());
        EncryptedRoot encrypted = encrypted(rootLoop.device(), scratch)) {
      Path rootDevice = encrypted == null ? rootLoop.device() : encrypted.device();
      KernelArguments unlock = encrypted == null ? KernelArguments.NONE : encrypted.arguments();
      FileSystems.root(
          rootfs, rootDevice, plan.root().filesystem(), options.isNew() && encrypted == null);
      if (bootLoop != null && plan.boot() != null) {
        FileSystems.boot(bootLoop.device(), plan.boot().filesystem(), options.isNew());
      }
      try (Mount root =
          Mount.of(rootDevice.toString(), mountpoint, rootfs.label(), NOTHING_RUNS, null)) {
        Path boot = Files.createDirectory(mountpoint.resolve("boot"));
        try (Mount mounted =
            bootLoop == null
                ? null
                : Mount.of(bootLoop.device().toString(), boot, "ext4", NOTHING_RUNS, null)) {
          return install(disk, plan, root.target(), boot, unlock, partition, scratch);
        } catch (IOException | RuntimeException e) {
          throw DiskSpace.thrown(
              space.explained(
                  e, plan, root.target(), rootMinimum(image, options.wishes().customizations())));
        }
      }
    }
  }

  /** The same for a user, on a file that holds zeros. */
  private boolean pretend(Path disk, DiskPlan plan, Path partition, Scratch scratch)
      throws IOException {
    requireUsersRoot();
    Path folder = scratch.large();
    try {
      return new PretendedDisk(disk, plan)
          .write(
              folder,
              (root, boot) ->
                  install(disk, plan, root, boot, KernelArguments.NONE, partition, scratch));
    } catch (IOException | RuntimeException e) {
      long least = rootMinimum(image, options.wishes().customizations());
      throw DiskSpace.thrown(space.explainedFiles(e, plan, folder, least));
    }
  }

  /** Without mounts there is one file system that we write ourselves. */
  private void requireUsersRoot() {
    if (rootfs != RootFileSystem.EXT4) {
      throw Problem.denied(
          "only root can make a disk with %s; run it with sudo, or give --rootfs ext4"
              .formatted(rootfs.label()));
    }
  }

  private @Nullable EncryptedRoot encrypted(Path device, Scratch scratch) throws IOException {
    return options.setup() == BlockSetup.DIRECT
        ? null
        : EncryptedRoot.create(
            device, UUID.randomUUID(), scratch.folder(), EncryptedRoot.Tools.ofMachine(), progress);
  }

  private boolean install(
      Path disk,
      DiskPlan plan,
      Path root,
      Path boot,
      KernelArguments unlock,
      Path partition,
      Scratch scratch)
      throws IOException {
    Installation installation =
        Installation.begin(root, plan.boot() == null, image, options.wishes(), progress);
    if (isOther(installation)) {
      return false;
    }
    if (options.rootfs() == null && installation.rootfs() == null) {
      progress.note("the image names no file system for its root; taking " + rootfs.label());
    }
    installation.bringCompanions();
    MachineMounts mounts = mounts(plan, installation.known().files());
    KernelArguments first = rootArguments(plan, unlock);
    KernelArguments usual = options.usual().append(mounts.arguments());
    arguments = installation.known().arguments(first, usual, options.wishes());
    Installation.Deployed deployed = installation.deploy(first, usual);
    new Customizer(deployed.tree().resolve("etc"), deployed.var())
        .apply(options.wishes().customizations(), mounts.fstab(), LocalDate.now(ZoneOffset.UTC));
    switch (loader) {
      case GRUB -> grub(installation.known(), deployed, disk, plan, boot, partition, scratch);
      case SYSTEMD -> installation.startBySystemdBoot(deployed, partition);
      case NONE -> {}
    }
    installation.label();
    Posix.syncfs(OsPath.of(boot));
    Posix.syncfs(OsPath.of(root));
    return true;
  }

  /** Whether an image wants what this disk is not; it is what the next one becomes. */
  private boolean isOther(Installation installation) {
    RootFileSystem wanted = installation.rootfs();
    BootLoader starting = installation.bootLoader();
    boolean isOtherRoot = options.rootfs() == null && wanted != null && wanted != rootfs;
    boolean isOtherPlan = (starting == BootLoader.SYSTEMD) != (loader == BootLoader.SYSTEMD);
    rootfs = isOtherRoot && wanted != null ? wanted : rootfs;
    loader = starting;
    return isOtherRoot || isOtherPlan;
  }

  /** The kernel arguments that the root of a disk is found by. */
  static KernelArguments rootArguments(DiskPlan plan, KernelArguments unlock) {
    return unlock.append(List.of("root=UUID=" + plan.root().filesystem()));
  }

  /** What a machine with such a disk mounts. */
  static MachineMounts mounts(DiskPlan plan, FileTree image) throws IOException {
    DiskPlan.Part boot = plan.boot();
    return MachineMounts.of(
        boot == null
            ? List.of(Installation.espMount(FileSystems.espId(plan.esp().filesystem())))
            : List.of(
                new MachineMounts.Entry(
                    "UUID=" + boot.filesystem(), "/boot", "ext4", "defaults", 2)),
        image);
  }

  private static void grub(
      InstallableImage image,
      Installation.Deployed deployed,
      Path disk,
      DiskPlan plan,
      Path boot,
      Path partition,
      Scratch scratch)
      throws IOException {
    DiskPlan.Part own = Objects.requireNonNull(plan.boot());
    Path work = Files.createDirectory(scratch.folder().resolve("grub"));
    Grub.Boot place = new Grub.Boot(own.filesystem().toString(), "", "ext4");
    GrubOnDisk grub = new GrubOnDisk(image, deployed.tree(), place, work);
    Optional<Grub.Bios> made = grub.write(boot, bios(plan), partition);
    if (made.isPresent()) {
      made.get().embed(disk);
    }
  }

  /** Where the rest of GRUB for BIOS goes. */
  private static Grub.@Nullable Place bios(DiskPlan plan) {
    DiskPlan.Part bios = plan.bios();
    return switch (plan.table()) {
      case GPT -> bios == null ? null : new Grub.Place(bios.start(), bios.size());
      case DOS -> new Grub.Place(DiskPlan.SECTOR, plan.gap());
    };
  }
}
