package slipway.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.base.RawText;
import slipway.disk.FilesystemInstall.Replace;
import slipway.disk.bootloader.EfiFolder;
import slipway.disk.bootloader.Grub;
import slipway.disk.config.BootLoader;
import slipway.disk.config.RootFileSystem;
import slipway.disk.filesystem.EspFolders;
import slipway.disk.filesystem.FileSystems;
import slipway.linux.lock.Flock;
import slipway.linux.mount.MountTable;
import slipway.linux.mount.Mounts;
import slipway.linux.posix.Btrfs;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.RootedFile;
import slipway.linux.posix.UnixException;
import slipway.sysroot.state.EspMenu;

/**
 * The file systems that an installation goes to, checked: its root, /boot in it, and where firmware
 * finds a boot loader.
 *
 * @param root the root file system
 * @param boot that of /boot; the root's when it is a folder there
 * @param disk that holds /boot; null when it is none, or several without a partition for firmware
 * @param efi the EFI system partition when it is mounted below the root
 */
record TargetRoot(
    MountedFileSystem root,
    MountedFileSystem boot,
    @Nullable BootDisk disk,
    @Nullable EfiFolder efi) {
  /** Below {@code ostree}: links from boot entries to deployments. */
  private static final Pattern MENU = Pattern.compile("boot\\.[01](\\.[01])?");

  /** Below {@code ostree}: folders in which things are made, not what these hold. */
  private static final Pattern WRITTEN =
      Pattern.compile(
          "repo|repo/(objects|state)|repo/refs(/.*)?|deploy|deploy/[^/]*(/deploy)?",
          Pattern.DOTALL);

  private static final long MIB = 1L << 20;

  /** Beside the image: the boot menu, what tells of it, and a little to run on. */
  private static final long MARGIN = 256 * MIB;

  private static final List<String> BOOT_TYPES = List.of("ext2", "ext3", "ext4", "xfs", "btrfs");
  private static final List<String> EFI_FOLDERS = List.of("boot/efi", "efi");

  /**
   * Looks at it, and changes nothing.
   *
   * @throws Problem of kind INPUT or FULL when nothing is to be installed there
   */
  static TargetRoot checked(FilesystemInstall.Request request, Progress progress)
      throws IOException {
    MountedFileSystem root = root(request.root());
    MountedFileSystem boot = boot(root);
    BootLoader wanted = request.wishes().bootLoader();
    boolean starts = wanted != BootLoader.NONE;
    BootDisk disk = null;
    EfiFolder efi = null;
    if (starts) {
      request.wishes().requireGrubTool();
      efi = efi(root.point());
      disk = disk(boot, efi != null);
    }
    TargetRoot target = new TargetRoot(root, boot, disk, efi);
    if (starts) {
      target.requirePlace(request.image().architecture(), wanted, progress);
    }
    target.requireReplaceable(request);
    target.requireRoom(request);
    return target;
  }

  private static MountedFileSystem root(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      throw Problem.input("there is no folder " + folder + " with a file system to install to");
    }
    MountedFileSystem root =
        MountedFileSystem.at(folder.toRealPath())
            .orElseThrow(
                () ->
                    Problem.input(
                        folder
                            + " is not a mount point; mount the file system to install to there"));
    boolean known = false;
    for (RootFileSystem each : RootFileSystem.values()) {
      known |= each.label().equals(root.type());
    }
    if (!known) {
      throw Problem.input(
          folder
              + " is a file system of the kind "
              + root.type()
              + "; a root can be ext4, xfs or btrfs");
    }
    if (!root.isWhole() && !root.type().equals("btrfs")) {
      throw Problem.input(
          folder
              + " shows the folder "
              + root.inside()
              + " of its file system; mount all of that there");
    }
    root.requireWritable();
    for (String name : List.of("boot", "ostree", "etc")) {
      Path inside = root.point().resolve(name);
      if (Files.exists(inside, LinkOption.NOFOLLOW_LINKS)
          && !Files.isDirectory(inside, LinkOption.NOFOLLOW_LINKS)) {
        throw Problem.input(
            inside
                + " is a link or a file where a folder must be; is "
                + folder
                + " the root of a file system, and not an image or a deployment?");
      }
    }
    requireOwn(root.point().resolve("ostree"), "");
    return root;
  }

  /**
   * Refuses links to places where an installation would write. Those of the boot menu lead to one
   * another.
   *
   * @param inside the folder as a path below {@code ostree}, empty for that itself
   */
  private static void requireOwn(Path folder, String inside) throws IOException {
    if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    for (OsPath name : Posix.list(OsPath.of(folder))) {
      Path child = folder.resolve(name.toPath());
      String below = inside.isEmpty() ? name.toString() : inside + "/" + name;
      if (MENU.matcher(below).matches()) {
        continue;
      }
      if (Files.isSymbolicLink(child)) {
        throw Problem.input(
            Printable.text(child.toString())
                + " is a link, and installing would write where it leads; remove it first");
      }
      if (WRITTEN.matcher(below).matches()) {
        requireOwn(child, below);
      }
    }
  }

  private static MountedFileSystem boot(MountedFileSystem root) throws IOException {
    Path folder = root.point().resolve("boot");
    Optional<MountedFileSystem> mounted = MountedFileSystem.at(folder);
    if (mounted.isEmpty()) {
      requireNoOtherBoot(root.point());
      return root;
    }
    MountedFileSystem boot = mounted.get();
    if (!BOOT_TYPES.contains(boot.type())) {
      throw Problem.input(
          folder
              + " is a file system of the kind "
              + boot.type()
              + "; /boot takes links and can be ext2, ext3, ext4, xfs or btrfs");
    }
    boot.requireWritable();
    return boot;
  }

  /** A /boot that the old system mounts would lie over what is installed. */
  private static void requireNoOtherBoot(Path root) throws IOException {
    byte[] fstab =
        RootedFile.read(
                OsPath.of(root),
                OsPath.of("etc/fstab"),
                RootedFile.Links.BENEATH,
                root + "/etc/fstab")
            .orElse(new byte[0]);
    for (String line : RawText.lines(RawText.decode(fstab))) {
      String[] fields = line.strip().split("\\s+");
      if (!line.strip().startsWith("#") && fields.length > 1 && fields[1].equals("/boot")) {
        throw Problem.input(
            root
                + "/etc/fstab mounts "
                + Printable.text(fields[0])
                + " on /boot, and nothing is mounted on "
                + root.resolve("boot")
                + "; mount it there first");
      }
    }
  }

  /** That of /boot; of a mirror the first one with an EFI system partition, if none is mounted. */
  private static @Nullable BootDisk disk(MountedFileSystem boot, boolean mounted)
      throws IOException {
    Optional<Path> one = DeviceFolder.disk(boot.device());
    if (one.isPresent() || mounted) {
      return one.map(BootDisk::of).orElse(null);
    }
    return DeviceFolder.disks(boot).stream()
        .map(BootDisk::of)
        .filter(d -> d.esp() != null)
        .findFirst()
        .map(d -> new BootDisk(d.disk(), null, d.esp()))
        .orElse(null);
  }

  /** The EFI system partitions beside that one. */
  MirrorPartitions mirrors() throws IOException {
    return MirrorPartitions.of(
        hasBoot() ? List.of(boot, root) : List.of(root),
        Optional.ofNullable(disk),
        Optional.ofNullable(efi));
  }

  private static @Nullable EfiFolder efi(Path root) throws IOException {
    for (String name : EFI_FOLDERS) {
      Path folder = root.resolve(name);
      Optional<MountedFileSystem> mounted = MountedFileSystem.at(folder);
      if (mounted.isPresent()) {
        mounted.get().requireWritable();
        if (!mounted.get().type().equals("vfat")) {
          throw Problem.input(
              folder
                  + " is a file system of the kind "
                  + mounted.get().type()
                  + "; firmware reads a loader from FAT alone");
        }
        return new EfiFolder(folder);
      }
    }
    return null;
  }

  // ---- what is asked before anything is changed ----

  /** Whether firmware of some kind can find a boot loader here. */
  private void requirePlace(String architecture, @Nullable BootLoader wanted, Progress progress)
      throws IOException {
    boolean systemd = wanted == BootLoader.SYSTEMD;
    if (wanted == BootLoader.GRUB) {
      requireWholeBoot();
    }
    if (systemd && !hasEsp()) {
      throw Problem.input(
          "the disk of "
              + path("boot")
              + " has no EFI system partition, which systemd-boot starts from; make one, or give"
              + " --bootloader grub or none");
    }
    boolean bios = architecture.equals("amd64") && disk != null && disk.bios() != null && !systemd;
    boolean uefi = hasEsp();
    if (!bios && !uefi) {
      throw Problem.input(
          "the disk of "
              + path("boot")
              + " has neither a BIOS boot partition nor an EFI system partition, so nothing would"
              + " start; make one, or give --bootloader none");
    }
    if (efi == null && disk != null && disk.esp() != null) {
      FileSystems.requireTools(List.of("mdir", "mmd", "mcopy", "mtype", "mdel", "mdeltree", "mrd"));
      disk.esp().requireFree(path(EFI_FOLDERS.getFirst()));
    }
    if (architecture.equals("amd64") && bios != uefi && !systemd) {
      progress.note(
          bios
              ? "there is no EFI system partition: the machine starts by BIOS alone"
              : "there is no BIOS boot partition: the machine starts by UEFI alone");
    }
  }

  /** GRUB looks for kernels from the top of a file system on. */
  private void requireWholeBoot() {
    if (!boot.isWhole()) {
      throw Problem.input(
          "GRUB cannot find kernels in "
              + path("boot")
              + ", which is in the subvolume "
              + Printable.text(boot.inside())
              + "; give /boot a file system of its own, or --bootloader systemd or none");
    }
  }

  private void requireReplaceable(FilesystemInstall.Request request) throws IOException {
    Path ostree = path("ostree");
    for (Path system : List.of(request.host(), Path.of("/"))) {
      if (Files.exists(ostree)
          && Files.exists(system.resolve("run/ostree-booted"))
          && isSame(root.point(), system.resolve("sysroot"))) {
        throw Problem.input(
            "this machine runs on a deployment in "
                + ostree
                + "; change its image by bootc switch instead");
      }
    }
    if (request.replace() == Replace.WIPE) {
      new OwnFiles(Path.of("/"), request.host()).requireOutside(WipedFiles.below(root.point()));
    }
    requireUnused(request.replace());
  }

  /**
   * Refuses to lose what is there; asked once more when no other installation can be under way.
   *
   * @param replace what happens to it
   */
  void requireUnused(Replace replace) throws IOException {
    Optional<UnfinishedInstall> left = UnfinishedInstall.on(root.point());
    if (replace == Replace.ALONGSIDE || (replace == Replace.NOTHING && left.isPresent())) {
      FormerSystem.requireUnused(path("ostree/deploy"));
    }
    if (replace == Replace.NOTHING) {
      List<Path> own = left.map(l -> l.own(replace)).orElse(List.of());
      FormerSystem.requireEmpty(root.point(), own);
      FormerSystem.requireEmpty(path("boot"), own);
    }
  }

  /** Whether two folders are on one file system. */
  static boolean isSame(Path one, Path other) throws IOException {
    return Files.exists(other)
        && Posix.stat(OsPath.of(one)).device() == Posix.stat(OsPath.of(other)).device();
  }

  private void requireRoom(FilesystemInstall.Request request) {
    long needed = request.image().unpacked() + MARGIN;
    var file = root.point().toFile();
    long free = request.replace() == Replace.WIPE ? file.getTotalSpace() : file.getFreeSpace();
    if (free < needed) {
      throw Problem.full(
          "%s has room for %d MiB, and this image takes about %d MiB; make it larger or free some space"
              .formatted(root.point(), free / MIB, needed / MIB + 1));
    }
  }

  /** Whether an image can be imported before what is there goes. */
  boolean hasRoomBeside(BootableImage image) {
    return !Files.exists(path("ostree"))
        && root.point().toFile().getFreeSpace() >= image.unpacked() + MARGIN;
  }

  // ---- what is asked when the image's files are known ----

  /**
   * @param replace what happens to what is there
   * @throws Problem of kind INPUT or FULL when the image cannot start from here
   */
  void requireFit(InstallableImage image, MachineWishes wishes, Replace replace)
      throws IOException {
    BootLoader loader = image.bootLoader(wishes);
    if (loader == BootLoader.GRUB) {
      requireWholeBoot();
    }
    image.requireDrivers(loader, root.type(), boot.type());
    image.requireBootLoader(wishes, disk != null && disk.bios() != null, hasEsp());
    if (image.makesGrub(wishes, disk != null && disk.bios() != null)) {
      requireRead();
    }
    // btrfs may pack what it holds.
    if (!root.type().equals("btrfs")) {
      image.requireRoom(root.point().toString(), root.point().toFile().getTotalSpace());
    }
    if (loader == BootLoader.SYSTEMD) {
      espId();
      if (replace == Replace.NOTHING) {
        requireNoMenu();
      }
    }
    if (image.espBytes(wishes) > 0) {
      requireEspRoom(image, wishes);
    }
    if (hasBoot()) {
      image.requireBootRoom(boot.point().toString(), boot.point().toFile().getTotalSpace());
    }
  }

  private void requireEspRoom(InstallableImage image, MachineWishes wishes) throws IOException {
    // What a menu of systemd-boot frees is taken by one alone.
    boolean menu = image.bootLoader(wishes) == BootLoader.SYSTEMD;
    if (efi != null) {
      long free = efi.folder().toFile().getUsableSpace();
      long clears = menu ? new EspMenu(efi.folder()).clears() : 0;
      image.requireEspRoom(wishes, efi.folder().toString(), free + clears);
    } else if (disk != null && disk.esp() != null) {
      EspFolders folders = new EspFolders(disk.disk(), disk.esp().start());
      OptionalLong free = folders.room(menu);
      if (free.isEmpty()) {
        throw Problem.input(
            "the EFI system partition of "
                + disk.disk()
                + " holds no FAT that mtools can read, so no loader can be put there; mount it on "
                + path("boot/efi")
                + ", make it anew if nothing else starts from it (mkfs.vfat), or give --bootloader"
                + " none");
      }
      image.requireEspRoom(wishes, "the EFI system partition", free.getAsLong());
    }
  }

  /** Only who replaces a system may take its boot menu. */
  private void requireNoMenu() throws IOException {
    List<String> found = List.of();
    if (efi != null) {
      found = new EspMenu(efi.folder()).held();
    } else if (disk != null && disk.esp() != null) {
      found = new EspFolders(disk.disk(), disk.esp().start()).menu();
    }
    if (!found.isEmpty()) {
      throw Problem.input(
          "the EFI system partition has the boot menu of another system ("
              + Printable.text(found.getFirst())
              + "), which would not start any more; give --replace wipe or alongside to replace"
              + " that, or use another partition");
    }
  }

  /** GRUB of the image's modules has those for disks and file systems alone. */
  private void requireRead() throws IOException {
    Optional<String> made = DeviceFolder.made(boot.device());
    if (made.isPresent()) {
      throw Problem.input(
          "GRUB cannot find kernels in "
              + path("boot")
              + ", which is on "
              + made.get()
              + "; give /boot a partition of its own, or --bootloader systemd or none");
    }
  }

  /**
   * Keeps other installations away from the root until it is closed.
   *
   * @throws Problem of kind UNAVAILABLE when one is under way
   */
  Flock lock() throws IOException {
    Flock lock = Flock.tryExisting(root.point());
    if (lock == null) {
      throw Problem.unavailable(
          "another installation onto " + root.point() + " is under way; wait for its end", null);
    }
    return lock;
  }

  // ---- what it is ----

  /** A path below the root. */
  Path path(String inside) {
    return root.point().resolve(inside);
  }

  /** Whether /boot is a file system of its own. */
  boolean hasBoot() {
    return !boot.point().equals(root.point());
  }

  /** Whether firmware with UEFI finds a partition for a loader. */
  boolean hasEsp() {
    return efi != null || (disk != null && disk.esp() != null);
  }

  /** Where GRUB finds /boot. */
  Grub.Boot bootPlace() {
    return new Grub.Boot(boot.id(), hasBoot() ? "" : "/boot", boot.type());
  }

  /**
   * What fstab finds the EFI system partition by.
   *
   * @throws Problem of kind INPUT when there is none
   */
  String espId() throws IOException {
    Optional<MountedFileSystem> mounted =
        efi == null ? Optional.empty() : MountedFileSystem.at(efi.folder());
    if (mounted.isPresent()) {
      return mounted.get().id();
    }
    if (disk == null || disk.esp() == null) {
      throw Problem.input("there is no EFI system partition for systemd-boot; make one");
    }
    return disk.esp().id(disk.disk());
  }

  /** Where the file systems are mounted, inner ones first. */
  List<Path> points() {
    return hasBoot() ? List.of(boot.point(), root.point()) : List.of(root.point());
  }

  void sync() throws IOException {
    for (Path each : points()) {
      Posix.syncfs(OsPath.of(each));
    }
    if (efi != null) {
      Posix.syncfs(OsPath.of(efi.folder()));
    }
  }

  /**
   * Takes its file systems out of the calling thread's own view of the mounts. Helper threads that
   * were started meanwhile share that view and outlive the work, and would keep them busy.
   */
  void forget() {
    try {
      Mounts.umount(OsPath.of(root.point()), Mounts.MNT_DETACH);
    } catch (UnixException e) {
      // The root of this machine itself stays.
    }
  }

  // ---- what removes ----

  /**
   * Removes all that is on the root and on /boot; what else is mounted below stays.
   *
   * @param imported whether the folder {@code ostree} is of this installation and stays
   */
  void wipe(boolean imported) throws IOException {
    if (root.type().equals("btrfs") && root.isWhole()) {
      // The default subvolume could not be removed.
      Btrfs.resetDefault(OsPath.of(root.point()));
    }
    List<OsPath> kept = new ArrayList<>(MountTable.points());
    if (imported) {
      kept.add(OsPath.of(path("ostree")));
    }
    WipedFiles.erase(OsPath.of(root.point()), kept);
    if (hasBoot()) {
      WipedFiles.erase(OsPath.of(boot.point()), kept);
    }
  }

  /** Removes all that is in /boot, but not what is mounted below, such as /boot/efi. */
  void wipeBoot() throws IOException {
    if (Files.exists(path("boot"))) {
      WipedFiles.erase(OsPath.of(path("boot")), MountTable.points());
    }
  }
}
