package slipway.media;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.lock.Flock;
import slipway.linux.posix.OpenDirectory;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;

/**
 * A machine with a name. It runs while somebody answers at its control socket, whoever that was
 * started by.
 *
 * <pre>
 *  FOLDER/NAME, locked while a command makes, starts, stops or removes the machine
 *    machine.json         what it is: MachineRecord
 *    disk.qcow2           what it writes, when its disk is to stay as it is; or its own disk
 *    id_ed25519, .pub     logs in; the guest hears of it by a systemd credential, or its cloud
 *    uefi-variables.fd    copied from the template at the first start
 *    ec2/, seed.img       what a cloud tells the machine (CloudData), written at each start
 *    tpm/, tpm.*          its TPM, when it has one: SoftwareTpm
 *    serial.log           what the serial console has said
 *    qmp, console, pid    while it runs: QEMU's control, the serial port, QEMU's process
 * </pre>
 */
public final class NamedMachine {
  static final String RECORD = "machine.json";
  static final String OVERLAY = "disk.qcow2";
  static final String KEY = "id_ed25519";
  static final String LOG = "serial.log";
  static final String CONTROL = "qmp";
  static final String CONSOLE = "console";
  static final String PROCESS = "pid";

  /** What systemd's tmpfiles put into root's authorized_keys (systemd.system-credentials(7)). */
  private static final String CREDENTIAL =
      "type=11,value=io.systemd.credential.binary:ssh.authorized_keys.root=";

  private static final Duration POLL = Duration.ofMillis(250);
  private static final Duration END = Duration.ofSeconds(30);

  /** Of a log, for its last lines. */
  private static final int TAIL = 16 * 1024;

  private final Path folder;

  NamedMachine(Path folder) {
    this.folder = folder;
  }

  public String name() {
    return java.util.Objects.requireNonNull(folder.getFileName()).toString();
  }

  /**
   * What it is made of.
   *
   * @throws Problem of kind CORRUPT
   */
  public MachineRecord record() throws IOException {
    return MachineRecord.read(folder.resolve(RECORD));
  }

  /** The file that keeps what the serial console says. */
  public Path log() {
    return folder.resolve(LOG);
  }

  // ---- on and off ----

  public boolean isRunning() throws IOException {
    Optional<SocketChannel> control = connect(CONTROL);
    if (control.isPresent()) {
      control.get().close();
    }
    return control.isPresent();
  }

  /**
   * Switches it on.
   *
   * @throws Problem of kind USAGE when it runs, of kind ENVIRONMENT when QEMU refuses
   */
  public void start() throws IOException {
    try (Flock lock = lock()) {
      if (isRunning()) {
        throw Problem.usage("the machine " + name() + " runs already");
      }
      for (String socket : List.of(CONTROL, CONSOLE)) {
        Files.deleteIfExists(folder.resolve(socket));
      }
      MachineRecord record = record();
      Accelerator accelerator = record.accelerator().chosen(record.architecture());
      Command qemu =
          Command.of(QemuArguments.detached(spec(record), accelerator, folder, record.vnc()));
      if (record.tpm()) {
        SoftwareTpm.start(folder);
      }
      boolean started = false;
      try {
        qemu.directory(folder).run();
        started = true;
      } finally {
        if (!started) {
          SoftwareTpm.end(folder);
        }
      }
    }
  }

  private VmSpec spec(MachineRecord record) throws IOException {
    String key = Files.readString(folder.resolve(KEY + ".pub")).strip();
    CloudData cloud = record.cloud();
    VmSpec spec =
        record.overlay()
            ? VmSpec.of(folder.resolve(OVERLAY))
                .withFormat(DiskFormat.QCOW2)
                .withBase(new VmSpec.Base(record.disk(), record.format()))
            : VmSpec.of(record.disk()).withFormat(record.format());
    VmSpec whole =
        spec.withArchitecture(record.architecture())
            .withFirmware(record.firmware())
            .withAccelerator(record.accelerator())
            .withSize(record.memoryMiB(), record.cpus())
            .withMedium(record.medium())
            .withForwards(record.forwards())
            .withIsolated(record.isolated())
            .withTpm(record.tpm());
    // In a cloud nobody has a key but by the cloud's word.
    return cloud == null
        ? whole.withMore("-smbios", credential(key))
        : whole.withCloud(cloud.withOwnKey(key));
  }

