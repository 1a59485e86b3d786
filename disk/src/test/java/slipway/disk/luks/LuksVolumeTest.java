package slipway.disk.luks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.process.Command;

/** cryptsetup reads what was encrypted, by its own code and not the kernel's. */
class LuksVolumeTest {
  private static final long MIB = 1L << 20;
  private static final UUID ID = UUID.fromString("0a1b2c3d-0000-4000-8000-00000000000a");

  @TempDir Path directory;

  /**
   * The keys of IEEE 1619's vectors 10 to 14; their sectors have 512 bytes, so OpenSSL said what
   * comes of ours.
   */
  @Test
  void itIsTheModeOfTheStandard() {
    byte[] key =
        HexFormat.of()
            .parseHex(
                "2718281828459045235360287471352662497757247093699959574966967627"
                    + "3141592653589793238462643383279502884197169399375105820974944592");
    byte[] data = new byte[XtsSectors.SECTOR];
    for (int i = 0; i < data.length; i++) {
      data[i] = (byte) i;
    }
    new XtsSectors(key).encrypt(data, data.length, 0x100 * 512);
    assertThat(HexFormat.of().formatHex(data, 0, 16)).isEqualTo(FIRST);
    assertThat(HexFormat.of().formatHex(data, 4080, 4096)).isEqualTo(LAST);
  }

  private static final String FIRST = "d2681225948d7b026a19c3d8ec02e686";
  private static final String LAST = "d3144cf068c53628f576fae72fcb2374";

  private Path disk(byte[] content, long at) throws IOException {
    Path disk = directory.resolve("disk");
    try (RandomAccessFile file = new RandomAccessFile(disk.toFile(), "rw")) {
      file.setLength(64 * MIB);
      file.seek(at);
      file.write(content);
    }
    return disk;
  }

  private Path decrypted(Path disk, LuksVolume volume, String passphrase) throws IOException {
    Path alone = directory.resolve("alone");
    Command.of("dd", "if=" + disk, "of=" + alone, "bs=1M", "conv=sparse", "status=none")
        .with("skip=" + volume.start() / MIB, "count=" + volume.size() / MIB)
        .run();
    Command.of("cryptsetup", "reencrypt", "--decrypt", "--force-offline-reencrypt", "-q")
        .with("--key-file", "-", "--header", directory.resolve("header").toString())
        .with(alone.toString())
        .stdin(passphrase)
        .run();
    return alone;
  }

  @Test
  void cryptsetupDecryptsIt() throws Exception {
    byte[] content = new byte[3 * 1024 * 1024 + 5000];
    new Random(7).nextBytes(content);
    LuksVolume volume = new LuksVolume(4 * MIB, 40 * MIB, ID);
    Path disk = disk(content, volume.payload() + 8 * MIB + 4096);
    volume.seal(disk, "a passphrase, 'quoted'", false, directory, Progress.NONE);
    assertThat(directory)
        .isDirectoryContaining("glob:**/disk")
        .isDirectoryNotContaining("glob:**/luks-*");
    Path alone = decrypted(disk, volume, "a passphrase, 'quoted'");
    byte[] plain = Files.readAllBytes(alone);
    int at = (int) (8 * MIB + 4096);
    assertThat(Arrays.copyOfRange(plain, at, at + content.length)).isEqualTo(content);
    // What nobody wrote is noise, and cost nothing.
    assertThat(Arrays.copyOfRange(plain, 4096, 8192)).isNotEqualTo(new byte[4096]);
    assertThat(allocated(disk)).isLessThan(LuksVolume.HEADER + 5 * MIB);
  }

  private static long allocated(Path file) throws IOException {
    return Long.parseLong(Command.of("stat", "-c", "%b", file.toString()).output().strip()) * 512;
  }

  @Test
  void allOfItIsEncryptedWhereZerosCount() throws Exception {
    LuksVolume volume = new LuksVolume(MIB, 24 * MIB, ID);
    Path disk = disk(new byte[0], 0);
    volume.seal(disk, "x", true, directory, Progress.NONE);
    byte[] plain = Files.readAllBytes(decrypted(disk, volume, "x"));
    assertThat(Arrays.copyOf(plain, (int) volume.payloadSize()))
        .isEqualTo(new byte[(int) volume.payloadSize()]);
    assertThat(Files.size(disk)).isEqualTo(64 * MIB);
  }

  @Test
  void anotherPassphraseDoesNotOpenIt() throws Exception {
    LuksVolume volume = new LuksVolume(MIB, 24 * MIB, ID);
    Path disk = disk(new byte[0], 0);
    volume.seal(disk, "right", false, directory, Progress.NONE);
    assertThatThrownBy(() -> decrypted(disk, volume, "wrong"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("No key available with this passphrase");
  }

  @Test
  void whatStandsAroundItStays() throws Exception {
    LuksVolume volume = new LuksVolume(4 * MIB, 24 * MIB, ID);
    byte[] all = new byte[(int) (64 * MIB)];
    new Random(8).nextBytes(all);
    Arrays.fill(all, (int) (4 * MIB), (int) (20 * MIB), (byte) 0);
    Path disk = disk(all, 0);
    volume.seal(disk, "x", false, directory, Progress.NONE);
    byte[] now = Files.readAllBytes(disk);
    assertThat(Arrays.copyOf(now, (int) (4 * MIB))).isEqualTo(Arrays.copyOf(all, (int) (4 * MIB)));
    assertThat(Arrays.copyOfRange(now, (int) (28 * MIB), now.length))
        .isEqualTo(Arrays.copyOfRange(all, (int) (28 * MIB), all.length));
  }
}
