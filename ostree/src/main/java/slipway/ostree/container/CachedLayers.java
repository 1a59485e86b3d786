package slipway.ostree.container;

import java.io.IOException;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import slipway.archive.tar.ImageTotals;
import slipway.base.FileReason;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.lock.Flock;
import slipway.linux.posix.OsPath;
import slipway.oci.model.Digest;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.Commit;
import slipway.ostree.repo.ObjectContent;
import slipway.ostree.repo.Repository;
import slipway.ostree.repo.Transaction;
import slipway.tree.Layer;
import slipway.tree.Node;

/**
 * The layers of a {@link LayerCache} during one import. A layer that is there is read, and its
 * files are copied; the names of the copies are computed anew, and with them the directories and
 * the layer's commit. Only if that is the commit that the cache calls the layer, all of it is as it
 * was when the layer was held to its digests, owners, modes and attributes too. Otherwise the whole
 * cache goes, and the layer comes from where the image is.
 *
 * <p>A layer that is not there is fetched into the cache, and copied from there. Many threads may
 * bring layers at a time.
 */
final class CachedLayers implements AutoCloseable {
  /** How many times more bytes the files of a layer have than the layer, for most. */
  private static final int UNPACKED = 3;

  private final LayerCache cache;
  private final Flock lock;
  private final Repository repository;
  private final Transaction transaction;
  private final KnownLayers known;
  private final Progress progress;

  /** Whether there is room for more. */
  private final boolean roomy;

  private final Set<String> used = Collections.newSetFromMap(new ConcurrentHashMap<>());
  private final Set<Checksum> vain = Collections.newSetFromMap(new ConcurrentHashMap<>());
  private volatile boolean damaged;

  /** Whether it failed. */
  private volatile boolean off;

  /**
   * Takes the lock over, if it does not fail.
   *
   * @param missing bytes of the layers, packed
   */
  CachedLayers(LayerCache cache, Flock lock, Repository repository, long missing, Progress progress)
      throws IOException {
    this.cache = cache;
    this.lock = lock;
    this.repository = repository;
    this.progress = progress;
    this.known = new KnownLayers(repository, damagedCommit -> damaged = true);
    this.transaction = Transaction.begin(repository, true);
    // Here and, on the same file system maybe, where the import goes.
    this.roomy = transaction.available() / 2 / UNPACKED > missing;
  }

  /**
   * Brings a layer of files into a repository.
   *
   * @param fetch what reads it from its source, each time anew
   */
  LayerFetch.Fetched bring(
      Transaction target, WantedLayer wanted, Supplier<LayerFetch> fetch, ImageTotals totals)
      throws IOException {
    Copied copied = new Copied(target);
    Optional<LayerFetch.Fetched> kept = off ? Optional.empty() : kept(wanted, fetch, totals);
    if (kept.isPresent()) {
      Optional<LayerFetch.Fetched> brought = copied.copy(kept.get(), wanted.diffId());
      if (brought.isPresent()) {
        return brought.get();
      }
    }
    return fetch
        .get()
        .run(target, wanted.blob(), wanted.diffId(), wanted.onCommit())
        .withVain(copied.names());
  }

  /**
   * A layer as the cache has it.
   *
   * @return empty when the cache cannot be used for it
   */
  private Optional<LayerFetch.Fetched> kept(
      WantedLayer wanted, Supplier<LayerFetch> fetch, ImageTotals totals) throws IOException {
    String ref = ContainerRefs.layer(wanted.blob().digest());
    Optional<Commit> there = find(wanted);
    try {
      if (there.isPresent()) {
        Commit commit = there.get();
        Layer layer = LayerCommits.read(repository, commit.checksum());
        layer.countIn(totals);
        use(ref, commit.checksum());
        boolean without = LayerCommits.isWithoutObjects(commit);
        return Optional.of(
            new LayerFetch.Fetched(
                commit.checksum(), layer, Map.of(), Map.of(), 0, without, List.of(), List.of()));
      }
      if (!roomy) {
        return Optional.empty();
      }
      LayerFetch.Fetched fetched =
          fetch.get().run(transaction, wanted.blob(), wanted.diffId(), wanted.onCommit());
      transaction.setRef(ref, fetched.commit());
      return Optional.of(fetched);
    } catch (IOException | Problem e) {
      if (Thread.currentThread().isInterrupted()) {
        throw e;
      }
      // If it is the source's fault, the fetch without the cache tells.
      damaged |= there.isPresent();
      off = true;
      return Optional.empty();
    }
  }

