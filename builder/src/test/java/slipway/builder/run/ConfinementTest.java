package slipway.builder.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.builder.engine.BaseCase;
import slipway.builder.engine.BuildProcess;
import slipway.builder.session.BuildRequest;
import slipway.container.RunLimits;
import slipway.container.RunNetwork;
import slipway.linux.process.Command;
import slipway.oci.model.Manifest;
import slipway.tree.Node;

/** What a process of RUN sees of the machine, and what it may use; podman is the judge. */
class ConfinementTest extends BaseCase {
  private List<String> run(String command) throws IOException {
    return run(command, RunNetwork.PRIVATE, RunLimits.USUAL);
  }

  private List<String> run(String command, RunNetwork network, RunLimits limits)
      throws IOException {
    lab.output.clear();
    lab.build(
        BuildRequest.of(lab.context("FROM base:1\nRUN " + command + "\n"))
            .cache(false)
            .network(network)
            .limits(limits));
    return List.copyOf(lab.output);
  }

  @Test
  void systemCallsAreFiltered() throws Exception {
    assertThat(run("grep ^Seccomp: /proc/self/status")).containsExactly("Seccomp:\t2");
    // The kernel would say that the file is no swap space; the profile asks it not at all.
    assertThat(run("swapoff /etc/passwd 2>&1 || true")).anyMatch(l -> l.contains("not permitted"));
    lab.output.clear();
    lab.build(
        BuildRequest.of(
                lab.context(
                    "FROM base:1\nRUN --security=insecure grep ^Seccomp: /proc/self/status\n"))
            .allowInsecure(true));
    assertThat(lab.output).containsExactly("Seccomp:\t0");
  }

  @Test
  @Tag("slow")
  void theCallersKeysAreNotSeen() throws Exception {
    Path context =
        lab.context(
            """
            FROM base:1
            COPY root /
            RUN keyctl search @s user slipway-test 2>&1 || echo none
            RUN keyctl list @u 2>&1 || echo none
            """);
    copyWithLibraries(Path.of("/usr/bin/keyctl"), context.resolve("root"));
    String inSession =
        "keyctl add user slipway-test secret @s >/dev/null && keyctl search @s user slipway-test"
            + " >/dev/null && echo found outside && exec \"$@\"";
    String output =
        Command.of("keyctl", "session", "slipway-test", "sh", "-c", inSession, "sh")
            .with(BuildProcess.command(directory, context).argv().toArray(String[]::new))
            .output();
    assertThat(output.lines().toList())
        .contains("found outside")
        .endsWith(
            "keyctl_search: Operation not permitted",
            "none",
            "keyctl_read_alloc: Operation not permitted",
            "none");
  }

  /** Puts a program and what the loader needs for it below a root. */
  private static void copyWithLibraries(Path program, Path root) throws IOException {
    String ldd = Command.of("ldd", program.toString()).output();
    List<Path> files =
        Stream.concat(
                Stream.of(program),
                Stream.of(ldd.split("\\s+")).filter(w -> w.startsWith("/")).map(Path::of))
            .toList();
    for (Path file : files) {
      Path target = root.resolve("/".equals(file.toString()) ? "" : file.toString().substring(1));
      Files.createDirectories(target.getParent());
      Files.copy(file.toRealPath(), target);
    }
  }

  @Test
  void theNetworkIsTheCommandsOwn() throws Exception {
    for (String program : List.of("slirp4netns", "pasta")) {
      RunNetwork network = RunNetwork.parse(program);
      List<String> seen =
          run(
              "readlink /proc/self/ns/net; cat /proc/net/unix | grep -c @ || true;"
                  + " ip route | grep -c ^default; ip link show lo | head -1",
              network,
              RunLimits.USUAL);
      String own = Files.readSymbolicLink(Path.of("/proc/self/ns/net")).toString();
      assertThat(seen.get(0)).startsWith("net:[").isNotEqualTo(own);
      assertThat(seen.get(1)).as("abstract sockets").isEqualTo("0");
      assertThat(seen.get(2)).as("default routes").isEqualTo("1");
      assertThat(seen.get(3)).contains("LOOPBACK,UP");
    }
    assertThat(run("readlink /proc/self/ns/net", RunNetwork.HOST, RunLimits.USUAL))
        .containsExactly(Files.readSymbolicLink(Path.of("/proc/self/ns/net")).toString());
    assertThat(run("cat /proc/net/dev | grep -c :", RunNetwork.NONE, RunLimits.USUAL))
        .containsExactly("1");
  }

