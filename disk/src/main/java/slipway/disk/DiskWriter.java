package slipway.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.disk.bootloader.Grub;
import slipway.disk.config.BlockSetup;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.ImageDisk;
import slipway.disk.config.PartitionContent;
import slipway.disk.config.RootFileSystem;
import slipway.disk.customize.Customizer;
import slipway.disk.filesystem.FileSystems;
import slipway.disk.filesystem.Scratch;
import slipway.disk.filesystem.SwapArea;
import slipway.disk.lvm.PhysicalVolume;
import slipway.disk.plan.DiskPlan;
import slipway.linux.loop.LoopDevice;
import slipway.linux.mount.Mount;
import slipway.linux.mount.MountNamespace;
import slipway.linux.mount.Mounts;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.system.kargs.KernelArguments;
import slipway.tree.FileTree;

/**
 * Writes a whole disk, a file or a device: table of partitions, file systems, the image, boot
 * loaders. Mounts live in a namespace of their own and loop devices detach themselves, so the
 * kernel takes both away however the work ends. A user who is not root has neither ({@link
 * PretendedDisk}).
 */
final class DiskWriter {
  static final long NOTHING_RUNS =
      // Nothing of the image is run or used as a device here.
      Mounts.MS_NOSUID | Mounts.MS_NODEV | Mounts.MS_NOEXEC;

  private final BootableImage image;
  private final Options options;
  private final DiskSpace space;
  private final Progress progress;
  private Progress.Phases step = Progress.NONE.phases("disk");
  private RootFileSystem rootfs;
  private BootLoader loader;
  private KernelArguments arguments = KernelArguments.NONE;
  private DiskConfig customizations;

  /**
   * What the machine is to be.
   *
   * @param rootfs file system of the root; null for what the image says, else ext4
   * @param loader that starts it, where the image was asked already; else null
   * @param setup how the root lies on it
   * @param usual kernel arguments of this kind of disk, which the image may delete
   * @param wishes what else is wanted
   * @param asImageSays whether what the image says of disks counts ({@link ImageDisk})
   * @param isNew whether the disk holds zeros and nothing else
   * @param time when all that is younger was made; null for times as they are
   */
  record Options(
      @Nullable RootFileSystem rootfs,
      @Nullable BootLoader loader,
      BlockSetup setup,
      KernelArguments usual,
      MachineWishes wishes,
      boolean asImageSays,
      boolean isNew,
      @Nullable Instant time) {}

