package slipway.ostree.repo;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.lock.Flock;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.ostree.gvariant.GVariant;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.ObjectType;
import slipway.ostree.object.Objects;

/** Hashes all that the commits of a repository reach, on all processors. */
final class Fsck {
  private final Repository repository;
  private final List<String> errors = Collections.synchronizedList(new ArrayList<>());
  private final Set<FsckReport.Broken> broken = ConcurrentHashMap.newKeySet();

  private Fsck(Repository repository) {
    this.repository = repository;
  }

  static FsckReport run(Repository repository, Progress progress) throws IOException {
    try (Flock lock = RepositoryLock.acquire(repository.osPath(), false)) {
      return new Fsck(repository).check(progress);
    }
  }

  private FsckReport check(Progress progress) throws IOException {
    checkRefs();
    // Who reads this asked for the check, and is told once what mends it all.
    Reachable reachable =
        new Reachable(repository, damage -> errors.add(damage.replace(FsckReport.REPAIR, "")));
    int commits = 0;
    for (Prune.Loose object : Prune.Loose.list(repository)) {
      if (object.type() == ObjectType.COMMIT) {
        commits++;
        if (repository.isPartial(object.checksum())) {
          errors.add("the commit " + object.checksum() + " is partial: pull it again");
        }
        reachable.addCommit(object.checksum());
      }
    }
    try (Progress.Task task = progress.start("checking objects", -1)) {
      hashAll(reachable, task);
    }
    return new FsckReport(
        commits, reachable.objects().size(), errors.stream().sorted().distinct().toList(), broken);
  }

  private void checkRefs() throws IOException {
    for (Map.Entry<String, Checksum> ref : repository.refFiles().all().entrySet()) {
      if (!repository.has(ref.getValue(), ObjectType.COMMIT)) {
        broken.add(new FsckReport.Broken(ref.getValue(), ObjectType.COMMIT));
        errors.add(
            "the ref "
                + ref.getKey()
                + " names the commit "
                + ref.getValue()
                + ", which is missing");
      }
    }
  }

  private void hashAll(Reachable reachable, Progress.Task task) {
    try (ExecutorService workers =
        Executors.newFixedThreadPool(
            Runtime.getRuntime().availableProcessors(),
            Thread.ofPlatform().daemon().name("ostree-fsck-", 0).factory())) {
      for (Reachable.ObjectName object : reachable.objects()) {
        workers.execute(() -> hash(object, task));
      }
      workers.shutdown();
      if (!workers.awaitTermination(Long.MAX_VALUE, TimeUnit.NANOSECONDS)) {
        throw new AssertionError("the end of time");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Problem(Problem.Kind.ENVIRONMENT, "the check was interrupted", e);
    }
  }

  private void hash(Reachable.ObjectName object, Progress.Task task) {
    String name = object.checksum() + "." + object.type().suffix();
    OsPath file = repository.objectFile(object.checksum(), object.type());
    if (!Posix.exists(file)) {
      // Directories that are missing were reported when they could not be read; once is enough.
      fail(object, "the repository " + repository.path() + " lacks the object " + name);
      return;
    }
    try {
      Checksum actual =
          object.type() == ObjectType.FILE
              ? hashContent(repository.format(), file, task)
              : hashMetadata(object, file);
      if (!actual.equals(object.checksum())) {
        fail(object, "the object " + name + " is damaged: its checksum is " + actual);
      }
    } catch (IOException | Problem e) {
      fail(object, "the object " + name + " cannot be read: " + e.getMessage());
    }
  }

  private void fail(Reachable.ObjectName object, String sentence) {
    errors.add(sentence);
    broken.add(new FsckReport.Broken(object.checksum(), object.type()));
  }

  /** The name that a file should have as an object. */
  static Checksum hashContent(ContentFormat format, OsPath file, Progress.Task task)
      throws IOException {
    ContentFormat.Stored stored = format.read(file);
    MessageDigest hash = Checksum.newDigest();
    hash.update(Objects.fileHeader(stored.metadata(), stored.target()));
    if (stored.target() != null) {
      return Checksum.of(hash.digest());
    }
    long size = 0;
    try (InputStream in = format.open(file)) {
      byte[] buffer = new byte[128 * 1024];
      for (int n; (n = in.read(buffer)) >= 0; ) {
        hash.update(buffer, 0, n);
        size += n;
        task.advance(n);
      }
    }
    if (size != stored.size()) {
      throw Problem.corrupt("it has " + size + " bytes, its header says " + stored.size());
    }
    return Checksum.of(hash.digest());
  }

  private Checksum hashMetadata(Reachable.ObjectName object, OsPath file) throws IOException {
    byte[] bytes = FileInput.readAll(file, Objects.MAX_METADATA);
    String type =
        switch (object.type()) {
          case COMMIT -> Objects.COMMIT_TYPE;
          case DIRTREE -> Objects.DIRTREE_TYPE;
          case DIRMETA -> Objects.DIRMETA_TYPE;
          case FILE, COMMITMETA -> throw new AssertionError(object.type());
        };
    if (!GVariant.parse(type, bytes).isNormal()) {
      throw Problem.corrupt("it is not in normal form");
    }
    if (object.type() == ObjectType.DIRMETA) {
      Objects.dirMeta(bytes);
    }
    return Checksum.sha256(bytes);
  }
}