  private void use(String ref, Checksum commit) throws IOException {
    if (repository.resolveRef(ref).isPresent()) {
      used.add(ref);
    } else {
      transaction.setRef(ref, commit);
    }
  }

  /** One thread at a time looks into the table of layers. */
  private synchronized Optional<Commit> find(WantedLayer wanted) {
    // Not one whose diff id was never checked: it could not be told from one that was.
    return known
        .find(wanted)
        .filter(c -> LayerCommits.diffId(c).map(wanted.diffId()::equals).orElse(false));
  }

  /** Files of a layer on their way into another repository. */
  private final class Copied {
    private final Transaction target;

    /** A file with several names is one. */
    private final Map<Node.File, Node.File> files = new IdentityHashMap<>();

    private final Map<ObjectContent, ObjectContent> copies = new IdentityHashMap<>();

    Copied(Transaction target) {
      this.target = target;
    }

    /**
     * @return empty when it is not what it was
     */
    Optional<LayerFetch.Fetched> copy(LayerFetch.Fetched from, Digest diffId) throws IOException {
      try {
        Layer layer = new Layer(directory(OsPath.of(""), from.layer().root()));
        requireSame();
        Checksum made = LayerCommits.write(target, layer, diffId, from.withoutObjects());
        if (made.equals(from.commit())) {
          return Optional.of(from.in(layer, made));
        }
        vain.add(made);
      } catch (Problem e) {
        if (e.kind() != Problem.Kind.CORRUPT) {
          throw e;
        }
      } catch (IOException e) {
        // If it is the target's fault, the fetch without the cache tells.
        if (Thread.currentThread().isInterrupted()) {
          throw e;
        }
      }
      damaged = true;
      return Optional.empty();
    }

    private Node.Directory directory(OsPath path, Node.Directory directory) throws IOException {
      TreeMap<OsPath, Node> children = new TreeMap<>();
      for (Map.Entry<OsPath, Node> child : directory.children().entrySet()) {
        OsPath where = path.resolve(child.getKey());
        Node node =
            switch (child.getValue()) {
              case Node.Directory d -> directory(where, d);
              case Node.File f -> file(where, f);
              case Node other -> other;
            };
        children.put(child.getKey(), node);
      }
      return new Node.Directory(
          directory.metadata(), children, directory.opaque(), directory.implied());
    }

    private Node.File file(OsPath path, Node.File file) throws IOException {
      Node.File done = files.get(file);
      if (done == null) {
        done = file;
        if (file.content() instanceof ObjectContent object) {
          ObjectContent copy = target.copy(path, object);
          copies.put(object, copy);
          done = new Node.File(file.metadata(), copy);
        }
        files.put(file, done);
      }
      return done;
    }

    /** Before a commit is made of files that are others now. */
    private void requireSame() {
      copies.forEach(
          (from, to) -> {
            if (!to.checksum().equals(from.checksum())) {
              throw Problem.corrupt("the object " + from.checksum() + " is damaged");
            }
          });
    }

    /** Objects that are there in vain. */
    List<Checksum> names() {
      return copies.values().stream()
          .filter(c -> c.size() > 0)
          .map(ObjectContent::checksum)
          .toList();
    }
  }

  /** Commits that were made in the target of what was damaged. */
  Set<Checksum> vainCommits() {
    return vain;
  }

  /** Keeps what was fetched; a failure is none of the import. */
  void keep() {
    try {
      transaction.commit();
      for (String ref : used) {
        repository.touchRef(ref);
      }
    } catch (IOException | Problem e) {
      progress.note("layers are not kept in " + repository.path() + ": " + FileReason.why(e));
    }
  }

  /** Gives up what was not kept, and what is damaged. */
  @Override
  public void close() throws IOException {
    try (lock) {
      transaction.close();
    }
    if (damaged) {
      progress.note("layers kept in " + repository.path() + " are damaged; they are removed");
      cache.discard(progress);
    }
  }
}
