package slipway.disk;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.disk.config.BlockSetup;
import slipway.disk.filesystem.Scratch;
import slipway.disk.format.ImageFormat;
import slipway.disk.plan.DiskPlan;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.system.kargs.KernelArguments;

/**
 * Makes disk images of bootable container images. The disk is written to a temporary file beside
 * the result; the rename to the result's name is the commit point.
 */
public final class DiskBuilder {
  private static final KernelArguments USUAL =
      KernelArguments.of("rw", "console=tty0", "console=ttyS0,115200");

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
   * @throws Problem when the image is not bootable, the disk too small, or root is missing
   */
  public static List<Path> build(DiskRequest request, Progress progress) throws IOException {
    if (Posix.geteuid() != 0) {
      throw Problem.denied("making disk images needs root: run it with sudo");
    }
    return new DiskBuilder(request, progress).build();
  }

  private List<Path> build() throws IOException {
    BootableImage image = request.image();
    image.check();
    wishes().requireGrubTool();
    DiskWriter.Plans plans =
        loader ->
            DiskPlan.of(
                request.size(),
                DiskWriter.rootMinimum(image, request.customizations()),
                image.architecture(),
                loader,
                UUID::randomUUID);
    plans.of(wishes().likelyBootLoader());
    Path output = Files.createDirectories(request.output().toAbsolutePath());
    try (Scratch scratch = Scratch.create(progress)) {
      sweep(output, scratch);
      space.require();
      try {
        make(output, plans, scratch);
      } catch (IOException | RuntimeException e) {
        throw DiskSpace.thrown(space.explained(e, scratch.folder()));
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

  private MachineWishes wishes() {
    return MachineWishes.of(request.bootLoader(), request.customizations());
  }

  private void make(Path output, DiskWriter.Plans plans, Scratch scratch) throws IOException {
    DiskWriter.Written written = written(output, plans, scratch);
    for (DiskType type : request.types()) {
      ImageFormat format = type.format(written.plan().diskId());
      if (format != null) {
        convert(written.disk(), type, format, output.resolve(type.path()), scratch);
      }
    }
    // The raw file itself is moved away last, once, whatever it is called.
    for (DiskType type : request.types()) {
      if (Files.exists(written.disk()) && type.format(written.plan().diskId()) == null) {
        publish(written.disk(), output.resolve(type.path()));
      }
    }
    progress.note("digests of the files");
    describe(output.resolve(DiskManifest.name(request.types())), written, output);
  }

  private void describe(Path manifest, DiskWriter.Written written, Path output) throws IOException {
    // Kernel arguments may hold secrets, as the disk does.
    try (AtomicFile file = AtomicFile.create(manifest, "rw-------")) {
      file.out().write(DiskManifest.text(request, written, output).getBytes(UTF_8));
      OsPath temporary = OsPath.of(file.temporary());
      Posix.chmod(temporary, request.access().mode());
      if (request.access().isOwned()) {
        own(temporary);
      }
      file.commit();
    }
  }

  private DiskWriter.Written written(Path output, DiskWriter.Plans plans, Scratch scratch)
      throws IOException {
    DiskWriter.Options options =
        new DiskWriter.Options(request.rootfs(), null, BlockSetup.DIRECT, USUAL, wishes(), true);
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
          request.output() + " cannot hold a disk of " + plan.size() + " bytes: " + e.getMessage(),
          e);
    }
    return raw;
  }

  private void convert(Path raw, DiskType type, ImageFormat format, Path result, Scratch scratch)
      throws IOException {
    progress.note("converting to " + type.label());
    Path folder = Files.createDirectories(Objects.requireNonNull(result.getParent()));
    Path temporary =
        scratch.unfinished(folder, Objects.requireNonNull(result.getFileName()).toString());
    format.write(raw, temporary);
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
