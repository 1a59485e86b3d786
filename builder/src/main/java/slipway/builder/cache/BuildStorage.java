package slipway.builder.cache;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.lock.Flock;
import slipway.linux.process.DiskUse;

/**
 * What builds keep on the disk: unpacked layers, the results of steps, and the directories of
 * {@code RUN --mount=type=cache}. Nothing of it is needed, all of it saves time; so the oldest goes
 * when there is more than {@link Limit#BUILD_CACHE_BYTES}, and all of it when the user says so.
 * Builds under way keep what is there from being removed.
 */
public final class BuildStorage {
  /** A file of a cache's directory, written at the end of each use. */
  static final String MOUNT_STAMP = "used";

  private static final String SNAPSHOT_STAMP = "stamp";
  private static final String SIZE = "size";
  private static final String LOCK = "use.lock";

  /** Results of steps are small; one that no build asked for in this time is forgotten. */
  private static final Duration STEPS_KEPT = Duration.ofDays(90);

  private final Path root;
  private final RandomGenerator random;

  /**
   * @param root the build directory, as for {@code Builder}
   */
  public BuildStorage(Path root, RandomGenerator random) {
    this.root = root.toAbsolutePath().normalize();
    this.random = random;
  }

  /**
   * What there is.
   *
   * @param snapshots unpacked layers and the results of steps
   * @param mounts directories of RUN --mount=type=cache
   * @param aside what could not be removed
   * @param busy whether a build is under way
   */
  public record Usage(DiskUse snapshots, DiskUse mounts, DiskUse aside, boolean busy) {}

  /** Something that can be removed by itself. */
  private record Item(Path path, long bytes, Instant used) {}

  /** Says that a build is under way, until it is closed. */
  public static Flock use(Path root) throws IOException {
    return Flock.file(Files.createDirectories(root).resolve(LOCK), false);
  }

  /** Marks something as used now. */
  static void touch(Path stamp) throws IOException {
    Files.setLastModifiedTime(stamp, FileTime.from(Instant.now()));
  }

  /** Measures what there is. */
  public Usage usage() {
    try {
      DiskUse snapshots = share(snapshots());
      long steps = share("cache").bytes();
      return new Usage(
          new DiskUse(snapshots.count(), snapshots.bytes() + steps),
          share(mounts()),
          share("aside"),
          isBusy());
    } catch (IOException e) {
      throw failure("measure", e);
    }
  }

  private boolean isBusy() throws IOException {
    if (!Files.exists(root.resolve(LOCK))) {
      return false;
    }
    try (Flock lock = Flock.tryFile(root.resolve(LOCK), true)) {
      return lock == null;
    }
  }

  private Problem failure(String what, IOException e) {
    return new Problem(
        Problem.Kind.ENVIRONMENT, "cannot " + what + " " + root + ": " + e.getMessage(), e);
  }

  private List<Item> snapshots() throws IOException {
    return items("snapshots", SNAPSHOT_STAMP);
  }

  private List<Item> mounts() throws IOException {
    return items("mounts", MOUNT_STAMP);
  }

  /**
   * @param stamp the file whose time says when something was used last
   */
  private List<Item> items(String kind, String stamp) throws IOException {
    Path folder = root.resolve(kind);
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    List<Path> paths = new ArrayList<>();
    try (DirectoryStream<Path> list = Files.newDirectoryStream(folder)) {
      list.forEach(paths::add);
    }
    measure(paths.stream().filter(p -> known(p, stamp).isEmpty()).toList());
    List<Item> items = new ArrayList<>();
    for (Path path : paths) {
      items.add(new Item(path, known(path, stamp).orElse(0L), used(path, stamp)));
    }
    return items;
  }

  /** The size that was measured before, if it still holds: snapshots never change. */
  private static Optional<Long> known(Path directory, String stamp) {
    Path file = directory.resolve(SIZE);
    try {
      boolean holds =
          stamp.equals(SNAPSHOT_STAMP)
              || Files.getLastModifiedTime(file)
                      .compareTo(Files.getLastModifiedTime(directory.resolve(stamp)))
                  >= 0;
      return holds ? Optional.of(Long.valueOf(Files.readString(file).strip())) : Optional.empty();
    } catch (IOException | NumberFormatException e) {
      return Optional.empty(); // Not measured yet, or cut by a crash.
    }
  }

  private static void measure(List<Path> directories) throws IOException {
    List<Long> sizes = DiskUse.bytes(directories);
    for (int i = 0; i < directories.size(); i++) {
      Files.writeString(directories.get(i).resolve(SIZE), sizes.get(i) + "\n");
    }
  }

