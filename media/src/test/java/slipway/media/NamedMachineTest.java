package slipway.media;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.linux.process.Command;

/** Machines whose whole system is {@link EchoSystem}. */
class NamedMachineTest {
  @TempDir Path directory;
  private Path disk;
  private Path folder;
  private Machines machines;

  @BeforeEach
  void prepare() throws Exception {
    disk = EchoSystem.write(directory.resolve("a,disk.img"));
    // Longer than a socket's path may be.
    folder = directory.resolve("x".repeat(120));
    machines = new Machines(folder);
  }

  @AfterEach
  void nothingRuns() throws Exception {
    for (NamedMachine machine : machines.list()) {
      machine.remove(true);
    }
  }

  private MachineRecord record(boolean overlay) {
    return MachineRecordBuilder.builder()
        .source("localhost/echo:1")
        .disk(disk)
        .format(DiskFormat.RAW)
        .overlay(overlay)
        .firmware(Firmware.BIOS)
        .architecture(Architecture.host())
        .accelerator(Accelerator.TCG)
        .memoryMiB(64)
        .cpus(1)
        .forwards(List.of(new PortForward(0, 22)))
        .user("root")
        .created("2026-01-02T03:04:05Z")
        .build();
  }

  private static void awaitText(SocketChannel console, String text) throws Exception {
    StringBuilder said = new StringBuilder();
    ByteBuffer buffer = ByteBuffer.allocate(256);
    while (!said.toString().contains(text)) {
      buffer.clear();
      assertThat(console.read(buffer)).isPositive();
      said.append(new String(buffer.array(), 0, buffer.position(), StandardCharsets.ISO_8859_1));
    }
  }

