package slipway.disk;

import static java.util.Objects.requireNonNull;
import static slipway.base.Problem.Kind.FULL;

import io.soabase.recordbuilder.core.RecordBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.disk.bootloader.EfiFolder;
import slipway.disk.bootloader.ErasedSystems;
import slipway.disk.bootloader.Grub;
import slipway.disk.config.BootLoader;
import slipway.disk.config.InstallConfig;
import slipway.disk.customize.Customizer;
import slipway.disk.filesystem.EspFolders;
import slipway.disk.filesystem.FileSystems;
import slipway.disk.filesystem.Scratch;
import slipway.linux.lock.Flock;
import slipway.linux.mount.MountNamespace;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;
import slipway.sysroot.state.EspMenu;
import slipway.sysroot.write.Durability;
import slipway.system.kargs.KernelArguments;

/**
 * Installs an image onto file systems that somebody else made and mounted, empty ones or those of a
 * system that is replaced. First all is checked ({@link TargetRoot}); then the image is imported,
 * which touches nothing of an old system, or read ahead where the old system has to make room; only
 * when its files and its wishes are known, and they fit, does what was there go.
 */
public final class FilesystemInstall {
  private static final String STAMP = "bootc-destructive-cleanup";
  private static final String CLEANUP = "bootc-destructive-cleanup.service";

  private final Request request;
  private final Progress progress;
  private @Nullable UnfinishedInstall begun;

  /** What happens to what the root holds. */
  public enum Replace {
    /** It must hold nothing. */
    NOTHING,
    /** All of it is removed. */
    WIPE,
    /** All but /boot stays, and is below /sysroot of the machine afterwards. */
    ALONGSIDE
  }

  private static final String ONE_WORD =
      " takes one word, such as UUID=… or LABEL=…, without quotes and blanks";

  /**
   * What to install, and where.
   *
   * @param image that is installed
   * @param root where the root file system is mounted
   * @param host the root that this machine runs on
   * @param rootSpec what the kernel finds the root by, as in {@code LABEL=root}; empty for nothing,
   *     null for what the image says, else {@code inherited}, else its UUID
   * @param bootSpec what /boot is mounted by; empty for nothing, null for what the image says, else
   *     its UUID when it is a file system of its own
   * @param inherited the arguments by which the running kernel found its root; none for others
   * @param finish whether the file systems are trimmed and made read-only at the end
   * @param cleanup whether the machine removes what it was before at its first boot
   * @param wishes what else is wanted of the machine
   */
  @RecordBuilder
  public record Request(
      BootableImage image,
      Path root,
      Path host,
      Replace replace,
      @Nullable String rootSpec,
      @Nullable String bootSpec,
      KernelArguments inherited,
      boolean finish,
      boolean cleanup,
      MachineWishes wishes)
      implements FilesystemInstallRequestBuilder.With {}

  /** Asked when all was checked and before anything is changed. */
  @FunctionalInterface
  public interface Confirmation {
    /**
     * @param running whether the root is the one that this machine runs on
     * @throws Problem to end it
     */
    void confirm(boolean running) throws IOException;
  }

  private FilesystemInstall(Request request, Progress progress) {
    this.request = request;
    this.progress = progress;
  }

  /**
   * Installs.
   *
   * @throws Problem of kind INPUT when the root is not to be used or the image cannot boot, of kind
   *     DENIED without root
   */
  public static void run(Request request, Confirmation confirmation, Progress progress)
      throws IOException {
    if (Posix.geteuid() != 0) {
      throw Problem.denied("installing onto a file system needs root: run it with sudo");
    }
    FilesystemInstall install = new FilesystemInstall(request, progress);
    TargetRoot target = install.checked();
    try (Flock lock = target.lock()) {
      // Another installation may have come and gone since.
      target.requireUnused(request.replace());
      confirmation.confirm(TargetRoot.isSame(target.root().point(), request.host()));
      MountNamespace.call(
          "installation",
          () -> {
            try {
              install.run(target);
            } finally {
              target.forget();
            }
            return target;
          });
    }
  }

  /** The last look at the image before anything is erased. */
  private void requireGood(InstallableImage image, TargetRoot target) throws IOException {
    image.check(request.wishes());
    target.requireFit(image, request.wishes(), request.replace());
    Start start = start(image, target);
    image.requireShort(start.root(), start.usual(), request.wishes());
    if (request.cleanup() && !image.hasUnit(CLEANUP)) {
      throw Problem.input(
          "--cleanup: the image has no "
              + CLEANUP
              + ", so the files of the old system would stay below /sysroot; install without"
              + " --cleanup and remove them yourself, or take an image that has it");
    }
  }

  private TargetRoot checked() throws IOException {
    request.image().check();
    request.wishes().check();
    requireSpecs(request.rootSpec(), request.bootSpec());
    FileSystems.requireTools(List.of("blkid", "sfdisk", "fstrim"));
    return TargetRoot.checked(request, progress);
  }

