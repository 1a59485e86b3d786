package slipway.ostree.container;

import java.io.IOException;
import java.io.InputStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.ImageTotals;
import slipway.archive.tar.Metadata;
import slipway.archive.tar.TarEntry;
import slipway.archive.tar.TarReader;
import slipway.base.CountedInput;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Stat;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.PlainLayer;
import slipway.oci.copy.Validate;
import slipway.oci.copy.VerifyingInputStream;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.ostree.gvariant.GVariant;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.Commit;
import slipway.ostree.object.Objects;
import slipway.ostree.object.TreeRoot;
import slipway.ostree.repo.ObjectContent;
import slipway.ostree.repo.Repository;
import slipway.ostree.repo.Transaction;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * Brings the commit out of an image that encapsulates it, see {@link Encapsulation}, into a
 * repository. Each object has to have the checksum that it is called by, and the commit to reach
 * all that it names.
 */
public final class EncapsulatedImport {
  /** As ostree-ext bounds them. */
  private static final int MAX_METADATA = 10 << 20;

  private static final int MAX_XATTRS = 1 << 20;

  private final Transaction transaction;

  private final Map<Checksum, Node> contents = new HashMap<>();
  private final Map<Checksum, byte[]> dirtrees = new HashMap<>();
  private final Map<Checksum, Metadata> dirmetas = new HashMap<>();
  private final Map<Checksum, List<Metadata.Xattr>> xattrs = new HashMap<>();
  private @Nullable Commit commit;
  private byte @Nullable [] detached;

  /** The attributes of the object that comes next. */
  private @Nullable Checksum nextObject;

  private List<Metadata.Xattr> nextXattrs = List.of();
  private long nodes;

  private EncapsulatedImport(Transaction transaction) {
    this.transaction = transaction;
  }

  /**
   * Imports the commit. Its ref, if there shall be one, is the last that is written.
   *
   * @param ref that is to lead to it, or null
   * @throws Problem of kind INPUT for an image that does not encapsulate a commit, or has layers
   *     above it; CORRUPT when objects are missing or not what they are called
   */
  public static Checksum run(
      Repository repository,
      ImageSource source,
      Manifest.Image manifest,
      ImageConfig config,
      @Nullable String ref,
      Progress progress)
      throws IOException {
    List<Digest> diffIds = config.diffIds();
    requireEncapsulated(manifest, config);
    Checksum name;
    Map<String, GVariant> more;
    try (Transaction transaction = repository.begin()) {
      EncapsulatedImport work = new EncapsulatedImport(transaction);
      ImageTotals totals = new ImageTotals("the image's layers");
      for (int i = 0; i < diffIds.size(); i++) {
        work.layer(source, manifest.layers().get(i), diffIds.get(i), totals, progress);
      }
      name = work.finish();
      more = work.detached == null ? Map.of() : GVariant.parse("a{sv}", work.detached).asMap();
      if (ref != null) {
        transaction.setRef(ref, name);
      }
      transaction.commit();
    }
    if (!more.isEmpty()) {
      repository.writeDetachedMetadata(name, more);
    }
    return name;
  }

  private static void requireEncapsulated(Manifest.Image manifest, ImageConfig config) {
    String last = config.labels().get(Encapsulation.FINAL_DIFF_ID);
    if (last == null && !config.labels().containsKey(Encapsulation.COMMIT)) {
      throw Problem.input(
          "the image encapsulates no commit: it lacks the label " + Encapsulation.FINAL_DIFF_ID);
    }
    if (config.diffIds().isEmpty() || config.diffIds().size() != manifest.layers().size()) {
      throw Problem.corrupt("the image's config lists other layers than its manifest");
    }
    int of =
        last == null ? 0 : config.diffIds().stream().map(Digest::toString).toList().indexOf(last);
    if (of < 0) {
      throw Problem.corrupt(
          "the image has no layer "
              + Printable.text(String.valueOf(last))
              + ", which its label names");
    }
    int above = config.diffIds().size() - 1 - of;
    if (above > 0) {
      throw Problem.input(
          "the image has " + above + " layers above those of its commit, which is not alone then");
    }
  }

