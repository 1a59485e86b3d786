package slipway.ostree.repo;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.Metadata;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.ObjectType;
import slipway.ostree.object.Objects;
import slipway.ostree.object.TreeRoot;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * Reads directories of a repository; objects that occur often are read once. The repository is told
 * which object each directory is, so that nobody writes it again.
 */
final class TreeReader {
  private final Repository repository;
  private final Map<Checksum, Metadata> dirmetas = new HashMap<>();
  private final Map<Checksum, ObjectContent> contents = new HashMap<>();

  private final @Nullable VerityIndex verity;

  TreeReader(Repository repository, @Nullable VerityIndex verity) {
    this.repository = repository;
    this.verity = verity;
  }

  /** The whole tree. */
  FileTree read(TreeRoot root) throws IOException {
    return new FileTree(directory(root, 0));
  }

  /** A tree whose directories are read when somebody looks into them. */
  FileTree look(TreeRoot root) throws IOException {
    return new FileTree(unread(root, 0));
  }

  private Node.Directory directory(TreeRoot root, int depth) throws IOException {
    TreeMap<OsPath, Node> children = files(root, depth);
    for (Map.Entry<OsPath, TreeRoot> sub : subdirectories(root)) {
      children.put(sub.getKey(), directory(sub.getValue(), depth + 1));
    }
    Node.Directory directory = new Node.Directory(dirmeta(root.dirmeta()), children);
    repository.read().isWritten(directory, root);
    return directory;
  }

  private Node.Directory unread(TreeRoot root, int depth) throws IOException {
    return new Node.Directory(
        dirmeta(root.dirmeta()),
        () -> {
          try {
            TreeMap<OsPath, Node> children = files(root, depth);
            for (Map.Entry<OsPath, TreeRoot> sub : subdirectories(root)) {
              children.put(sub.getKey(), unread(sub.getValue(), depth + 1));
            }
            return children;
          } catch (IOException e) {
            throw new Problem(
                Problem.Kind.ENVIRONMENT,
                "cannot read the repository " + repository.path() + ": " + e.getMessage(),
                e);
          }
        });
  }

  private TreeMap<OsPath, Node> files(TreeRoot root, int depth) throws IOException {
    Limit.TREE_DEPTH.check(depth, "the directory object " + root.dirtree());
    TreeMap<OsPath, Node> files = new TreeMap<>();
    for (Map.Entry<OsPath, Checksum> file :
        repository.directory(root.dirtree()).files().entrySet()) {
      files.put(file.getKey(), file(file.getValue()));
    }
    return files;
  }

  private Set<Map.Entry<OsPath, TreeRoot>> subdirectories(TreeRoot root) throws IOException {
    return repository.directory(root.dirtree()).directories().entrySet();
  }

  private Metadata dirmeta(Checksum checksum) throws IOException {
    Metadata known = dirmetas.get(checksum);
    if (known == null) {
      known = Objects.dirMeta(repository.readMetadata(checksum, ObjectType.DIRMETA));
      dirmetas.put(checksum, known);
    }
    return known;
  }

  private Node file(Checksum checksum) throws IOException {
    ContentFormat.Stored stored = repository.read().stored(checksum);
    if (stored.target() != null) {
      return new Node.Symlink(stored.metadata(), stored.target());
    }
    ObjectContent content = contents.get(checksum);
    if (content == null) {
      content =
          ObjectContent.existing(repository, checksum, stored.metadata(), stored.size(), verity);
      contents.put(checksum, content);
    }
    return new Node.File(stored.metadata(), content);
  }
}