  private static void type(SocketChannel console, String text) throws Exception {
    console.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1)));
  }

  @Test
  void itRunsUntilItIsStoppedAndStartsAgain() throws Exception {
    byte[] before = Files.readAllBytes(disk);
    NamedMachine made = machines.create("echo", record(true));
    assertThat(made.isRunning()).isFalse();
    made.start();
    NamedMachine found = machines.require("echo");
    assertThat(found.isRunning()).isTrue();
    assertThat(found.ports()).containsOnlyKeys(22);
    try (SocketChannel console = found.console()) {
      type(console, "hello");
      awaitText(console, "hello");
    }
    assertThatThrownBy(found::start).isInstanceOf(Problem.class).hasMessageContaining("already");
    assertThatThrownBy(() -> found.remove(false))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("slipway vm stop echo");
    found.powerCut();
    assertThat(found.isRunning()).isFalse();
    assertThat(found.ports()).isEmpty();
    found.start();
    assertThat(found.isRunning()).isTrue();
    found.powerCut();
    assertThat(found.log()).content().contains("ready> ");
    found.remove(false);
    assertThat(machines.list()).isEmpty();
    assertThat(folder).isEmptyDirectory();
    assertThat(disk).hasBinaryContent(before);
  }

  @Test
  void theGuestHearsOfTheKey() throws Exception {
    NamedMachine machine = machines.create("echo", record(false));
    machine.start();
    String pid = Files.readString(folder.resolve("echo/pid")).strip();
    assertThat(Files.readString(Path.of("/proc", pid, "cmdline")))
        .contains("io.systemd.credential.binary:ssh.authorized_keys.root=");
    assertThat(folder.resolve("echo/id_ed25519")).isRegularFile();
    assertThat(machine.ssh(List.of("uptime", "-p")).argv())
        .contains(folder.resolve("echo/id_ed25519").toString())
        .endsWith("root@127.0.0.1", "--", "uptime", "-p");
  }

  @Test
  void aGuestThatDoesNotHearThePowerButtonIsTold() throws Exception {
    NamedMachine machine = machines.create("deaf", record(false));
    machine.start();
    assertThatThrownBy(() -> machine.stop(Duration.ofMillis(500)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("--force");
    assertThat(machine.isRunning()).isTrue();
    machine.remove(true);
    machines.create("deaf", record(false)).stop(Duration.ofSeconds(1));
  }

  @Test
  void itsTpmEndsWithIt() throws Exception {
    NamedMachine machine = machines.create("trusted", record(false).withTpm(true));
    machine.start();
    machine.awaitWord("ready> ", null, Duration.ofSeconds(60));
    Path process = folder.resolve("trusted/tpm.pid");
    String pid = Files.readString(process).strip();
    ProcessHandle tpm = ProcessHandle.of(Long.parseLong(pid)).orElseThrow();
    machine.powerCut();
    tpm.onExit().get(30, TimeUnit.SECONDS);
    machine.start();
    assertThat(Files.readString(process).strip()).isNotEqualTo(pid);
    assertThat(folder.resolve("trusted/tpm")).isNotEmptyDirectory();
    machine.remove(true);
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void aScreenIsShownOnAPortOfItsOwn() throws Exception {
    NamedMachine machine = machines.create("seen", record(false).with(r -> r.vnc(true)));
    machine.start();
    assertThat(machine.vncPort()).isPresent();
    assertThat(machine.vncPort().getAsInt()).isBetween(5900, 5999);
  }

  /** Its own disk is empty, so that firmware goes on to what comes behind it. */
  private MachineRecord withMedium(BootMedium medium) {
    return record(false)
        .with(r -> r.ownDisk(1 << 20).medium(medium).isolated(true).disk(Path.of("none")));
  }

  private void starts(BootMedium medium) throws Exception {
    NamedMachine machine = machines.create("box", withMedium(medium));
    assertThat(machine.record().disk()).isEqualTo(folder.resolve("box/disk.qcow2"));
    machine.start();
    machine.awaitWord("ready> ", null, Duration.ofSeconds(60));
    machine.remove(true);
    assertThat(folder).isEmptyDirectory();
  }

  /** That it starts takes UEFI, and a whole system: the soak tests have one. */
  @Test
  void aStickIsPutIn() throws Exception {
    byte[] before = Files.readAllBytes(disk);
    MachineRecord record = withMedium(BootMedium.of(BootMedium.Kind.USB, disk));
    NamedMachine machine =
        machines.create("box", record.with(r -> r.firmware(Firmware.UEFI).memoryMiB(128)));
    machine.start();
    assertThat(machine.isRunning()).isTrue();
    machine.remove(true);
    assertThat(disk).hasBinaryContent(before);
  }

  @Test
  void anEmptyDiskLetsACdStart() throws Exception {
    Path files = Files.createDirectory(directory.resolve("files"));
    Files.write(files.resolve("boot"), Arrays.copyOf(Files.readAllBytes(disk), 2048));
    Path iso = directory.resolve("a,cd.iso");
    Command.of("xorrisofs", "-quiet", "-b", "boot", "-no-emul-boot", "-boot-load-size", "4")
        .with("-o", iso.toString(), files.toString())
        .run();
    starts(BootMedium.of(BootMedium.Kind.CDROM, iso));
  }

  @Test
  void anEmptyDiskLetsTheNetworkStart() throws Exception {
    Path loader = directory.resolve("loader");
    Files.write(loader, Arrays.copyOf(Files.readAllBytes(disk), 512));
    starts(BootMedium.network(loader.toString()));
  }

  @Test
  void aDiskThatStartsComesFirst() throws Exception {
    MachineRecord first =
        record(true).with(r -> r.medium(BootMedium.network("http://10.0.2.2:1/none")));
    NamedMachine machine = machines.create("box", first);
    assertThat(machine.record()).isEqualTo(first);
    machine.start();
    machine.awaitWord("ready> ", null, Duration.ofSeconds(60));
    assertThatThrownBy(() -> machine.awaitWord("never", null, Duration.ofMillis(300)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("does not say \"never\"");
    assertThatThrownBy(() -> machine.awaitWord("never", "ready", Duration.ofSeconds(60)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("said \"ready\"");
    machine.awaitWord("ready> ", "never", Duration.ofSeconds(60));
    assertThatThrownBy(() -> machine.awaitOff(Duration.ofMillis(300)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("did not switch off");
    machine.powerCut();
    machine.awaitOff(Duration.ofMillis(300));
    machine.awaitWord("ready> ", null, Duration.ofMillis(300));
    assertThatThrownBy(() -> machine.awaitWord("never", null, Duration.ofMillis(300)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("slipway vm start box");
  }

  @Test
  void namesAreCheckedAndGivenOnce() throws Exception {
    machines.create("web", record(false));
    assertThatThrownBy(() -> machines.create("web", record(false)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("there is a machine web already");
    assertThat(machines.freeName("web")).isEqualTo("web-2");
    assertThat(machines.freeName("../..")).isEqualTo("machine");
    for (String wrong : List.of("", "..", "a/b", "-x", "a".repeat(65), "a\nb")) {
      assertThatThrownBy(() -> machines.create(wrong, record(false))).isInstanceOf(Problem.class);
      assertThatThrownBy(() -> machines.require(wrong)).isInstanceOf(Problem.class);
    }
    assertThatThrownBy(() -> machines.require("none"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("slipway vm list");
  }

  /** A command that was killed while it made one leaves a folder without a machine. */
  @Test
  void whatAKilledCommandLeftIsNoMachine() throws Exception {
    Files.createDirectories(folder.resolve("web"));
    Files.writeString(folder.resolve("web/id_ed25519"), "half");
    assertThat(machines.list()).isEmpty();
    assertThat(machines.create("web", record(true)).record()).isEqualTo(record(true));
  }

  @Test
  void aDamagedRecordIsTold() throws Exception {
    machines.create("web", record(false));
    Files.writeString(folder.resolve("web/machine.json"), "{");
    assertThatThrownBy(() -> machines.require("web").record())
        .isInstanceOf(Problem.class)
        .hasMessageContaining("web/machine.json is damaged");
  }

  /** The guest could have put the name of any file into the header of its disk. */
  @Test
  void whatADiskSaysIsBeneathItDoesNotCount() throws Exception {
    Path laid = directory.resolve("laid.qcow2");
    Command.of("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b")
        .with(disk.toString(), laid.toString())
        .run();
    MachineRecord over = record(true).with(r -> r.disk(laid).format(DiskFormat.QCOW2));
    assertThatThrownBy(() -> machines.create("web", over))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("laid over another file");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void itsProcessorIsKept() throws Exception {
    MachineRecord foreign = record(false).withArchitecture(foreign());
    Path file = directory.resolve("machine.json");
    foreign.write(file);
    assertThat(MachineRecord.read(file)).isEqualTo(foreign);
    assertThat(String.join(" ", foreign.virtInstall("web")))
        .contains(" --arch " + foreign().kernelName() + " --virt-type qemu");
    // Of a machine that an earlier version made.
    Files.writeString(file, Files.readString(file).replaceFirst("(?m)^ *\"architecture\".*\n", ""));
    assertThat(MachineRecord.read(file)).isEqualTo(record(false));
  }

  private static Architecture foreign() {
    return Architecture.host() == Architecture.ARM64 ? Architecture.AMD64 : Architecture.ARM64;
  }

  @Test
  void virtInstallMakesTheSame() throws Exception {
    assertThat(record(true).virtInstall("web"))
        .contains(
            "size=1,backing_store=" + disk.toString().replace(",", ",,") + ",backing_format=raw");
    assertThat(String.join(" ", record(false).virtInstall("web")))
        .isEqualTo(
            "virt-install --name web --memory 64 --vcpus 1 --import --disk "
                + disk.toString().replace(",", ",,")
                + ",format=raw --os-variant linux2022 --network user --graphics none --virt-type"
                + " qemu");
    assertThat(
            String.join(
                " ", withMedium(BootMedium.of(BootMedium.Kind.CDROM, disk)).virtInstall("web")))
        .startsWith(
            "virt-install --name web --memory 64 --vcpus 1 --cdrom " + disk + " --disk size=1 ");
    assertThat(record(false).withTpm(true).virtInstall("web"))
        .containsSequence("--tpm", "backend.type=emulator,backend.version=2.0,model=tpm-crb");
    assertThatThrownBy(
            () -> withMedium(BootMedium.of(BootMedium.Kind.USB, disk)).virtInstall("web"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("bus=usb");
  }
}
