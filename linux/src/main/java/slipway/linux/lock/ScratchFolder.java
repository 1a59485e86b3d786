package slipway.linux.lock;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import slipway.base.Cleanup;
import slipway.base.Printable;
import slipway.base.TemporaryFiles;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.UnixException;

/**
 * A temporary folder that only this user can look into. It goes when it is closed or the process is
 * told to end. It is locked as long as the process lives, so that what one that was killed has left
 * is known, and goes when the next folder of the same kind is made in that place.
 */
public final class ScratchFolder implements AutoCloseable {
  private final Path path;
  private final @Nullable Flock lock;
  private final Cleanup cleanup;

  private ScratchFolder(Path path, @Nullable Flock lock) {
    this.path = path;
    this.lock = lock;
    this.cleanup = Cleanup.register("the folder " + path, this::remove);
  }

  /**
   * Makes one, once the dead ones beside it are gone.
   *
   * @param parent an existing folder
   * @param prefix of its name, for this kind alone, such as {@code slipway-disk-}
   * @param notes is told in a sentence what killed processes have left and cannot be removed
   */
  public static ScratchFolder create(Path parent, String prefix, Consumer<String> notes)
      throws IOException {
    return create(parent, prefix, notes, Flock::tryDirectory);
  }

  /** How a folder is locked, as {@link Flock#tryDirectory}. */
  @FunctionalInterface
  interface Locks {
    @Nullable Flock tryTake(Path folder) throws IOException;
  }

  /** As above, with the locks. */
  static ScratchFolder create(Path parent, String prefix, Consumer<String> notes, Locks locks)
      throws IOException {
    sweep(parent, prefix, notes, locks);
    while (true) {
      Path path = Files.createTempDirectory(parent, prefix);
      Flock lock;
      try {
        lock = locks.tryTake(path);
      } catch (UnixException e) {
        return new ScratchFolder(path, null); // No locks here: nobody takes it for abandoned.
      }
      if (lock != null) {
        return new ScratchFolder(path, lock);
      }
      // Another process saw it between the two calls, and removes it.
    }
  }

  /** As {@link #create} in the folder for temporary files, for what is small. */
  public static ScratchFolder small(String prefix, Consumer<String> notes) throws IOException {
    return create(TemporaryFiles.folder(), prefix, notes);
  }

  /** As {@link #create} in the folder for temporary files that may be large. */
  public static ScratchFolder large(String prefix, Consumer<String> notes) throws IOException {
    return create(TemporaryFiles.largeFolder(), prefix, notes);
  }

  public Path path() {
    return path;
  }

  /**
   * Removes what killed processes have left, as {@link #create} does before it makes a folder.
   *
   * @param notes as there
   */
  public static void sweep(Path parent, String prefix, Consumer<String> notes) throws IOException {
    sweep(parent, prefix, notes, Flock::tryDirectory);
  }

  private static void sweep(Path parent, String prefix, Consumer<String> notes, Locks locks)
      throws IOException {
    try (DirectoryStream<Path> list =
        Files.newDirectoryStream(parent, p -> p.getFileName().toString().startsWith(prefix))) {
      for (Path path : list) {
        try {
          sweep(path, locks);
        } catch (UnixException e) {
          notes.accept(
              Printable.text(
                  "what a killed process left in " + path + " stays: " + e.getMessage()));
        }
      }
    }
  }

  private static void sweep(Path path, Locks locks) throws IOException {
    Stat found;
    try {
      found = Posix.lstat(OsPath.of(path));
    } catch (UnixException e) {
      if (e.errno() == UnixException.ENOENT) {
        return; // Its own process has removed it meanwhile.
      }
      throw e;
    }
    // In a folder like /tmp anybody may call something so.
    if (found.isDirectory() && found.uid() == Posix.geteuid()) {
      try (Flock dead = tryTake(path, locks)) {
        if (dead != null) {
          Posix.removeTree(OsPath.of(path));
        }
      }
    }
  }

  /** The lock of a folder whose process is dead; null as well where there are no locks. */
  private static @Nullable Flock tryTake(Path path, Locks locks) throws IOException {
    try {
      return locks.tryTake(path);
    } catch (UnixException e) {
      return switch (e.errno()) {
        case UnixException.ENOLCK, UnixException.ENOSYS, UnixException.EOPNOTSUPP -> null;
        default -> throw e;
      };
    }
  }

  private void remove() throws IOException {
    try (Flock held = lock) {
      Posix.removeTree(OsPath.of(path));
    }
  }

  @Override
  public void close() throws IOException {
    cleanup.close();
  }
}
