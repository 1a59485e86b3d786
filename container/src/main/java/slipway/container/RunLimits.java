package slipway.container;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import slipway.base.ByteSize;
import slipway.base.Problem;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What one RUN may use of the machine, all its processes together; the control group of its
 * container holds it to that. 0 and empty mean no limit.
 *
 * @param memory bytes
 * @param memorySwap bytes of memory and swap together; 0 is twice the memory, -1 no limit
 * @param cpuPeriod microseconds
 * @param cpuQuota microseconds of processor time in each period
 * @param cpuShares weight against others, 1024 is usual
 * @param cpuSet processors, such as {@code 0-2,5}
 * @param memoryNodes NUMA nodes, such as {@code 0,1}
 * @param processes how many processes and threads at once; at most 0 is no limit
 * @param ulimits limits of each process (setrlimit(2))
 */
public record RunLimits(
    long memory,
    long memorySwap,
    long cpuPeriod,
    long cpuQuota,
    long cpuShares,
    String cpuSet,
    String memoryNodes,
    long processes,
    List<Ulimit> ulimits) {
  /** Twice as much, memory and swap together, must be a number too. */
  private static final long MOST_BYTES = Long.MAX_VALUE / 2;

  /** podman's (containers.conf, pids_limit). */
  public static final long PROCESSES = 2048;

  private static final long PERIOD = 100_000;
  private static final Pattern SET = Pattern.compile("([0-9]{1,5}(-[0-9]{1,5})?(,|$))*");

  /** What is in force unless somebody says more. */
  public static final RunLimits USUAL = new RunLimits(0, 0, 0, 0, 0, "", "", PROCESSES, List.of());

  public RunLimits {
    ulimits = List.copyOf(ulimits);
    if (!SET.matcher(cpuSet).matches() || !SET.matcher(memoryNodes).matches()) {
      throw Problem.usage(
          "--cpuset-cpus and --cpuset-mems are numbers and ranges such as 0-2,5, not \""
              + cpuSet
              + memoryNodes
              + "\"");
    }
    if (memorySwap > 0 && (memory == 0 || memorySwap < memory)) {
      throw Problem.usage(
          "--memory-swap is memory and swap together: it needs --memory and is at least as large");
    }
  }

  /** The quota that stands for a number of processors, such as 1.5, in the usual period. */
  public static long quota(double processors) {
    if (!(processors >= 0.001 && processors <= 100_000)) {
      throw Problem.usage("--cpus is a number of processors such as 1.5");
    }
    return Math.round(processors * PERIOD);
  }

  /**
   * Reads a size as podman does: {@code 512m}, {@code 2g}, bytes without a letter.
   *
   * @param option to blame
   */
  public static long size(String text, String option) {
    long bytes = ByteSize.parse(text).orElse(0);
    if (bytes > 0 && bytes <= MOST_BYTES) {
      return bytes;
    }
    throw Problem.usage(
        option + " is a size such as 512m or 2g, up to 4194303t, not \"" + text + "\"");
  }

  /**
   * A limit of each process.
   *
   * @param name of the runtime specification, such as {@code RLIMIT_NOFILE}
   * @param soft -1 for no limit
   * @param hard -1 for no limit
   */
  public record Ulimit(String name, long soft, long hard) {
    private static final List<String> NAMES =
        List.of(
            "as",
            "core",
            "cpu",
            "data",
            "fsize",
            "locks",
            "memlock",
            "msgqueue",
            "nice",
            "nofile",
            "nproc",
            "rss",
            "rtprio",
            "rttime",
            "sigpending",
            "stack");
    private static final Pattern TEXT =
        Pattern.compile("([a-z]+)=(-1|[0-9]{1,18}|unlimited)(?::(-1|[0-9]{1,18}|unlimited))?");

    /** Reads {@code nofile=1024:2048}, or one number for both. */
    public static Ulimit parse(String text) {
      Matcher m = TEXT.matcher(text);
      if (!m.matches() || !NAMES.contains(m.group(1))) {
        throw Problem.usage(
            "--ulimit is NAME=SOFT[:HARD] with a NAME of "
                + String.join(", ", NAMES)
                + ", not \""
                + text
                + "\"");
      }
      long soft = number(m.group(2));
      long hard = m.group(3) == null ? soft : number(m.group(3));
      if (hard >= 0 && (soft < 0 || soft > hard)) {
        throw Problem.usage("--ulimit " + text + ": the soft limit is above the hard one");
      }
      return new Ulimit("RLIMIT_" + m.group(1).toUpperCase(Locale.ROOT), soft, hard);
    }

    private static long number(String text) {
      return text.equals("unlimited") ? -1 : Long.parseLong(text);
    }
  }

  /** Writes them as {@code linux.resources} (OCI runtime-spec, config-linux.md). */
  void writeResources(ObjectNode resources) {
    if (memory > 0) {
      ObjectNode node = resources.putObject("memory");
      node.put("limit", memory);
      node.put("swap", memorySwap == 0 ? memory * 2 : memorySwap);
    }
    ObjectNode cpu = resources.putObject("cpu");
    put(cpu, Map.of("period", cpuPeriod, "quota", cpuQuota, "shares", cpuShares));
    if (cpuQuota > 0 && cpuPeriod == 0) {
      cpu.put("period", PERIOD);
    }
    if (!cpuSet.isEmpty()) {
      cpu.put("cpus", cpuSet);
    }
    if (!memoryNodes.isEmpty()) {
      cpu.put("mems", memoryNodes);
    }
    if (processes > 0) {
      resources.putObject("pids").put("limit", processes);
    }
  }

  private static void put(ObjectNode node, Map<String, Long> values) {
    values.forEach(
        (name, value) -> {
          if (value > 0) {
            node.put(name, value);
          }
        });
  }

  /** Writes them as {@code process.rlimits}; what is not said stays as it is for the builder. */
  void writeUlimits(ArrayNode list) {
    for (Ulimit limit : ulimits) {
      list.addObject()
          .put("type", limit.name())
          .put("soft", unsigned(limit.soft()))
          .put("hard", unsigned(limit.hard()));
    }
  }

  private static java.math.BigInteger unsigned(long value) {
    return new java.math.BigInteger(Long.toUnsignedString(value));
  }
}
