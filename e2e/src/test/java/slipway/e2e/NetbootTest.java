package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.linux.process.Command;
import slipway.media.Firmware;
import slipway.media.VirtualMachine;
import slipway.media.VmSpec;

/** Machines start the image over the network: without a disk, and to install it onto one. */
@Tag("soak")
class NetbootTest {
  private static final Duration LIMIT = Duration.ofMinutes(15);

  /** This machine, as the guest's second network has it. */
  private static final String HOST = "10.0.3.2";

  @TempDir Path dir;

  private Path files(String mode) throws IOException {
    Path config =
        Files.writeString(
            dir.resolve("config.toml"),
            """
            [customizations]
            hostname = "netbox"
            [customizations.kernel]
            append = "console=ttyS0,115200 mitigations=off"
            """);
    BaseImages.trixie()
        .must(
            ("disk build --quiet --type pxe --installer-mode %s --config %s --output %s %s"
                    .formatted(mode, config, dir, BaseImages.TRIXIE))
                .split(" "));
    return dir.resolve("pxe");
  }

  /** A machine that starts from the network before it starts from its disk. */
  private VmSpec machine(Path disk, Path key, String network) throws IOException {
    return UpgradingMachine.spec(disk, key)
        .withSize(3072, 0)
        .withMore(UpgradingMachine.letsIn(key))
        .withMore("-netdev", "user,id=boot,net=10.0.3.0/24," + network)
        .withMore("-device", "virtio-net-pci,netdev=boot,bootindex=0");
  }

  private Path disk(long size) throws IOException {
    Path disk = dir.resolve("disk.raw");
    try (RandomAccessFile file = new RandomAccessFile(disk.toFile(), "rw")) {
      file.setLength(size);
    }
    return disk;
  }

  @ParameterizedTest
  @CsvSource({"BIOS,boot.ipxe", "UEFI,grubx64.efi"})
  void runsFromMemoryWithoutADisk(Firmware firmware, String first) throws Exception {
    String network = "tftp=" + files("confirm") + ",bootfile=" + first;
    VmSpec spec = machine(disk(1 << 20), UpgradingMachine.key(dir), network);
    try (VirtualMachine machine = VirtualMachine.start(spec.withFirmware(firmware))) {
      machine.awaitSsh(LIMIT);
      assertThat(machine.ssh("findmnt -no FSTYPE /; cat /proc/cmdline").text())
          .startsWith("overlay\n")
          .contains("slipway.live=initramfs")
          .contains("mitigations=off");
      assertThat(machine.ssh("touch /etc/x /var/x && cat /proc/mounts").text())
          .doesNotContain("/dev/vda");
    }
  }

  @Test
  void installsByHttpOntoAnEmptyDisk() throws Exception {
    Path files = files("unattended");
    Path key = UpgradingMachine.key(dir);
    Path disk = disk(8L << 30);
    Process server =
        BaseImages.trixie()
            .command("netboot", "serve", "--bind", "127.0.0.1", "--http-port", "0", "--no-tftp")
            .with("--json", files.toString())
            .start();
    try (BufferedReader told = server.inputReader(StandardCharsets.UTF_8)) {
      Matcher port = Pattern.compile("http://127.0.0.1:(\\d+)/").matcher(told.readLine());
      assertThat(port.find()).isTrue();
      String script = "http://%s:%s/boot.ipxe".formatted(HOST, port.group(1));
      try (VirtualMachine machine =
          VirtualMachine.start(machine(disk, key, "bootfile=" + script))) {
        machine.awaitOff(LIMIT);
      }
      assertThat(told.readLine()).contains("\"file\":\"/boot.ipxe\",\"result\":\"200\"");
    } finally {
      Command.kill(server);
    }
    assertThat(Files.readString(dir.resolve("serial.log"), StandardCharsets.ISO_8859_1))
        .contains("Install finished");
    VmSpec installed = UpgradingMachine.spec(disk, key).withMore(UpgradingMachine.letsIn(key));
    try (VirtualMachine machine = VirtualMachine.start(installed)) {
      machine.awaitSsh(LIMIT);
      assertThat(machine.ssh("hostname; bootc status").text())
          .startsWith("netbox\n")
          .contains(BaseImages.TRIXIE);
    }
  }
}
