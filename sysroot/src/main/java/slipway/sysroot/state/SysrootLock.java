package slipway.sysroot.state;

import java.io.IOException;
import java.nio.file.Path;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;

/**
 * The one writer of a sysroot, among our processes and ostree's: a lock on {@code /ostree/lock}.
 */
public final class SysrootLock implements AutoCloseable {
  private final int descriptor;

  private SysrootLock(int descriptor) {
    this.descriptor = descriptor;
  }

  /** Waits until no other process changes the sysroot. */
  public static SysrootLock acquire(Path root) throws IOException {
    int fd =
        Posix.open(
            OsPath.of(root.resolve("ostree/lock")),
            Posix.O_RDWR | Posix.O_CREAT | Posix.O_CLOEXEC,
            0660);
    Posix.flock(fd, true);
    return new SysrootLock(fd);
  }

  @Override
  public void close() throws IOException {
    Posix.close(descriptor);
  }
}
