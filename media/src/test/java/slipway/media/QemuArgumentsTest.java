package slipway.media;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.linux.process.Command;

class QemuArgumentsTest {
  @TempDir Path dir;

  @Test
  void hasOneProcessorByEmulationTwoWithKvmOrAsManyAsWereAskedFor() throws IOException {
    VmSpec usual = VmSpec.of(Files.write(dir.resolve("disk.raw"), new byte[512]));
    assertThat(processors(usual, Accelerator.TCG)).isEqualTo("1");
    assertThat(processors(usual, Accelerator.KVM)).isEqualTo("2");
    assertThat(processors(usual.withSize(1024, 4), Accelerator.TCG)).isEqualTo("4");
  }

  @Test
  void tellsTheMachineOfADiskWithLargeSectors() throws IOException {
    Path raw = dir.resolve("disk.raw");
    assertThat(device(withTable(raw, 4096)))
        .endsWith(",logical_block_size=4096,physical_block_size=4096");
    Path packed = dir.resolve("disk.qcow2");
    Command.of("qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-c")
        .with(raw.toString(), packed.toString())
        .run();
    assertThat(device(packed)).endsWith(",logical_block_size=4096,physical_block_size=4096");
    // One that counts by 512 bytes may have anything at the other place.
    assertThat(device(withTable(raw, 512))).doesNotContain("block_size");
    assertThat(device(withTable(dir.resolve("usual.raw"), 512))).doesNotContain("block_size");
  }

  @Test
  void refusesWhatNoBiosStarts() throws IOException {
    VmSpec bios = VmSpec.of(withTable(dir.resolve("disk.raw"), 4096));
    assertThatThrownBy(() -> QemuArguments.of(bios, Accelerator.TCG, dir, null, "stdio"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("has sectors of 4096 bytes")
        .hasMessageEndingWith("take --firmware uefi");
  }

  @Test
  void refusesWhatNoOtherProcessorHas() throws IOException {
    VmSpec arm =
        VmSpec.of(withTable(dir.resolve("disk.raw"), 512)).withArchitecture(Architecture.ARM64);
    assertThatThrownBy(() -> QemuArguments.of(arm, Accelerator.TCG, dir, null, "stdio"))
        .isInstanceOf(Problem.class)
        .hasMessage("no machine of arm64 has a BIOS; take --firmware uefi");
    Architecture foreign =
        Architecture.host() == Architecture.ARM64 ? Architecture.AMD64 : Architecture.ARM64;
    assertThat(Accelerator.AUTO.chosen(foreign)).isEqualTo(Accelerator.TCG);
    assertThatThrownBy(() -> Accelerator.KVM.chosen(foreign))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("the machine is of " + foreign.label());
  }

  private static Path withTable(Path disk, int offset) throws IOException {
    try (FileChannel channel =
        FileChannel.open(disk, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap("EFI PART".getBytes(US_ASCII)), offset);
      channel.write(ByteBuffer.allocate(1), 1 << 20);
    }
    return disk;
  }

  private String device(Path disk) throws IOException {
    VmSpec spec = VmSpec.of(disk).withFirmware(Firmware.UEFI);
    return QemuArguments.of(spec, Accelerator.TCG, dir, null, "stdio").stream()
        .filter(a -> a.startsWith("virtio-blk-pci"))
        .findFirst()
        .orElseThrow();
  }

  private String processors(VmSpec spec, Accelerator accelerator) throws IOException {
    var arguments = QemuArguments.of(spec, accelerator, dir, null, "stdio");
    return arguments.get(arguments.indexOf("-smp") + 1);
  }
}