  /**
   * Refuses what cannot be said of where root and /boot are found.
   *
   * @param rootSpec as in {@link Request}, likewise {@code bootSpec}
   * @throws Problem of kind USAGE
   */
  public static void requireSpecs(@Nullable String rootSpec, @Nullable String bootSpec) {
    requireSpec(rootSpec, "--root-mount-spec");
    requireSpec(bootSpec, "--boot-mount-spec");
  }

  /**
   * Refuses to erase a root with what is to be installed to it.
   *
   * @param image the file or folder that it lies in
   * @throws Problem of kind INPUT
   */
  public static void requireOutside(Path root, Path image) throws IOException {
    if (Files.isDirectory(root)) {
      WipedFiles.below(root.toRealPath()).requireOutside(image, "the image is in");
    }
  }

  /** It goes to fstab, and to the kernel's command line. */
  private static void requireSpec(@Nullable String spec, String option) {
    if (spec != null && !isSpec(spec)) {
      throw Problem.usage(option + ONE_WORD);
    }
  }

  private static boolean isSpec(String spec) {
    return spec.matches("[!-~&&[^\"#\\\\]]*");
  }

  private void run(TargetRoot target) throws IOException {
    Optional<UnfinishedInstall> left = UnfinishedInstall.on(target.root().point());
    if (left.isPresent() && request.replace() != Replace.WIPE) {
      progress.note("removing what an unfinished installation left on " + request.root());
      left.get().undo(request.replace());
    }
    boolean wipes = request.replace() == Replace.WIPE;
    Installation imported = wipes && !target.hasRoomBeside(request.image()) ? null : first(target);
    if (imported == null) {
      requireGood(InstallableImage.ahead(request.image(), request.wishes(), progress), target);
    }
    switch (request.replace()) {
      case NOTHING -> install(requireNonNull(imported), target);
      case ALONGSIDE -> {
        progress.note("erasing " + target.path("boot"));
        erasing(
            target.path("boot")
                + " of the old system is erased: install again before the next boot",
            () -> {
              target.wipeBoot();
              install(requireNonNull(imported), target);
            });
      }
      case WIPE -> {
        progress.note("removing what is on " + request.root());
        erasing(
            request.root() + " is erased and holds no system that starts: install to it again",
            () -> {
              target.wipe(imported != null);
              install(imported == null ? whole(target) : imported, target);
            });
      }
    }
    UnfinishedInstall done = begun;
    if (done != null) {
      done.end();
      done.aside().forEach(progress::note);
    }
    if (request.finish()) {
      finish(target);
    }
  }

  /**
   * Imports the image beside what is there, and looks at it.
   *
   * @return null when that has to go first, because there is no room
   */
  private @Nullable Installation first(TargetRoot target) throws IOException {
    boolean isJudged = false;
    try {
      Installation installation = begin(target, request.replace() == Replace.NOTHING);
      isJudged = true;
      requireGood(installation.known(), target);
      isJudged = false;
      installation.bringCompanions();
      return installation;
    } catch (IOException | RuntimeException e) {
      giveUp(e);
      // What the image itself is refused for, it would be refused for then, too.
      if (!isJudged
          && request.replace() == Replace.WIPE
          && e instanceof Problem p
          && p.kind() == FULL) {
        return null;
      }
      throw e;
    }
  }

  private Installation whole(TargetRoot target) throws IOException {
    Installation installation = begin(target, true);
    installation.bringCompanions();
    return installation;
  }

  private Installation begin(TargetRoot target, boolean isEmpty) throws IOException {
    begun = UnfinishedInstall.begin(target.root().point(), isEmpty);
    return Installation.begin(
        target.root().point(), !target.hasBoot(), request.image(), request.wishes(), progress);
  }

  /** What begins by erasing something. */
  private interface Erasing {
    void run() throws IOException;
  }

  private static void erasing(String lost, Erasing work) throws IOException {
    try (Erased erased = new Erased(lost)) {
      try {
        work.run();
      } catch (IOException | RuntimeException e) {
        throw DiskSpace.thrown(erased.failed(e));
      }
    }
  }

