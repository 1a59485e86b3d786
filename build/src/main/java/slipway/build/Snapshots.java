package slipway.build;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import slipway.base.AtomicFile;
import slipway.base.Progress;
import slipway.linux.OsPath;
import slipway.linux.Posix;
import slipway.linux.UnixException;
import slipway.oci.Compression;
import slipway.oci.Flock;
import slipway.oci.LocalStore;
import slipway.tree.LayerUnpacker;

/**
 * The unpacked layers, each a directory that overlayfs takes: {@code snapshots/NAME}. Such a
 * directory is made elsewhere and renamed when it is whole and synced; it never changes then.
 */
final class Snapshots {
  private final Path root;
  private final LocalStore store;

  Snapshots(Path root, LocalStore store) throws IOException {
    this.root = root;
    this.store = store;
    Files.createDirectories(root.resolve("snapshots"));
    for (Locks kind : Locks.values()) {
      Files.createDirectories(root.resolve("locks").resolve(kind.directory));
    }
  }

  Path path(String name) {
    return root.resolve("snapshots").resolve(name);
  }

  boolean has(String name) {
    return Files.isDirectory(path(name));
  }

  /**
   * Takes a finished directory in under a name: the rename is the commit point.
   *
   * @return false when there is one of that name; the directory is left then
   */
  boolean adopt(Path directory, String name) throws IOException {
    Posix.syncfs(OsPath.of(directory));
    try {
      Posix.rename(OsPath.of(directory), OsPath.of(path(name)), Posix.RENAME_NOREPLACE);
    } catch (UnixException e) {
      if (e.errno() == UnixException.EEXIST) {
        return false;
      }
      throw e;
    }
    AtomicFile.syncDirectory(root.resolve("snapshots"));
    return true;
  }

  /**
   * The directories of an image's layers, unpacking those that are not there yet.
   *
   * @return bottom first
   */
  List<Path> unpacked(List<LayerRef> layers, Workspace workspace, Progress progress)
      throws IOException {
    List<Path> paths = new ArrayList<>();
    for (LayerRef layer : layers) {
      if (!has(layer.snapshot())) {
        unpack(layer, paths, workspace, progress);
      }
      paths.add(path(layer.snapshot()));
    }
    return paths;
  }

  private void unpack(LayerRef layer, List<Path> below, Workspace workspace, Progress progress)
      throws IOException {
    try (Flock lock = lock(Locks.LAYER, layer.snapshot())) {
      if (has(layer.snapshot())) {
        return; // Another build was faster.
      }
      LayerRef.Blob blob = layer.blob();
      if (blob == null) {
        throw new IOException("the unpacked layer " + layer.snapshot() + " was removed meanwhile");
      }
      Path directory = workspace.newDirectory("unpack");
      List<Path> topFirst = new ArrayList<>(below);
      Collections.reverse(topFirst);
      String name = "unpack " + blob.descriptor().digest().brief();
      try (InputStream in = store.openBlob(blob.descriptor());
          Progress.Task task = progress.start(name, blob.descriptor().size());
          InputStream counted = new CountedStream(in, task);
          InputStream tar = Compression.decompressAny(counted)) {
        LayerUnpacker.unpack(tar, directory, topFirst);
        tar.transferTo(java.io.OutputStream.nullOutputStream());
      }
      adopt(directory, layer.snapshot());
    }
  }

  /** What is locked; who holds one kind may wait for a later kind only, so nobody waits forever. */
  enum Locks {
    /** A key of the cache, while the step is carried out. */
    STEP("steps"),
    /** A snapshot, while it is unpacked. */
    LAYER("layers");

    private final String directory;

    Locks(String directory) {
      this.directory = directory;
    }
  }

  /**
   * Keeps others from making the same thing at the same time, in this process and elsewhere. A
   * thread holds at most one of a kind.
   *
   * @param what the name of a snapshot, a key of the cache
   */
  Flock lock(Locks kind, String what) throws IOException {
    // 4096 files for all there will ever be; two that share one wait for each other in vain.
    String bucket = ContentDigest.of(what).substring(0, 3);
    return Flock.file(root.resolve("locks").resolve(kind.directory).resolve(bucket), true);
  }
}
