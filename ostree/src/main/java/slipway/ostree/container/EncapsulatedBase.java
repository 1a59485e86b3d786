package slipway.ostree.container;

import java.io.IOException;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.ImageTotals;
import slipway.archive.tar.Metadata;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.ostree.gvariant.GVariant;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.Commit;
import slipway.ostree.object.Objects;
import slipway.ostree.object.TreeRoot;
import slipway.ostree.repo.Transaction;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * The commit that the layers of an image encapsulate, put together from their objects. It has to
 * reach all that it names, and to be the same to the last bit when it is written again. For one
 * thread.
 */
final class EncapsulatedBase {
  private static final String COMMIT = "the image's commit";

  private final Map<Checksum, Node> contents = new HashMap<>();
  private final Map<Checksum, byte[]> dirtrees = new HashMap<>();
  private final Map<Checksum, Metadata> dirmetas = new HashMap<>();
  private @Nullable Commit commit;
  private Map<String, GVariant> detached = Map.of();

  /** Takes what a layer brings. */
  void add(EncapsulatedLayer layer) {
    add(layer.contents());
    dirtrees.putAll(layer.dirtrees());
    dirmetas.putAll(layer.dirmetas());
    layer
        .commit()
        .ifPresent(
            found -> {
              if (commit != null) {
                throw Problem.corrupt("the image has two commits");
              }
              commit = found;
              detached = layer.detached();
            });
  }

  /** Takes content objects that the repository has. */
  void add(Map<Checksum, Node> objects) {
    contents.putAll(objects);
  }

  /** All content that was taken. */
  Collection<Node> contents() {
    return contents.values();
  }

  /**
   * Refuses a commit that says of itself what imports say of layers and believe later: under the
   * name of its layer it would be taken for another one. Its metadata is the author's and stays as
   * it is.
   *
   * @throws Problem of kind CORRUPT for such a one, or when there is no commit
   */
  void requireUnmarked() {
    for (String key : commit().metadata().keySet()) {
      if (key.equals(LayerCommits.IMPORTER) || key.startsWith(LayerCommits.PREFIX)) {
        throw Problem.corrupt(
            "the image's commit "
                + checksum()
                + " has the metadata "
                + Printable.text(key)
                + ", which only imports may write; make the image from a commit without it");
      }
    }
  }

  /** The commit's name. */
  Checksum checksum() {
    return commit().checksum();
  }

  /** The commit's detached metadata; an empty map when there is none. */
  Map<String, GVariant> detached() {
    return detached;
  }

  /**
   * The commit's files. A few objects can name each other so that the tree is far larger than they
   * are, or has no end that anyone would live to see.
   *
   * @param totals in which the layers' objects were counted, each once
   * @throws Problem of kind CORRUPT when there is no commit, an object is missing, or the tree
   *     takes too much
   */
  FileTree tree(ImageTotals totals) {
    return new FileTree(new Expansion(totals).directory(commit().root(), 0));
  }

  /**
   * Writes the commit and its directories.
   *
   * @param tree as {@link #tree} gave it
   * @throws Problem of kind CORRUPT when that makes another commit
   */
  Checksum write(Transaction transaction, FileTree tree) throws IOException {
    Commit found = commit();
    TreeRoot root = transaction.writeTree(tree);
    Checksum written = transaction.writeCommit(CommitTar.spec(found));
    if (!root.equals(found.root()) || !written.equals(found.checksum())) {
      throw Problem.corrupt("the image's commit has objects that are not in normal form");
    }
    return written;
  }

  private Commit commit() {
    Commit found = commit;
    if (found == null) {
      throw Problem.corrupt("the image has no commit");
    }
    return found;
  }

  /** Makes a tree of the objects. */
  private final class Expansion {
    private final ImageTotals totals;
    private final Set<Checksum> named = new HashSet<>();
    private long nodes;

    Expansion(ImageTotals totals) {
      this.totals = totals;
    }

    private Node.Directory directory(TreeRoot root, int depth) {
      Limit.TREE_DEPTH.check(depth, COMMIT);
      byte[] bytes = dirtrees.get(root.dirtree());
      Metadata metadata = dirmetas.get(root.dirmeta());
      if (bytes == null || metadata == null) {
        throw missing(bytes == null ? root.dirtree() + ".dirtree" : root.dirmeta() + ".dirmeta");
      }
      Objects.DirTree entries = Objects.dirTree(bytes);
      TreeMap<OsPath, Node> children = new TreeMap<>();
      for (Map.Entry<OsPath, Checksum> file : entries.files().entrySet()) {
        Node node = contents.get(file.getValue());
        if (node == null) {
          throw missing(file.getValue() + ".file");
        }
        // Its first name was counted with its layer.
        count(file.getKey(), !named.add(file.getValue()));
        children.put(file.getKey(), node);
      }
      for (Map.Entry<OsPath, TreeRoot> below : entries.directories().entrySet()) {
        count(below.getKey(), true);
        children.put(below.getKey(), directory(below.getValue(), depth + 1));
      }
      return new Node.Directory(metadata, children);
    }

    private void count(OsPath name, boolean isMore) {
      Limit.LAYER_ENTRIES.check(++nodes, COMMIT);
      if (isMore) {
        totals.inode(name.length());
      }
    }
  }

  private static Problem missing(String object) {
    return Problem.corrupt("the image lacks the object " + object + ", which its commit names");
  }
}