  /** Leaves the root as it was, where nothing was erased yet. */
  private void giveUp(Exception failure) {
    UnfinishedInstall made = begun;
    begun = null;
    try {
      if (made != null) {
        made.undo(request.replace());
      }
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }

  private void install(Installation installation, TargetRoot target) throws IOException {
    Start start = start(installation.known(), target);
    Installation.Deployed deployed = installation.deploy(start.root(), start.usual());
    new Customizer(deployed.tree().resolve("etc"), deployed.var())
        .apply(request.wishes().customizations(), start.fstab(), LocalDate.now(ZoneOffset.UTC));
    if (request.cleanup()) {
      Path etc = target.path("etc");
      if (!Files.exists(etc)) {
        Files.createDirectory(etc);
      }
      AtomicFile.write(etc.resolve(STAMP), "");
    }
    if (installation.bootLoader() == BootLoader.NONE) {
      installation.label();
    } else {
      bootLoader(installation, target, deployed);
    }
    target.sync();
  }

  /**
   * How the machine finds its file systems.
   *
   * @param root the kernel arguments that the root is found by
   * @param usual those of this kind of installation; the image may delete them
   * @param fstab the lines of /etc/fstab
   */
  private record Start(KernelArguments root, KernelArguments usual, List<String> fstab) {}

  private Start start(InstallableImage image, TargetRoot target) throws IOException {
    String boot = bootSpec(image.config(), target);
    MachineMounts mounts =
        MachineMounts.of(mounts(boot, image.bootLoader(request.wishes()), target), image.files());
    return new Start(
        rootArguments(image.config(), target),
        usual(boot).append(mounts.arguments()),
        mounts.fstab());
  }

  private static List<MachineMounts.Entry> mounts(String boot, BootLoader loader, TargetRoot target)
      throws IOException {
    List<MachineMounts.Entry> mounts = new ArrayList<>();
    if (!boot.isEmpty()) {
      // Read-only: what changes there is a deployment's, not that of other tools.
      boolean isPart = target.hasBoot() && target.boot().type().equals("btrfs");
      String options = isPart ? "ro,subvol=" + target.boot().inside() : "ro";
      mounts.add(new MachineMounts.Entry(boot, "/boot", "auto", options, 0));
    }
    if (loader == BootLoader.SYSTEMD) {
      mounts.add(Installation.espMount(target.espId()));
    }
    return mounts;
  }

  private static KernelArguments usual(String boot) {
    KernelArguments rw = KernelArguments.of("rw");
    return boot.isEmpty() ? rw : rw.append(List.of("boot=" + boot));
  }

  private KernelArguments rootArguments(InstallConfig config, TargetRoot target) {
    String spec = request.rootSpec() == null ? config.rootMountSpec() : request.rootSpec();
    if (spec != null) {
      if (!isSpec(spec)) {
        throw Problem.input("the image's install.root-mount-spec" + ONE_WORD);
      }
      return spec.isEmpty() ? KernelArguments.NONE : KernelArguments.of("root=" + spec);
    }
    if (request.inherited().value("root").isPresent()) {
      return request.inherited();
    }
    List<String> arguments = new ArrayList<>(List.of("root=UUID=" + target.root().id()));
    if (target.root().type().equals("btrfs")) {
      arguments.add("rootflags=subvol=" + target.root().inside());
    }
    return new KernelArguments(arguments);
  }

  /** What /boot is mounted by; empty for nothing. */
  private String bootSpec(InstallConfig config, TargetRoot target) {
    String spec = request.bootSpec() == null ? config.bootMountSpec() : request.bootSpec();
    if (spec != null) {
      if (!isSpec(spec)) {
        throw Problem.input("the image's install.boot-mount-spec" + ONE_WORD);
      }
      return spec;
    }
    return target.hasBoot() ? "UUID=" + target.boot().id() : "";
  }

  /** What firmware starts comes last: by then all that it leads to is there, with its labels. */
  private void bootLoader(
      Installation installation, TargetRoot target, Installation.Deployed deployed)
      throws IOException {
    try (Scratch scratch = Scratch.create(progress)) {
      // What goes to the EFI system partition.
      Path partition = scratch.large();
      BootLoader loader = installation.bootLoader();
      BootDisk disk = target.disk();
      Grub.Place bios = loader == BootLoader.GRUB && disk != null ? disk.bios() : null;
      GrubOnDisk grub =
          new GrubOnDisk(
              installation.known(),
              deployed.tree(),
              target.bootPlace(),
              request.wishes().customizations().console(),
              Files.createDirectory(scratch.folder().resolve("grub")));
      Path boot = target.path("boot");
      Path staged = boot.resolve(GrubOnDisk.STAGED);
      Optional<Grub.Bios> embedded = Optional.empty();
      switch (loader) {
        case GRUB -> {
          Files.createDirectory(staged);
          embedded = grub.write(staged, bios, target.hasEsp() ? partition : null);
        }
        case SYSTEMD -> installation.startBySystemdBoot(deployed, partition);
        case NONE -> {}
      }
      installation.label();
      if (loader == BootLoader.GRUB) {
        installation.label(staged, "boot");
      }
      target.sync();
      if (loader == BootLoader.GRUB) {
        GrubOnDisk.publish(boot);
      }
      if (disk != null && embedded.isPresent()) {
        embedded.get().embed(disk.disk());
      }
      ErasedSystems erased = erased(target);
      onPartition(loader, target, erased, partition, scratch);
      onMirrors(installation, target, erased, partition, scratch);
    }
  }

  /**
   * Puts loaders onto the EFI system partition. What the old system had there goes first: the new
   * one looks for the same file system, and often in a folder of the same name.
   *
   * @param partition a folder, with what goes there
   */
  private void onPartition(
      BootLoader loader, TargetRoot target, ErasedSystems erased, Path partition, Scratch scratch)
      throws IOException {
    BootDisk disk = target.disk();
    EfiFolder mounted = target.efi();
    if (mounted != null) {
      tellRemoved(mounted.removeLoadersOf(erased, progress::note), mounted.folder());
      if (loader == BootLoader.SYSTEMD) {
        tellCleared(new EspMenu(mounted.folder()).clear());
      }
      mounted.write(partition);
      tellOthers(loader, mounted.hasSystemdBoot());
    } else if (disk != null && disk.esp() != null) {
      EspFolders folders = new EspFolders(disk.disk(), disk.esp().start());
      tellRemoved(folders.removeLoadersOf(erased, scratch.large(), progress::note), disk.disk());
      if (loader == BootLoader.SYSTEMD) {
        tellCleared(folders.clearMenu());
      }
      FileSystems.put(disk.disk(), disk.esp().start(), partition);
      FileSystems.sync(disk.disk());
      tellOthers(loader, folders.hasSystemdBoot());
    }
  }

  /**
   * The systems that do not start any more, so that their loaders go. Loaders look for /boot; a
   * kernel that firmware starts by itself names the root, which only a wipe erases. Of btrfs, whose
   * subvolumes may hold systems that stay and look for the same id, only the whole counts.
   */
  private ErasedSystems erased(TargetRoot target) {
    List<String> boots = new ArrayList<>();
    List<String> kernels = new ArrayList<>();
    if (request.replace() != Replace.NOTHING && target.boot().isWhole()) {
      boots.add(target.boot().id());
      if (target.hasBoot()) {
        kernels.add(target.boot().id());
      }
    }
    if (request.replace() == Replace.WIPE && target.root().isWhole()) {
      target.root().knownId().ifPresent(boots::add);
      target.root().knownId().ifPresent(kernels::add);
    }
    if (request.replace() != Replace.NOTHING && boots.isEmpty()) {
      progress.note(
          "the loaders on the EFI system partition stay, because systems in other subvolumes look"
              + " for the same file system; where firmware starts one of them first, choose the new"
              + " one in its boot menu (efibootmgr)");
    }
    return new ErasedSystems(boots, kernels);
  }

  private void onMirrors(
      Installation installation,
      TargetRoot target,
      ErasedSystems erased,
      Path partition,
      Scratch scratch)
      throws IOException {
    try {
      target
          .mirrors()
          .write(
              installation.bootLoader(),
              partition,
              installation.known().espBytes(request.wishes()),
              erased,
              scratch.large(),
              progress::note);
    } catch (IOException | RuntimeException e) {
      // The machine starts without them.
      progress.note(MirrorPartitions.unseen(e));
    }
  }

  private void tellRemoved(List<String> names, Path partition) {
    names.forEach(name -> progress.note(removed(name, partition)));
  }

  /**
   * What to tell of a loader that went.
   *
   * @param name below {@code EFI}
   * @param partition where it is mounted, or the disk that it is on
   */
  static String removed(String name, Path partition) {
    return "removed the old system's loader EFI/%s from the EFI system partition %s"
        .formatted(Printable.text(name), Printable.text(partition.toString()));
  }

  private void tellCleared(List<String> cleared) {
    cleared.forEach(
        name -> progress.note("removed from the old boot menu " + Printable.text(name)));
  }

  /** Firmware's own memory is left alone, and it may name another loader first. */
  private void tellOthers(BootLoader loader, boolean systemd) {
    if (loader == BootLoader.GRUB && systemd) {
      progress.note(
          "systemd-boot of another system stays in EFI/systemd on the EFI system partition, and"
              + " firmware that starts it will not start the new system: choose the new loader first"
              + " in the firmware's boot menu (efibootmgr)");
    }
  }

  /** Trims, writes back and leaves read-only, so that the first boot meets clean file systems. */
  private void finish(TargetRoot target) throws IOException {
    for (Path each : target.points()) {
      // A disk that cannot trim is as good.
      Command.of("fstrim", "--quiet-unsupported", each.toString()).tryRun();
      Posix.syncfs(OsPath.of(each));
      Command.Result result = Command.of("mount", "-o", "remount,ro", each.toString()).tryRun();
      if (result.status() != 0) {
        progress.note(
            each + " stays writable, something on it is in use; unmount it before a boot");
      }
      new Durability(target.root().point(), true).syncWhole(each);
    }
  }
}
