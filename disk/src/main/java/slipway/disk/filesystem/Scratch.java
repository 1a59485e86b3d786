package slipway.disk.filesystem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import slipway.base.Progress;
import slipway.base.TemporaryFiles;
import slipway.linux.lock.ScratchFolder;

/**
 * The temporary files of one disk: a folder for small ones, folders for large ones, and folders for
 * unfinished results beside their places. All go when it is closed or the process is told to end,
 * and those of a process that was killed when the next one comes to that place. Mounts need no care
 * here, they end with their namespace.
 */
public final class Scratch implements AutoCloseable {
  private static final String SMALL = "slipway-disk-";

  /** Hidden: it lies where the results will. */
  private static final String LARGE = "." + SMALL;

  private final Progress progress;
  private final List<ScratchFolder> folders = new ArrayList<>();
  private final Path folder;

  private Scratch(Path temporary, Progress progress) throws IOException {
    this.progress = progress;
    this.folder = newFolder(temporary, SMALL);
  }

  /**
   * @param progress is told what killed processes have left and cannot be removed
   */
  public static Scratch create(Progress progress) throws IOException {
    return new Scratch(TemporaryFiles.folder(), progress);
  }

  public Path folder() {
    return folder;
  }

  /** A new folder for files as large as kernels, which would not always fit into memory. */
  public Path large() throws IOException {
    return newFolder(TemporaryFiles.largeFolder(), SMALL);
  }

  /** Removes the unfinished results that killed processes have left in an existing folder. */
  public void sweep(Path directory) throws IOException {
    ScratchFolder.sweep(directory, LARGE, progress::note);
  }

  /** An empty file of an unfinished result, on the file system of an existing folder. */
  public Path unfinished(Path directory, String name) throws IOException {
    return Files.createFile(newFolder(directory, LARGE).resolve(name), ownerOnly());
  }

  private static java.nio.file.attribute.FileAttribute<?> ownerOnly() {
    return java.nio.file.attribute.PosixFilePermissions.asFileAttribute(
        java.nio.file.attribute.PosixFilePermissions.fromString("rw-------"));
  }

  private synchronized Path newFolder(Path parent, String prefix) throws IOException {
    ScratchFolder made = ScratchFolder.create(parent, prefix, progress::note);
    folders.add(made);
    return made.path();
  }

  /** Also when one cannot be removed, the others are; the first failure is told. */
  @Override
  public synchronized void close() throws IOException {
    IOException failure = null;
    for (ScratchFolder each : folders.reversed()) {
      try {
        each.close();
      } catch (IOException e) {
        failure = failure == null ? e : failure;
      }
    }
    folders.clear();
    if (failure != null) {
      throw failure;
    }
  }
}
