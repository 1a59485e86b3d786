package slipway.disk;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.base.Cleanup;
import slipway.base.Printable;
import slipway.base.Progress;
import slipway.linux.OsPath;
import slipway.linux.Posix;
import slipway.linux.Stat;
import slipway.linux.UnixException;
import slipway.oci.Flock;

/**
 * The temporary files of one disk: a folder for small ones, and folders for unfinished results
 * beside their places. All go when it is closed or the process is told to end. Each folder is
 * locked as long as the process lives, so that what one that was killed has left is known, and goes
 * when the next one comes to that place. Mounts need no care here, they end with their namespace.
 */
final class Scratch implements AutoCloseable {
  private static final String SMALL = "slipway-disk-";

  /** Hidden: it lies where the results will. */
  private static final String LARGE = "." + SMALL;

  private final Progress progress;
  private final List<Folder> folders = new ArrayList<>();
  private final Cleanup cleanup;
  private final Path folder;

  /** A folder of this process; without a lock where the file system has none. */
  private record Folder(Path path, @Nullable Flock lock) {}

  private Scratch(Path temporary, Progress progress) throws IOException {
    this.progress = progress;
    this.cleanup = Cleanup.register("the temporary files of the disk", this::remove);
    try {
      this.folder = newFolder(temporary, SMALL);
    } catch (IOException | RuntimeException e) {
      cleanup.close();
      throw e;
    }
  }

  /**
   * @param progress is told what killed processes have left and cannot be removed
   */
  static Scratch create(Progress progress) throws IOException {
    return new Scratch(Path.of(System.getProperty("java.io.tmpdir")), progress);
  }

  Path folder() {
    return folder;
  }

  /** An empty file of an unfinished result, on the file system of an existing folder. */
  Path unfinished(Path directory, String name) throws IOException {
    return Files.createFile(newFolder(directory, LARGE).resolve(name), ownerOnly());
  }

  private static java.nio.file.attribute.FileAttribute<?> ownerOnly() {
    return java.nio.file.attribute.PosixFilePermissions.asFileAttribute(
        java.nio.file.attribute.PosixFilePermissions.fromString("rw-------"));
  }

  /** A new folder that only this user can look into, once the dead ones beside it are gone. */
  private synchronized Path newFolder(Path parent, String prefix) throws IOException {
    sweep(parent, prefix);
    while (true) {
      Path path = Files.createTempDirectory(parent, prefix);
      Flock lock;
      try {
        lock = Flock.tryDirectory(path);
      } catch (UnixException e) {
        folders.add(new Folder(path, null)); // No locks here: then nobody takes it for abandoned.
        return path;
      }
      if (lock != null) {
        folders.add(new Folder(path, lock));
        return path;
      }
      // Another process saw it between the two calls, and removes it.
    }
  }

  private void sweep(Path parent, String prefix) throws IOException {
    try (DirectoryStream<Path> list = Files.newDirectoryStream(parent, prefix + "*")) {
      for (Path path : list) {
        try {
          sweep(path);
        } catch (UnixException e) {
          progress.note(
              Printable.text(
                  "what a killed disk build left in " + path + " stays: " + e.getMessage()));
        }
      }
    }
  }

  private static void sweep(Path path) throws IOException {
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
      try (Flock dead = Flock.tryDirectory(path)) {
        if (dead != null) {
          Posix.removeTree(OsPath.of(path));
        }
      }
    }
  }

  private synchronized void remove() throws IOException {
    for (Folder f : folders) {
      try (Flock held = f.lock()) {
        Posix.removeTree(OsPath.of(f.path()));
      }
    }
    folders.clear();
  }

  @Override
  public void close() throws IOException {
    cleanup.close();
  }
}
