package slipway.disk;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.base.TemporaryFiles;
import slipway.disk.bootloader.Bootupd;
import slipway.disk.bootloader.Grub;
import slipway.disk.bootloader.SystemdBoot;
import slipway.disk.config.BootLoader;
import slipway.disk.config.GrubConsole;
import slipway.disk.config.InstallConfig;
import slipway.linux.posix.OsPath;
import slipway.ostree.container.ImagePreview;
import slipway.sysroot.Deployable;
import slipway.sysroot.NewSysroot;
import slipway.system.boot.KernelLayout;
import slipway.system.boot.PrepareRootConfig;
import slipway.system.files.ImageFiles;
import slipway.system.kargs.KernelArguments;
import slipway.system.kargs.KernelArgumentsDirectory;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * What an image is when its files are known: whether it can be installed, and what it says of that.
 * The files are those of an import, or are read ahead of one, before anything is erased for it.
 *
 * @param files with the defaults of /etc in /usr/etc
 * @param config what the image says of its installation
 * @param architecture in OCI's names
 * @param bytes that its files take at least; 0 when nobody counted
 */
record InstallableImage(FileTree files, InstallConfig config, String architecture, long bytes) {
  private static final long MIB = 1L << 20;
  private static final long BLOCK = 4096;

  /** Lists of modules have some hundred kilobytes. */
  private static final int LARGEST_LIST = 32 << 20;

  private static final Pattern LVM = Pattern.compile("[./]*(usr/)?s?bin/lvm");

  /** systemd's, or that of initramfs-tools, which reads no {@code luks.uuid=}, is not asked. */
  private static final Pattern CRYPTSETUP =
      Pattern.compile("[./]*(usr/)?(lib/systemd|bin)/systemd-cryptsetup");

  /** By which systemd speaks to a TPM, where it is. */
  private static final Pattern TPM =
      Pattern.compile("[./]*(usr/)?lib(64)?/([^/]+/)?libtss2-esys\\.so[.0-9]*");

  /** What is looked into before an import; the lists of modules are kept for {@link #drivers}. */
  private static final Pattern READ =
      Pattern.compile(
          "(usr/)?(lib|local/lib|etc)/(bootc|ostree)/.*|((usr/)?etc|usr/lib)/os-release"
              + "|(usr/)?etc/selinux/(config|[^/]*/contexts/files/file_contexts(\\.[a-z_]*)?)"
              + "|usr/lib/(bootc-image-builder|image-builder/bootc)/[^/]*"
              + "|(usr/)?lib/systemd/boot/efi/systemd-boot[^/]*"
              + "|(usr/)?lib/bootupd/(updates/[^/]*|grub2-static/.*)"
              + "|usr/lib/modules/[^/]*/modules\\.(builtin|dep)",
          Pattern.DOTALL);

  static InstallableImage of(FileTree files, BootableImage image, MachineWishes wishes)
      throws IOException {
    return of(files, image, wishes, 0);
  }

  private static InstallableImage of(
      FileTree files, BootableImage image, MachineWishes wishes, long bytes) throws IOException {
    String architecture = image.architecture();
    return new InstallableImage(
        files, InstallConfig.of(files, architecture, wishes.run()), architecture, bytes);
  }

  /**
   * Reads all layers, verifies them and writes nothing.
   *
   * @throws Problem when one of them is damaged or cannot be imported
   */
  static InstallableImage ahead(BootableImage image, MachineWishes wishes, Progress progress)
      throws IOException {
    progress.note("looking into the image before anything is erased");
    ImagePreview.Seen seen =
        ImagePreview.read(
            image.source(),
            image.manifest(),
            image.config(),
            image.target().toString(),
            InstallableImage::isRead,
            progress);
    return of(seen.files(), image, wishes, seen.bytes());
  }

  private static boolean isRead(OsPath path) {
    return READ.matcher(path.toString()).matches();
  }

  /**
   * Refuses what cannot be installed or started anywhere.
   *
   * @throws Problem of kind INPUT
   */
  KernelLayout check(MachineWishes wishes) throws IOException {
    NewSysroot.requireStateroot(wishes.stateroot(config));
    config.kernelArguments().requireWritable("install.kargs of the image");
    wishes.companions().require(files);
    if (wishes.customizations().changesEtc()
        && PrepareRootConfig.read(new ImageFiles(files)).transientEtc()) {
      throw Problem.input(
          "the image's prepare-root.conf has [etc] transient=true: what is written to /etc, such as"
              + " accounts, names and --root-ssh-authorized-keys, would be gone at the first start;"
              + " make it a part of the image");
    }
    return Deployable.require(files, architecture);
  }

  /**
   * Refuses a command line that the kernel would cut.
   *
   * @param first as of {@link #arguments}, likewise {@code usual}
   * @throws Problem of kind INPUT
   */
  void requireShort(KernelArguments first, KernelArguments usual, MachineWishes wishes)
      throws IOException {
    arguments(first, usual, wishes).requireShort("the kernel arguments", wishes.stateroot(config));
  }

