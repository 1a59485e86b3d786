package slipway.media;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.linux.process.Command;

/** Machines whose whole system is {@link EchoSystem}. */
class VirtualMachineTest {
  private static final Pattern PROMPT = Pattern.compile("ready> ");
  private static final Duration LIMIT = Duration.ofSeconds(60);

  @TempDir Path directory;
  private Path disk;

  @BeforeEach
  void makeDisk() throws Exception {
    disk = EchoSystem.write(directory.resolve("a,disk.img"));
  }

  private VmSpec spec() {
    return VmSpec.of(disk).withAccelerator(Accelerator.TCG).withSize(64, 1);
  }

  @Test
  void theConsoleIsReadWrittenAndLogged() throws Exception {
    Path log = directory.resolve("logs/serial.log");
    try (VirtualMachine machine = VirtualMachine.start(spec().withSerialLog(log))) {
      machine.console().waitFor(PROMPT, LIMIT);
      machine.console().send("hello");
      assertThat(machine.console().waitFor(Pattern.compile("h(.+)o"), LIMIT).group(1))
          .isEqualTo("ell");
      assertThat(machine.console().tail(1)).endsWith("ready> hello");
      assertThat(machine.cpuTime()).isPositive();
    }
    assertThat(log).content().endsWith("ready> hello");
  }

  @Test
  void aMachineSurvivesResetAndPowerCut() throws Exception {
    try (VirtualMachine machine = VirtualMachine.start(spec())) {
      machine.console().waitFor(PROMPT, LIMIT);
      machine.reset();
      machine.console().waitFor(PROMPT, LIMIT);
      long first = machine.pid();
      machine.powerCut();
      assertThat(machine.isRunning()).isFalse();
      assertThat(ProcessHandle.of(first)).isEmpty();
      machine.powerOn();
      assertThat(machine.pid()).isNotEqualTo(first);
      machine.console().waitFor(PROMPT, LIMIT);
    }
  }

  /** The line that was begun before goes on, which it does not after a start. */
  @Test
  void aSavedMachineGoesOnWhereItWas() throws Exception {
    Path saved = directory.resolve("it's saved");
    try (VirtualMachine machine = VirtualMachine.start(spec())) {
      machine.console().waitFor(PROMPT, LIMIT);
      machine.save(saved);
      assertThat(machine.isRunning()).isFalse();
      for (String word : List.of("one", "two")) {
        machine.powerCut();
        machine.resume(saved);
        machine.console().send(word);
        assertThat(machine.console().waitFor(Pattern.compile(word), LIMIT).group()).isEqualTo(word);
        assertThat(machine.console().tail(5)).isEqualTo(word);
      }
      machine.powerCut();
      Files.writeString(saved, "damaged");
      assertThatThrownBy(() -> machine.resume(saved)).isInstanceOf(Problem.class);
    }
  }

  @Test
  void closeLeavesNothing() throws Exception {
    Path state = directory.resolve("state");
    VirtualMachine machine = VirtualMachine.start(spec().withStateDirectory(state));
    long pid = machine.pid();
    machine.close();
    assertThat(ProcessHandle.of(pid)).isEmpty();
    assertThat(state).isEmptyDirectory();
  }

  @Test
  void aTpmEndsWithItsMachine() throws Exception {
    Path state = directory.resolve("state");
    try (VirtualMachine machine =
        VirtualMachine.start(spec().withTpm(true).withStateDirectory(state))) {
      machine.console().waitFor(PROMPT, LIMIT);
      ProcessHandle tpm = tpm(state);
      assertThat(tpm.isAlive()).isTrue();
      // By the firmware's first words to it.
      assertThat(state.resolve("tpm")).isNotEmptyDirectory();
      machine.powerCut();
      tpm.onExit().get(LIMIT.toSeconds(), TimeUnit.SECONDS);
      machine.powerOn();
      machine.console().waitFor(PROMPT, LIMIT);
      tpm = tpm(state);
      ProcessHandle.of(machine.pid()).orElseThrow().destroyForcibly();
      tpm.onExit().get(LIMIT.toSeconds(), TimeUnit.SECONDS);
    }
    assertThat(state.resolve("tpm.pid")).doesNotExist();
  }