  @Test
  void commandsThatMayChangeTheirNetworkHaveOneToThemselves() throws Exception {
    String show = "readlink /proc/self/ns/net";
    lab.build(
        BuildRequest.of(
                lab.context(
                    """
                    FROM base:1
                    RUN %s; nc -l -p 4711 & true
                    RUN --security=insecure %s; ip link add d type dummy || true
                    RUN %s; netstat -ltn | grep -c 4711 || true
                    """
                        .formatted(show, show, show)))
            .allowInsecure(true));
    assertThat(lab.output).filteredOn(l -> l.startsWith("net:[")).hasSize(3);
    List<String> seen = lab.output.stream().filter(l -> l.startsWith("net:[")).toList();
    assertThat(seen.get(1)).isNotEqualTo(seen.get(0));
    assertThat(seen.get(2)).isEqualTo(seen.get(0));
    assertThat(lab.output.getLast()).as("what the first command listened on").isEqualTo("0");
  }

  @Test
  void theMachinesLoopbackIsReachedOnlyWhenAllowed() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      server.setSoTimeout(5000);
      Thread.ofPlatform().daemon().start(() -> answer(server));
      String ask =
          "for a in 127.0.0.1 10.0.2.2; do nc -w 2 $a "
              + server.getLocalPort()
              + " </dev/null;"
              + " done; true";
      assertThat(run(ask)).doesNotContain("from the machine");
      RunNetwork open = RunNetwork.parse("slirp4netns:allow_host_loopback=true");
      assertThat(
              run(
                  "nc -w 2 host.containers.internal " + server.getLocalPort() + " </dev/null",
                  open,
                  RunLimits.USUAL))
          .containsExactly("from the machine");
    }
  }

  private static void answer(ServerSocket server) {
    while (!server.isClosed()) {
      try (var socket = server.accept()) {
        socket.getOutputStream().write("from the machine\n".getBytes(StandardCharsets.US_ASCII));
      } catch (IOException e) {
        continue; // The time is over, or the test is.
      }
    }
  }

  @Test
  void namesAreAskedOfTheConnector() throws Exception {
    assertThat(run("cat /etc/resolv.conf", RunNetwork.parse("slirp4netns"), RunLimits.USUAL))
        .filteredOn(l -> l.startsWith("nameserver"))
        .containsExactly("nameserver 10.0.2.3");
    assertThat(run("cat /etc/resolv.conf", RunNetwork.HOST, RunLimits.USUAL))
        .isEqualTo(Files.readAllLines(Path.of("/etc/resolv.conf")));
  }

  @Test
  void withoutANetworkTheFilesOfNamesAreTheImages() throws Exception {
    Manifest.Image image =
        lab.build(
            """
            FROM base:1
            RUN --network=none rm -f /etc/resolv.conf; ln -s ../run/x /etc/resolv.conf \\
              && echo 1.1.1.1 h >/etc/hosts
            RUN cat /etc/resolv.conf
            """);
    assertThat(lab.output).as("the next command has its own").anyMatch(l -> l.contains("server"));
    assertThat(lab.text(image, "etc/hosts")).isEqualTo("1.1.1.1 h\n");
    assertThat(lab.tree(image).find("etc/resolv.conf"))
        .get()
        .isInstanceOfSatisfying(
            Node.Symlink.class, l -> assertThat(l.target()).hasToString("../run/x"));
  }

  @Test
  void pathsAreMaskedAsInPodman() throws Exception {
    assertThat(
            run(
                "for f in /proc/kcore /proc/keys /proc/timer_list /proc/interrupts; do"
                    + " test ! -e $f || wc -c < $f; done; ls -A /sys/firmware /sys/dev/block;"
                    + " cat /proc/self/cgroup | cut -d: -f3 | sort -u"))
        .filteredOn(l -> !l.isEmpty() && !l.endsWith(":"))
        .containsOnly("0", "/");
    assertThat(run("(echo 1 > /proc/sys/kernel/hostname) 2>&1 || true"))
        .anyMatch(l -> l.contains("Read-only file system"));
  }

  @Test
  void limitsHold() throws Exception {
    RunLimits few = limits(0, 8);
    assertThat(
            run(
                "sh -c 'for i in $(seq 20); do sleep 1 & done; wait' 2>&1 || true",
                RunNetwork.NONE,
                few))
        .anyMatch(l -> l.contains("fork"));
    assertThatThrownBy(
            () ->
                run(
                    "awk 'BEGIN { s = \"x\"; while (length(s) < 200000000) s = s s }'",
                    RunNetwork.NONE,
                    limits(32L << 20, 2048)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("killed by signal 9");
    RunLimits files =
        new RunLimits(0, 0, 0, 0, 0, "", "", 0, List.of(RunLimits.Ulimit.parse("nofile=77:88")));
    assertThat(run("ulimit -n; ulimit -Hn", RunNetwork.NONE, files)).containsExactly("77", "88");
  }

  private static RunLimits limits(long memory, long processes) {
    return new RunLimits(memory, 0, 0, 50_000, 0, "0", "", processes, List.of());
  }

  @Test
  @Tag("slow")
  void aBuildThatIsKilledTakesItsContainerAlong() throws Exception {
    String mark = "86" + ProcessHandle.current().pid();
    Path context =
        lab.context(
            "FROM base:1\nRUN (setsid sleep " + mark + " &); echo ready; sleep " + mark + "\n");
    Path group;
    Process build = BuildProcess.start(directory, context);
    try (BufferedReader out = build.inputReader()) {
      assertThat(out.readLine()).isEqualTo("ready");
      List<ProcessHandle> helpers = build.descendants().toList();
      assertThat(helpers).isNotEmpty();
      group = controlGroup(helpers);
      assertThat(group).isDirectory();
      build.destroyForcibly();
      assertThat(build.waitFor(10, TimeUnit.SECONDS)).isTrue();
      for (ProcessHandle helper : helpers) {
        assertThat(helper.onExit().thenApply(h -> true).get(10, TimeUnit.SECONDS)).isTrue();
      }
      assertThat(Command.of("pgrep", "-f", "sleep " + mark).tryRun().text())
          .as("processes that live on")
          .isEmpty();
    } finally {
      build.destroyForcibly();
    }
    // The next build removes what is left: files and control groups.
    lab.build("FROM base:1\n");
    assertThat(directory.resolve("build/work")).isEmptyDirectory();
    assertThat(group).as("the control group of the killed build").doesNotExist();
  }

  /** Where the kernel keeps what limits the command of a build (cgroups(7), version 1 or 2). */
  private static Path controlGroup(List<ProcessHandle> processes) throws IOException {
    Path root = Path.of("/sys/fs/cgroup");
    Path memory = Files.isDirectory(root.resolve("memory")) ? root.resolve("memory") : root;
    for (ProcessHandle process : processes) {
      for (String line : controlGroups(process.pid())) {
        String[] parts = line.split(":", 3);
        boolean counts = memory.equals(root) ? parts[1].isEmpty() : parts[1].contains("memory");
        if (counts && parts[2].startsWith("/slipway-")) {
          return memory.resolve(parts[2].substring(1));
        }
      }
    }
    throw new AssertionError("the command of the build has no control group");
  }

  private static List<String> controlGroups(long process) throws IOException {
    try {
      return Files.readAllLines(Path.of("/proc/" + process + "/cgroup"));
    } catch (NoSuchFileException e) {
      return List.of(); // It has ended: the shell starts some for a moment.
    }
  }
}
