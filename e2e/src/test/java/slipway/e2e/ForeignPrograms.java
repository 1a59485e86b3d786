package slipway.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import slipway.linux.process.Command;

/**
 * As long as it is open, this computer runs programs for arm64, as installations of Debian with
 * qemu-user-static do from their start on. What was missing for it is gone afterwards.
 */
final class ForeignPrograms implements AutoCloseable {
  private static final Path BINFMT = Path.of("/proc/sys/fs/binfmt_misc");

  /** The package's line for systemd-binfmt, which asks for the emulator to be opened once (F). */
  private static final Path LINE = Path.of("/usr/lib/binfmt.d/qemu-aarch64.conf");

  private final boolean mounted;
  private final Path entry;

  private ForeignPrograms(boolean mounted, Path entry) {
    this.mounted = mounted;
    this.entry = entry;
  }

  static ForeignPrograms arm64() throws IOException {
    Path entry = BINFMT.resolve("qemu-aarch64");
    if (Command.of("arch-test", "arm64").tryRun().status() == 0) {
      return new ForeignPrograms(false, entry.resolveSibling("none"));
    }
    boolean mount = !Files.exists(BINFMT.resolve("register"));
    if (mount) {
      Command.of("mount", "-t", "binfmt_misc", "binfmt_misc", BINFMT.toString()).run();
    }
    ForeignPrograms made = new ForeignPrograms(mount, entry);
    try {
      Files.writeString(BINFMT.resolve("register"), Files.readString(LINE).strip());
      return made;
    } catch (IOException | RuntimeException e) {
      made.close();
      throw e;
    }
  }

  @Override
  public void close() throws IOException {
    if (Files.exists(entry)) {
      Files.writeString(entry, "-1");
    }
    if (mounted) {
      Command.of("umount", BINFMT.toString()).run();
    }
  }
}
