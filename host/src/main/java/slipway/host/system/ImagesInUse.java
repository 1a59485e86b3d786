package slipway.host.system;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import slipway.linux.lock.Flock;
import slipway.linux.posix.OsPath;

/**
 * Keeps what is fetched, until a deployment needs it, from those who remove what none does. Several
 * may fetch at once.
 *
 * <pre>
 *  /run/slipway/images.lock    shared: something is fetched and not staged yet; alone: something
 *                              is removed
 * </pre>
 */
public final class ImagesInUse {
  /** Whoever can read the file could keep root from ever fetching. */
  private static final int MODE = 0600;

  private ImagesInUse() {}

  /** Begins to fetch, once nobody removes anything; until it is closed. */
  public static Flock fetching(HostEnvironment host) throws IOException {
    return Flock.file(file(host), false, MODE);
  }

  /**
   * Begins to remove.
   *
   * @return null while somebody fetches; then nothing is removed until the next who does
   */
  public static @Nullable Flock removing(HostEnvironment host) throws IOException {
    return Flock.tryFile(file(host), true, MODE);
  }

  private static OsPath file(HostEnvironment host) throws IOException {
    Path folder = Files.createDirectories(host.run().resolve("slipway"));
    return OsPath.of(folder.resolve("images.lock"));
  }
}
