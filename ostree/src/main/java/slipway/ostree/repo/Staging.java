package slipway.ostree.repo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.TreeCopy;
import slipway.linux.posix.UnixException;
import slipway.ostree.object.ObjectType;

/**
 * Where the objects of a transaction wait: {@code tmp/slipway-XXXX/xx/…}. The name is deliberately
 * not libostree's {@code staging-BOOTID-XXXX}: libostree takes such a directory over after a crash
 * and would publish half-written objects of ours; what it does not know it removes after a day.
 */
final class Staging implements AutoCloseable {
  private static final String PREFIX = "slipway-";
  private static final String FOREIGN_PREFIX = "staging-";

  private final OsPath objects;
  private final OsPath directory;
  private final boolean sync;
  private final Set<String> claimed = ConcurrentHashMap.newKeySet();
  private final Set<String> fanOut = ConcurrentHashMap.newKeySet();

  /** Objects of the repository that what is written here takes the place of. */
  private final Set<String> replaced = ConcurrentHashMap.newKeySet();

  /** Those of them that nobody has begun to write. */
  private final Set<String> unwritten = ConcurrentHashMap.newKeySet();

  private Staging(OsPath repository, OsPath directory, boolean sync) {
    this.objects = repository.resolve("objects");
    this.directory = directory;
    this.sync = sync;
  }

  static Staging create(Path repository, boolean sync) throws IOException {
    OsPath directory = OsPath.of(temporaryFile(repository));
    Posix.mkdir(directory, 0700);
    return new Staging(OsPath.of(repository), directory, sync);
  }

  /** An unused name for a temporary file; a leftover is swept. */
  static Path temporaryFile(Path repository) {
    return repository
        .resolve("tmp")
        .resolve(PREFIX + Long.toHexString(ThreadLocalRandom.current().nextLong()));
  }

  /**
   * Puts one more name of an inode, or a copy when it can have no more names, in the place of a
   * file by one rename. What a crash leaves of it lies where leftovers are swept, and not among
   * others' files.
   */
  static void putLink(Path repository, OsPath inode, OsPath target) throws IOException {
    OsPath temporary = OsPath.of(temporaryFile(repository));
    try {
      Posix.link(inode, temporary);
    } catch (UnixException e) {
      if (e.errno() != UnixException.EMLINK) {
        throw e;
      }
      TreeCopy.copy(inode, temporary, TreeCopy.FAITHFUL, dropped -> {});
      Posix.syncfs(OsPath.of(repository));
    }
    boolean done = false;
    try {
      Posix.rename(temporary, target, 0);
      done = true;
    } finally {
      if (!done) {
        Posix.unlink(temporary);
      }
    }
  }

  /**
   * Removes what dead writers left: all of ours, and of libostree's what belongs to another boot.
   * Call it with the repository's lock held alone: then nobody who writes is alive.
   */
  static void sweep(Path repository) throws IOException {
    OsPath tmp = OsPath.of(repository.resolve("tmp"));
    String boot = Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
    for (OsPath name : Posix.list(tmp)) {
      OsPath path = tmp.resolve(name);
      if (name.startsWith(PREFIX) || isOfOtherBoot(name, boot)) {
        try {
          Posix.removeTree(path);
        } catch (UnixException e) {
          // A leftover that stays must not keep everybody from writing.
          System.getLogger(Staging.class.getName())
              .log(System.Logger.Level.WARNING, "cannot remove " + path + ": " + e.getMessage());
        }
      }
    }
  }

  private static boolean isOfOtherBoot(OsPath name, String boot) {
    return name.startsWith(FOREIGN_PREFIX) && !name.startsWith(FOREIGN_PREFIX + boot);
  }

  /**
   * Where to write an object, or null when it is in the repository, and was not found damaged
   * there, or somebody has begun to write it in this transaction. Whoever gets a path must write
   * the file or fail the transaction.
   */
  @Nullable OsPath claim(String looseName) throws IOException {
    boolean anew = unwritten.remove(looseName);
    if (!claimed.add(looseName) && !anew) {
      return null;
    }
    if (!anew && Posix.exists(objects.resolve(looseName))) {
      return null;
    }
    String prefix = looseName.substring(0, 2);
    if (!fanOut.contains(prefix)) {
      makeDirectory(directory.resolve(prefix));
      fanOut.add(prefix);
    }
    return directory.resolve(looseName);
  }

  /** The next who writes an object of the repository puts it in the place of the one there. */
  void replace(String looseName) {
    if (Posix.exists(objects.resolve(looseName)) && replaced.add(looseName)) {
      unwritten.add(looseName);
    }
  }

  /** Whether an object of the repository was to be replaced, and nobody has begun to write it. */
  boolean isUnwritten(String looseName) {
    return unwritten.contains(looseName);
  }

  /** Where a claimed object is until it is published. */
  OsPath path(String looseName) {
    return directory.resolve(looseName);
  }

  /** An unused name inside, for a file whose object name is not known yet. */
  OsPath temporary() {
    return directory.resolve("tmp-" + Long.toHexString(ThreadLocalRandom.current().nextLong()));
  }

  private static void makeDirectory(OsPath path) throws IOException {
    try {
      Posix.mkdir(path, 0777);
    } catch (UnixException e) {
      if (e.errno() != UnixException.EEXIST) {
        throw e;
      }
    }
  }

  /**
   * Moves all objects into the repository. They are on disk before any of them has its name, and
   * commits get theirs only when all that they hold has: a crash in between leaves objects that
   * nobody refers to.
   */
  void publish() throws IOException {
    if (sync) {
      Posix.syncfs(directory);
    }
    Set<String> commits = new TreeSet<>();
    Set<String> touched = new TreeSet<>();
    for (String prefix : new TreeSet<>(fanOut)) {
      makeDirectory(objects.resolve(prefix));
      for (OsPath name : Posix.list(directory.resolve(prefix))) {
        String looseName = prefix + "/" + name;
        if (looseName.endsWith("." + ObjectType.COMMIT.suffix())) {
          commits.add(looseName);
        } else {
          move(looseName);
          touched.add(prefix);
        }
      }
    }
    if (!fanOut.isEmpty()) {
      syncDirectory(objects); // Also where only a commit is new.
    }
    syncDirectories(touched);
    touched.clear();
    for (String commit : commits) {
      move(commit);
      touched.add(commit.substring(0, 2));
    }
    syncDirectories(touched);
  }

  private void move(String looseName) throws IOException {
    OsPath staged = directory.resolve(looseName);
    int flags = replaced.contains(looseName) ? 0 : Posix.RENAME_NOREPLACE;
    try {
      Posix.rename(staged, objects.resolve(looseName), flags);
    } catch (UnixException e) {
      if (e.errno() != UnixException.EEXIST) {
        throw e;
      }
      // Another writer was faster with the same object.
      Posix.unlink(staged);
    }
  }

  private void syncDirectories(Set<String> prefixes) throws IOException {
    for (String prefix : prefixes) {
      syncDirectory(objects.resolve(prefix));
    }
  }

  private void syncDirectory(OsPath path) throws IOException {
    if (!sync) {
      return;
    }
    int dir = Posix.open(path, Posix.O_RDONLY | Posix.O_DIRECTORY | Posix.O_CLOEXEC, 0);
    try {
      Posix.fsync(dir);
    } finally {
      Posix.close(dir);
    }
  }

  /** Removes the directory with all that was not published. */
  @Override
  public void close() throws IOException {
    Posix.removeTree(directory);
  }
}
