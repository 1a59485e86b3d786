package slipway.disk;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.disk.config.BlockSetup;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.DiskLayout;
import slipway.disk.config.ImageDisk;
import slipway.disk.config.RootFileSystem;
import slipway.disk.filesystem.Scratch;
import slipway.disk.format.ImageFormat;
import slipway.disk.format.Ova;
import slipway.disk.plan.DiskPlan;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.UnixException;
import slipway.system.kargs.KernelArguments;

/**
 * Makes disk images of bootable container images. All files are written beside their places; the
 * rename of the manifest, which comes after those of the disks, is the commit point.
 */
public final class DiskBuilder {
  private static final KernelArguments USUAL =
      KernelArguments.of("rw", "console=tty0", "console=ttyS0,115200");

  /** The serial port of most machines of 64-bit Arm, and of QEMU's. */
  private static final KernelArguments ARM = KernelArguments.of("console=ttyAMA0");

  private final DiskRequest request;
  private final Progress progress;
  private final DiskSpace space;

  private DiskBuilder(DiskRequest request, Progress progress) {
    this.request = request;
    this.progress = progress;
    this.space =
        new DiskSpace(
            request.source(), request.manifest(), request.output().toAbsolutePath(), true);
  }

  /**
   * Builds every requested type.
   *
   * @return the files, in the order of the request's types
   * @throws Problem when the image is not bootable, the disk too small, or only root can do it
   */
  public static List<Path> build(DiskRequest request, Progress progress) throws IOException {
    return new DiskBuilder(request, progress).build();
  }

  /**
   * What {@link #build} would make, as the JSON of its manifest; makes nothing and needs no root.
   *
   * @throws Problem when the image is not bootable, or the disk too small
   */
  public static String manifest(DiskRequest request, Progress progress) throws IOException {
    return new DiskBuilder(request, progress).manifest();
  }

  /**
   * How large the partitions of the disk would be, and why; makes nothing and needs no root.
   *
   * @throws Problem when the image is not bootable; a disk that is too small is told by {@link
   *     DiskSizes#refusal}
   */
  public static DiskSizes sizes(DiskRequest request, Progress progress) throws IOException {
    return new DiskBuilder(request, progress).sizes();
  }

  private DiskSizes sizes() throws IOException {
    BootableImage image = request.bootable();
    InstallableImage known = ahead(image);
    BootLoader loader = known.bootLoader(wishes());
    DiskConfig customizations = customizations(known);
    DiskLayout layout = customizations.layout();
    List<DiskPlan.Demand> demands =
        DiskPlan.demands(least(image, customizations), layout, image.architecture(), loader);
    long least = DiskPlan.sizeFor(demands, layout);
    String rootfs = rootfs(known, customizations).label();
    try {
      DiskPlan plan = plans(image).of(loader, customizations);
      new OtherPlaces(plan).require(known.files());
      return new DiskSizes(demands, least, plan, rootfs, null);
    } catch (Problem e) {
      return new DiskSizes(demands, least, null, rootfs, e);
    }
  }

  private InstallableImage ahead(BootableImage image) throws IOException {
    InstallableImage known = InstallableImage.ahead(image, wishes(), progress);
    known.check(wishes());
    return known;
  }

  /** What is asked for, and what the image says of its disks. */
  private DiskConfig customizations(InstallableImage known) throws IOException {
    ImageDisk said = ImageDisk.of(known.files());
    said.ignored().forEach(progress::note);
    return request.customizations().onDiskOf(said);
  }

  /** What the root is made with. */
  private RootFileSystem rootfs(InstallableImage known, DiskConfig customizations) {
    RootFileSystem asked = customizations.layout().rootfs(rootfs(), true);
    RootFileSystem said = asked == null ? known.config().rootfs() : asked;
    return said == null ? RootFileSystem.EXT4 : said;
  }

  private String manifest() throws IOException {
    BootableImage image = request.bootable();
    MachineWishes wishes = wishes();
    InstallableImage known = ahead(image);
    BootLoader loader = known.bootLoader(wishes);
    DiskConfig customizations = customizations(known);
    DiskPlan plan = plans(image).of(loader, customizations);
    new OtherPlaces(plan).require(known.files());
    RootFileSystem rootfs = rootfs(known, customizations);
    KernelArguments usual = usual().append(DiskWriter.mounts(plan, known.files()).arguments());
    KernelArguments arguments =
        known.arguments(DiskWriter.rootArguments(plan, KernelArguments.NONE), usual, wishes);
    DiskWriter.Written planned =
        new DiskWriter.Written(request.output(), plan, rootfs, loader, arguments);
    return DiskManifest.text(request, planned, Map.of());
  }

  /** What is asked for by an option or the config. */
  private @Nullable RootFileSystem rootfs() {
    return request.customizations().layout().rootfs(request.rootfs(), false);
  }

  private KernelArguments usual() {
    if (!request.usualArguments()) {
      return KernelArguments.NONE;
    }
    return request.image().architecture().equals("arm64") ? USUAL.append(ARM) : USUAL;
  }

  private DiskWriter.Plans plans(BootableImage image) {
    return (loader, customizations) -> {
      requireSectors(customizations.layout());
      return DiskPlan.of(
          request.size(),
          least(image, customizations),
          customizations.layout(),
          image.architecture(),
          loader,
          request.ids());
    };
  }

  private void requireSectors(DiskLayout layout) {
    for (DiskType type : request.types()) {
      if (layout.sector() != DiskPlan.SECTOR && !type.hasAnySectors()) {
        throw Problem.input(
            "--type %s: its machines have disks with sectors of 512 bytes, and customizations.disk.sector_size is %d; take raw or qcow2, or leave that out"
                .formatted(type.label(), layout.sector()));
      }
    }
  }

