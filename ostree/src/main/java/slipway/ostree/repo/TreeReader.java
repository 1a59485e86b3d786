package slipway.ostree.repo;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.Metadata;
import slipway.base.Limit;
import slipway.linux.posix.OsPath;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.ObjectType;
import slipway.ostree.object.Objects;
import slipway.ostree.object.TreeRoot;
import slipway.tree.FileTree;
import slipway.tree.Node;

/** Reads directories of a repository; objects that occur often are read once. */
final class TreeReader {
  private final Repository repository;
  private final Map<Checksum, Metadata> dirmetas = new HashMap<>();
  private final Map<Checksum, ObjectContent> contents = new HashMap<>();

  private final @Nullable VerityIndex verity;

  TreeReader(Repository repository, @Nullable VerityIndex verity) {
    this.repository = repository;
    this.verity = verity;
  }

  FileTree read(TreeRoot root) throws IOException {
    return new FileTree(directory(root, 0));
  }

  private Node.Directory directory(TreeRoot root, int depth) throws IOException {
    Limit.TREE_DEPTH.check(depth, "the directory object " + root.dirtree());
    Objects.DirTree entries = repository.directory(root.dirtree());
    TreeMap<OsPath, Node> children = new TreeMap<>();
    for (Map.Entry<OsPath, Checksum> file : entries.files().entrySet()) {
      children.put(file.getKey(), file(file.getValue()));
    }
    for (Map.Entry<OsPath, TreeRoot> sub : entries.directories().entrySet()) {
      children.put(sub.getKey(), directory(sub.getValue(), depth + 1));
    }
    return new Node.Directory(dirmeta(root.dirmeta()), children);
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
    ContentFormat.Stored stored = repository.stored(checksum);
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
