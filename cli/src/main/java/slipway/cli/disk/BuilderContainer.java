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
  /**
   * Refuses one in which no disk can be made.
   *
   * @throws Problem of kind DENIED
   */
  void require() throws IOException {
    Path mark = root.resolve("run/.containerenv");
    if (!Files.isRegularFile(mark)) {
      return;
    }
    if (Files.readString(mark).lines().anyMatch("rootless=1"::equals)) {
      throw Problem.denied(
          "this command must be run in rootful (not rootless) podman: start it by sudo podman run");
    }
    if (!Files.isWritable(root.resolve("sys"))) {
      throw Problem.denied(
          "this command requires a privileged container: start it by podman run --privileged");
    }
  }
}
