package slipway.media;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.Cleanup;
import slipway.base.Problem;
import slipway.linux.lock.ScratchFolder;
import slipway.linux.process.Command;

/**
 * A QEMU process and what one does with a computer: look at its console, log in, restart it, pull
 * its plug. {@link #close()} kills the process; it also dies with this process, whatever ends that.
 */
public final class VirtualMachine implements AutoCloseable {
  private static final Duration POLL = Duration.ofMillis(250);

  /** Less than a command has to unwind after a signal. */
  private static final Duration TERMINAL_LIMIT = Duration.ofSeconds(3);

  private final VmSpec spec;
  private final Accelerator accelerator;
  private final Path state;
  private final Cleanup cleanup;
  private @Nullable QemuProcess running;

  private VirtualMachine(VmSpec spec, Accelerator accelerator, StateFolder state) {
    this.spec = spec;
    this.accelerator = accelerator;
    this.state = state.path();
    this.cleanup =
        Cleanup.register(
            "the machine in " + state.path(),
            () -> {
              try (state) {
                powerCut();
              }
            });
  }

  /**
   * Where a machine keeps its own files.
   *
   * @param temporary closed with the machine; null for a folder that somebody gave
   */
  private record StateFolder(Path path, @Nullable ScratchFolder temporary)
      implements AutoCloseable {
    static StateFolder of(VmSpec spec) throws IOException {
      Path given = spec.stateDirectory();
      if (given != null) {
        return new StateFolder(Files.createDirectories(given), null);
      }
      ScratchFolder made = ScratchFolder.small("slipway-vm-", note -> {});
      return new StateFolder(made.path(), made);
    }

    @Override
    public void close() throws IOException {
      if (temporary != null) {
        temporary.close();
      }
    }
  }

  /**
   * Switches a machine on. It returns when the processor runs, long before the system has booted.
   *
   * @throws Problem when QEMU or the firmware is missing, the disk cannot be read, or QEMU refuses
   */
  public static VirtualMachine start(VmSpec spec) throws IOException {
    Accelerator accelerator = spec.accelerator().chosen(spec.architecture());
    VirtualMachine machine = new VirtualMachine(spec, accelerator, StateFolder.of(spec));
    try {
      machine.powerOn();
      return machine;
    } catch (IOException | RuntimeException | Error e) {
      machine.close();
      throw e;
    }
  }

  /**
   * Runs a machine on this terminal until it is switched off: the serial port is stdin and stdout,
   * Ctrl-A X ends it, Ctrl-A C asks QEMU's monitor.
   *
   * @return the exit status of QEMU
   */
  public static int runInForeground(VmSpec spec) throws IOException, InterruptedException {
    try (StateFolder state = StateFolder.of(spec)) {
      // Asked when this process dies, not killed: QEMU gives the terminal back as it was.
      List<String> argv = new ArrayList<>(List.of("setpriv", "--pdeathsig", "TERM", "--"));
      argv.addAll(
          QemuArguments.inForeground(
              spec, spec.accelerator().chosen(spec.architecture()), state.path()));
      if (spec.tpm()) {
        SoftwareTpm.start(state.path());
      }
      try {
        return attend(Command.of(argv).startInherited(), TERMINAL_LIMIT);
      } finally {
        SoftwareTpm.end(state.path());
      }
    }
  }

  /**
   * Waits for the end of a process that has this terminal, and ends it when the wait is
   * interrupted: it is asked first, for it has to give the terminal back as it was.
   *
   * @param limit how long it may take for that before it is killed
   */
  static int attend(Process process, Duration limit) throws InterruptedException {
    try {
      return process.waitFor();
    } catch (InterruptedException e) {
      process.destroy();
      process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
      throw e;
    } finally {
      Command.kill(process);
    }
  }

  /**
   * Switches on again after {@link #powerCut()} or {@link #shutdown}; disk, UEFI variables and TPM
   * are as they were left.
   */
  public synchronized void powerOn() throws IOException {
    powerOn(List.of());
  }