  // ---- a layer ----

  private void layer(
      ImageSource source, Descriptor blob, Digest diffId, ImageTotals totals, Progress progress)
      throws IOException {
    String where = "layer " + blob.digest().brief();
    try (Progress.Task task = progress.start(where, blob.size());
        InputStream verified =
            new VerifyingInputStream(new CountedInput(source.blob(blob, 0), task::advance), blob);
        PlainLayer plain = new PlainLayer(verified, diffId.algorithm(), blob)) {
      TarReader tar = new TarReader(plain);
      for (TarEntry entry = tar.next(); entry != null; entry = tar.next()) {
        OsPath path = joined(entry.path());
        Optional<Encapsulation.Name> name = Encapsulation.name(path);
        if (entry.kind() == TarEntry.Kind.DIRECTORY) {
          continue;
        }
        if (name.isPresent()) {
          // The content of files goes to the repository; all else is kept until the end.
          boolean kept = !name.get().suffix().equals("file");
          totals.inode(path.length() + (kept ? entry.size() : 0));
          object(name.get(), entry, tar.content());
        } else if (path.startsWith(Encapsulation.REPOSITORY + "/xattrs/")) {
          totals.inode(path.length() + entry.size());
          keepXattrs(bytes(tar.content(), entry, MAX_XATTRS));
        }
      }
      Validate.match(blob, diffId, plain.finish().diffId());
    }
  }

  private static OsPath joined(List<OsPath> components) {
    OsPath path = OsPath.of("");
    for (OsPath component : components) {
      path = path.isEmpty() ? component : path.resolve(component);
    }
    return path;
  }

  private void object(Encapsulation.Name name, TarEntry entry, InputStream in) throws IOException {
    switch (name.suffix()) {
      case "file-xattrs" -> keepXattrs(bytes(in, entry, MAX_XATTRS));
      case "file-xattrs-link", "file.xattrs" -> announce(name.checksum(), entry, in);
      case "file" -> content(name.checksum(), entry, in);
      case "dirtree" -> {
        byte[] bytes = metadata(name, entry, in);
        dirtrees.put(name.checksum(), bytes);
      }
      case "dirmeta" -> dirmetas.put(name.checksum(), Objects.dirMeta(metadata(name, entry, in)));
      case "commit" -> {
        if (commit != null) {
          throw Problem.corrupt("the image has two commits");
        }
        commit = Objects.commit(name.checksum(), metadata(name, entry, in));
      }
      case "commitmeta" -> detached = bytes(in, entry, MAX_METADATA);
      default ->
          throw Problem.corrupt(
              "the image has an object of unknown type: " + Printable.text(name.suffix()));
    }
  }

  private static byte[] bytes(InputStream in, TarEntry entry, int limit) throws IOException {
    if (entry.kind() != TarEntry.Kind.FILE || entry.size() > limit) {
      throw Problem.corrupt(
          Printable.text(entry.name().toString())
              + " of the image is no file of at most "
              + limit
              + " bytes");
    }
    return in.readNBytes((int) entry.size());
  }

  private static byte[] metadata(Encapsulation.Name name, TarEntry entry, InputStream in)
      throws IOException {
    byte[] bytes = bytes(in, entry, MAX_METADATA);
    requireSame(name.checksum(), Checksum.sha256(bytes), name.suffix());
    return bytes;
  }

  private static void requireSame(Checksum expected, Checksum actual, String suffix) {
    if (!expected.equals(actual)) {
      throw Problem.corrupt(
          "the image's object "
              + expected
              + "."
              + suffix
              + " has the checksum "
              + actual
              + "; it was damaged or forged");
    }
  }

  // ---- content ----

