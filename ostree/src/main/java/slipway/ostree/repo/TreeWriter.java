package slipway.ostree.repo;

import java.io.IOException;
import java.io.InputStream;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.Metadata;
import slipway.linux.posix.OsPath;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.Holding;
import slipway.ostree.object.ObjectType;
import slipway.ostree.object.Objects;
import slipway.ostree.object.TreeRoot;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * Writes a tree into a transaction: content first, in the background, then directories. What was
 * read from the same repository and is as it was is not looked at again.
 */
final class TreeWriter {
  private final Transaction transaction;
  private final Repository repository;
  private final Map<Node.File, ObjectContent> stored = new IdentityHashMap<>();
  private final Map<Metadata, Checksum> dirmetas = new HashMap<>();
  private final Map<Node.Directory, Optional<TreeRoot>> known = new IdentityHashMap<>();

  TreeWriter(Transaction transaction) {
    this.transaction = transaction;
    this.repository = transaction.repository();
  }

  TreeRoot write(FileTree tree) throws IOException {
    storeAll(OsPath.of(""), tree.root());
    transaction.flush();
    return writeDirectory(OsPath.of(""), tree.root());
  }

  private void storeAll(OsPath path, Node.Directory directory) throws IOException {
    if (written(directory) != null) {
      return;
    }
    store(path, directory);
    for (Map.Entry<OsPath, Node> child : directory.children().entrySet()) {
      OsPath where = path.resolve(child.getKey());
      if (child.getValue() instanceof Node.Directory d) {
        storeAll(where, d);
      } else {
        store(where, child.getValue());
      }
    }
  }

  /** The objects of a directory that the repository has with all that is below it, or null. */
  private @Nullable TreeRoot written(Node.Directory directory) {
    return known
        .computeIfAbsent(
            directory,
            d ->
                Optional.ofNullable(repository.read().written(d))
                    .filter(root -> repository.has(root.dirtree(), ObjectType.DIRTREE)))
        .orElse(null);
  }

  /** Checks a node and starts to write its content if need be. */
  private void store(OsPath path, Node node) throws IOException {
    Holding.require(path, node);
    if (node instanceof Node.File f && !isStored(f) && !stored.containsKey(f)) {
      try (InputStream in = ObjectContent.openChecked(f.content())) {
        stored.put(f, transaction.store(path, f.metadata(), f.content().size(), in));
      }
    }
  }

  private boolean isStored(Node.File file) {
    return file.content() instanceof ObjectContent o && o.isObjectOf(repository, file.metadata());
  }

  private Checksum checksum(Node.File file) {
    if (isStored(file)) {
      return ((ObjectContent) file.content()).checksum();
    }
    return java.util.Objects.requireNonNull(stored.get(file)).checksum();
  }

  private TreeRoot writeDirectory(OsPath path, Node.Directory directory) {
    TreeRoot written = written(directory);
    if (written != null) {
      return written;
    }
    Map<OsPath, Checksum> files = new TreeMap<>();
    Map<OsPath, TreeRoot> directories = new TreeMap<>();
    for (Map.Entry<OsPath, Node> child : directory.children().entrySet()) {
      OsPath name = Objects.name(child.getKey());
      OsPath where = path.resolve(name);
      switch (child.getValue()) {
        case Node.Directory d -> directories.put(name, writeDirectory(where, d));
        case Node.File f -> files.put(name, checksum(f));
        case Node.Symlink s ->
            files.put(name, transaction.writeSymlink(where, s.metadata(), s.target()));
        case Node.Special s -> throw new AssertionError("refused before");
        case Node.Whiteout w -> throw new AssertionError("refused before");
        case Node.LinkBelow l -> throw new AssertionError("refused before");
      }
    }
    OsPath shown = path.isEmpty() ? OsPath.of("/") : path;
    Checksum dirtree =
        transaction.writeMetadata(shown, ObjectType.DIRTREE, Objects.dirTree(files, directories));
    return new TreeRoot(dirtree, dirmeta(shown, directory.metadata()));
  }

  private Checksum dirmeta(OsPath path, Metadata metadata) {
    Metadata kept = Objects.normalized(metadata);
    Checksum known = dirmetas.get(kept);
    if (known == null) {
      byte[] bytes = Objects.metadata(kept).toBytes();
      known = transaction.writeMetadata(path, ObjectType.DIRMETA, bytes);
      dirmetas.put(kept, known);
    }
    return known;
  }
}
