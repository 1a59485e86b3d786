package slipway.disk;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.Command;
import slipway.linux.LoopDevice;
import slipway.linux.Mount;
import slipway.linux.MountNamespace;
import slipway.linux.OsPath;
import slipway.linux.Posix;
import slipway.oci.Descriptor;
import slipway.oci.Platform;
import slipway.ostree.ContainerImport;
import slipway.ostree.Imported;
import slipway.sysroot.DeploySpec;
import slipway.sysroot.Deployment;
import slipway.sysroot.KernelArguments;
import slipway.sysroot.KernelArgumentsDirectory;
import slipway.sysroot.Origin;
import slipway.sysroot.Sysroot;

/**
 * Makes disk images of bootable container images. The disk is written to a temporary file beside
 * the result; the rename to the result's name is the commit point. Mounts live in a namespace of
 * their own and loop devices detach themselves with the last mount, so nothing is left however the
 * work ends.
 */
public final class DiskBuilder {
  private static final String STATEROOT = "default";
  private static final long MIB = 1L << 20;

  private final DiskRequest request;
  private final Progress progress;

  private DiskBuilder(DiskRequest request, Progress progress) {
    this.request = request;
    this.progress = progress;
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
    DiskPlan plan = DiskPlan.of(request.size(), rootMinimum(), architecture(), UUID::randomUUID);
    Path output = Files.createDirectories(request.output().toAbsolutePath());
    Path raw = Files.createTempFile(output, ".disk-", ".raw.tmp");
    Runnable remove = () -> raw.toFile().delete();
    Thread onExit = Thread.ofPlatform().unstarted(remove);
    Runtime.getRuntime().addShutdownHook(onExit);
    try {
      write(raw, plan);
      List<Path> results = new ArrayList<>();
      // The raw file itself is moved away last.
      for (DiskType type : request.types()) {
        if (type == DiskType.QCOW2) {
          qcow2(raw, output.resolve(type.path()));
        }
      }
      if (request.types().contains(DiskType.RAW)) {
        publish(raw, output.resolve(DiskType.RAW.path()));
      }
      request.types().forEach(type -> results.add(output.resolve(type.path())));
      return results;
    } finally {
      remove.run();
      Runtime.getRuntime().removeShutdownHook(onExit);
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
  }

  private String architecture() {
    return request.config().platform().architecture();
  }

  /** Room for the image twice, since an upgrade needs the old and the new one. */
  private long rootMinimum() {
    long compressed = request.manifest().layers().stream().mapToLong(Descriptor::size).sum();
    return Math.max(request.customizations().rootMinimum(), 4 * compressed + 256 * MIB);
  }

  private void write(Path raw, DiskPlan plan) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(raw.toFile(), "rw")) {
      file.setLength(plan.size());
    }
    Command.of("sfdisk", "--quiet", "--no-tell-kernel", raw.toString()).stdin(plan.script()).run();
    Boot boot = MountNamespace.call("disk", () -> populate(raw, plan));
    espFileSystem(raw, plan, boot.efi());
  }

  /** What the partitions outside of the mounted ones get. */
  private record Boot(Grub.Efi efi) {}

  private Boot populate(Path raw, DiskPlan plan) throws IOException {
    Path mountpoint = Files.createTempDirectory("slipway-disk-");
    try (LoopDevice rootLoop = LoopDevice.attach(raw, plan.root().start(), plan.root().size());
        LoopDevice bootLoop = LoopDevice.attach(raw, plan.boot().start(), plan.boot().size())) {
      makeRoot(rootLoop.device(), plan.root().filesystem());
      makeExt4(bootLoop.device(), "boot", plan.boot().filesystem(), "");
      try (Mount root =
          Mount.of(
              rootLoop.device().toString(),
              mountpoint,
              request.rootfs().label(),
              // Programs of the image are run as nobody; they get no way to more.
              Posix.MS_NOSUID | Posix.MS_NODEV,
              null)) {
        // Attached until the mount ends, by the kernel's own count.
        rootLoop.close();
        Files.createDirectory(mountpoint.resolve("boot"));
        try (Mount bootMount =
            Mount.of(bootLoop.device().toString(), mountpoint.resolve("boot"), "ext4", 0, null)) {
          bootLoop.close();
          return install(raw, plan, root.target(), bootMount.target());
        }
      }
    } finally {
      Files.deleteIfExists(mountpoint);
    }
  }

  private Boot install(Path raw, DiskPlan plan, Path root, Path boot) throws IOException {
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
    Deployment deployment =
        sysroot.deploy(
            DeploySpec.install(
                STATEROOT,
                imported.mergeCommit(),
                Origin.ofRegistry(request.target().toString()),
                kernelArguments(sysroot, imported, plan)));
    Path tree = sysroot.path(deployment);
    Path var = root.resolve("ostree/deploy").resolve(STATEROOT).resolve("var");
    new Customizer(tree.resolve("etc"), var)
        .apply(request.customizations(), plan, LocalDate.now(ZoneOffset.UTC));
    Grub grub = new Grub(tree, plan.boot().filesystem(), architecture());
    grub.configure(boot);
    if (grub.hasBios()) {
      grub.embedBios(raw, plan.bios());
    }
    Grub.Efi efi = grub.efi();
    Posix.syncfs(OsPath.of(boot));
    Posix.syncfs(OsPath.of(root));
    return new Boot(efi);
  }

  private KernelArguments kernelArguments(Sysroot sysroot, Imported imported, DiskPlan plan)
      throws IOException {
    KernelArguments image =
        KernelArgumentsDirectory.read(
            sysroot.repository().readTree(imported.mergeCommit()), architecture());
    return KernelArguments.of(
            "root=UUID=" + plan.root().filesystem(), "rw", "console=tty0", "console=ttyS0,115200")
        .append(image)
        .append(request.customizations().kernelArguments());
  }

  private void makeRoot(Path device, UUID id) {
    switch (request.rootfs()) {
      // verity, so that objects can be sealed later.
      case EXT4 -> makeExt4(device, "root", id, "verity");
      case XFS ->
          Command.of(
                  "mkfs.xfs", "-q", "-f", "-K", "-L", "root", "-m", "uuid=" + id, device.toString())
              .run();
      case BTRFS ->
          Command.of(
                  "mkfs.btrfs",
                  "-q",
                  "-f",
                  "-K",
                  "-L",
                  "root",
                  "-U",
                  id.toString(),
                  device.toString())
              .run();
    }
  }

  private static void makeExt4(Path device, String label, UUID id, String features) {
    Command mkfs =
        Command.of(
            "mkfs.ext4",
            "-q",
            "-F",
            "-L",
            label,
            "-U",
            id.toString(),
            "-E",
            "lazy_itable_init=1,lazy_journal_init=1,nodiscard");
    if (!features.isEmpty()) {
      mkfs = mkfs.with("-O", features);
    }
    mkfs.with(device.toString()).run();
  }

  /** By mtools, because not every kernel reads FAT. */
  private static void espFileSystem(Path raw, DiskPlan plan, Grub.Efi efi) throws IOException {
    DiskPlan.Part esp = plan.esp();
    String image = raw + "@@" + esp.start();
    Path file = Files.createTempFile("slipway-", ".efi");
    try {
      Files.write(file, efi.image());
      Command.of(
              "mformat",
              "-i",
              image,
              "-T",
              Long.toString(esp.size() / DiskPlan.SECTOR),
              "-h",
              "64",
              "-s",
              "32",
              "-N",
              serial(esp.filesystem()),
              "-v",
              "EFI-SYSTEM",
              "::")
          .run();
      Command.of("mmd", "-i", image, "::/EFI", "::/EFI/BOOT").run();
      Command.of("mcopy", "-i", image, file.toString(), "::/EFI/BOOT/" + efi.name()).run();
    } finally {
      Files.delete(file);
    }
  }

  /** A FAT volume id: 8 hex digits. */
  static String serial(UUID id) {
    return String.format(java.util.Locale.ROOT, "%08x", (int) (id.getMostSignificantBits() >>> 32));
  }

  private void qcow2(Path raw, Path result) throws IOException {
    progress.note("converting to qcow2");
    Files.createDirectories(Objects.requireNonNull(result.getParent()));
    Path temporary = result.resolveSibling("." + result.getFileName() + ".tmp");
    try {
      Command.of(
              "qemu-img",
              "convert",
              "-f",
              "raw",
              "-O",
              "qcow2",
              "-c",
              "-m",
              "4",
              "-W",
              "-o",
              "compat=1.1,compression_type=zstd",
              raw.toString(),
              temporary.toString())
          .run();
      publish(temporary, result);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  private static void publish(Path temporary, Path result) throws IOException {
    Files.createDirectories(Objects.requireNonNull(result.getParent()));
    Posix.chmod(OsPath.of(temporary), 0644);
    try (RandomAccessFile file = new RandomAccessFile(temporary.toFile(), "rw")) {
      file.getFD().sync();
    }
    Files.move(temporary, result, StandardCopyOption.ATOMIC_MOVE);
    AtomicFile.syncDirectory(Objects.requireNonNull(result.getParent()));
  }
}