  DiskWriter(BootableImage image, Options options, DiskSpace space, Progress progress) {
    this.image = image;
    this.options = options;
    this.space = space;
    this.progress = progress;
    this.rootfs = options.rootfs() == null ? RootFileSystem.EXT4 : options.rootfs();
    this.loader = options.loader() == null ? options.wishes().likelyBootLoader() : options.loader();
    this.customizations = options.wishes().customizations();
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

  /** How the disk is divided. */
  @FunctionalInterface
  interface Plans {
    /**
     * @param loader that starts the machine
     * @param customizations the user's, with what the image says of the disk
     */
    DiskPlan of(BootLoader loader, DiskConfig customizations);
  }

  /**
   * Writes it. Which file system an image wants for its root, which boot loader, and how its disk
   * shall be divided is known when its files are on one: nearly all want what is usual or say
   * nothing, so this is taken, and for the others the disk is begun anew. To read every layer
   * before would cost all of them that time.
   *
   * @return the disk, and what it is
   */
  Written writeWhole(Begin begin, Plans plans, Scratch scratch) throws IOException {
    try (Progress.Phases steps = progress.phases("disk")) {
      step = steps;
      return written(begin, plans, scratch);
    }
  }

  private Written written(Begin begin, Plans plans, Scratch scratch) throws IOException {
    DiskPlan plan = plans.of(loader, customizations);
    Path first = begin.disk(plan);
    if (write(first, plan, scratch)) {
      return new Written(first, plan, rootfs, loader, arguments);
    }
    progress.note(
        "the image wants "
            + rootfs.label()
            + " for its root, "
            + loader.label()
            + " to start it"
            + (customizations.equals(options.wishes().customizations())
                ? ""
                : ", and a disk of its own kind")
            + "; beginning anew");
    plan = plans.of(loader, customizations);
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
    step.at("dividing the disk");
    if (!plan.encrypted().isEmpty()) {
      FileSystems.requireTools(List.of("cryptsetup"));
    }
    if (!options.isNew()) {
      FileSystems.wipe(disk, plan);
    }
    plan.writeTable(disk);
    Path mountpoint = Files.createDirectories(scratch.folder().resolve("root"));
    // What goes to the EFI system partition; empty when there shall be nothing.
    Path partition = scratch.large();
    boolean isMounted = isMounted(plan);
    boolean done =
        isMounted
            ? MountNamespace.call(
                "disk", () -> populate(disk, plan, mountpoint, partition, scratch))
            : pretend(disk, plan, partition, scratch);
    if (done) {
      for (DiskPlan.Part part : plan.areas()) {
        finish(disk, plan.sector(), part);
      }
      DiskPlan.Group group = plan.group();
      if (group != null) {
        PhysicalVolume.write(
            disk, group.partition().start(), group.described(), now().getEpochSecond());
      }
      FileSystems.put(disk, plan.esp().start(), partition, options.time());
      encrypt(disk, plan, isMounted, scratch);
    }
    return done;
  }

  /** What the kernel, and programs of others, have written may count on zeros. */
  private void encrypt(Path disk, DiskPlan plan, boolean isMounted, Scratch scratch)
      throws IOException {
    for (DiskPlan.Part part : plan.encrypted()) {
      boolean isOthers =
          plan.areasIn(part).stream().anyMatch(a -> a.content() instanceof PartitionContent.Fat);
      String passphrase = Objects.requireNonNull(part.passphrase()).text();
      part.luks().seal(disk, passphrase, isMounted || isOthers, scratch.folder(), progress);
    }
  }

  /** A kernel keeps its own times, so that what shall have settled ones is written without it. */
  private boolean isMounted(DiskPlan plan) {
    if (Posix.geteuid() != 0) {
      return false;
    }
    boolean isOurs = options.setup() == BlockSetup.DIRECT && forUsers(plan).isEmpty();
    if (options.time() != null && !isOurs) {
      progress.note(
          "times on this disk are those of now, for only one whose file systems are all ext4 is"
              + " made by SOURCE_DATE_EPOCH");
    }
    return (options.time() == null && plan.encrypted().isEmpty()) || !isOurs;
  }

  /** What takes no mount. */
  private void finish(Path disk, int sector, DiskPlan.Part part) throws IOException {
    switch (part.content()) {
      case PartitionContent.Fat fat ->
          FileSystems.fat(disk, sector, part, fat.label(), options.time());
      case PartitionContent.Swap swap -> SwapArea.write(disk, part, swap.label());
      case PartitionContent.Files files -> {}
      case PartitionContent.Btrfs volume -> {}
      case PartitionContent.Lvm group -> throw within(part);
      case PartitionContent.Bios bios -> {}
      case PartitionContent.Nothing nothing -> {}
    }
  }

  /** What is within it is asked for by {@link DiskPlan#areas}. */
  private static IllegalArgumentException within(DiskPlan.Part part) {
    return new IllegalArgumentException(part.name() + " holds volumes");
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
      step.at("making file systems");
      Path rootDevice = encrypted == null ? rootLoop.device() : encrypted.device();
      KernelArguments unlock = encrypted == null ? KernelArguments.NONE : encrypted.arguments();
      Path apart = Files.createDirectories(scratch.folder().resolve("apart"));
      boolean isNew = options.isNew() && encrypted == null;
      PlacesOnDisk.make(
          rootDevice, plan.root(), PlacesOnDisk.wanted(plan, plan.root(), rootfs, isNew), apart);
      if (bootLoop != null && plan.boot() != null) {
        FileSystems.boot(
            bootLoop.device(), PlacesOnDisk.wanted(plan, plan.boot(), rootfs, options.isNew()));
      }
      PlacesOnDisk others = new PlacesOnDisk(disk, plan, rootDevice, apart);
      others.make(options.isNew());
      try (Mount root =
          Mount.of(
              rootDevice.toString(),
              mountpoint,
              rootfs.label(),
              NOTHING_RUNS,
              PlacesOnDisk.filling(plan.root(), PartitionContent.ROOT, rootfs, isNew))) {
        Path boot = Files.createDirectory(mountpoint.resolve("boot"));
        try (Mount mounted =
            bootLoop == null || plan.boot() == null
                ? null
                : Mount.of(
                    bootLoop.device().toString(),
                    boot,
                    kind(plan.boot()).label(),
                    NOTHING_RUNS,
                    PlacesOnDisk.filling(
                        plan.boot(), PartitionContent.BOOT, kind(plan.boot()), isNew))) {
          Target target = new Target(disk, plan, root.target(), boot, unlock, others);
          return install(target, partition, scratch);
        } catch (IOException | RuntimeException e) {
          throw DiskSpace.thrown(
              space.explained(e, plan, root.target(), rootMinimum(image, customizations)));
        }
      }
    }
  }

