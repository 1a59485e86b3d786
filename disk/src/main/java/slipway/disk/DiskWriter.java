package slipway.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.base.Progress;
import slipway.disk.bootloader.Grub;
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

/**
 * Writes a whole disk, a file or a device: table of partitions, file systems, the image, boot
 * loaders. Mounts live in a namespace of their own and loop devices detach themselves, so the
 * kernel takes both away however the work ends.
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

  /**
   * What the machine is to be.
   *
   * @param rootfs file system of the root; null for what the image says, else ext4
   * @param usual kernel arguments of this kind of disk, which the image may delete
   * @param wishes what else is wanted
   * @param isNew whether the disk holds zeros and nothing else
   */
  record Options(
      @Nullable RootFileSystem rootfs,
      KernelArguments usual,
      MachineWishes wishes,
      boolean isNew) {}

  DiskWriter(BootableImage image, Options options, DiskSpace space, Progress progress) {
    this.image = image;
    this.options = options;
    this.space = space;
    this.progress = progress;
    this.rootfs = options.rootfs() == null ? RootFileSystem.EXT4 : options.rootfs();
  }

  /** Bytes that the root needs at least. */
  static long rootMinimum(BootableImage image, DiskConfig customizations) {
    return Math.max(customizations.rootMinimum(), image.rootMinimum());
  }

  /** Gives the disk to write to, empty or to be written over; asked again when it is begun anew. */
  @FunctionalInterface
  interface Begin {
    Path disk() throws IOException;
  }

  /**
   * Writes it. Which file system an image wants for its root is known when its files are on one:
   * nearly all want the usual one or say nothing, so that is taken, and for the others the disk is
   * begun anew. To read every layer before would cost all of them that time.
   *
   * @return the disk
   */
  Path writeWhole(Begin begin, DiskPlan plan, Scratch scratch) throws IOException {
    Path first = begin.disk();
    if (write(first, plan, scratch)) {
      return first;
    }
    progress.note("the image wants " + rootfs.label() + " for its root; beginning anew");
    Path second = begin.disk();
    if (!write(second, plan, scratch)) {
      throw new AssertionError("an image that changes what it says");
    }
    return second;
  }

  /** Gives false when the image wants another file system for its root, {@link #rootfs} now. */
  private boolean write(Path disk, DiskPlan plan, Scratch scratch) throws IOException {
    if (!options.isNew()) {
      FileSystems.wipe(disk, plan);
    }
    // Whether a device is in use was asked before, and by now it is: by this process.
    Command.of("sfdisk", "--quiet", "--no-tell-kernel", "--no-reread", disk.toString())
        .stdin(plan.script())
        .run();
    Path mountpoint = Files.createDirectories(scratch.folder().resolve("root"));
    Optional<Result> result =
        MountNamespace.call("disk", () -> populate(disk, plan, mountpoint, scratch));
    if (result.isPresent()) {
      FileSystems.esp(disk, plan.esp());
      Grub.Efi loader = result.get().loader();
      if (loader != null) {
        FileSystems.loader(disk, plan.esp().start(), loader, scratch.folder());
      }
    }
    return result.isPresent();
  }

  /** What is still to be done: the loader for the EFI system partition, if there shall be one. */
  private record Result(Grub.@Nullable Efi loader) {}

  /** Fills root and /boot and embeds GRUB; nothing when the image wants another root. */
  private Optional<Result> populate(Path disk, DiskPlan plan, Path mountpoint, Scratch scratch)
      throws IOException {
    try (LoopDevice rootLoop = LoopDevice.attach(disk, plan.root().start(), plan.root().size());
        LoopDevice bootLoop = LoopDevice.attach(disk, plan.boot().start(), plan.boot().size())) {
      FileSystems.root(rootfs, rootLoop.device(), plan.root().filesystem(), options.isNew());
      FileSystems.boot(bootLoop.device(), plan.boot().filesystem(), options.isNew());
      try (Mount root =
          Mount.of(rootLoop.device().toString(), mountpoint, rootfs.label(), NOTHING_RUNS, null)) {
        Files.createDirectory(mountpoint.resolve("boot"));
        try (Mount boot =
            Mount.of(
                bootLoop.device().toString(),
                mountpoint.resolve("boot"),
                "ext4",
                NOTHING_RUNS,
                null)) {
          return install(disk, plan, root.target(), boot.target(), scratch);
        } catch (IOException | RuntimeException e) {
          throw DiskSpace.thrown(
              space.explained(
                  e, plan, root.target(), rootMinimum(image, options.wishes().customizations())));
        }
      }
    }
  }

  private Optional<Result> install(Path disk, DiskPlan plan, Path root, Path boot, Scratch scratch)
      throws IOException {
    Installation installation = Installation.begin(root, false, image, options.wishes(), progress);
    RootFileSystem wanted = installation.rootfs();
    if (options.rootfs() == null && wanted != null && wanted != rootfs) {
      rootfs = wanted;
      return Optional.empty();
    }
    installation.bringCompanions();
    Installation.Deployed deployed =
        installation.deploy(
            KernelArguments.of("root=UUID=" + plan.root().filesystem()), options.usual());
    String bootLine = "UUID=" + plan.boot().filesystem() + " /boot ext4 defaults 0 2";
    new Customizer(deployed.tree().resolve("etc"), deployed.var())
        .apply(options.wishes().customizations(), bootLine, LocalDate.now(ZoneOffset.UTC));
    Result result = new Result(loader(installation, deployed, disk, plan, boot, scratch));
    Posix.syncfs(OsPath.of(boot));
    Posix.syncfs(OsPath.of(root));
    return Optional.of(result);
  }

  private Grub.@Nullable Efi loader(
      Installation installation,
      Installation.Deployed deployed,
      Path disk,
      DiskPlan plan,
      Path boot,
      Scratch scratch)
      throws IOException {
    if (installation.bootLoader() == BootLoader.NONE) {
      return null;
    }
    Path work = Files.createDirectory(scratch.folder().resolve("grub"));
    Grub.Boot place = new Grub.Boot(plan.boot().filesystem().toString(), "", "ext4");
    Grub grub = new Grub(deployed.tree(), place, image.architecture(), work);
    grub.configure(boot);
    if (grub.hasBios()) {
      grub.embedBios(disk, new Grub.Place(plan.bios().start(), plan.bios().size()));
    }
    return grub.efi();
  }
}
