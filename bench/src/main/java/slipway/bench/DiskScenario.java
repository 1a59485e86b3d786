package slipway.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import slipway.linux.process.Command;

/** Image in the store to raw disk. */
final class DiskScenario implements Scenario {
  private static final String OURS = "slipway disk build --type raw";
  private static final String FLOOR = "mkfs.ext4, mount, tar -x of the same files, sync, umount";

  private final Timer timer = new Timer(Duration.ofMillis(20));

  @Override
  public String name() {
    return "disk";
  }

  @Override
  public String title() {
    return "Disk: image in the local store to raw disk";
  }

  @Override
  public List<Contender> contenders(Inputs inputs) throws IOException {
    inputs.pushGzip();
    inputs.archive();
    return List.of(
        (dir, samples) -> samples.add(OURS, ours(inputs, dir)),
        (dir, samples) -> samples.add(FLOOR, floor(inputs, dir)));
  }

  private Measured ours(Inputs inputs, Path dir) throws IOException {
    return timer.run(
        inputs
            .slipway("disk", "build", "--quiet", "--type", "raw", "--output", dir.toString())
            .with("--root", inputs.state().toString(), inputs.image()));
  }

  private Measured floor(Inputs inputs, Path dir) throws IOException {
    Path disk = dir.resolve("disk.raw");
    Path mounted = Files.createDirectory(dir.resolve("mnt"));
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

  @Override
  public List<Ratio> ratios(Samples samples) {
    return List.of(samples.ratio("slipway / the floor", List.of(OURS), List.of(FLOOR), 1.5));
  }

  @Override
  public List<String> notes() {
    return List.of(
        "The floor neither decompresses nor hashes: it copies files that are there already, without"
            + " repository, boot loader or partitions. Slipway decompresses zstd, verifies each"
            + " layer twice (blob and diff id), hashes each file into its repository, deploys, and"
            + " installs the boot loaders.",
        "What the kernel does for loop devices is in neither count of CPU seconds.");
  }
}
