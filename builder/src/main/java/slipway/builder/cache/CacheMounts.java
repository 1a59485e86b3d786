package slipway.builder.cache;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import slipway.base.Progress;
import slipway.builder.language.RunMount;
import slipway.linux.lock.Flock;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;

/**
 * The directories of {@code RUN --mount=type=cache}: they outlive builds and never enter a layer.
 * Each is locked while a RUN uses it.
 */
public final class CacheMounts implements AutoCloseable {
  private static final int MOST_PRIVATE = 1000;

  private final Path root;
  private final Leftovers leftovers;
  private final List<Flock> locks = new ArrayList<>();
  private final List<Path> opened = new ArrayList<>();

  /**
   * @param root the build directory
   * @param progress is told what cannot be removed or marked as used
   */
  public CacheMounts(Path root, Progress progress) throws IOException {
    this.root = Files.createDirectories(root.resolve("mounts"));
    this.leftovers = new Leftovers(root, progress);
  }

  /** Fills a cache that is new. */
  @FunctionalInterface
  public interface Filler {
    void fill(Path directory) throws IOException, InterruptedException;
  }

  /**
   * The directory of a cache. Ask for several in the order of {@link #name}, so that two RUNs never
   * wait for each other.
   */
  public Path open(RunMount mount, Filler filler) throws IOException, InterruptedException {
    String name = name(mount);
    return switch (mount.sharing()) {
      case "private" -> openPrivate(name, mount, filler);
      case "locked" -> open(name, mount, true, filler);
      default -> open(name, mount, false, filler);
    };
  }

  public static String name(RunMount mount) {
    return CacheKey.of(mount.id());
  }

  private Path open(String name, RunMount mount, boolean exclusive, Filler filler)
      throws IOException, InterruptedException {
    Path directory = Files.createDirectories(root.resolve(name));
    locks.add(Flock.fileInterruptibly(directory.resolve("lock"), exclusive));
    opened.add(directory);
    return data(directory, mount, filler);
  }

  /** The first copy that nobody uses. */
  private Path openPrivate(String name, RunMount mount, Filler filler)
      throws IOException, InterruptedException {
    for (int i = 0; i < MOST_PRIVATE; i++) {
      Path directory = Files.createDirectories(root.resolve(name + "-" + i));
      Flock lock = Flock.tryDirectory(directory);
      if (lock != null) {
        locks.add(lock);
        opened.add(directory);
        return data(directory, mount, filler);
      }
    }
    throw new IOException("the cache " + mount.id() + " is in use " + MOST_PRIVATE + " times");
  }

  private Path data(Path directory, RunMount mount, Filler filler)
      throws IOException, InterruptedException {
    Path data = directory.resolve("data");
    try (Flock making = Flock.fileInterruptibly(directory.resolve("making"), true)) {
      if (!Files.isDirectory(data)) {
        make(directory, data, mount, filler);
      }
    }
    return data;
  }

  private void make(Path directory, Path data, RunMount mount, Filler filler)
      throws IOException, InterruptedException {
    Path fresh = directory.resolve("new");
    leftovers.remove(fresh);
    Files.createDirectory(fresh);
    filler.fill(fresh);
    OsPath path = OsPath.of(fresh);
    Posix.lchown(path, mount.uid(), mount.gid());
    Posix.chmod(path, mount.mode() < 0 ? 0755 : mount.mode());
    Files.move(fresh, data, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
  }

  /** What a RUN did is done: trouble with a stamp, by which unused caches go, is only told. */
  @Override
  public void close() throws IOException {
    for (Path directory : opened) {
      try {
        Files.writeString(directory.resolve(BuildStorage.MOUNT_STAMP), "");
      } catch (IOException e) {
        leftovers
            .progress()
            .note("a cache of RUN --mount will count as long unused: " + e.getMessage());
      }
    }
    IOException failure = null;
    for (Flock lock : locks) {
      try {
        lock.close();
      } catch (IOException e) {
        failure = e;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
