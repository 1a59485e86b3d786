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
import slipway.archive.tar.Totals;
import slipway.base.CountedInput;
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
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * One layer of an image that encapsulates a commit, see {@link Encapsulation}: the objects in it,
 * each held to the checksum that it is called by. For one thread.
 *
 * <p>In a repository a layer of content alone is a commit of one flat directory, in which each
 * object has its checksum as its name, as ostree-ext writes it; with the diff id and the fs-verity
 * digests of ours.
 */
final class EncapsulatedLayer {
  /** As ostree-ext bounds them. */
  private static final int MAX_METADATA = 10 << 20;

  private static final int MAX_XATTRS = 1 << 20;

  private final Transaction transaction;
  private final ImageTotals totals;
  private final Map<Checksum, Node> contents = new HashMap<>();
  private final Map<Checksum, byte[]> dirtrees = new HashMap<>();
  private final Map<Checksum, Metadata> dirmetas = new HashMap<>();
  private final Map<Checksum, List<Metadata.Xattr>> xattrs = new HashMap<>();
  private @Nullable Commit commit;
  private byte @Nullable [] detached;

  /** The attributes of the object that comes next. */
  private @Nullable Checksum nextObject;

  private List<Metadata.Xattr> nextXattrs = List.of();

  private EncapsulatedLayer(Transaction transaction, ImageTotals totals) {
    this.transaction = transaction;
    this.totals = totals;
  }

  /**
   * Reads a layer. Content goes into the transaction; all else is kept in memory.
   *
   * @param totals of the whole image
   * @throws Problem of kind CORRUPT for objects that are not what they are called
   */
  static EncapsulatedLayer read(
      Transaction transaction,
      ImageSource source,
      Descriptor blob,
      Digest diffId,
      ImageTotals totals,
      Progress progress)
      throws IOException {
    EncapsulatedLayer layer = new EncapsulatedLayer(transaction, totals);
    layer.layer(source, blob, diffId, progress);
    layer.requireNames();
    return layer;
  }

  Map<Checksum, Node> contents() {
    return contents;
  }

  Map<Checksum, byte[]> dirtrees() {
    return dirtrees;
  }

  Map<Checksum, Metadata> dirmetas() {
    return dirmetas;
  }

  /** The commit, in the layer that has it. */
  Optional<Commit> commit() {
    return Optional.ofNullable(commit);
  }

  /** The commit's detached metadata; an empty map when there is none. */
  Map<String, GVariant> detached() {
    return detached == null ? Map.of() : GVariant.parse("a{sv}", detached).asMap();
  }

  // ---- a layer ----

  private void layer(ImageSource source, Descriptor blob, Digest diffId, Progress progress)
      throws IOException {
    String where = "layer " + blob.digest().brief();
    try (Progress.Task task = progress.start(where, blob.size());
        InputStream verified =
            new VerifyingInputStream(new CountedInput(source.blob(blob, 0), task::advance), blob);
        PlainLayer plain = new PlainLayer(verified, diffId.algorithm(), blob)) {
      // Most entries are other names of objects, which nobody keeps.
      Totals read = new Totals(where, totals.withoutTrees());
      Digest actual =
          plain.readBy(
              in -> {
                objects(new TarReader(in, read));
                return plain.finish().diffId();
              });
      Validate.match(blob, diffId, actual);
    }
  }

  private void objects(TarReader tar) throws IOException {
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
      case "dirmeta" -> {
        Metadata read = Objects.dirMeta(metadata(name, entry, in));
        totals.inode(ImageTotals.attributes(read.xattrs()));
        dirmetas.put(name.checksum(), read);
      }
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
    if (!xattrs.containsKey(name)) {
      List<Metadata.Xattr> read = Objects.xattrs(GVariant.parse("a(ayay)", bytes));
      totals.inode(ImageTotals.attributes(read));
      xattrs.put(name, read);
    }
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

  /** The names are known when the content was written. */
  private void requireNames() {
    contents.forEach(
        (name, node) -> {
          if (node instanceof Node.File f && f.content() instanceof ObjectContent object) {
            requireSame(name, object.checksum(), "file");
          }
        });
  }

  // ---- as a commit ----

  /** Writes the layer's content as a commit. The same layer gives the same commit. */
  Checksum write(Digest diffId) throws IOException {
    TreeMap<OsPath, Node> children = new TreeMap<>();
    contents.forEach((name, node) -> children.put(OsPath.of(name.hex()), node));
    FileTree flat = new FileTree(new Node.Directory(Metadata.directory(0755), children));
    TreeRoot root = transaction.writeTree(flat);
    Map<String, GVariant> metadata =
        Map.of(
            LayerCommits.DIFF_ID,
            GVariant.string(diffId.toString()),
            VerityIndex.KEY,
            LayerCommits.verityTable(flat));
    return transaction.writeCommit(new CommitSpec(metadata, null, "", "", 0, root));
  }

  /** Whether a commit is one of {@link #write}, or as ostree-ext writes them. */
  static boolean isContent(Repository repository, Commit commit) throws IOException {
    Objects.DirTree root = repository.directory(commit.root().dirtree());
    return root.directories().isEmpty()
        && root.files().keySet().stream().allMatch(name -> Checksum.isChecksum(name.toString()));
  }

  /** Reads such a commit back. */
  static Map<Checksum, Node> read(Repository repository, Commit commit) throws IOException {
    Map<Checksum, Node> contents = new HashMap<>();
    repository
        .readTree(commit)
        .root()
        .children()
        .forEach((name, node) -> contents.put(new Checksum(name.toString()), node));
    return contents;
  }
}