  /**
   * All but {@code ostree=} of a machine's kernel arguments.
   *
   * @param first those that find the root
   * @param usual of this kind of installation; the image may delete them
   */
  KernelArguments arguments(KernelArguments first, KernelArguments usual, MachineWishes wishes)
      throws IOException {
    KernelArguments arguments =
        usual
            .append(config.kernelArguments())
            .append(KernelArgumentsDirectory.read(files, architecture));
    return first
        .append(config.withoutDeleted(arguments).without(wishes.deleted()))
        .append(wishes.added());
  }

  /**
   * Refuses what cannot start from certain file systems.
   *
   * @param loader that starts the machine
   * @param root kind of the root file system, as in {@code ext4}
   * @param boot likewise that of /boot
   * @throws Problem of kind INPUT
   */
  void requireDrivers(BootLoader loader, String root, String boot) throws IOException {
    Set<String> wanted = new TreeSet<>(List.of(root, boot));
    if (loader == BootLoader.SYSTEMD) {
      wanted.add("vfat");
    }
    String version = KernelLayout.of(files).version();
    for (String type : wanted) {
      requireDriver(version, type);
    }
  }

  /** The kernel's lists of what it has built in and of its modules; without them nobody knows. */
  private void requireDriver(String version, String type) throws IOException {
    boolean known = false;
    for (String list : List.of("modules.builtin", "modules.dep")) {
      String path = "usr/lib/modules/" + version + "/" + list;
      if (files.find(path).orElse(null) instanceof Node.File file) {
        known = true;
        try (InputStream in = file.content().open()) {
          String text = new String(in.readNBytes(LARGEST_LIST), StandardCharsets.ISO_8859_1);
          // ext4 reads ext2 and ext3, too.
          String driver = type.startsWith("ext") ? "ext4" : type;
          String folder = driver.equals("vfat") ? "fat" : driver;
          if (text.contains("/fs/" + folder + "/" + driver + ".ko")) {
            return;
          }
        }
      }
    }
    if (known) {
      throw Problem.input(
          "the image's kernel "
              + Printable.text(version)
              + " cannot mount "
              + type
              + "; install to another file system, or take an image whose kernel can");
    }
  }

  /** What starts a machine of it. */
  BootLoader bootLoader(MachineWishes wishes) {
    return wishes.bootLoader(config);
  }

  /** Whether it brings what opens an encrypted root in its initramfs. */
  boolean hasCryptsetup() {
    return hasCryptsetup(files);
  }

  static boolean hasCryptsetup(FileTree files) {
    return files.find("usr/lib/systemd/systemd-cryptsetup").isPresent()
        || files.find("usr/bin/systemd-cryptsetup").isPresent();
  }

  /**
   * Refuses an initramfs that does not find a root in a logical volume, as far as it can be looked
   * into.
   *
   * @param most bytes of an initramfs that is looked into
   * @throws Problem of kind INPUT
   */
  void requireVolumesAtStart(long most) throws IOException {
    requireInInitramfs(
        most,
        LVM,
        "has no lvm and would not find a root in a logical volume",
        "lvm2 (dracut --force), or take a plain partition for /");
  }

  /**
   * Refuses one that does not unlock what is encrypted, likewise.
   *
   * @throws Problem of kind INPUT
   */
  void requireUnlockingAtStart() throws IOException {
    requireInInitramfs(
        Long.MAX_VALUE,
        CRYPTSETUP,
        "has no cryptsetup and would not ask for the passphrase of a partition",
        "cryptsetup (dracut --force), or leave out luks");
  }

  /**
   * Refuses one that does not open a root whose key a TPM has, likewise.
   *
   * @param most bytes of an initramfs that is looked into
   * @throws Problem of kind INPUT
   */
  void requireTpmAtStart(long most) throws IOException {
    String way = " (dracut --force), or give --block-setup direct";
    requireInInitramfs(
        most, CRYPTSETUP, "has no cryptsetup and would not open its root", "cryptsetup" + way);
    requireInInitramfs(
        most,
        TPM,
        "has no libtss2-esys and would not get the key of its root from the TPM",
        "tpm2-tools and the libraries libtss2" + way);
  }

  private void requireInInitramfs(long most, Pattern wanted, String lack, String way)
      throws IOException {
    KernelLayout kernel = KernelLayout.of(files);
    for (KernelLayout.BootFile file : kernel.files()) {
      if (file.name().equals(kernel.initramfsName()) && file.content().size() <= most) {
        try (InputStream in = file.content().open()) {
          if (InitramfsNames.lacks(in, name -> wanted.matcher(name).matches())) {
            throw Problem.input(
                "the image's initramfs, /"
                    + Printable.text(file.source())
                    + ", "
                    + lack
                    + "; make it anew in the image's Containerfile behind the installation of "
                    + way);
          }
        }
      }
    }
  }

