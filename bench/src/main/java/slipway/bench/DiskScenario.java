package slipway.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import slipway.linux.process.Command;

/** Image in the store to disk images and an installer, first time and again. */
final class DiskScenario implements Scenario {
  private static final String RAW = "slipway disk build --type raw, first time";
  private static final String RAW_AGAIN = "slipway disk build --type raw, again";
  private static final String QCOW2 = "slipway disk build --type qcow2, first time";
  private static final String QCOW2_AGAIN = "slipway disk build --type qcow2, again";
  private static final String ISO = "slipway disk build --type iso";
  private static final String FLOOR = "mkfs.ext4, mount, tar -x of the same files, sync, umount";
  private static final String MKE2FS = "mke2fs -d of the same files, qemu-img convert -c";
  private static final String MOUNTED = "that floor, qemu-img convert -c";
  private static final String XORRISO = "xorriso of the same files";
  private static final double MIB = 1024 * 1024;

  private final Timer timer = new Timer(Duration.ofMillis(20));

  @Override
  public String name() {
    return "disk";
  }

  @Override
  public String title() {
    return "Disk: image in the local store to disk images and an installer";
  }

  @Override
  public List<Contender> contenders(Inputs inputs) throws IOException {
    inputs.pushGzip();
    inputs.archive();
    return List.of(
        (dir, samples) -> ours(inputs, dir, "raw", List.of(RAW, RAW_AGAIN), samples),
        (dir, samples) -> ours(inputs, dir, "qcow2", List.of(QCOW2, QCOW2_AGAIN), samples),
        (dir, samples) -> ours(inputs, dir, "iso", List.of(ISO), samples),
        (dir, samples) -> mounted(inputs, dir, samples),
        (dir, samples) -> samples.add(MKE2FS, mke2fs(inputs, dir)),
        (dir, samples) -> samples.add(XORRISO, xorriso(inputs, dir)));
  }

  /** In a store of its own, so that the first build finds no layers of another one unpacked. */
  private void ours(Inputs inputs, Path dir, String type, List<String> rows, Samples samples)
      throws IOException {
    String state = dir.resolve("state").toString();
    String image = inputs.repository() + ":" + Inputs.ZSTD;
    inputs.slipway("pull", "--quiet", "--root", state, "--tls-verify=false", image).run();
    Inputs.sync(dir).run();
    for (String row : rows) {
      Path output = Files.createDirectory(dir.resolve("output"));
      Command build =
          inputs
              .slipway("disk", "build", "--quiet", "--type", type, "--rootfs", "ext4")
              .with("--output", output.toString(), "--root", state, image);
      samples.add(row, timer.run(build, Inputs.sync(dir)));
      Inputs.remove(output);
    }
  }

  /** The floor, and then what makes a qcow2 of it. */
  private void mounted(Inputs inputs, Path dir, Samples samples) throws IOException {
    Path disk = dir.resolve("disk.raw");
    Measured floor = floor(inputs, disk, Files.createDirectory(dir.resolve("mnt")));
    samples.add(FLOOR, floor);
    samples.add(MOUNTED, floor.then(timer.run(convert(disk), Inputs.sync(dir))));
  }

  private Measured floor(Inputs inputs, Path disk, Path mounted) throws IOException {
    boolean done = false;
    try {
      Measured measured =
          timer.run(
              Command.of("truncate", "--size=10G", disk.toString()),
              Command.of("mkfs.ext4", "-q", "-O", "verity", disk.toString()),
              Command.of("mount", "-o", "loop", disk.toString(), mounted.toString()),
              inputs.untar(mounted),
              Inputs.sync(mounted),
              Command.of("umount", mounted.toString()));
      done = true;
      return measured;
    } finally {
      if (!done) {
        Command.of("umount", "--lazy", mounted.toString()).tryRun();
      }
    }
  }

  private Measured mke2fs(Inputs inputs, Path dir) throws IOException {
    Path disk = dir.resolve("disk.raw");
    return timer.run(
        Command.of("mke2fs", "-q", "-t", "ext4", "-O", "verity")
            .with("-d", inputs.files().toString(), disk.toString(), "10G"),
        convert(disk),
        Inputs.sync(dir));
  }

  private static Command convert(Path disk) {
    return Command.of("qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2")
        .with(disk.toString(), disk.resolveSibling("disk.qcow2").toString());
  }

  private Measured xorriso(Inputs inputs, Path dir) throws IOException {
    return timer.run(
        Command.of("xorriso", "-as", "mkisofs", "-quiet", "-R", "-o")
            .with(dir.resolve("files.iso").toString(), inputs.files().toString()),
        Inputs.sync(dir));
  }

  @Override
  public List<Ratio> ratios(Samples samples) {
    return List.of(
        samples.ratio("raw, first time / the floor", List.of(RAW), List.of(FLOOR), 2.5),
        samples.ratio("raw, again / the floor", List.of(RAW_AGAIN), List.of(FLOOR), 1.2),
        samples.ratio("qcow2, first time / mke2fs", List.of(QCOW2), List.of(MKE2FS), 0.2),
        samples.ratio("qcow2, first time / mounted", List.of(QCOW2), List.of(MOUNTED), 0.2),
        samples.ratio("qcow2, again / mke2fs", List.of(QCOW2_AGAIN), List.of(MKE2FS), 0.2),
        samples.ratio("qcow2, again / mounted", List.of(QCOW2_AGAIN), List.of(MOUNTED), 0.2),
        samples.ratio("iso / xorriso", List.of(ISO), List.of(XORRISO), 3.0),
        memory(samples, RAW),
        memory(samples, QCOW2),
        memory(samples, ISO));
  }

  private static Ratio memory(Samples samples, String row) {
    double peak = samples.max(row, Measured::peakRss) / MIB;
    return new Ratio(row + ", peak memory", "MiB", peak, null, 256.0);
  }

  @Override
  public List<String> notes() {
    return List.of(
        "The floor neither decompresses nor hashes: it copies files that are there already, without"
            + " repository, boot loader or partitions. Slipway decompresses zstd, verifies each"
            + " layer twice (blob and diff id), hashes each file into its repository, deploys, and"
            + " installs the boot loaders. Again, it hashes each file once more.",
        "The first time is in a new store, into which the image was just pulled. All rows end with"
            + " a sync. The sizes of the disks are those that each tool is told, or takes itself.",
        "What the kernel does for loop devices is in neither count of CPU seconds.");
  }
}
