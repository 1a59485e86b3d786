package slipway.cli.command;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.posix.Posix;
import slipway.oci.model.Manifest;
import slipway.oci.store.LocalStore;

/** Where the product keeps its state, as a mix-in of every command that needs some. */
public final class State {
  @Option(
      names = "--root",
      paramLabel = "DIR",
      description = "where state is kept (as root /var/lib/slipway, else the XDG data folder)")
  @Nullable Path root;

  /** The folder itself; not created yet. */
  public Path directory() {
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
    return dataHome(System.getenv()).resolve("slipway");
  }

  /** As the XDG base directory specification has it: what is not absolute does not count. */
  static Path dataHome(Map<String, String> environment) {
    String data = environment.getOrDefault("XDG_DATA_HOME", "");
    if (data.startsWith("/")) {
      return Path.of(data);
    }
    String home = environment.getOrDefault("HOME", "");
    return Path.of(home.startsWith("/") ? home : System.getProperty("user.home"), ".local/share");
  }

  /** The store of images, for commands that bring some; made when it is missing. */
  public LocalStore store() {
    return open(LocalStore::open);
  }

  /**
   * The store of images, for commands that list what there is: where there is none nothing is made,
   * and a warning says so, for the place may be misspelt.
   */
  public Optional<LocalStore> storeIfAny(CommandSpec spec) {
    Optional<LocalStore> store = open(LocalStore::openExisting);
    if (store.isEmpty()) {
      spec.commandLine()
          .getErr()
          .println(Printable.text("warning: there is no image store at " + directory() + " yet"));
    }
    return store;
  }

  /**
   * The store of images, for commands that need one that is there; makes nothing.
   *
   * @param image that is wanted of it, for the sentence
   * @throws Problem of kind NOT_FOUND when there is no store
   */
  public LocalStore storeWith(String image) {
    return open(LocalStore::openExisting)
        .orElseThrow(
            () ->
                Problem.notFound(
                    "no image \"%s\" in the local store: there is no store at %s; --root DIR names another place"
                        .formatted(image, directory())));
  }

  private <T> T open(Function<Path, T> how) {
    try {
      return how.apply(directory().resolve("store"));
    } catch (Problem e) {
      throw e.kind() == Problem.Kind.ENVIRONMENT && e.getCause() instanceof IOException
          ? new Problem(e.kind(), e.sentence() + "; --root DIR keeps state elsewhere", e)
          : e;
    }
  }

  /** Layers that builds of disks keep for later ones. */
  public Path layersDirectory() {
    return directory().resolve("layers");
  }

  /** Unpacked layers and the build cache. */
  public Path buildDirectory() {
    return directory().resolve("build");
  }

  /**
   * What an image's name or id means in the store ({@link LocalStore#complete}).
   *
   * @throws Problem of kind NOT_FOUND
   */
  public static Manifest require(LocalStore store, String image) {
    return store.find(image).map(store::complete).orElseThrow(() -> missing(image));
  }

  public static Problem missing(String image) {
    return Problem.notFound(
        "no image \"" + image + "\" in the local store; slipway images lists them");
  }
}