  /** The name of the file system of a partition for files. */
  private RootFileSystem kind(DiskPlan.Part part) {
    return PlacesOnDisk.kind(part, rootfs);
  }

  /** The same for a user, on a file that holds zeros. */
  private boolean pretend(Path disk, DiskPlan plan, Path partition, Scratch scratch)
      throws IOException {
    Optional<Problem> refusal = forUsers(plan);
    if (refusal.isPresent()) {
      throw refusal.get();
    }
    Path folder = scratch.large();
    try {
      PretendedDisk pretended = new PretendedDisk(disk, plan, options.time());
      return pretended.write(
          folder,
          (root, boot) ->
              install(
                  new Target(disk, plan, root, boot, KernelArguments.NONE, pretended::write),
                  partition,
                  scratch));
    } catch (IOException | RuntimeException e) {
      long least = rootMinimum(image, customizations);
      throw DiskSpace.thrown(space.explainedFiles(e, plan, folder, least));
    }
  }

  /** Without mounts there is one file system that we write ourselves: what stands against it. */
  private Optional<Problem> forUsers(DiskPlan plan) {
    for (DiskPlan.Part part : plan.areas()) {
      if (isOnlyForRoot(part.content())) {
        return Optional.of(
            Problem.denied(
                "only root can make %s for %s; run it with sudo, or take a plain partition with fs_type = \"ext4\""
                    .formatted(kind(part).label(), String.join(", ", part.content().places()))));
      }
    }
    if (rootfs != RootFileSystem.EXT4) {
      return Optional.of(
          Problem.denied(
              "only root can make a disk with %s; run it with sudo, or give --rootfs ext4"
                  .formatted(rootfs.label())));
    }
    return Optional.empty();
  }

  private static boolean isOnlyForRoot(PartitionContent content) {
    return switch (content) {
      case PartitionContent.Files files ->
          files.kind() != null && files.kind() != RootFileSystem.EXT4;
      case PartitionContent.Btrfs volume -> true;
      case PartitionContent.Lvm group -> false;
      case PartitionContent.Bios bios -> false;
      case PartitionContent.Fat fat -> false;
      case PartitionContent.Swap swap -> false;
      case PartitionContent.Nothing nothing -> false;
    };
  }

  private @Nullable EncryptedRoot encrypted(Path device, Scratch scratch) throws IOException {
    return options.setup() == BlockSetup.DIRECT
        ? null
        : EncryptedRoot.create(
            device, UUID.randomUUID(), scratch.folder(), EncryptedRoot.Tools.ofMachine(), progress);
  }

