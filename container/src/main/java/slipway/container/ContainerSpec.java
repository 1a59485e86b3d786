package slipway.container;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import slipway.linux.posix.OsPath;
import slipway.oci.model.Json;
import slipway.system.accounts.ImageAccounts;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * One command in a container, as RUN needs it.
 *
 * @param root the mounted tree
 * @param arguments the command
 * @param environment {@code NAME=value}
 * @param directory working directory
 * @param network what it sees of networks
 * @param privileged whether it may do what root outside may
 * @param mounts beside the usual ones
 * @param controlGroup path of its control group
 * @param limits what the control group holds it to
 */
public record ContainerSpec(
    OsPath root,
    List<String> arguments,
    List<String> environment,
    String directory,
    ImageAccounts.Identity user,
    Network network,
    boolean privileged,
    List<ContainerMount> mounts,
    String controlGroup,
    RunLimits limits) {
  public static final String HOSTNAME = "slipway";

  /** The network namespace of a container. */
  public sealed interface Network {
    /** The machine's. */
    record Host() implements Network {}

    /** A new one that leads nowhere. */
    record None() implements Network {}

    /**
     * One that somebody else made and connects.
     *
     * @param path of a file that it is mounted on
     */
    record Joined(Path path) implements Network {}
  }

  /** podman's default set. */
  private static final List<String> CAPABILITIES =
      List.of(
          "CAP_CHOWN",
          "CAP_DAC_OVERRIDE",
          "CAP_FOWNER",
          "CAP_FSETID",
          "CAP_KILL",
          "CAP_NET_BIND_SERVICE",
          "CAP_SETFCAP",
          "CAP_SETGID",
          "CAP_SETPCAP",
          "CAP_SETUID",
          "CAP_SYS_CHROOT");

  private static final List<String> MORE_CAPABILITIES =
      List.of(
          "CAP_AUDIT_CONTROL",
          "CAP_AUDIT_READ",
          "CAP_AUDIT_WRITE",
          "CAP_BLOCK_SUSPEND",
          "CAP_DAC_READ_SEARCH",
          "CAP_IPC_LOCK",
          "CAP_IPC_OWNER",
          "CAP_LEASE",
          "CAP_LINUX_IMMUTABLE",
          "CAP_MAC_ADMIN",
          "CAP_MAC_OVERRIDE",
          "CAP_MKNOD",
          "CAP_NET_ADMIN",
          "CAP_NET_BROADCAST",
          "CAP_NET_RAW",
          "CAP_SYSLOG",
          "CAP_SYS_ADMIN",
          "CAP_SYS_BOOT",
          "CAP_SYS_MODULE",
          "CAP_SYS_NICE",
          "CAP_SYS_PACCT",
          "CAP_SYS_PTRACE",
          "CAP_SYS_RAWIO",
          "CAP_SYS_TIME",
          "CAP_SYS_TTY_CONFIG",
          "CAP_WAKE_ALARM");

  /** podman's (containers-common, default masked and read-only paths). */
  private static final List<String> MASKED =
      List.of(
          "/proc/acpi",
          "/proc/kcore",
          "/proc/keys",
          "/proc/latency_stats",
          "/proc/timer_list",
          "/proc/timer_stats",
          "/proc/sched_debug",
          "/proc/scsi",
          "/sys/firmware",
          "/sys/fs/selinux",
          "/sys/dev/block",
          "/sys/devices/virtual/powercap",
          "/proc/interrupts");

  private static final List<String> READ_ONLY =
      List.of(
          "/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger");

  /** What every container has, in the order in which they are mounted. */
  public static List<ContainerMount> usualMounts() {
    return List.of(
        ContainerMount.of("/proc", "proc", "nosuid", "noexec", "nodev"),
        ContainerMount.of("/dev", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
        ContainerMount.of(
            "/dev/pts",
            "devpts",
            "nosuid",
            "noexec",
            "newinstance",
            "ptmxmode=0666",
            "mode=0620",
            "gid=5"),
        ContainerMount.of(
            "/dev/shm", "tmpfs", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"),
        ContainerMount.of("/dev/mqueue", "mqueue", "nosuid", "noexec", "nodev"),
        ContainerMount.of("/sys", "sysfs", "nosuid", "noexec", "nodev", "ro"));
  }

  /** The runtime's config.json (OCI runtime-spec 1.0, config.md). */
  byte[] toJson() throws IOException {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.put("ociVersion", "1.0.2");
    root.set("process", process());
    root.putObject("root").put("path", this.root.toString()).put("readonly", false);
    root.put("hostname", HOSTNAME);
    ArrayNode list = root.putArray("mounts");
    List<ContainerMount> all = new ArrayList<>(usualMounts());
    all.addAll(mounts);
    for (ContainerMount m : all) {
      ObjectNode mount = list.addObject();
      mount.put("destination", m.target()).put("type", m.type()).put("source", m.source());
      strings(mount.putArray("options"), m.options());
    }
    root.set("linux", linux());
    return Json.write(root);
  }

  private ObjectNode process() {
    ObjectNode process = JsonNodeFactory.instance.objectNode();
    process.put("terminal", false);
    ObjectNode who = process.putObject("user");
    who.put("uid", Integer.toUnsignedLong(user.uid()));
    who.put("gid", Integer.toUnsignedLong(user.gid()));
    ArrayNode groups = who.putArray("additionalGids");
    user.groups().forEach(g -> groups.add(Integer.toUnsignedLong(g)));
    strings(process.putArray("args"), arguments);
    strings(process.putArray("env"), environment);
    process.put("cwd", directory);
    process.set("capabilities", capabilities());
    process.put("noNewPrivileges", false);
    limits.writeUlimits(process.putArray("rlimits"));
    return process;
  }

  /** Those that a process in the container can ever have. */
  private List<String> bounding() {
    List<String> allowed = new ArrayList<>(CAPABILITIES);
    if (privileged) {
      allowed.addAll(MORE_CAPABILITIES);
    }
    return allowed;
  }

  private ObjectNode capabilities() {
    List<String> allowed = bounding();
    // As podman does: another user than root begins without any, and can gain by setuid files.
    List<String> held = user.uid() == 0 ? allowed : List.of();
    ObjectNode sets = JsonNodeFactory.instance.objectNode();
    strings(sets.putArray("bounding"), allowed);
    strings(sets.putArray("effective"), held);
    strings(sets.putArray("permitted"), held);
    return sets;
  }

  private ObjectNode linux() throws IOException {
    ObjectNode linux = JsonNodeFactory.instance.objectNode();
    linux.put("cgroupsPath", controlGroup);
    ArrayNode namespaces = linux.putArray("namespaces");
    for (String type : List.of("pid", "ipc", "uts", "mount", "cgroup")) {
      namespaces.addObject().put("type", type);
    }
    switch (network) {
      case Network.Host h -> {}
      case Network.None n -> namespaces.addObject().put("type", "network");
      case Network.Joined j ->
          namespaces.addObject().put("type", "network").put("path", j.path().toString());
    }
    ObjectNode resources = linux.putObject("resources");
    limits.writeResources(resources);
    if (!privileged) {
      resources.putArray("devices").addObject().put("allow", false).put("access", "rwm");
      strings(linux.putArray("maskedPaths"), MASKED);
      strings(linux.putArray("readonlyPaths"), READ_ONLY);
      linux.set(
          "seccomp",
          SeccompProfile.find()
              .forContainer(System.getProperty("os.arch"), Set.copyOf(bounding())));
    }
    return linux;
  }

  private static void strings(ArrayNode array, List<String> values) {
    values.forEach(array::add);
  }
}
