package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import slipway.linux.process.Command;
import slipway.media.Firmware;
import slipway.media.VirtualMachine;
import slipway.media.VmSpec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A machine that is treated badly. Its QEMU ends where a computer would restart, so that its disk
 * can be looked at before every boot.
 */
final class UpgradingMachine implements AutoCloseable {
  /** Without progress; see {@link VirtualMachine#await}. */
  private static final Duration LIMIT = Duration.ofMinutes(8);

  /** Of a command whose machine talks for ever. */
  static final Duration LONGEST = Duration.ofHours(3);

  private static final String PART = "---8<---";
  private static final String FINALIZER = "slipway-finalize-staged.service";

  /** What the machine says about itself after a boot. */
  record Probe(
      String state,
      String failedUnits,
      String page,
      List<String> rounds,
      List<String> roundFiles,
      List<String> varRounds,
      String motd,
      List<String> releaseDefaults,
      JsonNode status) {
    /** The number on the page. */
    int release() {
      return Integer.parseInt(page.replaceFirst("(?s).*version (\\d+)<.*", "$1").strip());
    }

    String bootedCommit() {
      return commit(status, "booted");
    }
  }

  /** The commit of the booted or the staged release, by what {@code bootc status} says. */
  static String commit(JsonNode status, String which) {
    return status.at("/status/" + which + "/ostree/checksum").asString();
  }

  private final VirtualMachine machine;
  private final Path disk;
  private final Consumer<VirtualMachine> watcher;

  private UpgradingMachine(VirtualMachine machine, Path disk, Consumer<VirtualMachine> watcher) {
    this.machine = machine;
    this.disk = disk;
    this.watcher = watcher;
  }

  /** Makes a machine with a release on its disk and boots it, with more arguments for QEMU. */
  static UpgradingMachine start(Releases releases, int release, Path dir, String... arguments)
      throws Exception {
    return start(releases, release, dir, spec -> spec.withMore(arguments));
  }

  /** The same with release 0 on a disk that is made by more options, such as a boot loader. */
  static UpgradingMachine start(Releases releases, Path dir, Firmware firmware, String... options)
      throws Exception {
    Path disk = releases.disk(0, config(releases, dir), dir, options);
    return start(spec(disk, key(dir)).withFirmware(firmware));
  }

  /** With what the machine has more than others. */
  static UpgradingMachine start(
      Releases releases, int release, Path dir, UnaryOperator<VmSpec> more) throws Exception {
    Path disk = releases.disk(release, config(releases, dir), dir);
    return start(more.apply(spec(disk, key(dir))));
  }

  /** What a disk gets beside its release: a key for root, and the registry. */
  private static Path config(Releases releases, Path dir) throws IOException {
    Path config = dir.resolve("config.toml");
    Files.writeString(
        config,
        """
        [[customizations.user]]
        name = "root"
        key = "%s"
        [customizations.kernel]
        append = "mitigations=off quiet"
        [[customizations.files]]
        path = "/etc/containers/registries.conf.d/test.conf"
        data = '''
        [[registry]]
        location = "%s"
        insecure = true
        '''
        """
            .formatted(publicKey(key(dir)), releases.registryInGuest()));
    return config;
  }

  /** A machine with a disk that somebody made, to which a key opens; its log lies beside that. */
  static VmSpec spec(Path disk, Path key) {
    return VmSpec.of(disk)
        .withSsh("root", key)
        .withSerialLog(disk.resolveSibling("serial.log"))
        .withMore("-no-reboot");
  }

  /** Boots a machine. */
  static UpgradingMachine start(VmSpec spec) throws Exception {
    return start(spec, machine -> {});
  }

  /**
   * Boots a machine.
   *
   * @param watcher gets it each time that it is switched on, before anybody logs in
   */
  static UpgradingMachine start(VmSpec spec, Consumer<VirtualMachine> watcher) throws Exception {
    UpgradingMachine upgrading =
        new UpgradingMachine(VirtualMachine.start(spec), spec.disk(), watcher);
    try {
      watcher.accept(upgrading.machine);
      upgrading.machine.awaitSsh(LIMIT);
      return upgrading;
    } catch (Exception e) {
      upgrading.close();
      throw e;
    }
  }

