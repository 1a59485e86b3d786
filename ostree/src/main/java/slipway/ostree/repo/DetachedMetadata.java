package slipway.ostree.repo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.linux.lock.Flock;
import slipway.linux.posix.OsPath;
import slipway.ostree.gvariant.GVariant;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.ObjectType;

/**
 * What lies beside a commit in {@code .commitmeta}, most of all its signatures: a dictionary {@code
 * a{sv}} that the commit's checksum does not cover. Who writes holds the repository's lock, and
 * that of {@link #lock} from before it reads.
 */
record DetachedMetadata(Repository repository, Checksum commit) {
  /** The type of a list of signatures. */
  private static final String SIGNATURES = "aay";

  /** Bytes that all may have that images bring; one brings no more. */
  private static final int MOST_ADDED = 10 << 20;

  /** An empty map when there is none. */
  Map<String, GVariant> read() throws IOException {
    if (!repository.has(commit, ObjectType.COMMITMETA)) {
      return Map.of();
    }
    byte[] bytes = repository.readMetadata(commit, ObjectType.COMMITMETA);
    return GVariant.parse("a{sv}", bytes).asMap();
  }

  /**
   * Waits for the lock of those who change metadata of commits in the same folder. The repository's
   * is shared by all writers, and held alone it would wait for downloads.
   */
  Flock lock() throws IOException {
    return Flock.directory(Objects.requireNonNull(target().getParent()));
  }

  private Path target() throws IOException {
    if (!repository.has(commit, ObjectType.COMMIT)) {
      throw Problem.notFound("the repository " + repository.path() + " has no commit " + commit);
    }
    return repository.objectPath(commit, ObjectType.COMMITMETA);
  }

  /** Changes what is there; what cannot be read is as good as nothing. */
  void change(Consumer<Map<String, GVariant>> change) throws IOException {
    Map<String, GVariant> there;
    try {
      there = read();
    } catch (Problem e) {
      there = Map.of();
    }
    Map<String, GVariant> all = new LinkedHashMap<>(there);
    change.accept(all);
    if (!all.equals(there)) {
      write(all);
    }
  }

  /** Adds keys that are missing, and signatures to lists that lack them. */
  static void merge(Map<String, GVariant> all, Map<String, GVariant> more) {
    more.forEach((key, value) -> all.merge(key, value, DetachedMetadata::withSignatures));
    int bytes = GVariant.dictionary(new LinkedHashMap<>(all)).size();
    if (bytes > MOST_ADDED) {
      throw Problem.input(
          "the commit's detached metadata would have "
              + bytes
              + " bytes with it, more than "
              + (MOST_ADDED >> 20)
              + " MiB");
    }
  }

  /**
   * What is there, with those of another list of signatures that it lacks. Where only one of them
   * is such a list, that counts: nothing else keeps signatures out.
   */
  private static GVariant withSignatures(GVariant there, GVariant other) {
    if (!there.type().equals(SIGNATURES) || !other.type().equals(SIGNATURES)) {
      return other.type().equals(SIGNATURES) ? other : there;
    }
    Set<GVariant> all = new LinkedHashSet<>(there.elements());
    all.addAll(other.elements());
    return GVariant.array("ay", List.copyOf(all));
  }

  /** Puts these keys in the place of those that are there; none at all remove the file. */
  private void write(Map<String, GVariant> metadata) throws IOException {
    Path target = target();
    if (metadata.isEmpty()) {
      Files.deleteIfExists(target);
    } else {
      byte[] bytes = GVariant.dictionary(new LinkedHashMap<>(metadata)).toBytes();
      if (bytes.length > slipway.ostree.object.Objects.MAX_METADATA) {
        throw Problem.input(
            "the detached metadata of " + commit + " would have " + bytes.length + " bytes");
      }
      Path temporary = Staging.temporaryFile(repository.path());
      FileSink.write(OsPath.of(temporary), 0644, bytes, true);
      Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
    }
    AtomicFile.syncDirectory(Objects.requireNonNull(target.getParent()));
  }
}
