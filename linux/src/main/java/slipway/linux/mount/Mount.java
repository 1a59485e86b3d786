package slipway.linux.mount;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.UnixException;

/**
 * A mount that this process made; {@link #close()} takes it away again, lazily when it is still
 * busy.
 */
public final class Mount implements AutoCloseable {
  private final OsPath target;
  private boolean mounted = true;

  private Mount(OsPath target) {
    this.target = target;
  }

  /** mount(2) of a file system; {@code data} holds its own options, comma separated. */
  public static Mount of(
      @Nullable String source, Path target, String type, long flags, @Nullable String data)
      throws UnixException {
    OsPath path = OsPath.of(target);
    Mounts.mount(source, path, type, flags, data);
    return new Mount(path);
  }

  /** A bind mount; {@code recursive} takes the mounts below along. */
  public static Mount bind(Path source, Path target, boolean recursive) throws UnixException {
    OsPath path = OsPath.of(target);
    Mounts.mount(
        source.toString(), path, null, Mounts.MS_BIND | (recursive ? Mounts.MS_REC : 0), null);
    return new Mount(path);
  }

  public Path target() {
    return target.toPath();
  }

  @Override
  public void close() throws UnixException {
    if (!mounted) {
      return;
    }
    mounted = false;
    try {
      Mounts.umount(target, 0);
    } catch (UnixException e) {
      Mounts.umount(target, Mounts.MNT_DETACH);
    }
  }
}
