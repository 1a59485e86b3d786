package slipway.cli.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import slipway.base.Problem;

/**
 * The container that a command may run in, by podman's mark of it.
 *
 * @param root of the file system
 */
record BuilderContainer(Path root) {
  /** Whether there is one. */
  boolean isHere() {
    return Files.isRegularFile(mark());
  }

  private Path mark() {
    return root.resolve("run/.containerenv");
  }

  /**
   * A file that a user named. In a container it may be meant from the root, where it was mounted,
   * and not from where the program starts.
   */
  Path named(Path file) {
    Path mounted = root.resolve(file);
    return isHere() && !file.isAbsolute() && !Files.exists(file) && Files.isRegularFile(mounted)
        ? mounted
        : file;
  }

  /**
   * Refuses one in which no disk can be made.
   *
   * @throws Problem of kind DENIED
   */
  void require() throws IOException {
    if (!isHere()) {
      return;
    }
    if (Files.readString(mark()).lines().anyMatch("rootless=1"::equals)) {
      throw Problem.denied(
          "this command must be run in rootful (not rootless) podman: start it by sudo podman run");
    }
    if (!Files.isWritable(root.resolve("sys"))) {
      throw Problem.denied(
          "this command requires a privileged container: start it by podman run --privileged");
    }
  }
}
