package slipway.iso;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.loop.LoopDevice;
import slipway.linux.process.Command;

/** Drives are loop devices here, which cannot be taken out either. */
class IsoDriveTest {
  private static final int MIB = 1 << 20;

  @TempDir Path dir;

  private Path drive(int mebibytes) throws IOException {
    Path file = dir.resolve("drive-" + mebibytes);
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.setLength((long) mebibytes * MIB);
    }
    return file;
  }

  @Test
  void anIsoTakesTheWholeDrive() throws IOException {
    Path iso = InstallerIso.likeFedoras(dir, "X");
    Path file = drive(64);
    // The table of partitions that was there, of which a second one is at the end.
    Command.of("sfdisk", "--quiet", file.toString()).stdin("label: gpt\n,10M\n").run();
    try (LoopDevice loop = LoopDevice.attach(file, 0, 64L * MIB)) {
      Path device = loop.device();
      assertThatThrownBy(() -> IsoDrive.of(iso, device, false))
          .isInstanceOf(Problem.class)
          .hasMessageContaining(device + " cannot be taken out");
      IsoDrive drive = IsoDrive.of(iso, device, true);
      assertThat(drive.description()).startsWith(device + " (64M");
      assertThat(drive.write(Progress.NONE)).isEqualTo(Files.size(iso));
    }
    byte[] written = Files.readAllBytes(file);
    byte[] wanted = Files.readAllBytes(iso);
    assertThat(java.util.Arrays.mismatch(written, wanted)).isEqualTo(wanted.length);
    assertThat(Command.of("sfdisk", "-d", file.toString()).output()).contains("Appended2");
    assertThat(new String(written, 63 * MIB, MIB, java.nio.charset.StandardCharsets.ISO_8859_1))
        .doesNotContain("EFI PART");
  }

  @Test
  void whatWouldNotFitOrIsNoDriveIsRefused() throws IOException {
    Path iso = InstallerIso.likeFedoras(dir, "X");
    Path small = drive(1);
    try (LoopDevice loop = LoopDevice.attach(small, 0, MIB)) {
      IsoDrive drive = IsoDrive.of(iso, loop.device(), true);
      assertThatThrownBy(() -> drive.write(Progress.NONE))
          .isInstanceOf(Problem.class)
          .hasMessageMatching(loop.device() + " has 1 MiB, and .*fedora.iso needs [0-9]+");
      assertThatThrownBy(() -> IsoDrive.of(small, loop.device(), true))
          .isInstanceOf(Problem.class)
          .hasMessageContaining("is no ISO 9660 image");
    }
    assertThat(small).hasBinaryContent(new byte[MIB]);
    assertThatThrownBy(() -> IsoDrive.of(iso, small, false))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("is no block device");
    assertThatThrownBy(() -> IsoDrive.of(iso, dir.resolve("none"), false))
        .isInstanceOf(Problem.class);
  }
}
