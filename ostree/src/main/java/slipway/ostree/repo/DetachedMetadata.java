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
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.ostree.gvariant.GVariant;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.ObjectType;

/**
 * What lies beside a commit in {@code .commitmeta}, most of all its signatures: a dictionary {@code
 * a{sv}} that the commit's checksum does not cover. Who writes holds the repository's lock.
 */
record DetachedMetadata(Repository repository, Checksum commit) {
  /** The type of a list of signatures. */
  private static final String SIGNATURES = "aay";

  /** An empty map when there is none. */
  Map<String, GVariant> read() throws IOException {
    if (!repository.has(commit, ObjectType.COMMITMETA)) {
      return Map.of();
    }
    byte[] bytes = repository.readMetadata(commit, ObjectType.COMMITMETA);
    return GVariant.parse("a{sv}", bytes).asMap();
  }

  /** Adds keys that are missing, and signatures to lists that lack them. */
  void add(Map<String, GVariant> more) throws IOException {
    Map<String, GVariant> all = new LinkedHashMap<>(read());
    more.forEach((key, value) -> all.merge(key, value, DetachedMetadata::withSignatures));
    write(all);
  }

  /** What is there, with those of another list of signatures that it lacks. */
  private static GVariant withSignatures(GVariant there, GVariant other) {
    if (!there.type().equals(SIGNATURES) || !other.type().equals(SIGNATURES)) {
      return there;
    }
    Set<GVariant> all = new LinkedHashSet<>(there.elements());
    all.addAll(other.elements());
    return GVariant.array("ay", List.copyOf(all));
  }

  /** Puts these keys in the place of those that are there; none at all remove the file. */
  void write(Map<String, GVariant> metadata) throws IOException {
    Path path = repository.path();
    if (!repository.has(commit, ObjectType.COMMIT)) {
      throw Problem.notFound("the repository " + path + " has no commit " + commit);
    }
    Path target = repository.objectPath(commit, ObjectType.COMMITMETA);
    if (metadata.isEmpty()) {
      Files.deleteIfExists(target);
    } else {
      byte[] bytes = GVariant.dictionary(new LinkedHashMap<>(metadata)).toBytes();
      if (bytes.length > slipway.ostree.object.Objects.MAX_METADATA) {
        throw Problem.input(
            "the detached metadata of " + commit + " would have " + bytes.length + " bytes");
      }
      Path temporary = Staging.temporaryFile(path);
      FileSink.write(OsPath.of(temporary), 0644, bytes, true);
      Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
    }
    AtomicFile.syncDirectory(Objects.requireNonNull(target.getParent()));
  }
}
