package slipway.tree;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.Metadata;
import slipway.archive.tar.TarEntry;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Stat;

/**
 * Puts a tree or a layer together, from nothing or from a finished tree, whose untouched parts are
 * shared. Paths count from the root; a leading slash is ignored, links are not followed, {@code ..}
 * is refused. Missing parents are made: in a tree {@code root:root 0755}, in a layer implied.
 *
 * <p>Not safe for use by several threads.
 */
public final class TreeBuilder {
  private final DirectoryDraft root;

  /** An empty tree. */
  public TreeBuilder() {
    root = new DirectoryDraft();
  }

  /** Begins with what {@code tree} holds. */
  public TreeBuilder(FileTree tree) {
    root = new DirectoryDraft(tree.root());
  }

  /**
   * Puts a node in place of whatever is there, a directory with all that is in it. One node under
   * two names is a hard link.
   *
   * @throws Problem of kind INPUT when a parent is no directory
   */
  public TreeBuilder put(OsPath path, Node node) {
    List<OsPath> parts = parts(path);
    open(parts.subList(0, parts.size() - 1), path).put(parts.getLast(), node);
    return this;
  }

  public TreeBuilder put(String path, Node node) {
    return put(OsPath.of(path), node);
  }

  /** Puts a regular file. */
  public TreeBuilder file(String path, Metadata metadata, Content content) {
    return put(path, new Node.File(metadata, content));
  }

  /** Puts a regular file of root's with time 0. */
  public TreeBuilder file(String path, int permissions, byte[] content) {
    return file(path, Metadata.file(permissions), Content.of(content));
  }

  /** Puts a symbolic link of root's with time 0. */
  public TreeBuilder symlink(String path, String target) {
    return put(path, new Node.Symlink(Metadata.symlink(), OsPath.of(target)));
  }

  /**
   * Makes a directory, or gives it other metadata when it is there already; what is in it stays.
   */
  public TreeBuilder directory(OsPath path, Metadata metadata) {
    if (metadata.type() != Stat.S_IFDIR) {
      throw new IllegalArgumentException("not the metadata of a directory");
    }
    open(TarEntry.normalise(path), path).metadata(metadata);
    return this;
  }

  public TreeBuilder directory(String path, Metadata metadata) {
    return directory(OsPath.of(path), metadata);
  }

  /** Makes a directory and its parents where they are missing. */
  public TreeBuilder mkdirs(String path) {
    OsPath where = OsPath.of(path);
    open(TarEntry.normalise(where), where);
    return this;
  }

  /**
   * Puts a second name of an inode that is there.
   *
   * @throws Problem of kind NOT_FOUND when there is no such file
   */
  public TreeBuilder link(String existing, String path) {
    Node node =
        find(existing)
            .filter(n -> !(n instanceof Node.Directory))
            .orElseThrow(
                () ->
                    Problem.notFound("cannot link \"" + path + "\": no file \"" + existing + "\""));
    return put(path, node);
  }

  /** Removes a node and all that is in it; false when there is none. */
  public boolean remove(OsPath path) {
    List<OsPath> parts = parts(path);
    DirectoryDraft parent = root.directory(parts.subList(0, parts.size() - 1));
    return parent != null && parent.remove(parts.getLast());
  }

  public boolean remove(String path) {
    return remove(OsPath.of(path));
  }

  /** The node at a path as it is now. */
  public Optional<Node> find(OsPath path) {
    List<OsPath> parts = TarEntry.normalise(path);
    if (parts.isEmpty()) {
      return Optional.of(root.build());
    }
    DirectoryDraft parent = root.directory(parts.subList(0, parts.size() - 1));
    @Nullable Object there = parent == null ? null : parent.get(parts.getLast());
    if (there instanceof DirectoryDraft d) {
      return Optional.of(d.build());
    }
    return Optional.ofNullable((Node) there);
  }

  public Optional<Node> find(String path) {
    return find(OsPath.of(path));
  }

  /** Makes a directory hide what lower layers have in it; for {@link #layer}. */
  public TreeBuilder opaque(String path) {
    OsPath where = OsPath.of(path);
    open(TarEntry.normalise(where), where).opaque();
    return this;
  }

  /** The tree; whiteouts are gone from it. The builder can be used on. */
  public FileTree build() {
    return Layers.alone(layer());
  }

  /** The same as a layer: directories that nobody gave metadata are implied, whiteouts stay. */
  public Layer layer() {
    return new Layer(root.build());
  }

  private static List<OsPath> parts(OsPath path) {
    List<OsPath> parts = TarEntry.normalise(path);
    if (parts.isEmpty()) {
      throw Problem.input("\"" + path + "\" is the root of the tree, not a name in it");
    }
    return parts;
  }

  private DirectoryDraft open(List<OsPath> parts, OsPath what) {
    DirectoryDraft at = root;
    for (OsPath name : parts) {
      Object child = at.get(name);
      if (child == null || child == Node.Whiteout.INSTANCE) {
        DirectoryDraft made = at.putDirectory(name);
        if (child != null) {
          made.replaceLower();
        }
        at = made;
      } else if (child instanceof DirectoryDraft d) {
        at = d;
      } else {
        throw Problem.input("cannot make \"" + what + "\": \"" + name + "\" is not a directory");
      }
    }
    return at;
  }
}
