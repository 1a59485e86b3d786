package slipway.ostree.repo;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.linux.lock.Flock;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.ObjectType;

/** Removes objects that nothing alive reaches. */
final class Prune {
  private Prune() {}

  private record Dead(Loose object, long bytes) {}

  static Repository.Pruned run(Repository repository, Set<Checksum> keep) throws IOException {
    try (Flock lock = RepositoryLock.acquire(repository.osPath(), true)) {
      Staging.sweep(repository.path());
      Set<Checksum> roots = new HashSet<>(repository.refFiles().all().values());
      roots.addAll(keep);
      Reachable alive = new Reachable(repository, null);
      for (Checksum root : roots) {
        alive.addCommit(root);
      }
      Repository.Pruned pruned = remove(repository, alive.objects());
      removeNotes(repository);
      return pruned;
    }
  }

  /** Notes of commits that are gone, or never came. */
  private static void removeNotes(Repository repository) throws IOException {
    Path folder = repository.contentsNotes();
    if (!Files.isDirectory(folder)) {
      return;
    }
    AtomicFile.sweepOld(folder); // An import writes one without the lock, when all is done.
    try (DirectoryStream<Path> notes = Files.newDirectoryStream(folder)) {
      for (Path note : notes) {
        String name = note.getFileName().toString();
        if (Checksum.isChecksum(name) && !repository.has(new Checksum(name), ObjectType.COMMIT)) {
          Files.deleteIfExists(note);
        }
      }
    }
  }

  private static Repository.Pruned remove(Repository repository, Set<Reachable.ObjectName> alive)
      throws IOException {
    List<Loose> all = Loose.list(repository);
    List<Dead> dead = new ArrayList<>();
    long bytes = 0;
    for (Loose object : all) {
      ObjectType owner = object.type() == ObjectType.COMMITMETA ? ObjectType.COMMIT : object.type();
      if (!alive.contains(new Reachable.ObjectName(object.checksum(), owner))) {
        long size = Posix.lstat(object.path()).size();
        dead.add(new Dead(object, size));
        bytes += size;
      }
    }
    // Commits first: a commit whose objects are gone would be damage, the reverse is garbage.
    Stuck commits = remove(repository, dead, true);
    if (commits.count > 0) {
      throw commits.problem();
    }
    Stuck others = remove(repository, dead, false);
    if (others.count > 0) {
      throw others.problem();
    }
    return new Repository.Pruned(all.size(), dead.size(), bytes);
  }

  /** What could not be removed; one such object must not keep all others. */
  private record Stuck(int count, @Nullable IOException first) {
    Problem problem() {
      return new Problem(
          Problem.Kind.ENVIRONMENT,
          count
              + " objects that nothing needs could not be removed: "
              + java.util.Objects.requireNonNull(first).getMessage(),
          first);
    }
  }

  private static Stuck remove(Repository repository, List<Dead> dead, boolean commits) {
    int stuck = 0;
    IOException first = null;
    for (Dead d : dead) {
      if ((d.object.type() == ObjectType.COMMIT) == commits) {
        try {
          remove(repository, d.object);
        } catch (IOException e) {
          stuck++;
          first = first == null ? e : first;
        }
      }
    }
    return new Stuck(stuck, first);
  }

  private static void remove(Repository repository, Loose object) throws IOException {
    Posix.unlink(object.path());
    if (object.type() == ObjectType.COMMIT) {
      Files.deleteIfExists(repository.partialMarker(object.checksum()));
      Files.deleteIfExists(repository.contentsNote(object.checksum()));
    }
  }

  /** A loose object's file. */
  record Loose(Checksum checksum, ObjectType type, OsPath path) {
    /** All loose objects of the types we know; others are left alone. */
    static List<Loose> list(Repository repository) throws IOException {
      List<Loose> found = new ArrayList<>();
      OsPath objects = repository.osPath().resolve("objects");
      for (OsPath prefix : Posix.list(objects)) {
        if (prefix.length() == 2) {
          for (OsPath name : Posix.list(objects.resolve(prefix))) {
            Loose object = parse(repository, objects, prefix, name);
            if (object != null) {
              found.add(object);
            }
          }
        }
      }
      return found;
    }

    private static @Nullable Loose parse(
        Repository repository, OsPath objects, OsPath prefix, OsPath name) {
      String text = name.toString();
      int dot = text.indexOf('.');
      String hex = prefix + (dot < 0 ? text : text.substring(0, dot));
      if (dot < 0 || !Checksum.isChecksum(hex)) {
        return null;
      }
      String suffix = text.substring(dot + 1);
      for (ObjectType type : ObjectType.values()) {
        if (suffix.equals(repository.suffix(type))) {
          return new Loose(new Checksum(hex), type, objects.resolve(prefix).resolve(name));
        }
      }
      return null;
    }
  }
}
