package slipway.cli;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import slipway.base.Problem;
import slipway.linux.Posix;
import slipway.oci.LocalStore;
import slipway.oci.Manifest;

/** Where the product keeps its state, as a mix-in of every command that needs some. */
final class State {
  @Option(
      names = "--root",
      paramLabel = "DIR",
      description = "where state is kept (as root /var/lib/slipway, else the XDG data folder)")
  @Nullable Path root;

  /** The folder itself; not created yet. */
  Path directory() {
    if (root != null) {
      return root.toAbsolutePath();
    }
    String fromEnvironment = System.getenv("SLIPWAY_STATE");
    if (fromEnvironment != null && !fromEnvironment.isEmpty()) {
      return Path.of(fromEnvironment).toAbsolutePath();
    }
    if (Posix.geteuid() == 0) {
      return Path.of("/var/lib/slipway");
    }
    String data = System.getenv("XDG_DATA_HOME");
    return data == null || data.isEmpty()
        ? Path.of(System.getProperty("user.home"), ".local/share/slipway")
        : Path.of(data, "slipway");
  }

  /** The store of images. */
  LocalStore store() {
    return LocalStore.open(directory().resolve("store"));
  }

  /** Unpacked layers and the build cache. */
  Path buildDirectory() {
    return directory().resolve("build");
  }

  /**
   * What an image's name or id means in the store.
   *
   * @throws Problem of kind NOT_FOUND
   */
  static Manifest require(LocalStore store, String image) {
    return store.find(image).orElseThrow(() -> missing(image));
  }

  static Problem missing(String image) {
    return Problem.notFound(
        "no image \"" + image + "\" in the local store; slipway images lists them");
  }
}
