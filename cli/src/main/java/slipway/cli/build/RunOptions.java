package slipway.cli.build;

import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import slipway.base.Problem;
import slipway.container.RunLimits;
import slipway.container.RunNetwork;

/** What RUN commands see and may use: a mix-in with podman build's options. */
final class RunOptions {
  @Option(
      names = {"--network", "--net"},
      paramLabel = "MODE",
      defaultValue = "private",
      description =
          "for RUN: private (slirp4netns or pasta), host, none, slirp4netns:allow_host_loopback=true,"
              + " pasta:--map-gw (default: ${DEFAULT-VALUE})")
  String network = "private";

  @Option(
      names = {"-m", "--memory"},
      paramLabel = "SIZE",
      description = "memory of one RUN, such as 2g (default: no limit)")
  @Nullable String memory;

  @Option(
      names = "--memory-swap",
      paramLabel = "SIZE",
      description = "memory and swap together, -1: no limit (default: twice the memory)")
  @Nullable String memorySwap;

  @Option(
      names = "--cpus",
      paramLabel = "N",
      description = "processors that one RUN may use, such as 1.5")
  @Nullable Double processors;

  @Option(names = "--cpu-period", paramLabel = "US", description = "period of --cpu-quota")
  long cpuPeriod;

  @Option(
      names = "--cpu-quota",
      paramLabel = "US",
      description = "processor time of one RUN in each period")
  long cpuQuota;

  @Option(
      names = {"-c", "--cpu-shares"},
      paramLabel = "N",
      description = "weight against others; 1024 is usual")
  long cpuShares;

  @Option(names = "--cpuset-cpus", paramLabel = "LIST", description = "processors, such as 0-2,5")
  String cpuSet = "";

  @Option(names = "--cpuset-mems", paramLabel = "LIST", description = "memory nodes, such as 0,1")
  String memoryNodes = "";

  @Option(
      names = "--pids-limit",
      paramLabel = "N",
      description = "processes and threads of one RUN, -1: no limit (default: ${DEFAULT-VALUE})")
  long processes = RunLimits.PROCESSES;

  @Option(
      names = "--ulimit",
      paramLabel = "NAME=SOFT[:HARD]",
      description = "limit of each process, such as nofile=1024; may be repeated")
  List<String> ulimits = List.of();

  RunNetwork network() {
    return RunNetwork.parse(network);
  }

  RunLimits limits() {
    if (processors != null && cpuQuota != 0) {
      throw Problem.usage("give --cpus or --cpu-quota, not both");
    }
    return new RunLimits(
        memory == null ? 0 : RunLimits.size(memory, "--memory"),
        swap(),
        cpuPeriod,
        processors == null ? cpuQuota : RunLimits.quota(processors),
        cpuShares,
        cpuSet,
        memoryNodes,
        processes,
        ulimits.stream().map(RunLimits.Ulimit::parse).toList());
  }

  private long swap() {
    if (memorySwap == null) {
      return 0;
    }
    return memorySwap.equals("-1") ? -1 : RunLimits.size(memorySwap, "--memory-swap");
  }
}