  /**
   * Where an installation goes.
   *
   * @param root where the root is mounted; likewise {@code boot}
   * @param unlock kernel arguments that open the root
   * @param others what other places of the machine have file systems of their own for
   */
  private record Target(
      Path disk,
      DiskPlan plan,
      Path root,
      Path boot,
      KernelArguments unlock,
      OtherPlaces.Partitions others) {}

  private boolean install(Target target, Path partition, Scratch scratch) throws IOException {
    DiskPlan plan = target.plan();
    step.at("copying the files of the image");
    Installation installation =
        Installation.begin(target.root(), plan.boot() == null, image, options.wishes(), progress);
    if (isOther(installation)) {
      return false;
    }
    OtherPlaces others = new OtherPlaces(plan);
    others.require(installation.known().files());
    DiskPlan.Group group = plan.group();
    if (group != null && group.volumes().contains(plan.root())) {
      installation.known().requireVolumesAtStart(Long.MAX_VALUE);
    }
    if (options.setup() == BlockSetup.TPM2_LUKS) {
      installation.known().requireTpmAtStart(Long.MAX_VALUE);
    }
    if (!plan.encrypted().isEmpty()) {
      installation.known().requireUnlockingAtStart();
    }
    if (options.rootfs() == null && installation.rootfs() == null) {
      progress.note("the image names no file system for its root; taking " + rootfs.label());
    }
    step.at("deploying the image");
    installation.bringCompanions();
    MachineMounts mounts = mounts(plan, installation.known().files());
    KernelArguments first = rootArguments(plan, target.unlock());
    KernelArguments usual = options.usual().append(mounts.arguments());
    arguments = installation.known().arguments(first, usual, options.wishes());
    Installation.Deployed deployed = installation.deploy(first, usual);
    others.makeFolders(deployed);
    new Customizer(deployed.tree().resolve("etc"), deployed.var())
        .apply(
            options.wishes().customizations(),
            mounts.fstab(),
            LocalDate.ofInstant(now(), ZoneOffset.UTC));
    step.at("installing the boot loader");
    switch (loader) {
      case GRUB -> grub(installation.known(), deployed, target, partition, scratch);
      case SYSTEMD -> installation.startBySystemdBoot(deployed, partition);
      case NONE -> {}
    }
    if (plan.esp().content() instanceof PartitionContent.Fat fat && fat.isAsked()) {
      // To mount it on.
      Files.createDirectories(target.boot().resolve("efi"));
    }
    step.at("finishing");
    options.wishes().companions().finish(target.root(), deployed.tree(), deployed.var());
    installation.label();
    others.fill(deployed, target.others());
    step.at("writing back what was copied");
    Posix.syncfs(OsPath.of(target.boot()));
    Posix.syncfs(OsPath.of(target.root()));
    return true;
  }

  private Instant now() {
    Instant time = options.time();
    return time == null ? Instant.now() : time;
  }

  /** Whether an image wants what this disk is not; it is what the next one becomes. */
  private boolean isOther(Installation installation) throws IOException {
    DiskConfig divided = customizations;
    if (options.asImageSays()) {
      ImageDisk said = ImageDisk.of(installation.known().files());
      divided = customizations.onDiskOf(said);
      if (divided.equals(customizations)) {
        said.ignored().forEach(progress::note);
      }
    }
    RootFileSystem wanted = wantedRoot(installation, divided);
    BootLoader starting = installation.bootLoader();
    boolean isOtherRoot = wanted != null && wanted != rootfs;
    boolean isOtherPlan = (starting == BootLoader.SYSTEMD) != (loader == BootLoader.SYSTEMD);
    rootfs = isOtherRoot && wanted != null ? wanted : rootfs;
    loader = starting;
    boolean isDividedAnew = !divided.equals(customizations);
    customizations = divided;
    return isOtherRoot || isOtherPlan || isDividedAnew;
  }

