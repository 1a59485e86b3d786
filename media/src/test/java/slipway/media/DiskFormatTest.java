package slipway.media;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.linux.process.Command;

/** Disks of qemu-img, some as a guest could have rewritten them. */
class DiskFormatTest {
  @TempDir Path directory;
  private Path secret;

  @BeforeEach
  void makeSecret() throws IOException {
    secret = Files.writeString(directory.resolve("secret"), "x".repeat(512));
  }

  private Path image(String name, String... options) {
    Path file = directory.resolve(name);
    Command.of("qemu-img", "create", "-q", "-f", "qcow2")
        .with(options)
        .with(file.toString(), "1M")
        .run();
    return file;
  }

  private String drive(VmSpec spec) throws IOException {
    return String.join(" ", QemuArguments.of(spec, Accelerator.TCG, directory, null, "stdio"));
  }

  /** The first sector of a raw disk is the guest's; its name is not. */
  @Test
  void aRawDiskStaysRawWhateverTheGuestWrites() throws Exception {
    Path overlay = image("overlay.qcow2", "-b", secret.toString(), "-F", "raw");
    Path raw = Files.write(directory.resolve("disk.raw"), new byte[1 << 20]);
    Files.write(raw, Files.readAllBytes(overlay), StandardOpenOption.WRITE);
    assertThat(drive(VmSpec.of(raw))).contains("format=raw");
    Path unnamed = Files.copy(raw, directory.resolve("disk"));
    assertThatThrownBy(() -> drive(VmSpec.of(unnamed)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("--format");
    assertThat(drive(VmSpec.of(unnamed).withFormat(DiskFormat.RAW))).contains("format=raw");
  }

  @Test
  void aWholeQcow2Runs() throws Exception {
    for (String compat : new String[] {"0.10", "1.1"}) {
      Path whole = image("whole" + compat + ".qcow2", "-o", "compat=" + compat);
      assertThat(drive(VmSpec.of(whole))).contains("format=qcow2");
    }
  }

  @Test
  void otherFilesBehindAQcow2AreRefused() {
    Path overlay = image("overlay.qcow2", "-b", secret.toString(), "-F", "raw");
    assertThatThrownBy(() -> DiskFormat.QCOW2.check(overlay))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(secret.toString());
    Path data = directory.resolve("data");
    Path external = image("external.qcow2", "-o", "data_file=" + data);
    assertThatThrownBy(() -> DiskFormat.QCOW2.check(external))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("another file");
    assertThatCode(() -> DiskFormat.QCOW2.check(image("whole.qcow2"))).doesNotThrowAnyException();
  }

  @Test
  void whatIsNoQcow2IsTold() throws Exception {
    Path wrong = Files.write(directory.resolve("wrong.qcow2"), new byte[10]);
    assertThatThrownBy(() -> DiskFormat.QCOW2.check(wrong))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("wrong.qcow2 is no qcow2 image");
  }
}