  private static Instant used(Path directory, String stamp) throws IOException {
    Path file = directory.resolve(stamp);
    return Files.getLastModifiedTime(Files.exists(file) ? file : directory).toInstant();
  }

  private DiskUse share(String folder) throws IOException {
    return share(whole(folder));
  }

  /** What lies in a folder, of whatever sort. */
  private List<Item> whole(String folder) throws IOException {
    Path directory = root.resolve(folder);
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    List<Item> items = new ArrayList<>();
    try (DirectoryStream<Path> list = Files.newDirectoryStream(directory)) {
      for (Path path : list) {
        items.add(new Item(path, DiskUse.bytes(List.of(path)).getFirst(), Instant.EPOCH));
      }
    }
    return items;
  }

  /**
   * Removes what builds keep, unless one is under way.
   *
   * @param unusedSince only what no build used since then; null removes all
   * @param mounts the directories of RUN --mount=type=cache as well
   */
  public DiskUse.Removed prune(@Nullable Instant unusedSince, boolean mounts, Progress progress) {
    return alone(
        progress,
        trash -> {
          List<Item> items = new ArrayList<>(snapshots());
          if (mounts) {
            items.addAll(mounts());
          }
          if (unusedSince == null) {
            items.addAll(whole("cache"));
          } else {
            items.removeIf(i -> !i.used().isBefore(unusedSince));
            forgetSteps(unusedSince);
          }
          items.addAll(whole("aside"));
          return remove(items, trash);
        });
  }

  /** Removes the longest unused until the rest is within {@link Limit#BUILD_CACHE_BYTES}. */
  public DiskUse.Removed trim(Progress progress) {
    return alone(
        progress,
        trash -> {
          forgetSteps(Instant.now().minus(STEPS_KEPT));
          List<Item> items = new ArrayList<>(snapshots());
          items.addAll(mounts());
          items.sort(Comparator.comparing(Item::used));
          long total = items.stream().mapToLong(Item::bytes).sum();
          List<Item> oldest = new ArrayList<>();
          for (Item item : items) {
            if (total > Limit.BUILD_CACHE_BYTES.value() || isUnchecked(item)) {
              total -= item.bytes();
              oldest.add(item);
            }
          }
          return remove(oldest, trash);
        });
  }

  /** A layer that an older version unpacked without a check; nothing takes it any more. */
  private static boolean isUnchecked(Item item) {
    return item.path().getFileName().toString().startsWith("chain-");
  }

  private interface Work {
    DiskUse.Removed run(Workspace trash) throws IOException;
  }

  private DiskUse.Removed alone(Progress progress, Work work) {
    if (!Files.isDirectory(root)) {
      return new DiskUse.Removed(0, 0, false);
    }
    try (Flock lock = Flock.tryFile(root.resolve(LOCK), true)) {
      if (lock == null) {
        return new DiskUse.Removed(0, 0, true);
      }
      byte[] id = new byte[8];
      random.nextBytes(id);
      try (Workspace trash = Workspace.create(root, HexFormat.of().formatHex(id), progress)) {
        DiskUse.Removed removed = work.run(trash);
        CacheDurability.of(root).forget();
        return removed;
      }
    } catch (IOException e) {
      throw failure("clean", e);
    }
  }

  /** Each is moved away as a whole first, so that a kill leaves no half of it in place. */
  private static DiskUse.Removed remove(List<Item> items, Workspace trash) throws IOException {
    long bytes = 0;
    for (Item item : items) {
      Path place = trash.newDirectory("removed").resolve("it");
      Files.move(item.path(), place, StandardCopyOption.ATOMIC_MOVE);
      bytes += item.bytes();
    }
    return new DiskUse.Removed(items.size(), bytes, false);
  }

  private void forgetSteps(Instant unusedSince) throws IOException {
    Path cache = root.resolve("cache");
    if (!Files.isDirectory(cache)) {
      return;
    }
    try (Stream<Path> files = Files.find(cache, 3, (p, a) -> a.isRegularFile())) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Optional<Instant> used = modified(file);
        if (used.isPresent() && used.get().isBefore(unusedSince)) {
          Files.deleteIfExists(file);
        }
      }
    }
  }

  private static Optional<Instant> modified(Path file) throws IOException {
    try {
      return Optional.of(Files.getLastModifiedTime(file).toInstant());
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  private static DiskUse share(List<Item> items) {
    return new DiskUse(items.size(), items.stream().mapToLong(Item::bytes).sum());
  }
}
