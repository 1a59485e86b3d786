package slipway.disk;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import slipway.linux.OsPath;
import slipway.linux.Posix;

/**
 * The temporary files of one disk: a folder for small ones, and unfinished results beside their
 * places. All go when it is closed or the process is told to end; tools that still write to them
 * are ended then, too. Mounts need no care here, they end with their namespace.
 */
final class Scratch implements AutoCloseable {
  private final Path folder;
  private final Queue<Path> files = new ConcurrentLinkedQueue<>();
  private final Thread onExit = Thread.ofPlatform().unstarted(this::exit);

  private Scratch(Path folder) {
    this.folder = folder;
  }

  static Scratch create() throws IOException {
    Scratch scratch = new Scratch(Files.createTempDirectory("slipway-disk-"));
    Runtime.getRuntime().addShutdownHook(scratch.onExit);
    return scratch;
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

  private void exit() {
    ProcessHandle.current().descendants().forEach(ProcessHandle::destroyForcibly);
    try {
      remove();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void remove() throws IOException {
    for (Path file : files) {
      Files.deleteIfExists(file);
    }
    Posix.removeTree(OsPath.of(folder));
  }

  @Override
  public void close() throws IOException {
    try {
      Runtime.getRuntime().removeShutdownHook(onExit);
    } catch (IllegalStateException e) {
      // The process is ending; the hook does the rest.
      return;
    }
    remove();
  }
}
