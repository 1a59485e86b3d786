package slipway.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import slipway.linux.process.Command;

/** A Containerfile of five steps on the base image. */
final class BuildScenario implements Scenario {
  private static final List<String> PHASES =
      List.of("cold: base from the registry", "base present, no cache", "all cached");

  private final Timer timer = new Timer(Duration.ofMillis(20));

  @Override
  public String name() {
    return "build";
  }

  @Override
  public String title() {
    return "Build: five steps on the base image";
  }

  @Override
  public List<Contender> contenders(Inputs inputs) throws IOException {
    inputs.pushGzip();
    return List.of(
        (dir, samples) -> slipway(inputs, dir, samples),
        (dir, samples) -> buildah(inputs, dir, samples));
  }

  private static Path context(Inputs inputs, Path dir) throws IOException {
    Path context = Files.createDirectory(dir.resolve("context"));
    Files.writeString(
        context.resolve("Containerfile"),
        """
        FROM %s:gzip
        RUN mkdir -p /usr/share/site && echo one > /usr/share/site/one
        COPY page.html /usr/share/site/
        RUN cat /usr/share/site/one /usr/share/site/page.html > /usr/share/site/both
        RUN rm /usr/share/site/one && sha256sum /usr/share/site/* > /usr/share/sums
        LABEL title=site
        """
            .formatted(inputs.repository()));
    Files.writeString(context.resolve("page.html"), "<p>hello\n");
    return context;
  }

  private void slipway(Inputs inputs, Path dir, Samples samples) throws IOException {
    Path context = context(inputs, dir);
    Command build =
        inputs
            .slipway("build", "--quiet", "--root", dir.resolve("state").toString())
            .with("-t", "localhost/site:1");
    Command last = build.with(context.toString());
    samples.add(row("slipway", 0), timer.run(last));
    samples.add(row("slipway", 1), timer.run(build.with("--no-cache", context.toString())));
    samples.add(row("slipway", 2), timer.run(last));
  }

  private void buildah(Inputs inputs, Path dir, Samples samples) throws IOException {
    Path context = context(inputs, dir);
    Path root = Files.createDirectory(dir.resolve("storage"));
    try {
      Command cached = bud(dir, "--layers", context.toString());
      samples.add(row("buildah bud", 0), timer.run(cached));
      samples.add(
          row("buildah bud", 1), timer.run(bud(dir, "--layers", "--no-cache", context.toString())));
      samples.add(row("buildah bud", 2), timer.run(cached));
    } finally {
      storage(dir).with("umount", "--all").tryRun();
      // containers-storage binds this folder to itself.
      Command.of("umount", root.resolve("overlay").toString()).tryRun();
    }
  }

  private static Command storage(Path dir) {
    return Command.of("buildah", "--root", dir.resolve("storage").toString())
        .with("--runroot", dir.resolve("run").toString(), "--storage-driver", "overlay");
  }

  private static Command bud(Path dir, String... more) {
    return storage(dir)
        .with("bud", "--quiet", "--isolation", "chroot", "--tls-verify=false")
        .with("-t", "localhost/site:1")
        .with(more);
  }

  private static String row(String who, int phase) {
    return who + ", " + PHASES.get(phase);
  }

  @Override
  public List<Ratio> ratios(Samples samples) {
    List<Ratio> ratios = new ArrayList<>();
    for (int phase = 0; phase < PHASES.size(); phase++) {
      ratios.add(
          samples.ratio(
              "slipway / buildah, " + PHASES.get(phase),
              List.of(row("slipway", phase)),
              List.of(row("buildah bud", phase)),
              1.0));
    }
    return ratios;
  }

  @Override
  public List<String> notes() {
    return List.of(
        "RUN is in a container of runc with Slipway, in a chroot with buildah (--isolation"
            + " chroot --layers).",
        "Both fetch and unpack the base, with gzip layers, in the cold row; each round has a"
            + " store of its own.");
  }
}
