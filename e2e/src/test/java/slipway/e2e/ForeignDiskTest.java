package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.linux.process.Command;
import slipway.media.Architecture;
import slipway.media.Firmware;

/**
 * A machine with an Arm processor, whose image and disk are made here, whatever this computer is.
 */
@Tag("vm")
class ForeignDiskTest {
  private static final String IMAGE = "localhost/debian-bootc:trixie-arm64";

  /** What EFI calls the processor, in the header of a program. */
  private static final int EFI_AARCH64 = 0xaa64;

  private static final String CONFIG =
      """
      [[customizations.user]]
      name = "root"
      key = "%s"
      [customizations.kernel]
      append = "mitigations=off quiet"
      """;

  @TempDir Path dir;

  /** The image has no agent, so that the one of an earlier run does as well. */
  @BeforeAll
  static void build() throws IOException {
    try (ForeignPrograms programs = ForeignPrograms.arm64()) {
      Cli.withSharedState()
          .must(
              "base",
              "build",
              "--if-changed",
              "--quiet",
              "--arch=arm64",
              "--no-agent",
              "--tag",
              IMAGE);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"grub", "systemd"})
  @Tag("soak")
  void starts(String loader) throws Exception {
    Path key = UpgradingMachine.key(dir);
    Path config =
        Files.writeString(
            dir.resolve("config.toml"), CONFIG.formatted(UpgradingMachine.publicKey(key)));
    Cli.withSharedState()
        .must(
            "bootc-image-builder",
            "--target-arch=aarch64",
            "--type=raw",
            "--bootloader=" + loader,
            "--config=" + config,
            "--output=" + dir,
            IMAGE);
    Path disk = dir.resolve("image/disk.raw");
    assertThat(processor(loaderOf(disk))).isEqualTo(EFI_AARCH64);
    try (UpgradingMachine machine =
        UpgradingMachine.start(
            UpgradingMachine.spec(disk, key)
                .withArchitecture(Architecture.ARM64)
                .withFirmware(Firmware.UEFI))) {
      assertThat(machine.must("uname -m").strip()).isEqualTo("aarch64");
      assertThat(machine.must("findmnt -no FSTYPE / && findmnt -no FSTYPE /sysroot").split("\n"))
          .containsExactly("overlay", "ext4");
      machine.must("ostree admin status && systemctl is-active serial-getty@ttyAMA0.service");
      machine.mustRunWell();
    }
  }

  /** The program that such a machine's firmware starts. */
  private byte[] loaderOf(Path disk) throws IOException {
    Path copy = dir.resolve("BOOTAA64.EFI");
    String esp = disk + "@@" + Disk.read(disk).parts().get("EFI-SYSTEM").start();
    Command.of("mcopy", "-i", esp, "::EFI/BOOT/BOOTAA64.EFI", copy.toString()).run();
    return Files.readAllBytes(copy);
  }

  /** Behind the signature that the word at 0x3c leads to (PE format, COFF file header). */
  private static int processor(byte[] program) {
    ByteBuffer bytes = ByteBuffer.wrap(program).order(ByteOrder.LITTLE_ENDIAN);
    return Short.toUnsignedInt(bytes.getShort(bytes.getInt(0x3c) + 4));
  }
}