  /**
   * Pauses the machine, writes its processors, memory and devices to a file, and ends QEMU. With
   * the disk as it is then, {@link #resume} goes on from there as often as one likes; connections
   * from outside are lost.
   *
   * @param file must not exist
   */
  public synchronized void save(Path file) throws IOException {
    QemuProcess now = current();
    SavedState.write(now.process(), now.qmp(), file);
    powerCut();
  }

  /** Goes on where {@link #save} stopped, with the disk as it was. */
  public synchronized void resume(Path file) throws IOException {
    powerOn(SavedState.arguments(file));
    QemuProcess now = current();
    SavedState.proceed(now.process(), now.qmp());
  }

  private void powerOn(List<String> more) throws IOException {
    if (isRunning()) {
      throw new IllegalStateException("the machine runs");
    }
    powerCut();
    if (spec.tpm()) {
      SoftwareTpm.start(state);
    }
    Path socket = state.resolve("qmp");
    Files.deleteIfExists(socket);
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(socket));
      List<String> argv = new ArrayList<>(List.of("setpriv", "--pdeathsig", "KILL", "--"));
      argv.addAll(QemuArguments.of(spec, accelerator, state, socket, "stdio"));
      argv.addAll(more);
      running = QemuProcess.start(Command.of(argv), spec, server);
    } finally {
      Files.deleteIfExists(socket);
    }
  }

  private synchronized QemuProcess current() {
    QemuProcess r = running;
    if (r == null) {
      throw new IllegalStateException("the machine is switched off");
    }
    return r;
  }

  public VmSpec spec() {
    return spec;
  }

  /** KVM or TCG, as it was chosen. */
  public Accelerator accelerator() {
    return accelerator;
  }

  public synchronized boolean isRunning() {
    return running != null && running.process().isAlive();
  }

  /** The process id of QEMU. */
  public long pid() {
    return current().process().pid();
  }

  /** Processor time that QEMU has used since power on; zero when the machine is off. */
  public Duration cpuTime() {
    return current().process().info().totalCpuDuration().orElse(Duration.ZERO);
  }

  /** The serial console since power on. */
  Console console() {
    return current().console();
  }

  /**
   * Waits until the serial console shows something, behind what was waited for before.
   *
   * @throws Problem of kind UNAVAILABLE with the console's last lines when it does not come in time
   *     or the machine ended
   */
  public void awaitConsole(Pattern pattern, Duration limit) throws InterruptedException {
    console().waitFor(pattern, limit);
  }

  /** Types text at the serial console. */
  public void type(String keys) throws IOException {
    console().send(keys);
  }

  /**
   * The port on 127.0.0.1 that leads to a port of the guest.
   *
   * @throws Problem of kind USAGE when that port is not forwarded
   */
  public int port(int guest) {
    Integer host = current().ports().get(guest);
    if (host == null) {
      throw Problem.usage("port " + guest + " of the machine is not forwarded");
    }
    return host;
  }

  /**
   * Runs a command in the guest's shell over ssh.
   *
   * @return its exit status, output and the end of its stderr; status 255 is ssh's own failure
   */
  public Command.Result ssh(String command) {
    return sshCommand(command).tryRun();
  }

  /** The ssh command itself, to which a timeout or stdin can be given. */
  public Command sshCommand(String command) {
    Path key = spec.sshKey();
    if (key == null) {
      throw Problem.usage("the machine was started without a key to log in with");
    }
    return GuestShell.command(key, port(22), spec.sshUser(), command);
  }

  /**
   * Waits until somebody can log in.
   *
   * @param limit how long the machine may run without getting on, see {@link #await}
   * @throws Problem of kind UNAVAILABLE with the console's last lines when that takes too long or
   *     the machine ends
   */
  public void awaitSsh(Duration limit) throws InterruptedException {
    awaitLogin("true", result -> result.status() == 0, limit);
  }

  private Command.Result awaitLogin(
      String command, java.util.function.Predicate<Command.Result> wanted, Duration limit)
      throws InterruptedException {
    SshBanner banner = new SshBanner(port(22));
    return await(
        "lets nobody log in",
        limit,
        () -> {
          if (!banner.answers()) {
            return Attempt.failed("");
          }
          Command.Result result = ssh(command);
          return wanted.test(result)
              ? Attempt.worked(result)
              : Attempt.failed("ssh: " + result.stderr().strip());
        });
  }

  /**
   * What came of a try.
   *
   * @param value null when it has to be tried again
   * @param reason why, or nothing
   */
  public record Attempt<T>(@Nullable T value, String reason) {
    public static <T> Attempt<T> worked(T value) {
      return new Attempt<>(value, "");
    }

    public static <T> Attempt<T> failed(String reason) {
      return new Attempt<>(null, reason);
    }
  }

  /** Tries something with the machine. */
  @FunctionalInterface
  public interface Try<T> {
    Attempt<T> run() throws InterruptedException;
  }

  /**
   * Tries until it works, as long as the machine runs and gets on: each word on its console begins
   * the limit anew, and time in which it is ready to run and gets no processor does not count.
   *
   * @param failure what the machine does when it never works, such as {@code lets nobody log in}
   * @throws Problem of kind UNAVAILABLE with the console's last lines
   */
  public <T> T await(String failure, Duration limit, Try<T> attempt) throws InterruptedException {
    QemuProcess now = current();
    Patience patience = Patience.with(now.process(), now.console(), limit);
    while (true) {
      Attempt<T> last = attempt.run();
      if (last.value() != null) {
        return last.value();
      }
      // Waiting for the process is the pause between two tries.
      if (now.process().waitFor(POLL.toMillis(), TimeUnit.MILLISECONDS)) {
        throw unavailable("ended; before that it " + failure, last.reason(), now);
      }
      if (patience.isOver()) {
        throw unavailable(
            failure + " after " + limit.toSeconds() + " s without progress", last.reason(), now);
      }
    }
  }

  private Problem unavailable(String what, String reason, QemuProcess now) {
    return Problem.unavailable(
            "the machine "
                + what
                + (reason.isEmpty() ? "" : " (" + reason + ")")
                + "; its console ends with",
            null)
        .withDetails(now.console().tail(25));
  }

  /** Restarts the system in the guest and waits until somebody can log in to the new boot. */
  public void reboot(Duration limit) throws InterruptedException {
    String before = ssh("cat /proc/sys/kernel/random/boot_id").text().strip();
    ssh("systemctl reboot");
    awaitBootAfter(before, limit);
  }

  /**
   * Waits for a login to another boot than the one with this id, for restarts that something else
   * begins.
   *
   * @param bootId of /proc/sys/kernel/random/boot_id
   * @return the id of the new boot
   */
  public String awaitBootAfter(String bootId, Duration limit) throws InterruptedException {
    return awaitLogin(
            "cat /proc/sys/kernel/random/boot_id",
            r -> r.status() == 0 && !r.text().isBlank() && !r.text().strip().equals(bootId),
            limit)
        .text()
        .strip();
  }

  /** Presses the reset button: the guest is not asked. */
  public void reset() throws IOException {
    current().qmp().execute("system_reset", Map.of());
  }

  /**
   * Presses the power button and waits until the guest has switched itself off.
   *
   * @throws Problem of kind UNAVAILABLE when it does not in time
   */
  public void shutdown(Duration limit) throws IOException, InterruptedException {
    QemuProcess now = current();
    now.qmp().execute("system_powerdown", Map.of());
    awaitOff(limit);
  }

  /**
   * Waits until the guest has switched itself off.
   *
   * @param limit how long it may run without getting on, see {@link #await}
   */
  public void awaitOff(Duration limit) throws InterruptedException {
    QemuProcess now = current();
    Patience patience = Patience.with(now.process(), now.console(), limit);
    while (!now.process().waitFor(POLL.toMillis(), TimeUnit.MILLISECONDS)) {
      if (patience.isOver()) {
        throw unavailable(
            "did not switch off after " + limit.toSeconds() + " s without progress", "", now);
      }
    }
  }

  /**
   * Pulls the plug: QEMU is killed between two instructions of the guest. What the guest wrote is
   * kept by this machine's page cache; what it still held in memory is lost.
   */
  public synchronized void powerCut() throws IOException {
    QemuProcess now = running;
    if (now != null) {
      now.kill();
      running = null;
    }
    SoftwareTpm.end(state);
  }

  @Override
  public void close() throws IOException {
    cleanup.close();
  }
}
