package slipway.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import slipway.linux.process.Command;

/** Registry to deployed tree. */
final class ImportScenario implements Scenario {
  private static final String OURS_ZSTD = "slipway: import and deploy, zstd layers";
  private static final String OURS_GZIP = "slipway: import and deploy, gzip layers";
  private static final String SKOPEO = "skopeo copy to an OCI layout, gzip layers";
  private static final String UMOCI = "umoci unpack of that, sync";
  private static final String OSTREE = "ostree commit of those files, sync";
  private static final String TAR = "tar -x of the same files, not compressed, sync";

  private final Timer timer = new Timer(Duration.ofMillis(20));

  @Override
  public String name() {
    return "import";
  }

  @Override
  public String title() {
    return "Import: registry to deployed tree";
  }

  @Override
  public List<Contender> contenders(Inputs inputs) throws IOException {
    inputs.pushGzip();
    inputs.archive();
    return List.of(
        (dir, samples) -> samples.add(OURS_ZSTD, ours(inputs, Inputs.ZSTD, dir)),
        (dir, samples) -> samples.add(OURS_GZIP, ours(inputs, Inputs.GZIP, dir)),
        (dir, samples) -> unpack(inputs, dir, samples),
        (dir, samples) -> samples.add(OSTREE, commit(inputs, dir)),
        (dir, samples) -> samples.add(TAR, timer.run(inputs.untar(dir), Inputs.sync(dir))));
  }

  private Measured ours(Inputs inputs, String tag, Path dir) throws IOException {
    String name = inputs.repository() + ":" + tag;
    return timer.run(inputs.java(ImportOnce.class, name, dir.toString()));
  }

  private void unpack(Inputs inputs, Path dir, Samples samples) throws IOException {
    Path layout = dir.resolve("layout");
    Path bundle = dir.resolve("bundle");
    samples.add(SKOPEO, timer.run(inputs.skopeo(Inputs.GZIP, layout)));
    samples.add(UMOCI, timer.run(Inputs.umoci(layout, bundle), Inputs.sync(dir)));
  }

  private Measured commit(Inputs inputs, Path dir) throws IOException {
    Path repository = Files.createDirectory(dir.resolve("repo"));
    String option = "--repo=" + repository;
    Command.of("ostree", "init", "--mode=bare", option).run();
    return timer.run(
        Command.of("ostree", "commit", option, "--branch=os").with("--tree=dir=" + inputs.files()),
        Inputs.sync(dir));
  }

  @Override
  public List<Ratio> ratios(Samples samples) {
    return List.of(
        samples.ratio(
            "slipway gzip / skopeo + umoci", List.of(OURS_GZIP), List.of(SKOPEO, UMOCI), null),
        samples.ratio(
            "slipway gzip / skopeo + umoci + ostree commit",
            List.of(OURS_GZIP),
            List.of(SKOPEO, UMOCI, OSTREE),
            1.0),
        samples.ratio(
            "slipway zstd / skopeo + umoci + ostree commit",
            List.of(OURS_ZSTD),
            List.of(SKOPEO, UMOCI, OSTREE),
            1.0),
        samples.ratio("slipway zstd / ostree commit", List.of(OURS_ZSTD), List.of(OSTREE), null),
        samples.ratio("slipway zstd / tar -x", List.of(OURS_ZSTD), List.of(TAR), null));
  }

  @Override
  public List<String> notes() {
    return List.of(
        "umoci cannot read zstd, so its image is the same one with gzip layers; Slipway does both.",
        "Slipway's row is the whole way: fetch, verify every digest, write a bare repository,"
            + " deploy, sync. skopeo + umoci + ostree commit is the same work by peers, but for the"
            + " deployment; skopeo and umoci alone leave plain files. A sync of a disk that others"
            + " write to pays for their data too.",
        "The registry is Slipway's, on the loopback, in a process that is not counted.");
  }
}
