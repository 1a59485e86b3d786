package slipway.ostree.container;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.Metadata;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.oci.model.Digest;
import slipway.ostree.gvariant.GVariant;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.Commit;
import slipway.ostree.object.CommitSpec;
import slipway.ostree.object.Objects;
import slipway.ostree.object.TreeRoot;
import slipway.ostree.repo.ObjectContent;
import slipway.ostree.repo.Repository;
import slipway.ostree.repo.Transaction;
import slipway.ostree.repo.VerityIndex;
import slipway.tree.Content;
import slipway.tree.FileTree;
import slipway.tree.Layer;
import slipway.tree.Node;

/**
 * A layer of a container image as a commit, and back. As ostree-ext writes them: a whiteout is an
 * empty file {@code .wh.NAME}, an opaque directory holds an empty {@code .wh..wh..opq}. What such a
 * tree cannot say stands in metadata of our own, which others ignore: directories that are only
 * implied, hard links into the layers below, the diff id, and the fs-verity digests of the files,
 * so that they need not be read again for the next image.
 */
final class LayerCommits {
  static final OsPath WHITEOUT = OsPath.of(".wh.");
  private static final OsPath OPAQUE = OsPath.of(".wh..wh..opq");
  static final String IMPORTER = "ostree.importer.version";
  static final String IMPORTER_VERSION = "slipway/1";

  /** What all keys of ours begin with, {@link VerityIndex#KEY} too. */
  static final String PREFIX = "slipway.layer.";

  static final String DIFF_ID = PREFIX + "diff-id";
  private static final String IMPLIED = PREFIX + "implied";
  private static final String LINKS = PREFIX + "links";

  /** Of a layer whose changed objects were left out, because no commit was below it. */
  private static final String WITHOUT_OBJECTS = PREFIX + "without-objects";

  private LayerCommits() {}

  // ---- writing ----

  /**
   * Writes a layer's tree and commit. The same layer gives the same commit.
   *
   * @param diffId as it was checked; null when it never was, so that nobody goes by it
   * @param withoutObjects see {@link LayerFilter#isWithoutObjects}
   */
  static Checksum write(
      Transaction transaction, Layer layer, @Nullable Digest diffId, boolean withoutObjects)
      throws IOException {
    Draft draft = new Draft();
    FileTree tree = new FileTree(draft.directory(OsPath.of(""), layer.root()));
    TreeRoot root = transaction.writeTree(tree);
    Map<String, GVariant> metadata = new LinkedHashMap<>();
    metadata.put(IMPORTER, GVariant.string(IMPORTER_VERSION));
    if (diffId != null) {
      metadata.put(DIFF_ID, GVariant.string(diffId.toString()));
    }
    if (withoutObjects) {
      metadata.put(WITHOUT_OBJECTS, GVariant.string(""));
    }
    metadata.put(IMPLIED, GVariant.array("ay", draft.implied));
    metadata.put(LINKS, GVariant.array("(ayay)", draft.links));
    metadata.put(VerityIndex.KEY, verityTable(tree));
    return transaction.writeCommit(new CommitSpec(metadata, null, "", "", 0, root));
  }

  /** Whether objects of the layer are missing in its commit that an image on a commit needs. */
  static boolean isWithoutObjects(Commit commit) {
    return commit.metadata().containsKey(WITHOUT_OBJECTS);
  }

  private static final class Draft {
    private final List<GVariant> implied = new ArrayList<>();
    private final List<GVariant> links = new ArrayList<>();

