package slipway.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.mount.MountTable;
import slipway.linux.posix.Btrfs;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Removal;
import slipway.linux.posix.Stat;
import slipway.linux.posix.UnixException;

/**
 * What {@code --replace wipe} erases: the root's file system and that of a /boot of its own, of
 * btrfs with the subvolumes inside, each of which has a device number of its own. What is mounted
 * inside stays.
 *
 * @param root where the root is mounted
 * @param numbers of devices, by where they are mounted
 */
record WipedFiles(Path root, Map<Path, Set<Long>> numbers) {
  WipedFiles {
    numbers = Map.copyOf(numbers);
  }

  /**
   * Looks at a mounted root.
   *
   * @param root without links
   */
  static WipedFiles below(Path root) throws IOException {
    Map<Path, Set<Long>> numbers = new LinkedHashMap<>();
    for (Path point : new Path[] {root, root.resolve("boot")}) {
      Optional<MountedFileSystem> mounted = MountedFileSystem.at(point);
      if (mounted.isPresent()) {
        numbers.put(point, numbers(mounted.get()));
      }
    }
    return new WipedFiles(root, numbers);
  }

  private static Set<Long> numbers(MountedFileSystem mounted) throws IOException {
    OsPath point = OsPath.of(mounted.point());
    Set<Long> numbers = new HashSet<>(Set.of(Posix.stat(point).device()));
    if (mounted.type().equals("btrfs")) {
      addSubvolumes(point, numbers);
    }
    return numbers;
  }

  private static void addSubvolumes(OsPath folder, Set<Long> numbers) throws IOException {
    Set<OsPath> mounts = Set.copyOf(MountTable.points());
    Deque<OsPath> open = new ArrayDeque<>(Set.of(folder));
    while (!open.isEmpty()) {
      OsPath next = open.pop();
      for (OsPath name : names(next)) {
        OsPath child = next.resolve(name);
        Optional<Stat> stat = directory(child);
        if (stat.isPresent() && !mounts.contains(child)) {
          numbers.add(stat.get().device());
          open.push(child);
        }
      }
    }
  }

  /** None for what goes meanwhile. */
  private static List<OsPath> names(OsPath folder) throws IOException {
    try {
      return Posix.list(folder);
    } catch (UnixException e) {
      if (e.errno() == UnixException.ENOENT || e.errno() == UnixException.ENOTDIR) {
        return List.of();
      }
      throw e;
    }
  }

  /** Nothing for what is none, and for what goes meanwhile. */
  private static Optional<Stat> directory(OsPath path) throws IOException {
    try {
      return Optional.of(Posix.lstat(path)).filter(Stat::isDirectory);
    } catch (UnixException e) {
      if (e.errno() == UnixException.ENOENT) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** Where the file system is mounted with which a file or folder would go. */
  Optional<Path> fileSystemOf(Path file) throws IOException {
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    long number = Posix.stat(OsPath.of(file)).device();
    return numbers.entrySet().stream()
        .filter(e -> e.getValue().contains(number))
        .map(Map.Entry::getKey)
        .findFirst();
  }

  /**
   * Refuses to erase a file or folder that an installation reads.
   *
   * @param what it is, as the beginning of a sentence that its path ends
   * @throws Problem of kind INPUT
   */
  void requireOutside(Path needed, String what) throws IOException {
    Optional<Path> on = fileSystemOf(needed);
    if (on.isPresent()) {
      throw Problem.input(
          "%s %s, which --replace wipe of %s would erase; keep them on another file system"
              .formatted(what, Printable.text(needed.toString()), on.get()));
    }
  }

  /**
   * Removes all that is in a folder.
   *
   * @param kept what stays, with all below it: mounts, for one
   */
  static void erase(OsPath folder, Collection<OsPath> kept) throws IOException {
    for (OsPath name : names(folder)) {
      OsPath child = folder.resolve(name);
      if (name.is("lost+found") || kept.contains(child)) {
        continue;
      }
      if (kept.stream().anyMatch(m -> m.startsWith(child + "/"))) {
        erase(child, kept);
      } else {
        remove(child);
      }
    }
  }

  private static void remove(OsPath path) throws IOException {
    try {
      Removal.tree(path);
    } catch (UnixException e) {
      if (e.errno() != UnixException.EPERM || !holdsDefault(path)) {
        throw e;
      }
      // Only then: the default of a btrfs may be another system's, in a subvolume that stays.
      Btrfs.resetDefault(path.parent());
      Removal.tree(path);
    }
  }

  private static boolean holdsDefault(OsPath path) throws IOException {
    Deque<OsPath> open = new ArrayDeque<>(Set.of(path));
    while (!open.isEmpty()) {
      OsPath next = open.pop();
      if (directory(next).isPresent()) {
        if (Btrfs.isDefault(next)) {
          return true;
        }
        names(next).forEach(name -> open.push(next.resolve(name)));
      }
    }
    return false;
  }
}
