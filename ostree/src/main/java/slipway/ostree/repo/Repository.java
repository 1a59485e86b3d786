package slipway.ostree.repo;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import slipway.base.AtomicFile;
import slipway.base.KeyFile;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.base.RawText;
import slipway.linux.lock.Flock;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.UnixException;
import slipway.ostree.gvariant.GVariant;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.Commit;
import slipway.ostree.object.ObjectType;
import slipway.ostree.object.Objects;
import slipway.ostree.object.TreeRoot;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * An ostree repository on disk; the one place that knows its layout (ostree's "Anatomy of an OSTree
 * repository"). Safe for use by many threads and processes: writers share a lock, {@link #prune}
 * takes it alone.
 */
public final class Repository {
  private static final int MAX_CONFIG = 1024 * 1024;

  /** How content objects are kept. */
  public enum Mode {
    /** As real files with owner, mode and attributes; for hosts, needs root. */
    BARE("bare"),
    /** Compressed, for serving. */
    ARCHIVE("archive-z2"),
    /** As files of the user, metadata in an extended attribute. */
    BARE_USER("bare-user");

    private final String label;

    Mode(String label) {
      this.label = label;
    }

    /** The value of {@code core.mode}. */
    public String label() {
      return label;
    }
  }

  private final Path path;
  private final OsPath osPath;
  private final Mode mode;
  private final ContentFormat format;
  private final Refs refs;
  private final ReadObjects read = new ReadObjects(this);

  private Repository(Path path, Mode mode) {
    this.path = path.toAbsolutePath().normalize();
    this.osPath = OsPath.of(this.path);
    this.mode = mode;
    this.format = ContentFormat.of(mode);
    this.refs = new Refs(this.path);
  }

  /**
   * Opens an existing repository.
   *
   * @throws Problem of kind NOT_FOUND when there is none, of kind INPUT for a mode or version that
   *     is not supported
   */
  public static Repository open(Path path) throws IOException {
    Path config = path.resolve("config");
    if (!Files.isRegularFile(config) || !Files.isDirectory(path.resolve("objects"))) {
      throw Problem.notFound("there is no ostree repository at " + path);
    }
    KeyFile file = readConfig(config);
    String version = file.get("core", "repo_version").orElse("");
    if (!version.equals("1")) {
      throw Problem.input(config + ": repo_version is \"" + version + "\"; only 1 is known");
    }
    String label = file.get("core", "mode").orElse("bare");
    for (Mode mode : Mode.values()) {
      if (mode.label.equals(label) || (mode == Mode.ARCHIVE && label.equals("archive"))) {
        return new Repository(path, mode);
      }
    }
    throw Problem.input(
        config + ": mode is \"" + label + "\"; supported are bare, archive and bare-user");
  }

  /**
   * Creates a repository, or opens it when it is there already with this mode. The rename of its
   * config is the commit point.
   */
  public static Repository create(Path path, Mode mode) throws IOException {
    if (Files.exists(path.resolve("config"))) {
      Repository existing = open(path);
      if (existing.mode != mode) {
        throw Problem.input(
            path + " is a repository of mode " + existing.mode.label + ", not " + mode.label);
      }
      return existing;
    }
    for (String directory :
        new String[] {
          "objects",
          "tmp/cache",
          "extensions",
          "state",
          "refs/heads",
          "refs/mirrors",
          "refs/remotes"
        }) {
      Files.createDirectories(path.resolve(directory));
    }
    AtomicFile.write(path.resolve("config"), "[core]\nrepo_version=1\nmode=" + mode.label + "\n");
    return new Repository(path, mode);
  }

  /** Absolute path of the repository. */
  public Path path() {
    return path;
  }

  OsPath osPath() {
    return osPath;
  }

  public Mode mode() {
    return mode;
  }

  ContentFormat format() {
    return format;
  }

  Refs refFiles() {
    return refs;
  }

  /** The config file as it is now. */
  public KeyFile config() throws IOException {
    return readConfig(path.resolve("config"));
  }

  private static KeyFile readConfig(Path file) throws IOException {
    byte[] bytes = SmallFile.read(file, MAX_CONFIG);
    return KeyFile.parse(RawText.decode(bytes), file.toString());
  }

  /** Replaces the config file whole. */
  public void writeConfig(KeyFile config) throws IOException {
    AtomicFile.write(path.resolve("config"), RawText.encode(config.toString()));
  }

  /**
   * Begins to write; waits while somebody prunes. Leftovers of writers that died are removed.
   *
   * @throws Problem of kind ENVIRONMENT when less space is free than the config demands
   */
  public Transaction begin() throws IOException {
    return Transaction.begin(this, false);
  }

  /** Removes what writers that died have left, unless somebody writes. */
  public void sweep() throws IOException {
    RepositoryLock.acquireShared(osPath(), () -> Staging.sweep(path)).close();
  }

  // ---- refs ----

  /**
   * The commit that a ref names; {@code remote:name} for one of a remote.
   *
   * @throws Problem of kind INPUT for what cannot be a ref, CORRUPT for a damaged ref file
   */
  public Optional<Checksum> resolveRef(String ref) throws IOException {
    return refs.resolve(ref);
  }

  /** Local refs with this name or below it ({@code ""} for all), by full name. */
  public SortedMap<String, Checksum> refs(String prefix) throws IOException {
    return refs.local(prefix);
  }

  /** Removes a ref, also a remote's ({@code remote:name}); what it alone held is pruned later. */
  public void forgetRef(String ref) throws IOException {
    refs.remove(ref);
  }

  /**
   * When the local refs below a name were set, or touched.
   *
   * @param prefix as of {@link #refs}
   */
  public SortedMap<String, Instant> refTimes(String prefix) throws IOException {
    SortedMap<String, Instant> times = new TreeMap<>();
    for (String ref : refs.local(prefix).keySet()) {
      refs.time(ref).ifPresent(time -> times.put(ref, time));
    }
    return times;
  }

  /** Notes that a local ref was used. */
  public void touchRef(String ref) throws IOException {
    refs.touch(ref);
  }

  // ---- objects ----

  /** Whether an object is there. */
  public boolean has(Checksum checksum, ObjectType type) {
    return type == ObjectType.FILE
        ? Posix.exists(objectFile(checksum, type))
        : Files.exists(objectPath(checksum, type), LinkOption.NOFOLLOW_LINKS);
  }

  /** Where an object is or would be. */
  public Path objectPath(Checksum checksum, ObjectType type) {
    return objectFile(checksum, type).toPath();
  }

  OsPath objectFile(Checksum checksum, ObjectType type) {
    return osPath.resolve("objects/" + looseName(checksum, type));
  }

  /** Marks a commit of which not all objects were pulled. */
  Path partialMarker(Checksum commit) {
    return path.resolve("state").resolve(commit + ".commitpartial");
  }

  /** Where it may be noted what the files of a commit hold; goes with the commit. */
  public Path contentsNote(Checksum commit) {
    return contentsNotes().resolve(commit.hex());
  }

  /** Where those notes are. */
  Path contentsNotes() {
    return path.resolve("extensions/slipway/contents");
  }

  public boolean isPartial(Checksum commit) {
    return Files.exists(partialMarker(commit));
  }

  /** Path below {@code objects}. */
  String looseName(Checksum checksum, ObjectType type) {
    String hex = checksum.hex();
    return hex.substring(0, 2) + "/" + hex.substring(2) + "." + suffix(type);
  }

  /** The end of the names of such objects' files. */
  String suffix(ObjectType type) {
    return type == ObjectType.FILE ? format.suffix() : type.suffix();
  }

  /**
   * Whether a commit holds one of these objects, or cannot be read far enough to say that it does
   * not.
   */
  public boolean mayReach(Checksum commit, Set<FsckReport.Broken> objects) throws IOException {
    AtomicBoolean unknown = new AtomicBoolean();
    Reachable reachable = new Reachable(this, damage -> unknown.set(true));
    reachable.addCommit(commit);
    return unknown.get()
        || objects.stream()
            .anyMatch(
                o ->
                    reachable.objects().contains(new Reachable.ObjectName(o.checksum(), o.type())));
  }

  /**
   * Takes an object out of another repository of the same mode and file system, in the place of one
   * that is damaged or missing here. The other one keeps it.
   */
  public void takeObject(Repository from, Checksum checksum, ObjectType type) throws IOException {
    try (Flock lock = RepositoryLock.acquire(osPath, false)) {
      Path target = objectPath(checksum, type);
      Path directory = java.util.Objects.requireNonNull(target.getParent());
      Files.createDirectories(directory);
      Staging.putLink(path, from.objectFile(checksum, type), objectFile(checksum, type));
      AtomicFile.syncDirectory(directory);
    }
    read.forget();
  }

  /**
   * Puts a content object in the place of a file of a checkout, or of one that a checkout lacks, by
   * one rename.
   *
   * @param file another inode than the object's, on this file system
   */
  public void relink(Checksum object, OsPath file) throws IOException {
    try (Flock lock = RepositoryLock.acquire(osPath, false)) {
      Staging.putLink(path, objectFile(object, ObjectType.FILE), file);
    }
  }

  /**
   * The name that a file has as a content object, by its content and all its attributes.
   *
   * @param file of a checkout, or an object of this repository
   */
  public Checksum contentChecksum(OsPath file) throws IOException {
    return Fsck.hashContent(format, file, Progress.NONE.start("a file", -1));
  }

  /**
   * Reads a metadata object without hashing it.
   *
   * @throws Problem of kind CORRUPT when it is missing
   */
  byte[] readMetadata(Checksum checksum, ObjectType type) throws IOException {
    try {
      return SmallFile.read(objectPath(checksum, type), Objects.MAX_METADATA);
    } catch (NoSuchFileException e) {
      throw new Problem(Problem.Kind.CORRUPT, lacking(checksum + "." + type.suffix()), e);
    }
  }

  /**
   * Reads a commit.
   *
   * @throws Problem of kind NOT_FOUND or CORRUPT
   */
  public Commit readCommit(Checksum checksum) throws IOException {
    if (!has(checksum, ObjectType.COMMIT)) {
      throw Problem.notFound("the repository " + path + " has no commit " + checksum);
    }
    return commit(checksum);
  }

  /**
   * A commit of which nothing depends on whether it is there.
   *
   * @return empty when it is missing or cannot be read
   */
  public Optional<Commit> readableCommit(Checksum checksum) {
    try {
      return has(checksum, ObjectType.COMMIT) ? Optional.of(commit(checksum)) : Optional.empty();
    } catch (IOException | Problem e) {
      return Optional.empty();
    }
  }

  /**
   * Reads a commit.
   *
   * @throws Problem of kind CORRUPT, also when it is missing
   */
  Commit commit(Checksum checksum) throws IOException {
    byte[] bytes = readMetadata(checksum, ObjectType.COMMIT);
    try {
      return Objects.commit(checksum, bytes);
    } catch (Problem e) {
      throw new Problem(
          e.kind(),
          "the object "
              + objectPath(checksum, ObjectType.COMMIT)
              + " is damaged ("
              + e.sentence()
              + ")"
              + FsckReport.REPAIR,
          e);
    }
  }

  /** Detached metadata of a commit; an empty map when there is none. */
  public Map<String, GVariant> readDetachedMetadata(Checksum commit) throws IOException {
    return new DetachedMetadata(this, commit).read();
  }

  /**
   * Changes the detached metadata of a commit, which must exist; no keys at all remove it. Changes
   * of others come before or after this one. The rename is the commit point.
   *
   * @param change takes what is there and makes it what it is to be
   */
  public void changeDetachedMetadata(Checksum commit, Consumer<Map<String, GVariant>> change)
      throws IOException {
    DetachedMetadata metadata = new DetachedMetadata(this, commit);
    try (Flock shared = RepositoryLock.acquire(osPath, false);
        Flock lock = metadata.lock()) {
      metadata.change(change);
    }
  }

  /**
   * Adds what came beside a commit to its detached metadata. The commit's checksum does not cover
   * that, so whoever brings the commit again takes nothing away: a key that is there keeps its
   * value, and a list of signatures gets those that it lacks at its end, or takes the place of what
   * is none. The rename is the commit point.
   *
   * @throws Problem of kind INPUT when it would become too big
   */
  public void addDetachedMetadata(Checksum commit, Map<String, GVariant> more) throws IOException {
    changeDetachedMetadata(commit, all -> DetachedMetadata.merge(all, more));
  }

  // ---- trees ----

  /**
   * Reads a directory without hashing it.
   *
   * @throws Problem of kind CORRUPT when it is missing or malformed
   */
  public Objects.DirTree directory(Checksum checksum) throws IOException {
    return read.directory(checksum);
  }

  /** The tree of a commit; the content of files is an {@link ObjectContent}. */
  public FileTree readTree(Checksum commit) throws IOException {
    return readTree(readCommit(commit));
  }

  public FileTree readTree(Commit commit) throws IOException {
    return readTree(commit, commit);
  }

  /**
   * The tree of a commit.
   *
   * @param image whose import recorded the fs-verity digests of the commit's files
   */
  public FileTree readTree(Commit commit, Commit image) throws IOException {
    return read.tree(commit, image);
  }

  /**
   * The tree of a commit for who looks for a few files of it: a directory is read when it is looked
   * into, and damage is found only then.
   *
   * @throws Problem of kind CORRUPT, here and from {@link Node.Directory#children()}, for an object
   *     that is missing or malformed
   */
  public FileTree lookIntoTree(Checksum checksum) throws IOException {
    Optional<FileTree> known = read.tree(checksum);
    return known.isPresent()
        ? known.get()
        : new TreeReader(this, null).look(readCommit(checksum).root());
  }

  /**
   * Spares reading a tree that was written just now.
   *
   * @param tree as it was given to {@link Transaction#writeTree}: it may have times and hard links,
   *     which the commit has not
   */
  public void remember(Checksum commit, FileTree tree) {
    read.remember(commit, tree);
  }

  /** What was read here, and need not be again. */
  ReadObjects read() {
    return read;
  }

  /** What to say of an object that is missing. */
  String lacking(String object) {
    return "the repository " + path + " lacks the object " + object + FsckReport.REPAIR;
  }

  /**
   * How many bytes a content object holds, of a repository whose objects are files.
   *
   * @return empty when there is no such object, when it is a link, and where objects are packed
   */
  public OptionalLong contentSize(Checksum object) throws IOException {
    if (mode == Mode.ARCHIVE) {
      return OptionalLong.empty();
    }
    try {
      Stat stat = Posix.lstat(objectFile(object, ObjectType.FILE));
      return stat.isRegular() ? OptionalLong.of(stat.size()) : OptionalLong.empty();
    } catch (UnixException e) {
      if (e.errno() == UnixException.ENOENT) {
        return OptionalLong.empty();
      }
      throw e;
    }
  }

  /** Opens the content of an object, without looking whether it is the right one. */
  public InputStream openContent(Checksum object) throws IOException {
    return format.open(objectFile(object, ObjectType.FILE));
  }

  /**
   * A directory of the repository as a tree. Every name is an inode of its own: ostree knows no
   * hard links.
   *
   * @throws Problem of kind CORRUPT for an object that is missing or malformed
   */
  public FileTree readTree(TreeRoot root) throws IOException {
    return new TreeReader(this, null).read(root);
  }

  /**
   * Checks a tree out into a new directory, with hard links to this repository's objects wherever
   * it has them; times are 0. For mode BARE. Not durable until the file system is synced, and not
   * atomic: a caller that fails removes the directory.
   *
   * @param tree as {@link #readTree} gives it
   */
  public void checkout(FileTree tree, Path directory) throws IOException {
    new Checkout(this, OsPath.of(directory)).run(tree);
  }

  /** Bytes of all content objects, as they lie on the disk; those that go meanwhile may count. */
  public long contentBytes() throws IOException {
    long bytes = 0;
    for (Prune.Loose object : Prune.Loose.list(this)) {
      if (object.type() == ObjectType.FILE) {
        try {
          bytes += Posix.lstat(object.path()).size();
        } catch (UnixException e) {
          if (e.errno() != UnixException.ENOENT) {
            throw e;
          }
        }
      }
    }
    return bytes;
  }

  // ---- upkeep ----

  /**
   * Removes all that no ref and none of {@code keep} reaches (depth 0), alone in the repository:
   * waits for writers. May be killed at any time: commits go before what they hold.
   *
   * @param keep more commits to keep
   * @throws Problem of kind CORRUPT, before anything is removed, when something alive is missing
   */
  public Pruned prune(Set<Checksum> keep) throws IOException {
    try {
      return Prune.run(this, keep);
    } finally {
      read.forget();
    }
  }

  /**
   * What a prune did.
   *
   * @param objects in the repository before
   * @param removed of them
   * @param bytes that the removed ones took
   */
  public record Pruned(int objects, int removed, long bytes) {}

  /** Hashes every object that the commits of the repository reach, and checks their form. */
  public FsckReport fsck(Progress progress) throws IOException {
    return Fsck.run(this, progress);
  }
}