  /** Whether systemd finds a unit in it that is not masked. */
  boolean hasUnit(String name) {
    ImageFiles all = new ImageFiles(files);
    for (String folder : List.of("usr/etc", "usr/local/lib", "usr/lib")) {
      Node node = all.node(folder + "/systemd/system/" + name);
      if (node != null) {
        return !(node instanceof Node.Symlink link && link.target().is("/dev/null"));
      }
    }
    return false;
  }

  /**
   * Refuses an image whose boot loader is to start it and cannot.
   *
   * @param bios whether BIOS is to start it
   * @param uefi whether UEFI is
   * @throws Problem of kind INPUT
   */
  void requireBootLoader(MachineWishes wishes, boolean bios, boolean uefi) throws IOException {
    switch (wishes.bootLoader(config)) {
      case GRUB -> {
        Optional<Bootupd> brought = Bootupd.in(files, architecture);
        if (brought.isPresent()) {
          brought.get().require(bios, uefi);
          brought.get().require(wishes.customizations().console());
        } else {
          Grub.require(files, architecture, bios, uefi);
        }
      }
      case SYSTEMD -> {
        requireNoConsole(wishes);
        if (!uefi) {
          throw Problem.input(
              "systemd-boot starts machines with UEFI alone, and the disk has no EFI system"
                  + " partition; make one, or give --bootloader grub");
        }
        SystemdBoot.of(architecture).require(files);
      }
      case NONE -> requireNoConsole(wishes);
    }
  }

  private static void requireNoConsole(MachineWishes wishes) {
    if (!wishes.customizations().console().equals(GrubConsole.USUAL)) {
      throw Problem.input(
          "customizations.bootloader.grub2 is GRUB's, which does not start this disk; leave it out,"
              + " or give --bootloader grub");
    }
  }

  /**
   * Whether GRUB is to start it that is made of the image's modules, and not one that it brings for
   * bootupd.
   *
   * @param bios whether the disk has a place for the one of BIOS, which is made of them always
   */
  boolean makesGrub(MachineWishes wishes, boolean bios) {
    Optional<Bootupd> brought = Bootupd.in(files, architecture);
    return wishes.bootLoader(config) == BootLoader.GRUB
        && (brought.isEmpty() || (bios && brought.get().hasBios()));
  }

  /**
   * Refuses what certainly does not fit.
   *
   * @param where the root, for the message
   * @param room bytes of the root's file system, or of its partition
   * @throws Problem of kind FULL
   */
  void requireRoom(String where, long room) {
    if (bytes > room) {
      throw Problem.full(
          "the image's files have %d MiB, and %s has %d MiB in all; take a larger one"
              .formatted(bytes / MIB + 1, where, room / MIB));
    }
  }

  /**
   * Bytes that what starts the machine takes on an EFI system partition, about; as many are copied
   * to the temporary files before.
   */
  long espBytes(MachineWishes wishes) throws IOException {
    return switch (wishes.bootLoader(config)) {
      case GRUB -> {
        Optional<Bootupd> brought = Bootupd.in(files, architecture);
        yield brought.isPresent() ? brought.get().efiBytes() : Grub.EFI_BYTES;
      }
      case SYSTEMD ->
          SystemdBoot.of(architecture).require(files)
              + KernelLayout.of(files).bytes(BLOCK, name -> true)
              + MIB;
      case NONE -> 0;
    };
  }

  /**
   * Refuses an EFI system partition that does not hold what starts the machine, and too little room
   * for the copies that are made before.
   *
   * @param where it is, for the message
   * @param room bytes that it has for them
   * @throws Problem of kind FULL
   */
  void requireEspRoom(MachineWishes wishes, String where, long room) throws IOException {
    long needed = espBytes(wishes);
    Path copies = TemporaryFiles.largeFolder();
    long left = copies.toFile().getUsableSpace();
    if (room < needed || left < needed) {
      throw Problem.full(
          "%s has room for %d MiB, and the boot loader with what it starts from there takes %d MiB; %s"
              .formatted(
                  room < needed ? where : copies,
                  Math.min(room, left) / MIB,
                  needed / MIB + 1,
                  room < needed
                      ? "free some space on it, or make it larger"
                      : "free some space there, or name another folder by TMPDIR"));
    }
  }

  /**
   * Refuses a /boot that certainly does not hold the kernel.
   *
   * @param where it is, for the message
   * @param room bytes that it has for them
   * @throws Problem of kind FULL
   */
  void requireBootRoom(String where, long room) throws IOException {
    long needed = KernelLayout.of(files).bytes(BLOCK, name -> true) + MIB;
    if (room < needed) {
      throw Problem.full(
          "%s has room for %d MiB, and the image's kernel and initramfs take %d MiB"
              .formatted(where, room / MIB, needed / MIB + 1));
    }
  }
}
