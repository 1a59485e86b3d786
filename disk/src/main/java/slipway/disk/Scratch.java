package slipway.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import slipway.base.Cleanup;
import slipway.linux.OsPath;
import slipway.linux.Posix;

/**
 * The temporary files of one disk: a folder for small ones, and unfinished results beside their
 * places. All go when it is closed or the process is told to end. Mounts need no care here, they
 * end with their namespace.
 */
final class Scratch implements AutoCloseable {
  private final Path folder;
  private final Queue<Path> files = new ConcurrentLinkedQueue<>();
  private final Cleanup cleanup;

  private Scratch(Path folder) {
    this.folder = folder;
    this.cleanup = Cleanup.register("the folder " + folder, this::remove);
  }

  static Scratch create() throws IOException {
    return new Scratch(Files.createTempDirectory("slipway-disk-"));
  }

  Path folder() {
    return folder;
  }

  /** An empty file of an unfinished result in an existing folder. */
  Path unfinished(Path directory, String name) throws IOException {
    Path file = Files.createTempFile(directory, "." + name + "-", ".tmp");
    files.add(file);
    return file;
  }

  private void remove() throws IOException {
    for (Path file : files) {
      Files.deleteIfExists(file);
    }
    Posix.removeTree(OsPath.of(folder));
  }

  @Override
  public void close() throws IOException {
    cleanup.close();
  }
}
