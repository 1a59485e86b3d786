package slipway.ostree.container;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.Metadata;
import slipway.linux.posix.OsPath;
import slipway.ostree.object.Checksum;
import slipway.ostree.repo.ObjectContent;
import slipway.ostree.repo.Transaction;
import slipway.system.selinux.FileLabels;
import slipway.tree.Content;
import slipway.tree.Node;

/**
 * Gives the files of layers the labels that the SELinux policy of their image has for them, and no
 * others: layers bring none, and those that are there already have the labels of the image that
 * came last. A label is a part of an ostree object, so files become other objects, in the place of
 * {@link #replaced()}. For one thread.
 */
final class Relabelling {
  private final Transaction transaction;
  private final @Nullable FileLabels labels;

  /** One content under one label is one object, whatever its names. */
  private final Map<Content, Map<Metadata, Node.File>> written = new IdentityHashMap<>();

  private final Set<Checksum> replaced = new HashSet<>();
  private final Set<Checksum> kept = new HashSet<>();

  /**
   * @param labels of the image; null when it has no policy
   */
  Relabelling(Transaction transaction, @Nullable FileLabels labels) {
    this.transaction = transaction;
    this.labels = labels;
  }

  /**
   * A directory with all below it. Whiteouts and the like stay as they are.
   *
   * @param root of it
   * @param layer whether it is a layer, whose files may have the labels of another image: those
   *     that the policy leaves alone get none
   * @return the very same object when all labels were right
   */
  Node.Directory tree(Node.Directory root, boolean layer) throws IOException {
    return directory(OsPath.of(""), root, layer);
  }

  private Node.Directory directory(OsPath path, Node.Directory directory, boolean layer)
      throws IOException {
    TreeMap<OsPath, Node> children = new TreeMap<>();
    boolean same = true;
    for (Map.Entry<OsPath, Node> child : directory.children().entrySet()) {
      Node node = node(path.resolve(child.getKey()), child.getValue(), layer);
      same = same && node == child.getValue();
      children.put(child.getKey(), node);
    }
    // One that is only implied needs a label where no layer below has it.
    Metadata metadata = labelled(path, directory.metadata(), layer);
    return same && metadata == directory.metadata()
        ? directory
        : new Node.Directory(metadata, children, directory.opaque(), directory.implied());
  }

  private Metadata labelled(OsPath path, Metadata metadata, boolean layer) {
    Optional<Metadata.Xattr> label =
        labels == null ? Optional.empty() : labels.attribute(path, metadata.type());
    return label.isEmpty() && !layer ? metadata : FileLabels.labelled(metadata, label);
  }

  private Node node(OsPath path, Node node, boolean layer) throws IOException {
    return switch (node) {
      case Node.Directory d -> directory(path, d, layer);
      case Node.File f -> file(path, f, layer);
      case Node.Symlink s -> {
        Metadata metadata = labelled(path, s.metadata(), layer);
        yield metadata == s.metadata() ? s : new Node.Symlink(metadata, s.target());
      }
      case Node.Special s -> s;
      case Node.Whiteout w -> w;
      case Node.LinkBelow l -> l;
    };
  }

  private Node.File file(OsPath path, Node.File file, boolean layer) throws IOException {
    Metadata metadata = labelled(path, file.metadata(), layer);
    if (metadata == file.metadata()) {
      keep(file.content());
      return file;
    }
    Map<Metadata, Node.File> known = written.computeIfAbsent(file.content(), c -> new HashMap<>());
    Node.File made = known.get(metadata);
    if (made == null) {
      try (InputStream in = ObjectContent.openChecked(file.content())) {
        made =
            new Node.File(metadata, transaction.store(path, metadata, file.content().size(), in));
      }
      known.put(metadata, made);
      if (file.content() instanceof ObjectContent object && object.size() > 0) {
        replaced.add(object.checksum());
      }
    }
    return made;
  }

  /** The objects that hold a content now: those with labels, and its own where that was right. */
  List<Checksum> objects(ObjectContent content) {
    List<Checksum> objects = new ArrayList<>();
    written
        .getOrDefault(content, Map.of())
        .values()
        .forEach(made -> objects.add(((ObjectContent) made.content()).checksum()));
    if (objects.isEmpty() || kept.contains(content.checksum())) {
      objects.add(content.checksum());
    }
    return objects;
  }

  private void keep(Content content) {
    if (content instanceof ObjectContent object) {
      kept.add(object.checksum());
    }
  }

  /**
   * The objects that labelled ones stand in for; others may need them all the same. Empty ones are
   * not among them: such a one marks whiteouts in the commits of layers, too.
   */
  Set<Checksum> replaced() {
    return replaced;
  }
}
