package slipway.disk;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.disk.config.BlockSetup;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.RootFileSystem;
import slipway.disk.filesystem.FileSystems;
import slipway.disk.filesystem.Scratch;
import slipway.disk.plan.DiskPlan;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;
import slipway.system.kargs.KernelArguments;

/**
 * Installs an image onto a whole disk of this machine. Before anything is written, what was asked
 * for and the tools are checked, that nobody uses the disk ({@link ClaimedDisk}), that it may be
 * erased and is large enough, and that the image starts from it ({@link InstallableImage}). A disk
 * that was not written to its end is of no use.
 */
public final class DeviceInstall {
  /** The kernel arguments of this kind of installation. */
  private static final KernelArguments USUAL = KernelArguments.of("rw");

  /** Others are looked into once they are on the disk; a layer is read again for it. */
  private static final long LARGEST_INITRAMFS = 64L << 20;

  private final Request request;
  private final Progress progress;

  /**
   * What to install, and where.
   *
   * @param image that is installed
   * @param device a block device; with {@code file}, a file that becomes a disk
   * @param file whether a regular file is meant
   * @param wipe whether what the disk holds may be erased
   * @param rootfs file system of the root; null for what the image says, else ext4
   * @param rootSize bytes of the root's partition; 0 for the rest of the disk
   * @param setup how the root lies on it; null for what the image says, else directly
   * @param wishes what else is wanted of the machine
   */
  public record Request(
      BootableImage image,
      Path device,
      boolean file,
      boolean wipe,
      @Nullable RootFileSystem rootfs,
      long rootSize,
      @Nullable BlockSetup setup,
      MachineWishes wishes) {}

  private DeviceInstall(Request request, Progress progress) {
    this.request = request;
    this.progress = progress;
  }

  /**
   * Installs.
   *
   * @throws Problem of kind INPUT when the disk is not to be used or the image cannot boot, of kind
   *     DENIED without root
   */
  public static void run(Request request, Progress progress) throws IOException {
    if (Posix.geteuid() != 0) {
      throw Problem.denied("installing onto a disk needs root: run it with sudo");
    }
    new DeviceInstall(request, progress).run();
  }

  private void run() throws IOException {
    BootableImage image = request.image();
    image.check();
    request.wishes().check();
    request.wishes().customizations().requireInstallable();
    request.wishes().requireGrubTool();
    FileSystems.requireTools(asked());
    try (ClaimedDisk disk = ClaimedDisk.of(request.device(), request.file())) {
      long size = disk.size();
      int sector = disk.sector();
      DiskWriter.Plans plans =
          (loader, customizations) ->
              DiskPlan.ofDevice(
                  request.device().toString(),
                  size,
                  new DiskPlan.Least(
                      DiskWriter.rootMinimum(image, customizations), customizations.bootMinimum()),
                  sector == 0
                      ? customizations.layout()
                      : customizations.layout().onDevice(request.device().toString(), sector),
                  request.rootSize(),
                  image.architecture(),
                  loader,
                  UUID::randomUUID);
      DiskConfig wanted = request.wishes().customizations();
      plans.of(request.wishes().likelyBootLoader(), wanted);
      if (!request.wipe()) {
        disk.requireEmpty();
      }
      InstallableImage seen = InstallableImage.ahead(image, request.wishes(), progress);
      BootLoader loader = seen.bootLoader(request.wishes());
      DiskPlan plan = plans.of(loader, wanted);
      BlockSetup setup = setup(seen, plan);
      RootFileSystem rootfs = fitting(seen, plan, loader, setup);
      write(plans, rootfs, loader, setup);
      try (Progress.Phases step = progress.phases("disk")) {
        step.at("writing all of it to the disk");
        disk.sync();
      }
    }
    if (!request.file()) {
      readPartitionsAgain();
    }
  }

  /** What is asked for as the root, in one way or the other. */
  private @Nullable RootFileSystem asked() {
    RootFileSystem layout = request.wishes().customizations().layout().rootfs();
    if (layout != null && request.rootfs() != null && layout != request.rootfs()) {
      throw Problem.usage(
          "the root shall be %s, and %s by its partition; leave one of them out"
              .formatted(request.rootfs().label(), layout.label()));
    }
    return layout == null ? request.rootfs() : layout;
  }