  private static String credential(String key) {
    return CREDENTIAL
        + Base64.getEncoder().encodeToString((key + "\n").getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Presses the power button and waits until the guest has switched itself off. One that is off
   * stays so.
   *
   * @param limit how long the guest may run without getting on, as for {@link VirtualMachine#await}
   * @throws Problem of kind UNAVAILABLE when it does not
   */
  public void stop(Duration limit) throws IOException, InterruptedException {
    try (Flock lock = lock();
        @Nullable Qmp qmp = control()) {
      if (qmp == null) {
        return;
      }
      long pid = pid();
      Patience patience = Patience.with(pid, this::said, limit);
      qmp.execute("system_powerdown", Map.of());
      while (!qmp.awaitEnd(POLL)) {
        if (patience.isOver()) {
          throw Problem.unavailable(
                  "the machine "
                      + name()
                      + " did not switch off after "
                      + limit.toSeconds()
                      + " s without progress; slipway vm stop --force pulls its plug; its console"
                      + " ends with",
                  null)
              .withDetails(tail(25));
        }
      }
      awaitEnd(pid);
    }
  }

  /** Pulls its plug, if it runs. */
  public void powerCut() throws IOException, InterruptedException {
    try (Flock lock = lock()) {
      powerCutLocked();
    }
  }

  private void powerCutLocked() throws IOException, InterruptedException {
    try (@Nullable Qmp qmp = control()) {
      if (qmp == null) {
        return;
      }
      long pid = pid();
      qmp.execute("quit", Map.of());
      awaitEnd(pid);
    }
  }

  /** QEMU's last steps, after which its files are nobody's. */
  private void awaitEnd(long pid) throws InterruptedException {
    Optional<ProcessHandle> process = ProcessHandle.of(pid);
    if (process.isEmpty()) {
      return;
    }
    try {
      process.get().onExit().get(END.toSeconds(), TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw Problem.environment("QEMU, process " + pid + ", does not end");
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Removes it and what it wrote; the disk that it started from stays.
   *
   * @param force whether the plug of one that runs is pulled
   * @throws Problem of kind USAGE when it runs
   */
  public void remove(boolean force) throws IOException, InterruptedException {
    try (Flock lock = lock()) {
      if (force) {
        powerCutLocked();
      } else if (isRunning()) {
        throw Problem.usage(
            "the machine "
                + name()
                + " runs; stop it first with slipway vm stop "
                + name()
                + ", or give --force");
      }
      SoftwareTpm.end(folder);
      // Without its record it is none any more, whatever comes.
      Files.delete(folder.resolve(RECORD));
      Posix.removeTree(OsPath.of(folder));
    }
  }

  private Flock lock() throws IOException {
    Flock lock = Flock.tryDirectory(folder);
    if (lock == null) {
      throw Problem.usage(
          "another command starts, stops or removes the machine " + name() + "; try again");
    }
    return lock;
  }

  // ---- while it runs ----

  /** Its ports that lead to the guest's, by these; none when it is off. */
  public Map<Integer, Integer> ports() throws IOException {
    try (@Nullable Qmp qmp = control()) {
      return qmp == null ? Map.of() : QemuProcess.ports(qmp);
    }
  }

  /** The port of 127.0.0.1 that shows its screen, if it has one and runs. */
  public OptionalInt vncPort() throws IOException {
    try (@Nullable Qmp qmp = control()) {
      String port =
          qmp == null ? "" : qmp.execute("query-vnc", Map.of()).path("service").asString("");
      return port.matches("[0-9]{1,5}")
          ? OptionalInt.of(Integer.parseInt(port))
          : OptionalInt.empty();
    }
  }

  /**
   * A connection to its serial port, for one at a time.
   *
   * @throws Problem of kind UNAVAILABLE when it is off
   */
  public SocketChannel console() throws IOException {
    return connect(CONSOLE).orElseThrow(this::off);
  }

  /**
   * Waits until somebody can log in.
   *
   * @param limit how long the machine may run without getting on, as for {@link
   *     VirtualMachine#await}
   * @throws Problem of kind UNAVAILABLE when it is off, ends, or lets nobody log in
   */
  public void awaitSsh(Duration limit) throws IOException, InterruptedException {
    String user = record().user();
    try (@Nullable Qmp qmp = control()) {
      if (qmp == null) {
        throw off();
      }
      int port = sshPort(qmp);
      SshBanner banner = new SshBanner(port);
      Patience patience = Patience.with(pid(), this::said, limit);
      Command login = GuestShell.command(folder.resolve(KEY), port, user, "true");
      while (true) {
        Command.@Nullable Result result = banner.answers() ? login.tryRun() : null;
        if (result != null && result.status() == 0) {
          return;
        }
        boolean ended = qmp.awaitEnd(POLL);
        if (ended || patience.isOver()) {
          throw failed(
              (ended ? "ended before " : "does not let ")
                  + user
                  + (ended ? " could log in" : " log in")
                  + (result == null ? "" : " (ssh: " + result.stderr().strip() + ")"));
        }
      }
    }
  }

  /**
   * Waits until it has switched itself off.
   *
   * @param limit how long the machine may run without getting on, as for {@link
   *     VirtualMachine#await}
   * @throws Problem of kind UNAVAILABLE when it does not
   */
  public void awaitOff(Duration limit) throws IOException, InterruptedException {
    try (@Nullable Qmp qmp = control()) {
      if (qmp == null) {
        return;
      }
      long pid = pid();
      Patience patience = Patience.with(pid, this::said, limit);
      while (!qmp.awaitEnd(POLL)) {
        if (patience.isOver()) {
          throw failed("did not switch off after " + limit.toSeconds() + " s without progress");
        }
      }
      awaitEnd(pid);
    }
  }

  /**
   * Waits until its console has said something, be it before.
   *
   * @param failure what it says when that will not come, looked for in the same way; null for none
   * @param limit how long the machine may run without getting on, as for {@link
   *     VirtualMachine#await}
   * @throws Problem of kind UNAVAILABLE when it does not, or when the machine is off
   */
  public void awaitWord(String text, @Nullable String failure, Duration limit)
      throws IOException, InterruptedException {
    WordInLog word = new WordInLog(log(), text);
    @Nullable WordInLog bad = failure == null ? null : new WordInLog(log(), failure);
    try (@Nullable Qmp qmp = control()) {
      boolean ended = qmp == null;
      @Nullable Patience patience = qmp == null ? null : Patience.with(pid(), this::said, limit);
      while (!word.isThere()) {
        if (bad != null && bad.isThere()) {
          throw failed("said " + shown(failure));
        }
        if (qmp == null || patience == null) {
          throw off();
        }
        if (ended || patience.isOver()) {
          throw failed((ended ? "ended before it said " : "does not say ") + shown(text));
        }
        ended = qmp.awaitEnd(POLL);
      }
    }
  }

  private static String shown(@Nullable String text) {
    return "\"" + Printable.text(String.valueOf(text)) + "\"";
  }

  private Problem failed(String what) throws IOException {
    return Problem.unavailable(
            "the machine " + name() + " " + what + "; its console ends with", null)
        .withDetails(tail(25));
  }

  /**
   * The ssh command of somebody at this terminal.
   *
   * @param words of a command, which ssh joins; none for the guest's shell
   * @throws Problem of kind UNAVAILABLE when it is off
   */
  public Command ssh(List<String> words) throws IOException {
    try (@Nullable Qmp qmp = control()) {
      if (qmp == null) {
        throw off();
      }
      return GuestShell.interactive(folder.resolve(KEY), sshPort(qmp), record().user(), words);
    }
  }

  private int sshPort(Qmp qmp) throws IOException {
    Integer port = QemuProcess.ports(qmp).get(22);
    if (port == null) {
      throw Problem.usage("port 22 of the machine " + name() + " is not forwarded");
    }
    return port;
  }

  private Problem off() {
    return Problem.unavailable(
        "the machine " + name() + " is off; slipway vm start " + name() + " switches it on", null);
  }

  private @Nullable Qmp control() throws IOException {
    Optional<SocketChannel> channel = connect(CONTROL);
    return channel.isPresent() ? new Qmp(channel.get()) : null;
  }

  /** Through the open folder, whose own path may be too long for a socket's. */
  private Optional<SocketChannel> connect(String socket) throws IOException {
    if (!Files.exists(folder.resolve(socket))) {
      return Optional.empty();
    }
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    boolean connected = false;
    try (OpenDirectory opened = OpenDirectory.of(OsPath.of(folder))) {
      String path = opened.at(OsPath.of(socket)).toString();
      connected = channel.connect(UnixDomainSocketAddress.of(path));
      return Optional.of(channel);
    } catch (java.net.ConnectException | java.nio.file.NoSuchFileException e) {
      return Optional.empty();
    } finally {
      if (!connected) {
        channel.close();
      }
    }
  }

  private long pid() throws IOException {
    return Long.parseLong(Files.readString(folder.resolve(PROCESS)).strip());
  }

  private long said() {
    try {
      return Files.size(log());
    } catch (IOException e) {
      return 0;
    }
  }

  private String tail(int lines) throws IOException {
    try (var log = Files.newByteChannel(log())) {
      log.position(Math.max(0, log.size() - TAIL));
      java.nio.ByteBuffer end = java.nio.ByteBuffer.allocate(TAIL);
      while (end.hasRemaining() && log.read(end) >= 0) {}
      return Console.tail(
          new String(end.array(), 0, end.position(), StandardCharsets.ISO_8859_1), lines);
    }
  }
}
