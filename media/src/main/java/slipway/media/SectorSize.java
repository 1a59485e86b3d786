package slipway.media;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import slipway.base.Problem;
import slipway.linux.process.Command;

/**
 * What sectors the disk of a machine has. A disk image does not say, but its partition table lies
 * in its second sector (UEFI specification, 5.3.2), and is found nowhere by a machine that counts
 * otherwise.
 */
final class SectorSize {
  static final int USUAL = 512;
  static final int LARGE = 4096;

  /** "EFI PART", as qemu-io prints it. */
  private static final String SIGNATURE = ":  45 46 49 20 50 41 52 54 ";

  private static final Duration LIMIT = Duration.ofMinutes(1);

  private SectorSize() {}

  /**
   * Bytes: {@link #LARGE} where there is a GPT for such sectors and none for others.
   *
   * @param disk an image, which may be in use
   * @throws Problem of kind INPUT when it is not whole in its one file
   */
  static int of(Path disk, DiskFormat format) throws IOException {
    format.check(disk);
    String said =
        Command.of("qemu-io", "-r", "-U", "-f", format.label())
            .with("-c", "read -v " + USUAL + " 8", "-c", "read -v " + LARGE + " 8")
            .with(disk.toAbsolutePath().toString())
            .timeout(LIMIT)
            .tryRun()
            .text();
    return hasTable(said, LARGE) && !hasTable(said, USUAL) ? LARGE : USUAL;
  }

  private static boolean hasTable(String said, int offset) {
    return said.contains("%08x".formatted(offset) + SIGNATURE);
  }
}
