package slipway.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import slipway.linux.process.Command;

/** Commands that do next to nothing. */
final class StartScenario implements Scenario {
  private static final String VERSION = "slipway --version";
  private static final String STATUS = "slipway bootc status";
  private static final String JVM = "java --version, the JVM alone";
  private static final String PODMAN = "podman --version";
  private static final int TIMES = 10;
  private static final double MIB = 1024 * 1024;

  private final Timer timer = new Timer(Duration.ofMillis(2));

  @Override
  public String name() {
    return "start";
  }

  @Override
  public String title() {
    return "Start: commands that do next to nothing";
  }

  @Override
  public List<Contender> contenders(Inputs inputs) throws IOException {
    Command version = inputs.slipway("--version");
    Command status = inputs.slipway("bootc", "status");
    Command java =
        Command.of(Path.of(System.getProperty("java.home"), "bin/java").toString())
            .with("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "--version");
    return List.of(
        (dir, samples) -> repeat(samples, VERSION, version),
        (dir, samples) -> repeat(samples, STATUS, status),
        (dir, samples) -> repeat(samples, JVM, java),
        (dir, samples) -> repeat(samples, PODMAN, Command.of("podman", "--version")));
  }

  private void repeat(Samples samples, String row, Command command) throws IOException {
    timer.repeat(TIMES, command).forEach(m -> samples.add(row, m));
  }

  @Override
  public List<Ratio> ratios(Samples samples) {
    return List.of(
        samples.ratio("--version / the JVM alone", List.of(VERSION), List.of(JVM), 4.0),
        samples.ratio("bootc status / the JVM alone", List.of(STATUS), List.of(JVM), 4.0),
        samples.ratio("--version / podman --version", List.of(VERSION), List.of(PODMAN), null),
        seconds("--version, least wall time", samples, VERSION),
        seconds("bootc status, least wall time", samples, STATUS),
        memory("--version, peak memory", samples, VERSION),
        memory("bootc status, peak memory", samples, STATUS));
  }

  private static Ratio seconds(String what, Samples samples, String row) {
    return new Ratio(what, "s", samples.min(row, Measured::wall), null, 0.2);
  }

  private static Ratio memory(String what, Samples samples, String row) {
    return new Ratio(what, "MiB", samples.max(row, Measured::peakRss) / MIB, null, 64.0);
  }

  @Override
  public List<String> notes() {
    return List.of(
        "The launcher's own work (looking for changed sources) is counted. CPU seconds are the"
            + " mean of ten runs in a row, because the kernel counts in steps of 10 ms.",
        Files.exists(Path.of("/run/ostree-booted"))
            ? "The machine is an ostree system, so bootc status reads its deployments."
            : "The machine is no ostree system, so bootc status has little to tell.");
  }
}