  @Test
  void aTpmThatCannotBeIsTold() throws Exception {
    VmSpec one = spec().withTpm(true);
    assertThatThrownBy(() -> VirtualMachine.start(one.withStateDirectory(directory.resolve("a,b"))))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("comma");
    Path state = directory.resolve("state");
    assertThatThrownBy(
            () -> VirtualMachine.start(one.withMore("-nonsense").withStateDirectory(state)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("nonsense");
    assertThat(state.resolve("tpm.pid")).doesNotExist();
  }

  private static ProcessHandle tpm(Path state) throws IOException {
    String pid = Files.readString(state.resolve("tpm.pid")).strip();
    return ProcessHandle.of(Long.parseLong(pid)).orElseThrow();
  }

  /**
   * QEMU puts the terminal into raw mode, and back when SIGTERM ends it, which SIGKILL does not.
   */
  @Test
  @Tag("slow")
  void aMachineOnTheTerminalIsAskedBeforeItIsKilled() throws Exception {
    String script = "trap 'touch %s; %s' TERM; echo ready; while :; do sleep 0.01; done";
    for (String reaction : List.of("exit", ":")) {
      Path restored = directory.resolve("restored" + reaction);
      Process process = Command.of("sh", "-c", script.formatted(restored, reaction)).start();
      var out = process.inputReader();
      assertThat(out.readLine()).isEqualTo("ready");
      Thread waiter = Thread.currentThread();
      waiter.interrupt();
      assertThatThrownBy(() -> VirtualMachine.attend(process, Duration.ofSeconds(1)))
          .isInstanceOf(InterruptedException.class);
      assertThat(process.waitFor(5, TimeUnit.SECONDS)).isTrue();
      assertThat(restored).exists();
    }
  }

  @Test
  @Tag("slow")
  void theSystemChoosesPorts() throws Exception {
    List<PortForward> forwards = List.of(new PortForward(0, 22), new PortForward(0, 5000));
    try (VirtualMachine machine = VirtualMachine.start(spec().withForwards(forwards))) {
      assertThat(machine.port(22)).isPositive().isNotEqualTo(machine.port(5000));
      assertThatThrownBy(() -> machine.port(80)).isInstanceOf(Problem.class);
      assertThat(new SshBanner(machine.port(22)).answers()).isFalse();
    }
  }

  @Test
  @Tag("slow")
  void uefiReachesTheFirmware() throws Exception {
    Path state = directory.resolve("uefi");
    VmSpec spec = spec().withFirmware(Firmware.UEFI).withSize(256, 1).withStateDirectory(state);
    try (VirtualMachine machine = VirtualMachine.start(spec)) {
      machine.console().waitFor(Pattern.compile("BdsDxe: .*(Boot|UEFI)"), LIMIT);
    }
    assertThat(state.resolve("uefi-variables.fd")).exists();
  }

  @Test
  void whatQemuRefusesIsTold() {
    assertThatThrownBy(() -> VirtualMachine.start(spec().withMore("-device", "no-such")))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("no-such");
    assertThatThrownBy(() -> VirtualMachine.start(VmSpec.of(directory.resolve("absent.raw"))))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("absent");
  }

  @Test
  @Tag("slow")
  void waitingEndsWithTheMachine() throws Exception {
    try (VirtualMachine machine =
        VirtualMachine.start(spec().withSsh("root", directory.resolve("key")))) {
      machine.console().waitFor(PROMPT, LIMIT);
      assertThatThrownBy(
              () -> machine.console().waitFor(Pattern.compile("never"), Duration.ofMillis(50)))
          .isInstanceOf(Problem.class)
          .hasMessageContaining("never")
          .hasMessageContaining("ready>");
      assertThatThrownBy(() -> machine.awaitSsh(Duration.ofMillis(300)))
          .isInstanceOf(Problem.class)
          .hasMessageContaining("ready>");
      ProcessHandle.of(machine.pid()).orElseThrow().destroyForcibly();
      assertThatThrownBy(() -> machine.awaitSsh(LIMIT))
          .isInstanceOf(Problem.class)
          .hasMessageContaining("ended");
    }
  }

  @Test
  void aMachineInTheForegroundIsOnTheTerminalAndLogged() throws Exception {
    Path log = directory.resolve("fore,ground.log");
    Process process =
        Command.of(
                QemuArguments.inForeground(spec().withSerialLog(log), Accelerator.TCG, directory))
            .start();
    try (var out = process.getInputStream();
        var keys = process.getOutputStream()) {
      Console console = new Console(keys);
      Thread reader =
          Thread.ofPlatform()
              .daemon()
              .start(
                  () -> {
                    try {
                      console.pump(out, OutputStream.nullOutputStream());
                    } catch (IOException e) {
                      throw new UncheckedIOException(e);
                    }
                  });
      console.waitFor(PROMPT, LIMIT);
      console.send("\u0001x");
      assertThat(process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
      reader.join();
    } finally {
      Command.kill(process);
    }
    assertThat(log).content().contains("ready> ");
  }

  @Test
  void portForwardsAreParsed() {
    assertThat(PortForward.parse("2222:22")).isEqualTo(new PortForward(2222, 22));
    assertThat(PortForward.parse("22")).isEqualTo(new PortForward(0, 22));
    for (String bad : List.of("", ":", "a:b", "1:2:3", "70000:22", "22:0")) {
      assertThatThrownBy(() -> PortForward.parse(bad)).isInstanceOf(Problem.class);
    }
  }
}
