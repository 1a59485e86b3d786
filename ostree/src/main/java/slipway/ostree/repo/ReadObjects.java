package slipway.ostree.repo;

import java.io.IOException;
import java.lang.ref.SoftReference;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.Commit;
import slipway.ostree.object.ObjectType;
import slipway.ostree.object.Objects;
import slipway.ostree.object.TreeRoot;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * What was read of a repository's objects, which never change: who changes a machine asks for the
 * same ones again and again. Safe for use by many threads.
 */
final class ReadObjects {
  private final Repository repository;

  /** Content objects by name, as far as they were read or published here. */
  private final Map<Checksum, ContentFormat.Stored> stored = new ConcurrentHashMap<>();

  /**
   * Directories that were read, as long as there is memory for them: a directory stands in its
   * layer, in the image and in the image before, and all of them are read for one upgrade.
   */
  private final Map<Checksum, SoftReference<Objects.DirTree>> directories =
      new ConcurrentHashMap<>();

  /** The trees read last, by commit: who changes a deployment asks for the same two repeatedly. */
  private final Map<Checksum, FileTree> trees =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Checksum, FileTree> eldest) {
          return size() > 3;
        }
      };

  /** Which objects the directories of trees are that were read here; by identity. */
  private final Map<Node.Directory, TreeRoot> written =
      Collections.synchronizedMap(new WeakHashMap<>());

  ReadObjects(Repository repository) {
    this.repository = repository;
  }

  /** As {@link Repository#directory}. */
  Objects.DirTree directory(Checksum checksum) throws IOException {
    SoftReference<Objects.DirTree> known = directories.get(checksum);
    Objects.DirTree directory = known == null ? null : known.get();
    if (directory == null) {
      directory = Objects.dirTree(repository.readMetadata(checksum, ObjectType.DIRTREE));
      directories.put(checksum, new SoftReference<>(directory));
    }
    return directory;
  }

  /** As {@link Repository#readTree(Commit, Commit)}. */
  FileTree tree(Commit commit, Commit image) throws IOException {
    synchronized (trees) {
      FileTree tree = trees.get(commit.checksum());
      if (tree == null) {
        tree = new TreeReader(repository, new VerityIndex(repository, image)).read(commit.root());
        trees.put(commit.checksum(), tree);
      }
      return tree;
    }
  }

  /** The tree of a commit, if it was read. */
  Optional<FileTree> tree(Checksum commit) {
    synchronized (trees) {
      return Optional.ofNullable(trees.get(commit));
    }
  }

  /** As {@link Repository#remember}. */
  void remember(Checksum commit, FileTree tree) {
    synchronized (trees) {
      trees.put(commit, tree);
    }
  }

  /** Notes that a directory, with all below it, is what these objects hold. */
  void isWritten(Node.Directory directory, TreeRoot root) {
    written.put(directory, root);
  }

  /** The objects of a directory that was read here, or null. */
  @Nullable TreeRoot written(Node.Directory directory) {
    return written.get(directory);
  }

  /**
   * What a content object says of itself; read once, since objects never change.
   *
   * @throws Problem of kind CORRUPT when it is missing
   */
  ContentFormat.Stored stored(Checksum checksum) throws IOException {
    ContentFormat.Stored known = stored.get(checksum);
    if (known == null) {
      known = readStored(checksum);
      stored.put(checksum, known);
    }
    return known;
  }

  private ContentFormat.Stored readStored(Checksum checksum) throws IOException {
    OsPath file = repository.objectFile(checksum, ObjectType.FILE);
    try {
      return repository.format().read(file);
    } catch (IOException e) {
      if (Posix.exists(file)) {
        throw e;
      }
      throw new Problem(Problem.Kind.CORRUPT, repository.lacking(checksum + ".file"), e);
    }
  }

  /** Spares reading objects that were published just now. */
  void remember(Map<Checksum, ContentFormat.Stored> objects) {
    stored.putAll(objects);
  }

  /** Forgets what was read, because objects went or were replaced. */
  void forget() {
    synchronized (trees) {
      trees.clear();
    }
    stored.clear();
    directories.clear();
    written.clear();
  }
}
