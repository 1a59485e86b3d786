package slipway.tree;

import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.Metadata;
import slipway.linux.posix.OsPath;

/**
 * A directory while it is being put together. Opened from a finished {@link Node.Directory} it
 * shares all that nobody touches, and gives the same object back when nothing was touched.
 */
final class DirectoryDraft {
  private final Node.@Nullable Directory original;
  private @Nullable Metadata metadata;
  private boolean opaque;

  /** A finished node or a draft; null until the original is first changed. */
  private @Nullable NavigableMap<OsPath, Object> children;

  /** An empty directory without an entry of its own yet. */
  DirectoryDraft() {
    this.original = null;
    this.children = new TreeMap<>();
  }

  DirectoryDraft(Node.Directory original) {
    this.original = original;
    this.metadata = original.implied() ? null : original.metadata();
    this.opaque = original.opaque();
  }

  void metadata(Metadata own) {
    metadata = own;
  }

  /** The metadata of its own entry; null while implied. */
  @Nullable Metadata metadata() {
    return metadata;
  }

  /** Hides what lower layers have here, and their directory's metadata too. */
  void replaceLower() {
    opaque = true;
    if (metadata == null) {
      metadata = Metadata.directory(0755);
    }
  }

  /** Hides what lower layers have here. */
  void opaque() {
    opaque = true;
  }

  private NavigableMap<OsPath, Object> children() {
    if (children == null) {
      children = new TreeMap<>();
      if (original != null) {
        children.putAll(original.children());
      }
    }
    return children;
  }

  /** A {@link Node} other than a directory, a draft, or null. */
  @Nullable Object get(OsPath name) {
    NavigableMap<OsPath, Object> all = children();
    Object child = all.get(name);
    if (child instanceof Node.Directory d) {
      DirectoryDraft draft = new DirectoryDraft(d);
      all.put(name, draft);
      return draft;
    }
    return child;
  }

  void put(OsPath name, Node node) {
    children().put(name, node);
  }

  /** Puts an empty implied directory in place of whatever is there. */
  DirectoryDraft putDirectory(OsPath name) {
    DirectoryDraft draft = new DirectoryDraft();
    children().put(name, draft);
    return draft;
  }

  /** Whether something was there. */
  boolean remove(OsPath name) {
    return children().remove(name) != null;
  }

  /** The draft at a path from here, or null when that is not a directory. */
  @Nullable DirectoryDraft directory(List<OsPath> path) {
    DirectoryDraft at = this;
    for (OsPath name : path) {
      if (!(at.get(name) instanceof DirectoryDraft next)) {
        return null;
      }
      at = next;
    }
    return at;
  }

  /** The finished directory. */
  Node.Directory build() {
    NavigableMap<OsPath, Node> built = original == null ? new TreeMap<>() : original.children();
    if (children != null) {
      NavigableMap<OsPath, Node> fresh = new TreeMap<>();
      boolean same = original != null && original.children().size() == children.size();
      for (var child : children.entrySet()) {
        Node node =
            child.getValue() instanceof DirectoryDraft d ? d.build() : (Node) child.getValue();
        fresh.put(child.getKey(), node);
        same = same && original != null && original.children().get(child.getKey()) == node;
      }
      built = same && original != null ? original.children() : fresh;
    }
    if (original != null && built == original.children() && sameFlags(original)) {
      return original;
    }
    Metadata own = metadata == null ? Metadata.directory(0755) : metadata;
    return new Node.Directory(own, built, opaque, metadata == null);
  }

  private boolean sameFlags(Node.Directory before) {
    return opaque == before.opaque()
        && (metadata == null
            ? before.implied()
            : !before.implied() && metadata.equals(before.metadata()));
  }
}