    Node.Directory directory(OsPath path, Node.Directory directory) {
      if (directory.implied()) {
        implied.add(GVariant.byteString(path));
      }
      TreeMap<OsPath, Node> children = new TreeMap<>();
      if (directory.opaque()) {
        children.put(OPAQUE, marker());
      }
      for (Map.Entry<OsPath, Node> child : directory.children().entrySet()) {
        OsPath name = child.getKey();
        OsPath where = path.resolve(name);
        switch (child.getValue()) {
          case Node.Directory d -> children.put(name, directory(where, d));
          case Node.Whiteout w -> children.put(whiteout(name), marker());
          case Node.LinkBelow l ->
              links.add(
                  GVariant.tuple(GVariant.byteString(where), GVariant.byteString(l.target())));
          case Node.File f -> children.put(name, f);
          case Node.Symlink s -> children.put(name, s);
          case Node.Special s -> children.put(name, s);
        }
      }
      return new Node.Directory(directory.metadata(), children);
    }

    private static Node marker() {
      return new Node.File(Metadata.file(0644), Content.EMPTY);
    }

    private static OsPath whiteout(OsPath name) {
      return WHITEOUT.concat(name);
    }
  }

  /** The fs-verity digests of a tree's files, as {@link VerityIndex#KEY} has them. */
  static GVariant verityTable(FileTree tree) throws IOException {
    Map<Checksum, byte[]> digests = new HashMap<>();
    tree.walk(
        (path, node) -> {
          if (node instanceof Node.File f
              && f.content() instanceof ObjectContent object
              && object.size() > 0
              && !digests.containsKey(object.checksum())) {
            digests.put(object.checksum(), object.verityDigest());
          }
        });
    return VerityIndex.table(digests);
  }

  // ---- reading ----

  /** The diff id that a layer's commit was made from; empty for one that another importer wrote. */
  static Optional<Digest> diffId(Commit commit) {
    return commit.string(DIFF_ID).map(Digest::parse);
  }

  /**
   * Reads a layer back.
   *
   * @throws Problem of kind CORRUPT when objects are missing or do not fit together
   */
  static Layer read(Repository repository, Checksum checksum) throws IOException {
    Commit commit = repository.readCommit(checksum);
    FileTree tree = repository.readTree(commit);
    Set<OsPath> implied = new HashSet<>();
    for (GVariant path : children(commit.metadata().get(IMPLIED), "aay")) {
      implied.add(path.asByteString());
    }
    Map<OsPath, Map<OsPath, OsPath>> links = new HashMap<>();
    for (GVariant link : children(commit.metadata().get(LINKS), "a(ayay)")) {
      OsPath path = link.child(0).asByteString();
      links
          .computeIfAbsent(path.parent(), p -> new TreeMap<>())
          .put(Objects.name(path.name()), link.child(1).asByteString());
    }
    return new Layer(directory(OsPath.of(""), tree.root(), implied, links));
  }

  private static List<GVariant> children(@Nullable GVariant value, String type) {
    return value == null || !value.type().equals(type) ? List.of() : value.elements();
  }

  /** The very same object where all below it is what a merged tree may hold, too. */
  private static Node.Directory directory(
      OsPath path,
      Node.Directory directory,
      Set<OsPath> implied,
      Map<OsPath, Map<OsPath, OsPath>> links) {
    TreeMap<OsPath, Node> children = new TreeMap<>();
    boolean opaque = false;
    boolean same = true;
    for (Map.Entry<OsPath, Node> child : directory.children().entrySet()) {
      OsPath name = child.getKey();
      if (name.startsWith(WHITEOUT)) {
        same = false;
        if (name.equals(OPAQUE)) {
          opaque = true;
        } else {
          children.put(Objects.name(name.substring(WHITEOUT.length())), Node.Whiteout.INSTANCE);
        }
      } else if (child.getValue() instanceof Node.Directory d) {
        Node.Directory read = directory(path.resolve(name), d, implied, links);
        same = same && read == d;
        children.put(name, read);
      } else {
        children.put(name, child.getValue());
      }
    }
    Map<OsPath, OsPath> linked = links.getOrDefault(path, Map.of());
    linked.forEach(
        (name, target) -> children.put(name, new Node.LinkBelow(target, Metadata.file(0644))));
    if (same && linked.isEmpty() && !implied.contains(path)) {
      return directory;
    }
    return new Node.Directory(directory.metadata(), children, opaque, implied.contains(path));
  }
}