  private Checksum keepXattrs(byte[] bytes) {
    Checksum name = Checksum.sha256(bytes);
    GVariant list = GVariant.parse("a(ayay)", bytes);
    xattrs.putIfAbsent(
        name,
        list.elements().stream()
            .map(x -> new Metadata.Xattr(x.child(0).asByteString(), x.child(1).asBytes()))
            .toList());
    return name;
  }

  /** The attributes of the object that comes next. */
  private void announce(Checksum object, TarEntry entry, InputStream in) throws IOException {
    Checksum kept =
        entry.kind() == TarEntry.Kind.HARDLINK
            ? linked(entry.linkName())
            : keepXattrs(bytes(in, entry, MAX_XATTRS));
    List<Metadata.Xattr> found = xattrs.get(kept);
    if (found == null) {
      throw Problem.corrupt("the image lacks the attributes of its object " + object);
    }
    nextObject = object;
    nextXattrs = found;
  }

  private static Checksum linked(OsPath target) {
    Optional<Encapsulation.Name> name = Encapsulation.name(joined(TarEntry.normalise(target)));
    String last = target.name().toString();
    if (name.isPresent()) {
      return name.get().checksum();
    }
    if (Checksum.isChecksum(last)) {
      return new Checksum(last);
    }
    throw Problem.corrupt("the image has a link to attributes that leads nowhere");
  }

  private void content(Checksum name, TarEntry entry, InputStream in) throws IOException {
    if (nextObject == null || !name.equals(nextObject)) {
      throw Problem.corrupt("the image's object " + name + ".file comes without its attributes");
    }
    nextObject = null;
    int type = entry.kind() == TarEntry.Kind.SYMLINK ? Stat.S_IFLNK : Stat.S_IFREG;
    Metadata own = entry.metadata();
    Metadata metadata =
        Objects.normalized(
            new Metadata(type | own.permissions(), own.uid(), own.gid(), 0, 0, nextXattrs));
    switch (entry.kind()) {
      case FILE -> {
        ObjectContent stored =
            transaction.store(Encapsulation.path(name, "file"), metadata, entry.size(), in);
        contents.put(name, new Node.File(metadata, stored));
      }
      case SYMLINK -> {
        requireSame(name, Objects.symlinkChecksum(metadata, entry.linkName()), "file");
        contents.put(name, new Node.Symlink(metadata, entry.linkName()));
      }
      default ->
          throw Problem.corrupt("the image's object " + name + ".file is neither file nor link");
    }
  }

  // ---- the commit ----

  private Checksum finish() throws IOException {
    Commit found = commit;
    if (found == null) {
      throw Problem.corrupt("the image has no commit");
    }
    contents.forEach(
        (name, node) -> {
          if (node instanceof Node.File f && f.content() instanceof ObjectContent object) {
            requireSame(name, object.checksum(), "file");
          }
        });
    TreeRoot root = transaction.writeTree(new FileTree(directory(found.root(), 0)));
    Checksum written = transaction.writeCommit(CommitTar.spec(found));
    if (!root.equals(found.root()) || !written.equals(found.checksum())) {
      throw Problem.corrupt("the image's commit has objects that are not in normal form");
    }
    return written;
  }

  private Node.Directory directory(TreeRoot root, int depth) {
    Limit.TREE_DEPTH.check(depth, "the image's commit");
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
      count();
      children.put(file.getKey(), node);
    }
    for (Map.Entry<OsPath, TreeRoot> below : entries.directories().entrySet()) {
      count();
      children.put(below.getKey(), directory(below.getValue(), depth + 1));
    }
    return new Node.Directory(metadata, children);
  }

  /**
   * A few objects can name each other so that the tree has no end that anyone would live to see.
   */
  private void count() {
    Limit.LAYER_ENTRIES.check(++nodes, "the image's commit");
  }

  private static Problem missing(String object) {
    return Problem.corrupt("the image lacks the object " + object + ", which its commit names");
  }
}
