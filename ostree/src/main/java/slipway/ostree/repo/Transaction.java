package slipway.ostree.repo;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.Metadata;
import slipway.base.FullDisk;
import slipway.base.KeyFile;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.lock.Flock;
import slipway.linux.mount.Mounts;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Pretence;
import slipway.linux.posix.UnixException;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.CommitSpec;
import slipway.ostree.object.ObjectType;
import slipway.ostree.object.Objects;
import slipway.ostree.object.TreeRoot;
import slipway.tree.ContentStore;
import slipway.tree.FileTree;

/**
 * Writes to a repository that become visible together. Objects are written beside the repository's
 * own; {@link #commit()} syncs them, moves them in (all that a commit holds before the commit) and
 * then sets the refs in the order in which they were given. The commit point of a ref is the rename
 * of its file: a crash before it leaves the old ref and objects that nobody refers to. {@link
 * #close()} without a commit gives everything up.
 *
 * <p>Safe for use by many threads, except for {@link #commit()} and {@link #close()}.
 */
public final class Transaction implements ContentStore, AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Transaction.class.getName());

  private final Repository repository;
  private final Flock lock;
  private final Staging staging;
  private final ObjectWriter writer;

  /** Bytes that may be written before the space that the config reserves is touched. */
  private final AtomicLong budget;

  private final Map<String, Optional<Checksum>> refs = new LinkedHashMap<>();

  /** What the repository need not read again once it has it. */
  private final Map<Checksum, ContentFormat.Stored> written = new ConcurrentHashMap<>();

  private boolean ended;

  private Transaction(
      Repository repository, Flock lock, Staging staging, long budget, boolean verity) {
    this.repository = repository;
    this.lock = lock;
    this.staging = staging;
    this.budget = new AtomicLong(budget);
    this.writer = new ObjectWriter(this, staging, verity);
  }

  /**
   * Waits for the lock and makes the staging directory.
   *
   * @param verity whether {@link ObjectContent#verityDigest} will be asked for, so that it is
   *     computed on the way
   */
  public static Transaction begin(Repository repository, boolean verity) throws IOException {
    if (repository.mode() == Repository.Mode.BARE && !Pretence.mayOwn(repository.osPath())) {
      throw Problem.denied(
          "writing to the bare repository "
              + repository.path()
              + " sets owners and needs root: run it with sudo, or use a bare-user repository");
    }
    KeyFile config = repository.config();
    Flock lock =
        RepositoryLock.acquireShared(repository.osPath(), () -> Staging.sweep(repository.path()));
    try {
      boolean sync = config.getBoolean("core", "fsync", true);
      Staging staging = Staging.create(repository.path(), sync);
      long available = SpaceReserve.available(repository.path(), config);
      return new Transaction(repository, lock, staging, available, verity);
    } catch (IOException | RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  /** Where it writes. */
  public Repository repository() {
    return repository;
  }

  /** Bytes that may still be written. */
  public long available() {
    return budget.get();
  }

  /**
   * Takes bytes from what may be written.
   *
   * @throws Problem of kind FULL when the reserve would be touched
   */
  void spend(long bytes) {
    if (budget.addAndGet(-bytes) < 0) {
      throw Problem.full(
          "the file system of "
              + repository.path()
              + " is full but for the reserve of core.min-free-space: free some space there");
    }
  }

  /** Gives back bytes of what was written and is not needed, because an object of them is there. */
  void giveBack(long bytes) {
    budget.addAndGet(bytes);
  }

  OsPath stagedFile(Checksum checksum) {
    return staging.path(repository.looseName(checksum, ObjectType.FILE));
  }

  void flush() {
    writer.flush();
  }

  /**
   * Stores a regular file as an object. Returns when {@code in} was read; writing goes on in the
   * background.
   */
  @Override
  public ObjectContent store(OsPath path, Metadata metadata, long size, InputStream in)
      throws IOException {
    return writer.store(path, metadata, size, null, in);
  }

  /**
   * Stores the content of an object of another repository. Its name is computed anew, so that who
   * compares it knows that the object was not damaged; its fs-verity digest is taken as the other
   * repository recorded it.
   *
   * @param path where it is, for messages
   */
  public ObjectContent copy(OsPath path, ObjectContent from) throws IOException {
    byte[] known = from.verityDigest();
    try (InputStream in = from.open()) {
      return writer.store(path, from.metadata(), from.size(), known, in);
    }
  }

  /**
   * Writes a tree's directories, symbolic links, and such files as are not objects of this
   * repository yet.
   *
   * @throws Problem of kind INPUT that names the path of a device, fifo or socket, or of a name
   *     that is not UTF-8: ostree cannot hold them
   */
  public TreeRoot writeTree(FileTree tree) throws IOException {
    return new TreeWriter(this).write(tree);
  }

  /** Writes a commit object. */
  public Checksum writeCommit(CommitSpec spec) throws IOException {
    return writeMetadata(OsPath.of("commit"), ObjectType.COMMIT, Objects.commit(spec));
  }

  /**
   * Writes an object that is no content.
   *
   * @param path what it is of, for messages
   */
  Checksum writeMetadata(OsPath path, ObjectType type, byte[] bytes) {
    if (bytes.length > Objects.MAX_METADATA) {
      throw Problem.input(
          "a " + type.suffix() + " object of " + bytes.length + " bytes is too big");
    }
    Checksum name = Checksum.sha256(bytes);
    writeOnce(
        path,
        repository.looseName(name, type),
        target -> {
          spend(bytes.length);
          FileSink.write(target, 0644, bytes, false);
        });
    return name;
  }

  /**
   * Writes a symbolic link.
   *
   * @param path where it is, for messages
   */
  Checksum writeSymlink(OsPath path, Metadata metadata, OsPath target) {
    Metadata kept = Objects.normalized(metadata);
    Checksum name = Objects.symlinkChecksum(kept, target);
    writeOnce(
        path,
        repository.looseName(name, ObjectType.FILE),
        file -> repository.format().symlink(file, kept, target));
    remember(name, new ContentFormat.Stored(kept, target, 0));
    return name;
  }

  void remember(Checksum checksum, ContentFormat.Stored object) {
    written.put(checksum, object);
  }

  /** The sentence for an entry that the file system of the repository does not take. */
  Problem cannotWrite(OsPath path, Throwable cause) {
    return new Problem(
        Problem.Kind.ENVIRONMENT,
        "cannot write \""
            + Printable.text(path.toString())
            + "\" into "
            + repository.path()
            + ": "
            + reason(cause),
        cause);
  }

  /** Asked at once: what is thrown away after a failure gives its inodes back. */
  private String reason(Throwable cause) {
    try {
      if (FullDisk.isCauseOf(cause) && Mounts.lacksInodes(repository.path())) {
        return FullDisk.ofInodes(repository.path());
      }
    } catch (UnixException e) {
      cause.addSuppressed(e);
    }
    return String.valueOf(cause.getMessage());
  }

  private interface Writing {
    void to(OsPath target) throws IOException;
  }

  /**
   * Writes an object unless it is there, or somebody writes it. Others count on it from then on, so
   * its failure is that of the transaction.
   */
  private void writeOnce(OsPath path, String looseName, Writing writing) {
    try {
      OsPath target = staging.claim(looseName);
      if (target != null) {
        writing.to(target);
      }
    } catch (IOException e) {
      Problem problem = cannotWrite(path, e);
      writer.fail(problem);
      throw problem;
    } catch (RuntimeException e) {
      writer.fail(e);
      throw e;
    }
  }

  /**
   * Sets a local ref when the transaction is committed, or removes it when {@code commit} is null.
   */
  public void setRef(String ref, @Nullable Checksum commit) {
    synchronized (refs) {
      refs.put(Refs.validate(ref), Optional.ofNullable(commit));
    }
  }

  /**
   * Hears of an object of the repository that it is damaged: the same object that is written here
   * from now on takes its place.
   */
  public void replace(Checksum damaged, ObjectType type) {
    staging.replace(repository.looseName(damaged, type));
  }

  /** Whether an object was found damaged, and nobody wrote it since. */
  public boolean isUnreplaced(Checksum object, ObjectType type) {
    return staging.isUnwritten(repository.looseName(object, type));
  }

  /**
   * Takes objects back that were written here, for whoever made others of them: the last thing
   * before {@link #commit()}. Nothing that is left may need them; what the repository had before
   * stays.
   */
  public void discard(ObjectType type, Collection<Checksum> objects) throws IOException {
    writer.await();
    for (Checksum checksum : objects) {
      OsPath file = staging.path(repository.looseName(checksum, type));
      if (Posix.exists(file)) {
        giveBack(Posix.lstat(file).size());
        Posix.unlink(file);
        written.remove(checksum);
      }
    }
  }

  /** Publishes the objects, durably, and then the refs. */
  public void commit() throws IOException {
    if (ended) {
      throw new IllegalStateException("the transaction has ended");
    }
    writer.await();
    staging.publish();
    repository.read().remember(written);
    synchronized (refs) {
      for (Map.Entry<String, Optional<Checksum>> ref : refs.entrySet()) {
        repository
            .refFiles()
            .write(
                ref.getKey(),
                ref.getValue().orElse(null),
                Staging.temporaryFile(repository.path()));
      }
    }
    // The refs are set, so nothing fails any more; what stays behind is swept by the next writer.
    try {
      // libostree's clients watch the time of the directory.
      Posix.touch(repository.osPath());
      close();
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, "after writing to " + repository.path(), e);
    }
  }

  /** Gives up what was not committed and releases the lock. */
  @Override
  public void close() throws IOException {
    if (ended) {
      return;
    }
    ended = true;
    try (lock;
        staging) {
      writer.close();
    }
  }

  /** What the config keeps free ({@code core.min-free-space-size} and {@code -percent}). */
  static final class SpaceReserve {
    private SpaceReserve() {}

    /** Bytes that may be written. */
    static long available(java.nio.file.Path repository, KeyFile config) throws IOException {
      FileStore store = Files.getFileStore(repository);
      return store.getUsableSpace() - reserve(store, config);
    }

    private static long reserve(FileStore store, KeyFile config) throws IOException {
      Optional<String> size = config.get("core", "min-free-space-size");
      if (size.isPresent()) {
        return parseSize(size.get());
      }
      String percent = config.get("core", "min-free-space-percent").orElse("3");
      try {
        int value = Integer.parseInt(percent);
        if (value >= 0 && value < 100) {
          return store.getTotalSpace() / 100 * value;
        }
      } catch (NumberFormatException e) {
        throw new Problem(Problem.Kind.INPUT, percentMessage(percent), e);
      }
      throw Problem.input(percentMessage(percent));
    }

    private static String percentMessage(String percent) {
      return "core.min-free-space-percent is \"" + percent + "\", not a number from 0 to 99";
    }

    static long parseSize(String text) {
      java.util.regex.Matcher m =
          java.util.regex.Pattern.compile("([0-9]{1,9})(MB|GB|TB)").matcher(text);
      if (!m.matches()) {
        throw Problem.input(
            "core.min-free-space-size is \"" + text + "\"; expected a number and MB, GB or TB");
      }
      int shift =
          switch (m.group(2)) {
            case "MB" -> 20;
            case "GB" -> 30;
            default -> 40;
          };
      return Long.parseLong(m.group(1)) << shift;
    }
  }
}