  /** What the image wants, unless it is said otherwise or by how the disk is divided. */
  private @Nullable RootFileSystem wantedRoot(Installation installation, DiskConfig divided) {
    RootFileSystem given = divided.layout().rootfs(options.rootfs(), true);
    return given == null ? installation.rootfs() : given;
  }

  /** The kernel arguments that the root of a disk is found by. */
  static KernelArguments rootArguments(DiskPlan plan, KernelArguments unlock) {
    String option = PlacesOnDisk.option(plan.root(), PartitionContent.ROOT);
    return unlock
        .append(plan.encrypted().stream().map(part -> "luks.uuid=" + part.luks().id()).toList())
        .append(List.of("root=UUID=" + plan.root().filesystem()))
        .append(option == null ? List.of() : List.of("rootflags=" + option));
  }

  /** What a machine with such a disk mounts. */
  static MachineMounts mounts(DiskPlan plan, FileTree image) throws IOException {
    List<MachineMounts.Entry> entries =
        plan.areas().stream()
            .flatMap(part -> mounts(plan, part))
            // What is mounted in another comes behind that, and room for swapping last.
            .sorted(Comparator.comparing(MachineMounts.Entry::place))
            .toList();
    return MachineMounts.of(entries, image);
  }

  private static Stream<MachineMounts.Entry> mounts(DiskPlan plan, DiskPlan.Part part) {
    String source = "UUID=" + part.filesystem();
    return switch (part.content()) {
      case PartitionContent.Lvm group -> Stream.empty();
      case PartitionContent.Bios bios -> Stream.empty();
      case PartitionContent.Nothing nothing -> Stream.empty();
      case PartitionContent.Swap swap -> Stream.of(MachineMounts.swap(source));
      case PartitionContent.Fat fat -> mount(plan, part, fat).stream();
      case PartitionContent.Btrfs volume ->
          volume.subvolumes().stream()
              .filter(each -> !each.place().equals(PartitionContent.ROOT))
              .map(
                  each ->
                      new MachineMounts.Entry(
                          source, each.place(), "btrfs", "subvol=" + each.name(), 0));
      case PartitionContent.Files files ->
          files.kind() == null || part.equals(plan.root())
              ? Stream.empty()
              : Stream.of(
                  new MachineMounts.Entry(
                      source,
                      files.place(),
                      files.kind().label(),
                      "defaults",
                      files.kind() == RootFileSystem.EXT4 ? 2 : 0));
    };
  }

  /** GRUB's machines need the EFI system partition for nothing. */
  private static Optional<MachineMounts.Entry> mount(
      DiskPlan plan, DiskPlan.Part part, PartitionContent.Fat fat) {
    String id = FileSystems.espId(part.filesystem());
    if (fat.isEsp()) {
      return plan.boot() == null || fat.isAsked()
          ? Optional.of(Installation.espMount(id))
          : Optional.empty();
    }
    return Optional.of(new MachineMounts.Entry("UUID=" + id, fat.place(), "vfat", "umask=0077", 2));
  }

  private void grub(
      InstallableImage image,
      Installation.Deployed deployed,
      Target target,
      Path partition,
      Scratch scratch)
      throws IOException {
    DiskPlan.Part own = Objects.requireNonNull(target.plan().boot());
    Path work = Files.createDirectory(scratch.folder().resolve("grub"));
    if (target.plan().sector() != DiskPlan.SECTOR) {
      progress.note(
          "BIOS starts no disk with sectors of %d bytes; this one starts by UEFI alone"
              .formatted(target.plan().sector()));
    }
    Grub.Boot place = new Grub.Boot(own.filesystem().toString(), "", kind(own).label());
    GrubOnDisk grub = new GrubOnDisk(image, deployed.tree(), place, customizations.console(), work);
    Optional<Grub.Bios> made = grub.write(target.boot(), bios(target.plan()), partition);
    if (made.isPresent()) {
      made.get().embed(target.disk());
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
