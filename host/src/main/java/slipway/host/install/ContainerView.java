package slipway.host.install;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import slipway.base.Problem;
import slipway.host.system.HostEnvironment;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;

/**
 * What a container of podman sees of the machine that an installation from it is for, and which
 * options of podman-run(1) are missing when that is too little.
 *
 * @param host as this process sees it
 */
record ContainerView(HostEnvironment host) {
  private static final Path STORAGE = Path.of("var/lib/containers/storage");
  private static final String STORAGE_OPTION = "-v /var/lib/containers:/var/lib/containers";

  /** Whether this runs in one (podman-run(1), /run/.containerenv). */
  boolean isContainer() {
    return Files.exists(host.run().resolve(".containerenv"));
  }

  /**
   * Refuses what can only fail later, or go on without its warnings.
   *
   * @param root where the machine's root is expected
   * @param own whether the image is the container's own
   * @throws Problem of kind ENVIRONMENT that names all missing options
   */
  void requireMachine(Path root, boolean own) throws IOException {
    if (!isContainer()) {
      return;
    }
    List<String> missing = new ArrayList<>();
    if (Files.size(host.run().resolve(".containerenv")) == 0) {
      missing.add("--privileged");
    }
    if (isSame(host.root(), host.root().resolve("proc/1/root"))) {
      missing.add("--pid=host");
    }
    if (!Files.isDirectory(root) || isSameDevice(root, root.resolve(".."))) {
      missing.add("-v /:" + root.toAbsolutePath());
    }
    if (own && !hasStorage()) {
      missing.add(STORAGE_OPTION);
    }
    require(missing);
  }

  /** Refuses an installation of the container's own image where podman's images are not seen. */
  void requireStorage() {
    require(hasStorage() ? List.of() : List.of(STORAGE_OPTION));
  }

  private boolean hasStorage() {
    return Files.isDirectory(host.root().resolve(STORAGE));
  }

  private static void require(List<String> missing) {
    if (!missing.isEmpty()) {
      throw Problem.environment(
          "this container sees too little of the machine; give podman run "
              + String.join(" ", missing)
              + ", too");
    }
  }

  private static boolean isSame(Path one, Path other) throws IOException {
    Stat a = Posix.stat(OsPath.of(one));
    Stat b = Posix.stat(OsPath.of(other));
    return a.device() == b.device() && a.inode() == b.inode();
  }

  private static boolean isSameDevice(Path one, Path other) throws IOException {
    return Posix.stat(OsPath.of(one)).device() == Posix.stat(OsPath.of(other)).device();
  }
}