  /** The private key file of a test's machines, made when it is missing. */
  static Path key(Path dir) {
    Path key = dir.resolve("id_ed25519");
    if (!Files.exists(key)) {
      Command.of("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key.toString()).run();
    }
    return key;
  }

  static String publicKey(Path key) throws IOException {
    return Files.readString(Path.of(key + ".pub")).strip();
  }

  /**
   * What firmware tells a system that knows nobody yet: who may log in as root (systemd.system-
   * credentials(7), SMBIOS type 11).
   */
  static String[] letsIn(Path key) throws IOException {
    byte[] line = (publicKey(key) + "\n").getBytes(StandardCharsets.UTF_8);
    return new String[] {
      "-smbios",
      "type=11,value=io.systemd.credential.binary:ssh.authorized_keys.root="
          + Base64.getEncoder().encodeToString(line)
    };
  }

  /** One more disk, in the order of these: /dev/vdb, /dev/vdc and so on. */
  static String[] disk(String id, Path file) {
    return new String[] {
      "-drive",
      "if=none,id=" + id + ",format=raw,file=" + file,
      "-device",
      "virtio-blk-pci,drive=" + id
    };
  }

  Path disk() {
    return disk;
  }

  /** Switches on and returns the time to a login. */
  Duration boot() throws Exception {
    long start = System.nanoTime();
    machine.powerOn();
    watcher.accept(machine);
    machine.awaitSsh(LIMIT);
    return since(start);
  }

  /** Switches on and waits until it restarts by itself. */
  void bootUntilItRestarts() throws Exception {
    machine.powerOn();
    machine.awaitOff(LIMIT);
  }

  void powerCut() throws IOException {
    machine.powerCut();
  }

  /**
   * A moment to which the machine can be taken back.
   *
   * @param state processors, memory and devices
   * @param disk a copy of it
   */
  record Moment(Path state, Path disk) {}

  /** Keeps this moment, and goes on. */
  Moment keep(String name) throws Exception {
    Moment moment =
        new Moment(disk.resolveSibling(name + ".state"), disk.resolveSibling(name + ".raw"));
    machine.save(moment.state());
    copy(disk, moment.disk());
    machine.resume(moment.state());
    machine.awaitSsh(LIMIT);
    return moment;
  }

  /** Goes back to a moment, whatever the machine does now. */
  void backTo(Moment moment) throws Exception {
    machine.powerCut();
    copy(moment.disk(), disk);
    machine.resume(moment.state());
    machine.awaitSsh(LIMIT);
  }

  static void copy(Path from, Path to) {
    Command.of("cp", "--sparse=always", from.toString(), to.toString()).run();
  }

  String must(String command) {
    Command.Result result;
    try {
      result = finish(machine.sshCommand(command), command);
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted during " + command, e);
    }
    assertThat(result.status()).as(command + "\n" + result.text() + result.stderr()).isZero();
    return result.text();
  }

  /** Waits until it has started, with all its units; else says what went wrong. */
  void mustRunWell() {
    must(
        "systemctl is-system-running --wait"
            + " || { systemctl --failed --no-legend --plain; journalctl -b -p 3 --no-pager; false; }");
  }

  /** Waits for the end of a command as long as the machine gets on, however slow it is. */
  private Command.Result finish(Command command, String shown) throws InterruptedException {
    CompletableFuture<Command.Result> end = begun(command);
    return machine.await(
        "does not end " + shown,
        LIMIT,
        () ->
            end.isDone()
                ? VirtualMachine.Attempt.worked(end.join())
                : VirtualMachine.Attempt.failed(""));
  }

  private static CompletableFuture<Command.Result> begun(Command command) {
    CompletableFuture<Command.Result> end = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              try {
                end.complete(command.timeout(LONGEST).tryRun());
              } catch (RuntimeException e) {
                end.completeExceptionally(e);
              }
            });
    return end;
  }

  /**
   * Types a script in a shell of root's.
   *
   * @param ends whether the machine ends with it, which nobody is left to tell of; else it must end
   *     well
   * @return what it said
   */
  String type(String script, boolean ends) throws Exception {
    Command shell = machine.sshCommand("bash -euo pipefail -s 2>&1").stdin(script);
    if (!ends) {
      Command.Result result = finish(shell, "a script");
      assertThat(result.status()).as(script + "\n" + result.text()).isZero();
      return result.text();
    }
    CompletableFuture<Command.Result> end = begun(shell);
    machine.awaitOff(LIMIT);
    // ssh(1) ends with 255 when the other side goes away.
    Command.Result result = end.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
    assertThat(result.status()).as(script + "\n" + result.text()).isIn(0, 255);
    return result.text();
  }

  /** Makes local changes in files of its own, in files of the image, and in /var. */
  void change() {
    must(
        "echo mine > /etc/motd && rm /etc/release.d/unwanted && mkdir /etc/rounds.d"
            + " && touch /etc/rounds /var/lib/rounds && sync");
  }

  void remember(int round) {
    must(
        String.format(
            Locale.ROOT,
            "echo %1$d >> /etc/rounds && echo %1$d > /etc/rounds.d/%1$d"
                + " && echo %1$d >> /var/lib/rounds && sync",
            round));
  }

  Probe probe() {
    String[] parts =
        must(String.join(
                "; echo '" + PART + "'; ",
                "systemctl is-system-running --wait",
                "systemctl list-units --failed --plain --no-legend --no-pager",
                "cat /usr/share/web/index.html && systemctl is-active --quiet web.service"
                    + " && busybox wget -q -O - http://127.0.0.1/",
                "cat /etc/rounds",
                "ls -v /etc/rounds.d",
                "cat /var/lib/rounds",
                "cat /etc/motd",
                "ls /etc/release.d",
                "bootc status --json"))
            .split(PART + "\n", -1);
    return new Probe(
        parts[0].strip(),
        parts[1].strip(),
        parts[2].strip(),
        parts[3].lines().toList(),
        parts[4].lines().toList(),
        parts[5].lines().toList(),
        parts[6].strip(),
        parts[7].lines().toList(),
        JsonMapper.shared().readTree(parts[8]));
  }

  JsonNode status() {
    return JsonMapper.shared().readTree(must("bootc status --json"));
  }

  private static final Pattern OSTREE_LINE =
      Pattern.compile("(?m)^[* ] (\\S+) ([0-9a-f]{64}\\.\\d+)(?: \\((\\w+)\\))?$");

  /**
   * Holds the machine's own ostree and our status to the same deployments, and returns the status.
   */
  JsonNode agreed() {
    String[] said =
        must("ostree admin status; echo '" + PART + "'; bootc status --json").split(PART);
    JsonNode all = JsonMapper.shared().readTree(said[1]);
    Map<String, String> ours = new TreeMap<>();
    JsonNode status = all.path("status");
    for (String role : List.of("booted", "staged", "rollback")) {
      add(ours, status.path(role), role);
    }
    status.path("otherDeployments").forEach(other -> add(ours, other, "other"));
    Map<String, String> theirs = new TreeMap<>();
    OSTREE_LINE
        .matcher(said[0])
        .results()
        .forEach(
            line ->
                theirs.put(
                    line.group(1) + " " + line.group(2),
                    line.group().startsWith("*") ? "booted" : Objects.toString(line.group(3), "")));
    assertThat(theirs.keySet()).as(said[0]).isEqualTo(ours.keySet());
    theirs.forEach(
        (deployment, role) -> {
          if (role.equals("booted") || role.equals("staged")) {
            assertThat(ours).as(said[0]).containsEntry(deployment, role);
          }
        });
    return all;
  }

  private static void add(Map<String, String> deployments, JsonNode entry, String role) {
    JsonNode ostree = entry.path("ostree");
    if (ostree.isObject()) {
      String name =
          ostree.path("stateroot").asString()
              + " "
              + ostree.path("checksum").asString()
              + "."
              + ostree.path("deploySerial").asInt();
      deployments.put(name, role);
    }
  }

  /** As {@link #agreed}; and ostree finds no object damaged or missing. */
  JsonNode sound() {
    assertThat(must("ostree fsck 2>&1")).contains("no errors found");
    return agreed();
  }

  // ---- an upgrade, undisturbed ----

  /** Starts the userspace anew by a command, so many times by now, under the kernel that runs. */
  void restartSoftly(String command, int times) throws Exception {
    // ssh(1) ends with 255 when the other side goes away.
    Command.Result result = machine.sshCommand(command + " 2>&1").timeout(LIMIT).tryRun();
    assertThat(result.status()).as(result.text()).isIn(0, 255);
    machine.await(
        "does not start its userspace anew: " + result.text(),
        LIMIT,
        () -> {
          Command.Result state =
              machine.ssh("systemctl show -P SoftRebootsCount; systemctl is-system-running --wait");
          return state.text().equals(times + "\nrunning\n")
              ? VirtualMachine.Attempt.worked(true)
              : VirtualMachine.Attempt.failed(state.text().strip());
        });
  }

  /** Stages what the registry has and returns the time that took. */
  Duration upgrade() throws Exception {
    // A JVM that crashes leaves a report in the machine, which ends with the test.
    Remote upgrade = begin("bootc upgrade 2>&1 || cat /root/hs_err_pid*.log 2> /dev/null");
    assertThat(upgrade.awaitEnd()).containsAnyOf("Queued for next boot", "Staged update present");
    return upgrade.duration();
  }

  /** Makes what is staged the default, as the shutdown does. */
  Duration finalizeStaged() throws Exception {
    Remote stop = begin("systemctl stop " + FINALIZER + " && systemctl is-failed " + FINALIZER);
    assertThat(stop.awaitEnd()).contains("inactive");
    return stop.duration();
  }

  /** Restarts up to where the firmware would begin, and returns the time that took. */
  Duration goDown() throws Exception {
    long start = System.nanoTime();
    begin("systemctl reboot");
    machine.awaitOff(LIMIT);
    return since(start);
  }

  // ---- an upgrade, disturbed: each returns whether the moment came before the end ----

  /** Kills the agent and all that it started, some time after the start of an upgrade. */
  boolean killAgent(double moment) throws Exception {
    Remote run =
        begin(
            String.format(
                Locale.ROOT,
                "timeout --signal=KILL %.3f bootc upgrade > /dev/null 2>&1; echo status $?",
                moment));
    String said = run.awaitEnd().strip();
    assertThat(said).isIn("status 137", "status 0");
    return said.equals("status 137");
  }

  /** Kills what finalizes, and all that it started. */
  boolean killFinalizer(double moment) throws Exception {
    Remote run =
        begin(
            String.format(
                Locale.ROOT,
                "systemctl stop --no-block %1$s; sleep %2$.3f; systemctl kill --signal=KILL %1$s;"
                    + " systemctl stop %1$s; systemctl show -P Result %1$s",
                FINALIZER,
                moment));
    String said = run.awaitEnd().strip();
    assertThat(said).as("result of the unit").isIn("signal", "success");
    return said.equals("signal");
  }

  boolean cutDuringUpgrade(double moment) throws Exception {
    return cut(begin("bootc upgrade"), moment);
  }

  boolean cutDuringFinalization(double moment) throws Exception {
    return cut(begin("systemctl stop " + FINALIZER), moment);
  }

  private boolean cut(Remote run, double moment) throws Exception {
    boolean ended = run.endsWithin(moment);
    machine.powerCut();
    return !ended;
  }

  boolean cutDuringShutdown(double moment) throws Exception {
    CompletableFuture<ProcessHandle> off = ProcessHandle.of(machine.pid()).orElseThrow().onExit();
    begin("systemctl reboot");
    boolean ended = true;
    try {
      off.get((long) (moment * 1000), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      ended = false;
    }
    machine.powerCut();
    return !ended;
  }

  /** Starts a command and returns when the machine has started it. */
  private Remote begin(String command) throws IOException {
    Process process = machine.sshCommand("echo started; " + command).start();
    process.getOutputStream().close();
    BufferedReader out = process.inputReader();
    String first = out.readLine();
    if (!"started".equals(first)) {
      throw new IOException(
          "cannot run " + command + ": " + first + " " + Remote.text(process.errorReader()));
    }
    return Remote.of(process, out);
  }

  /** A command that runs in the machine. */
  private record Remote(
      Process process, long start, CompletableFuture<String> output, CompletableFuture<Long> end) {
    static Remote of(Process process, BufferedReader out) {
      CompletableFuture<String> output = new CompletableFuture<>();
      Thread.ofPlatform().daemon().start(() -> output.complete(text(out)));
      Thread.ofPlatform().daemon().start(() -> text(process.errorReader()));
      return new Remote(
          process,
          System.nanoTime(),
          output,
          process.onExit().thenApply(ended -> System.nanoTime()));
    }

    private static String text(BufferedReader reader) {
      StringBuilder text = new StringBuilder();
      try {
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
          text.append(line).append('\n');
        }
      } catch (IOException e) {
        // The machine lost its power.
      }
      return text.toString();
    }

    boolean endsWithin(double seconds) throws InterruptedException {
      return process.waitFor((long) (seconds * 1000), TimeUnit.MILLISECONDS);
    }

    String awaitEnd() throws Exception {
      if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
        Command.kill(process);
        throw new AssertionError("a command in the machine does not end");
      }
      return output.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
    }

    Duration duration() throws Exception {
      return Duration.ofNanos(end.get(LIMIT.toSeconds(), TimeUnit.SECONDS) - start);
    }
  }

  private static Duration since(long start) {
    return Duration.ofNanos(System.nanoTime() - start);
  }

  @Override
  public void close() throws IOException {
    machine.close();
  }
}