  private static DiskPlan.Least least(BootableImage image, DiskConfig customizations) {
    long root = DiskWriter.rootMinimum(image, customizations);
    long boot = customizations.bootMinimum();
    return root > image.rootMinimum()
        ? new DiskPlan.Least(root, boot, "customizations.filesystem")
        : new DiskPlan.Least(root, boot);
  }

  private List<Path> build() throws IOException {
    BootableImage image = request.bootable();
    wishes().requireGrubTool();
    rootfs();
    DiskWriter.Plans plans = plans(image);
    plans.of(wishes().likelyBootLoader(), request.customizations());
    Path output = Files.createDirectories(request.output().toAbsolutePath());
    request.types().forEach(type -> requireNoFolder(output.resolve(type.path())));
    requireNoFolder(output.resolve(DiskManifest.name(request.types())));
    requireOwner(output);
    try (Scratch scratch = Scratch.create(progress)) {
      sweep(output, scratch);
      space.require();
      try {
        make(output, plans, scratch);
      } catch (IOException | RuntimeException e) {
        throw DiskSpace.thrown(space.explained(e, scratch.folder()));
      }
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

  /** Only root gives files to others: said before anything is made. */
  private void requireOwner(Path output) throws IOException {
    if (request.access().isOwned()) {
      try {
        own(OsPath.of(output));
      } catch (UnixException e) {
        if (e.errno() != UnixException.EPERM) {
          throw e;
        }
        throw new Problem(
            Problem.Kind.DENIED,
            Posix.geteuid() == 0
                ? "the file system of " + output + " knows no owners; leave out --chown"
                : "only root can give the files another owner; run it with sudo, or leave out"
                    + " --chown",
            e);
      }
    }
  }

  private MachineWishes wishes() {
    return MachineWishes.of(request.bootLoader(), request.customizations());
  }

  private void make(Path output, DiskWriter.Plans plans, Scratch scratch) throws IOException {
    DiskWriter.Written written = written(output, plans, scratch);
    Map<String, Path> made = converted(written, output, scratch);
    progress.note("digests of the files");
    String manifest = DiskManifest.name(request.types());
    made.put(manifest, scratch.unfinished(output, manifest));
    Files.writeString(made.get(manifest), DiskManifest.text(request, written, made));
    for (Map.Entry<String, Path> file : made.entrySet()) {
      finish(file.getValue(), output.resolve(file.getKey()));
    }
    if (request.access().isOwned()) {
      own(OsPath.of(output));
    }
    // The manifest comes last, and with it the build counts.
    for (Map.Entry<String, Path> file : made.entrySet()) {
      AtomicFile.rename(file.getValue(), output.resolve(file.getKey()));
    }
  }

  /** The finished content of each file, by the path that it will have below the output. */
  private Map<String, Path> converted(DiskWriter.Written written, Path output, Scratch scratch)
      throws IOException {
    Map<String, Path> made = new LinkedHashMap<>();
    // In the order of the formats, so that an appliance finds its disk made already.
    for (DiskType type : EnumSet.copyOf(request.types())) {
      ImageFormat format = type.format(written.plan().diskId());
      if (format == null) {
        made.put(type.path(), written.disk());
        continue;
      }
      progress.note("converting to " + type.label());
      Path result = output.resolve(type.path());
      Path folder = Files.createDirectories(Objects.requireNonNull(result.getParent()));
      Path temporary = scratch.unfinished(folder, String.valueOf(result.getFileName()));
      Path disk = made.get(DiskType.VMDK.path());
      if (format instanceof Ova appliance && disk != null) {
        appliance.pack(disk, written.plan().size(), temporary);
      } else {
        format.write(written.disk(), temporary);
      }
      made.put(type.path(), temporary);
    }
    return made;
  }

  private DiskWriter.Written written(Path output, DiskWriter.Plans plans, Scratch scratch)
      throws IOException {
    DiskWriter.Options options =
        new DiskWriter.Options(
            rootfs(), null, BlockSetup.DIRECT, usual(), wishes(), true, true, request.time());
    DiskWriter writer = new DiskWriter(request.image(), options, space, progress);
    return writer.writeWhole(plan -> empty(output, plan, scratch), plans, scratch);
  }

  private Path empty(Path output, DiskPlan plan, Scratch scratch) throws IOException {
    Path raw = scratch.unfinished(output, "disk.raw");
    try (RandomAccessFile file = new RandomAccessFile(raw.toFile(), "rw")) {
      file.setLength(plan.size());
    } catch (IOException e) {
      throw new Problem(
          Problem.Kind.INPUT,
          "%s cannot hold a disk of %d bytes (%s); name a folder by --output whose file system has files with holes"
              .formatted(request.output(), plan.size(), e.getMessage()),
          e);
    }
    return raw;
  }

  /** All that can fail of giving a file its name, but for the rename itself. */
  private void finish(Path temporary, Path result) throws IOException {
    Path folder = Files.createDirectories(Objects.requireNonNull(result.getParent()));
    requireNoFolder(result);
    OsPath file = OsPath.of(temporary);
    Posix.chmod(file, request.access().mode());
    if (request.access().isOwned()) {
      own(file);
      own(OsPath.of(folder));
    }
    try (RandomAccessFile open = new RandomAccessFile(temporary.toFile(), "rw")) {
      open.getFD().sync();
    }
  }

  private static void requireNoFolder(Path result) {
    if (Files.isDirectory(result, LinkOption.NOFOLLOW_LINKS)) {
      throw Problem.input(result + " is a folder; remove it, or name another folder by --output");
    }
  }

  private void own(OsPath path) throws IOException {
    Posix.lchown(path, request.access().uid(), request.access().gid());
  }
}
