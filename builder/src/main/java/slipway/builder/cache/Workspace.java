package slipway.builder.cache;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.container.ContainerRuntime;
import slipway.linux.lock.Flock;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;

/**
 * Where one build keeps what is not finished: a directory of its own, locked while the build lives.
 * What builds that were killed left behind is removed by the next one.
 */
public final class Workspace implements AutoCloseable {
  private final Path directory;
  private final Flock lock;
  private final Leftovers leftovers;
  private final AtomicInteger count = new AtomicInteger();

  private Workspace(Path directory, Flock lock, Leftovers leftovers) {
    this.directory = directory;
    this.lock = lock;
    this.leftovers = leftovers;
  }

  /**
   * Makes a workspace.
   *
   * @param root the build directory
   * @param id not used before
   * @param progress is told what could not be removed
   */
  public static Workspace create(Path root, String id, Progress progress) throws IOException {
    Path all = Files.createDirectories(root.resolve("work"));
    Posix.chmod(OsPath.of(root), 0700);
    Path gate = root.resolve("work.lock");
    Leftovers leftovers = new Leftovers(root, progress);
    sweep(all, gate, leftovers);
    // Under the gate a sweep cannot take a directory for abandoned that is not locked yet.
    try (Flock passage = Flock.file(gate, true)) {
      Path directory = Files.createDirectory(all.resolve(id));
      Flock lock = Flock.tryDirectory(directory);
      if (lock == null) {
        throw new IOException("the new directory " + directory + " is locked by another process");
      }
      return new Workspace(directory, lock, leftovers);
    }
  }

  /** Removes what dead builds left: containers that still run, then their files. */
  private static void sweep(Path all, Path gate, Leftovers leftovers) throws IOException {
    try (DirectoryStream<Path> list = Files.newDirectoryStream(all)) {
      for (Path directory : list) {
        Flock lock = tryTake(directory, gate);
        if (lock != null) {
          try (lock) {
            remove(directory, leftovers);
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

  private static void remove(Path directory, Leftovers leftovers) {
    Path state = directory.resolve("runtime");
    if (Files.isDirectory(state)) {
      try {
        ContainerRuntime.find().deleteAll(state);
      } catch (Problem e) {
        // Nothing runs in them any more; their control groups stay until the machine restarts.
        leftovers.progress().note("containers of a killed build stay: " + e.getMessage());
      }
    }
    leftovers.remove(directory);
  }

  /** Removes a directory of this workspace before its end, to save space. */
  public void discard(Path scratch) {
    leftovers.remove(scratch);
  }

  /** The name of this build among others. */
  public String id() {
    return directory.getFileName().toString();
  }

  /** What the container runtime knows of this build's containers. */
  public Path runtimeState() throws IOException {
    return Files.createDirectories(directory.resolve("runtime"));
  }

  /** A new empty directory, removed with the workspace at the latest. */
  public Path newDirectory(String what) throws IOException {
    Path path = directory.resolve(what + "-" + count.incrementAndGet());
    Files.createDirectory(path);
    Posix.chmod(OsPath.of(path), 0755);
    return path;
  }

  @Override
  public void close() throws IOException {
    try (lock) {
      leftovers.remove(directory);
    }
  }
}