  /**
   * The last look before anything is written.
   *
   * @return the file system of the root
   */
  private RootFileSystem fitting(
      InstallableImage image, DiskPlan plan, BootLoader loader, BlockSetup setup)
      throws IOException {
    new OtherPlaces(plan).require(image.files());
    RootFileSystem asked = asked();
    RootFileSystem rootfs = asked == null ? image.config().rootfs() : asked;
    if (rootfs == null) {
      rootfs = RootFileSystem.EXT4;
    }
    FileSystems.requireTools(rootfs);
    image.check(request.wishes());
    image.requireShort(
        DiskWriter.rootArguments(
            plan,
            setup == BlockSetup.DIRECT
                ? KernelArguments.NONE
                : EncryptedRoot.arguments(new UUID(0, 0))),
        USUAL.append(DiskWriter.mounts(plan, image.files()).arguments()),
        request.wishes());
    DiskPlan.Group group = plan.group();
    if (group != null && group.volumes().contains(plan.root())) {
      image.requireVolumesAtStart(LARGEST_INITRAMFS);
    }
    if (setup == BlockSetup.TPM2_LUKS) {
      image.requireTpmAtStart(LARGEST_INITRAMFS);
    }
    image.requireDrivers(loader, rootfs.label(), RootFileSystem.EXT4.label());
    image.requireBootLoader(request.wishes(), plan.sector() == DiskPlan.SECTOR, true);
    image.requireRoom("the root of " + request.device(), plan.root().size());
    DiskPlan.Part boot = plan.boot();
    if (boot != null) {
      image.requireBootRoom(
          "the " + boot.name() + " partition of " + request.device(), boot.size());
    }
    image.requireEspRoom(
        request.wishes(),
        "the " + plan.esp().name() + " partition of " + request.device(),
        plan.esp().size());
    return rootfs;
  }

  /** How the root is to lie on the disk, and that this machine and the image can do it. */
  private BlockSetup setup(InstallableImage image, DiskPlan plan) throws IOException {
    BlockSetup setup = request.setup() == null ? image.config().blockSetup() : request.setup();
    if (setup != BlockSetup.TPM2_LUKS) {
      return BlockSetup.DIRECT;
    }
    DiskPlan.Group group = plan.group();
    if (group != null && group.volumes().contains(plan.root())) {
      throw Problem.input(
          "--block-setup tpm2-luks encrypts a partition, and the root is a logical volume; take a"
              + " plain partition for /, or give --block-setup direct");
    }
    if (plan.sector() != DiskPlan.SECTOR) {
      throw Problem.input(
          "--block-setup tpm2-luks encrypts on disks with sectors of 512 bytes, and %s has %d; give --block-setup direct"
              .formatted(request.device(), plan.sector()));
    }
    EncryptedRoot.Tools.ofMachine().require();
    if (!image.hasCryptsetup()) {
      throw Problem.input(
          "--block-setup tpm2-luks: the image has no systemd-cryptsetup, so its initramfs cannot"
              + " open an encrypted root; install it in the image, or give --block-setup direct");
    }
    return setup;
  }

  private void write(
      DiskWriter.Plans plans, RootFileSystem rootfs, BootLoader loader, BlockSetup setup)
      throws IOException {
    DiskWriter.Options options =
        new DiskWriter.Options(rootfs, loader, setup, USUAL, request.wishes(), false, false, null);
    Path folder = Objects.requireNonNull(request.device().toAbsolutePath().getParent());
    DiskSpace space =
        new DiskSpace(request.image().source(), request.image().manifest(), folder, false);
    DiskWriter writer = new DiskWriter(request.image(), options, space, progress);
    try (Scratch scratch = Scratch.create(progress);
        Erased erased =
            new Erased(
                request.device()
                    + " is erased and holds no system that starts: install to it again")) {
      try {
        try (Progress.Phases step = progress.phases("disk")) {
          step.at("telling the disk that nothing on it counts");
          FileSystems.discard(request.device());
        }
        FileSystems.wipe(request.device());
        writer.writeWhole(plan -> request.device(), plans, scratch);
      } catch (IOException | RuntimeException e) {
        throw DiskSpace.thrown(erased.failed(space.explained(e, scratch.folder())));
      }
    }
  }

  /** So that the partitions show; where the kernel cannot now, it does at the next boot. */
  private void readPartitionsAgain() {
    String device = request.device().toString();
    if (Command.of("blockdev", "--rereadpt", device).tryRun().status() != 0) {
      progress.note(
          "the kernel does not show the partitions of "
              + device
              + " yet; partprobe "
              + device
              + " or a restart does it");
    }
  }
}
