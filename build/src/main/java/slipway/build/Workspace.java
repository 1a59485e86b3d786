package slipway.build;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import slipway.linux.OsPath;
import slipway.linux.Posix;
import slipway.oci.Flock;

/**
 * Where one build keeps what is not finished: a directory of its own, locked while the build lives.
 * What builds that were killed left behind is removed by the next one.
 */
final class Workspace implements AutoCloseable {
  private final Path directory;
  private final Flock lock;
  private final AtomicInteger count = new AtomicInteger();

  private Workspace(Path directory, Flock lock) {
    this.directory = directory;
    this.lock = lock;
  }

  /**
   * Makes a workspace.
   *
   * @param root the build directory
   * @param id not used before
   */
  static Workspace create(Path root, String id) throws IOException {
    Path all = Files.createDirectories(root.resolve("work"));
    Posix.chmod(OsPath.of(root), 0700);
    Path gate = root.resolve("work.lock");
    sweep(all, gate);
    // Under the gate a sweep cannot take a directory for abandoned that is not locked yet.
    try (Flock passage = Flock.file(gate, true)) {
      Path directory = Files.createDirectory(all.resolve(id));
      Flock lock = Flock.tryDirectory(directory);
      if (lock == null) {
        throw new IOException("the new directory " + directory + " is locked by another process");
      }
      return new Workspace(directory, lock);
    }
  }

  /** Removes what dead builds left: containers that still run, then their files. */
  private static void sweep(Path all, Path gate) throws IOException {
    try (DirectoryStream<Path> list = Files.newDirectoryStream(all)) {
      for (Path directory : list) {
        Flock lock = tryTake(directory, gate);
        if (lock != null) {
          try (lock) {
            remove(directory);
          }
        }
      }
    }
  }

  private static @Nullable Flock tryTake(Path directory, Path gate) throws IOException {
    try (Flock passage = Flock.file(gate, true)) {
      return Flock.tryDirectory(directory);
    }
  }

  private static void remove(Path directory) throws IOException {
    Path state = directory.resolve("runtime");
    if (Files.isDirectory(state)) {
      ContainerRuntime.find().deleteAll(state);
    }
    Posix.removeTree(OsPath.of(directory));
  }

  /** The name of this build among others. */
  String id() {
    return directory.getFileName().toString();
  }

  /** What the container runtime knows of this build's containers. */
  Path runtimeState() throws IOException {
    return Files.createDirectories(directory.resolve("runtime"));
  }

  /** A new empty directory, removed with the workspace at the latest. */
  Path newDirectory(String what) throws IOException {
    Path path = directory.resolve(what + "-" + count.incrementAndGet());
    Files.createDirectory(path);
    Posix.chmod(OsPath.of(path), 0755);
    return path;
  }

  @Override
  public void close() throws IOException {
    try (lock) {
      Posix.removeTree(OsPath.of(directory));
    }
  }
}
