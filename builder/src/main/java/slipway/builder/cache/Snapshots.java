package slipway.builder.cache;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import slipway.archive.tar.ImageTotals;
import slipway.base.CountedInput;
import slipway.base.Progress;
import slipway.linux.lock.Flock;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.oci.copy.PlainLayer;
import slipway.oci.copy.Validate;
import slipway.oci.store.LocalStore;
import slipway.tree.LayerUnpacker;

/**
 * The unpacked layers, each a directory that overlayfs takes: {@code snapshots/NAME/diff}, beside a
 * stamp for {@link CacheDurability}. Both are made elsewhere and renamed together when they are
 * whole; they never change then.
 */
public final class Snapshots {
  private final Path root;
  private final LocalStore store;
  private final CacheDurability durability;
  private volatile boolean changed;

  public Snapshots(Path root, LocalStore store, CacheDurability durability) throws IOException {
    this.durability = durability;
    this.root = root;
    this.store = store;
    Files.createDirectories(root.resolve("snapshots"));
    for (Locks kind : Locks.values()) {
      Files.createDirectories(root.resolve("locks").resolve(kind.directory));
    }
  }

  private Path home(String name) {
    return root.resolve("snapshots").resolve(name);
  }

  /** The directory of the layer's files. */
  Path path(String name) {
    return home(name).resolve("diff");
  }

  /** Whether there is a snapshot of this name, and no power cut can have harmed it. */
  public boolean has(String name) throws IOException {
    Path stamp = home(name).resolve("stamp");
    try {
      boolean whole = durability.holds(Files.readString(stamp));
      if (whole) {
        BuildStorage.touch(stamp);
      }
      return whole;
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  /** Makes all snapshots outlast a power cut; without it they are made again after one. */
  public void sync() throws IOException {
    if (changed) {
      durability.sync();
    }
  }

  /**
   * Takes a finished directory in under a name that has no snapshot: the rename is the commit
   * point.
   *
   * @param scratch an empty directory on the same file system
   */
  public void adopt(Path directory, String name, Path scratch) throws IOException {
    Path home = Files.createDirectory(scratch.resolve("home"));
    Files.move(directory, home.resolve("diff"), StandardCopyOption.ATOMIC_MOVE);
    Files.writeString(home.resolve("stamp"), durability.stamp());
    if (Files.exists(home(name))) {
      // One that a power cut may have harmed; nothing uses it.
      Files.move(home(name), scratch.resolve("harmed"), StandardCopyOption.ATOMIC_MOVE);
    }
    Posix.rename(OsPath.of(home), OsPath.of(home(name)), Posix.RENAME_NOREPLACE);
    changed = true;
  }

  /**
   * The directories of an image's layers, unpacking those that are not there yet.
   *
   * @return bottom first
   */
  public List<Path> unpacked(List<LayerRef> layers, Workspace workspace, Progress progress)
      throws IOException, InterruptedException {
    List<Path> paths = new ArrayList<>();
    ImageTotals image = new ImageTotals("the image's layers");
    for (LayerRef layer : layers) {
      if (!has(layer.snapshot())) {
        unpack(layer, paths, image.withoutTrees(), workspace, progress);
      }
      paths.add(path(layer.snapshot()));
    }
    return paths;
  }

  private void unpack(
      LayerRef layer, List<Path> below, ImageTotals image, Workspace workspace, Progress progress)
      throws IOException, InterruptedException {
    try (Flock lock = lock(Locks.LAYER, layer.snapshot())) {
      if (has(layer.snapshot())) {
        return; // Another build was faster.
      }
      LayerRef.Blob blob = layer.blob();
      if (blob == null) {
        throw new IOException("the unpacked layer " + layer.snapshot() + " was removed meanwhile");
      }
      Path scratch = workspace.newDirectory("unpack");
      Path directory = Files.createDirectory(scratch.resolve("upper"));
      List<Path> topFirst = new ArrayList<>(below);
      Collections.reverse(topFirst);
      String name = "unpack " + blob.descriptor().digest().brief();
      PlainLayer.Sum plain;
      try (InputStream in = store.openBlob(blob.descriptor());
          Progress.Task task = progress.start(name, blob.descriptor().size());
          InputStream counted = new CountedInput(in, task::advance);
          PlainLayer tar = new PlainLayer(counted, blob.diffId().algorithm(), blob.descriptor())) {
        LayerUnpacker.unpack(tar, directory, topFirst, image);
        plain = tar.finish();
      }
      store.note(blob.descriptor(), plain);
      // A snapshot is named by the diff id, which is the config's word; content that is other than
      // the word would stand in for an honest layer of every later build.
      Validate.match(blob.descriptor(), blob.diffId(), plain.diffId());
      adopt(directory, layer.snapshot(), scratch);
      workspace.discard(scratch);
    }
  }

  /** What is locked; who holds one kind may wait for a later kind only, so nobody waits forever. */
  public enum Locks {
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
  public Flock lock(Locks kind, String what) throws IOException, InterruptedException {
    // 4096 files for all there will ever be; two that share one wait for each other in vain.
    String bucket = CacheKey.of(what).substring(0, 3);
    return Flock.fileInterruptibly(
        root.resolve("locks").resolve(kind.directory).resolve(bucket), true);
  }
}
