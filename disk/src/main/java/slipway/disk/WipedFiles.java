package slipway.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
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
 */
final class WipedFiles {
  private final Path root;
  private final List<MountedFileSystem> mounted;

  /** Numbers of devices, by where they are mounted; looked for when they are asked for. */
  private final Map<Path, Set<Long>> numbers = new HashMap<>();

  private WipedFiles(Path root, List<MountedFileSystem> mounted) {
    this.root = root;
    this.mounted = List.copyOf(mounted);
  }

  /**
   * Looks at a mounted root.
   *
   * @param root without links
   */
  static WipedFiles below(Path root) throws IOException {
    List<MountedFileSystem> mounted = new ArrayList<>();
    for (Path point : new Path[] {root, root.resolve("boot")}) {
      MountedFileSystem.at(point).ifPresent(mounted::add);
    }
    return new WipedFiles(root, mounted);
  }

  /** Where the root is mounted. */
  Path root() {
    return root;
  }

  /** Its own, and of btrfs those of the subvolumes inside: all of it is looked at for them. */
  private Set<Long> numbers(MountedFileSystem of) throws IOException {
    Set<Long> known = numbers.get(of.point());
    if (known == null) {
      OsPath point = OsPath.of(of.point());
      known = new HashSet<>(Set.of(Posix.stat(point).device()));
      if (of.type().equals("btrfs")) {
        addSubvolumes(point, known);
      }
      numbers.put(of.point(), known);
    }
    return known;
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
    for (MountedFileSystem each : mounted) {
      if (Posix.stat(OsPath.of(each.point())).device() == number) {
        return Optional.of(each.point());
      }
    }
    // Subvolumes have numbers of no device, and most files that are asked for are on others.
    if (Posix.major(number) != 0 || isElsewhere(file)) {
      return Optional.empty();
    }
    for (MountedFileSystem each : mounted) {
      if (numbers(each).contains(number)) {
        return Optional.of(each.point());
      }
    }
    return Optional.empty();
  }

  /** Whether it is surely on a file system of another kind than those with subvolumes. */
  private static boolean isElsewhere(Path file) {
    try {
      return !Files.getFileStore(file).type().equals("btrfs");
    } catch (IOException e) {
      return false; // Of a subvolume inside of one nothing says where that is mounted.
    }
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
