package slipway.tree;

import java.util.Collections;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.Metadata;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;

/**
 * An inode of a tree. Nodes other than directories have identity: a hard link is the same object
 * under two names. Whiteouts and links into a layer below occur only inside a {@link Layer}.
 */
public sealed interface Node {
  Metadata metadata();

  /**
   * A directory; its children are sorted by bytes and immutable. Each is named by a single name, so
   * that no writer can be led elsewhere.
   */
  final class Directory implements Node {
    private final Metadata metadata;
    private final boolean opaque;
    private final boolean implied;

    /** Null until somebody asks, when {@link #unread} is not. */
    private volatile @Nullable NavigableMap<OsPath, Node> children;

    private @Nullable Supplier<NavigableMap<OsPath, Node>> unread;

    public Directory(Metadata metadata, NavigableMap<OsPath, Node> children) {
      this(metadata, children, false, false);
    }

    /**
     * A directory whose children are read when somebody asks for them, so that who looks for one
     * file reads only the directories on the way to it.
     *
     * @param children is asked once; what it throws is thrown by {@link #children()}
     */
    public Directory(Metadata metadata, Supplier<NavigableMap<OsPath, Node>> children) {
      this.metadata = metadata;
      this.opaque = false;
      this.implied = false;
      this.unread = children;
    }

    /**
     * @param opaque in a layer: hides all that lower layers have here
     * @param implied in a layer: no entry of its own, only there because of what is below it; takes
     *     the metadata of the lower layer's directory when there is one
     * @throws Problem of kind CORRUPT for a name that no directory can hold
     */
    public Directory(
        Metadata metadata, NavigableMap<OsPath, Node> children, boolean opaque, boolean implied) {
      this.metadata = metadata;
      this.children = checked(children);
      this.opaque = opaque;
      this.implied = implied;
    }

    private static NavigableMap<OsPath, Node> checked(NavigableMap<OsPath, Node> children) {
      for (OsPath name : children.keySet()) {
        if (!name.isName()) {
          throw Problem.corrupt("a directory holds the impossible name \"" + name + "\"");
        }
      }
      return Collections.unmodifiableNavigableMap(new TreeMap<>(children));
    }

    @Override
    public Metadata metadata() {
      return metadata;
    }

    public NavigableMap<OsPath, Node> children() {
      NavigableMap<OsPath, Node> known = children;
      return known == null ? read() : known;
    }

    private synchronized NavigableMap<OsPath, Node> read() {
      NavigableMap<OsPath, Node> known = children;
      if (known == null) {
        known = checked(Objects.requireNonNull(unread).get());
        children = known;
        unread = null;
      }
      return known;
    }

    public boolean opaque() {
      return opaque;
    }

    public boolean implied() {
      return implied;
    }
  }

  /** A regular file. */
  final class File implements Node {
    private final Metadata metadata;
    private final Content content;

    public File(Metadata metadata, Content content) {
      this.metadata = metadata;
      this.content = content;
    }

    @Override
    public Metadata metadata() {
      return metadata;
    }

    public Content content() {
      return content;
    }
  }

  /** A symbolic link. */
  final class Symlink implements Node {
    private final Metadata metadata;
    private final OsPath target;

    public Symlink(Metadata metadata, OsPath target) {
      this.metadata = metadata;
      this.target = target;
    }

    @Override
    public Metadata metadata() {
      return metadata;
    }

    public OsPath target() {
      return target;
    }
  }

  /** A device node, fifo or socket; the type is in the mode. */
  final class Special implements Node {
    private final Metadata metadata;
    private final long rdev;

    /**
     * @param rdev device number as makedev(3) packs it; 0 for fifos and sockets
     */
    public Special(Metadata metadata, long rdev) {
      this.metadata = metadata;
      this.rdev = rdev;
    }

    @Override
    public Metadata metadata() {
      return metadata;
    }

    public long rdev() {
      return rdev;
    }
  }

  /**
   * In a layer: the name is removed from the layers below (OCI image-spec, layer.md, "Whiteouts").
   */
  enum Whiteout implements Node {
    INSTANCE;

    @Override
    public Metadata metadata() {
      throw new IllegalStateException("a whiteout has no metadata");
    }
  }

  /**
   * In a layer: a hard link to a file of a layer below.
   *
   * @param target path from the root without a leading slash
   * @param metadata what the layer repeats of the file's; the file keeps its own
   */
  record LinkBelow(OsPath target, Metadata metadata) implements Node {}
}
