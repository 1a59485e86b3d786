package slipway.ostree.object;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.Metadata;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Stat;
import slipway.ostree.gvariant.GVariant;

/**
 * The serialized forms of objects (libostree's ostree-core.h: OSTREE_COMMIT_GVARIANT_FORMAT and its
 * neighbours). Numbers are big-endian inside the little-endian GVariant.
 */
public final class Objects {
  public static final String COMMIT_TYPE = "(a{sv}aya(say)sstayay)";
  public static final String DIRTREE_TYPE = "(a(say)a(sayay))";
  public static final String DIRMETA_TYPE = "(uuua(ayay))";
  public static final String ARCHIVE_HEADER_TYPE = "(tuuuusa(ayay))";

  /** libostree refuses larger metadata objects (OSTREE_MAX_METADATA_SIZE). */
  public static final int MAX_METADATA = 128 * 1024 * 1024;

  /**
   * Begins the names of files that stand for whiteouts of overlayfs, which no repository can hold:
   * a checkout has a character device 0:0 of the rest of the name (ostree's "passthrough
   * whiteouts").
   */
  public static final String QUOTED_WHITEOUT = ".ostree-wh.";

  /**
   * Attributes of one object; empty ones are but a few bytes, and each takes far more of the heap.
   * File systems keep some hundreds.
   */
  private static final int MAX_XATTRS = 1024;

  private Objects() {}

  /** The entries of a directory object. */
  public record DirTree(Map<OsPath, Checksum> files, Map<OsPath, TreeRoot> directories) {}

  // ---- content ----

  /**
   * What of an inode ostree keeps: no time, no permissions of a symbolic link, and no extended
   * attribute with an empty value (libglnx takes such a one for none, so that an object with one
   * would count as damaged).
   */
  public static Metadata normalized(Metadata metadata) {
    boolean link = metadata.type() == Stat.S_IFLNK;
    boolean empty = metadata.xattrs().stream().anyMatch(x -> x.value().length == 0);
    if (!empty && !link && metadata.mtimeSeconds() == 0 && metadata.mtimeNanos() == 0) {
      return metadata;
    }
    return new Metadata(
        link ? Stat.S_IFLNK | 0777 : metadata.mode(),
        metadata.uid(),
        metadata.gid(),
        0,
        0,
        metadata.xattrs().stream().filter(x -> x.value().length > 0).toList());
  }

  /**
   * What is hashed in front of a file's bytes: the header with its length.
   *
   * @param metadata normalized
   * @param target of a symbolic link, else null
   */
  public static byte[] fileHeader(Metadata metadata, @Nullable OsPath target) {
    return framed(
        GVariant.tuple(
            GVariant.u32be(metadata.uid()),
            GVariant.u32be(metadata.gid()),
            GVariant.u32be(metadata.mode()),
            GVariant.u32be(0),
            GVariant.string(target == null ? new byte[0] : target.bytes()),
            xattrs(metadata)));
  }

  /** The same for an archive repository, where it stands in the file; not hashed. */
  public static byte[] archiveHeader(Metadata metadata, @Nullable OsPath target, long size) {
    return framed(
        GVariant.tuple(
            GVariant.u64be(size),
            GVariant.u32be(metadata.uid()),
            GVariant.u32be(metadata.gid()),
            GVariant.u32be(metadata.mode()),
            GVariant.u32be(0),
            GVariant.string(target == null ? new byte[0] : target.bytes()),
            xattrs(metadata)));
  }

  /** The content object of a symbolic link. */
  public static Checksum symlinkChecksum(Metadata metadata, OsPath target) {
    return Checksum.sha256(fileHeader(metadata, target));
  }

  private static byte[] framed(GVariant header) {
    return ByteBuffer.allocate(8 + header.size())
        .putInt(header.size())
        .putInt(0)
        .put(header.toBytes())
        .array();
  }

  static GVariant xattrs(Metadata metadata) {
    List<GVariant> list = new ArrayList<>();
    for (Metadata.Xattr x : metadata.xattrs()) {
      list.add(GVariant.tuple(GVariant.byteString(x.name()), GVariant.bytes(x.value())));
    }
    return GVariant.array("(ayay)", list);
  }

  /**
   * Reads attributes.
   *
   * @param list of type {@code a(ayay)}
   * @throws Problem of kind CORRUPT for more than {@link #MAX_XATTRS}
   */
  public static List<Metadata.Xattr> xattrs(GVariant list) {
    if (list.count() > MAX_XATTRS) {
      throw Problem.corrupt("an object has more than " + MAX_XATTRS + " attributes");
    }
    List<Metadata.Xattr> xattrs = new ArrayList<>();
    for (GVariant pair : list.elements()) {
      xattrs.add(new Metadata.Xattr(pair.child(0).asByteString(), pair.child(1).asBytes()));
    }
    return xattrs;
  }

  /** Owner, mode and attributes from a tuple that has them at {@code first} and the end. */
  public static Metadata metadata(GVariant tuple, int first) {
    return new Metadata(
        tuple.child(first + 2).asIntBe(),
        tuple.child(first).asIntBe(),
        tuple.child(first + 1).asIntBe(),
        0,
        0,
        xattrs(tuple.child(tuple.count() - 1)));
  }

  /** As {@code user.ostreemeta} and directory metadata have it. */
  public static GVariant metadata(Metadata metadata) {
    return GVariant.tuple(
        GVariant.u32be(metadata.uid()),
        GVariant.u32be(metadata.gid()),
        GVariant.u32be(metadata.mode()),
        xattrs(metadata));
  }

  // ---- directories ----

  public static Metadata dirMeta(byte[] bytes) {
    Metadata metadata = metadata(GVariant.parse(DIRMETA_TYPE, bytes), 0);
    if (metadata.type() != Stat.S_IFDIR || (metadata.mode() & ~(Stat.S_IFMT | 07777)) != 0) {
      throw Problem.corrupt(
          "directory metadata has the mode " + Integer.toOctalString(metadata.mode()));
    }
    return metadata;
  }

  public static byte[] dirTree(Map<OsPath, Checksum> files, Map<OsPath, TreeRoot> directories) {
    List<GVariant> fileList = new ArrayList<>();
    new TreeMap<>(files)
        .forEach(
            (name, checksum) ->
                fileList.add(
                    GVariant.tuple(
                        GVariant.string(name.bytes()), GVariant.bytes(checksum.bytes()))));
    List<GVariant> directoryList = new ArrayList<>();
    new TreeMap<>(directories)
        .forEach(
            (name, sub) ->
                directoryList.add(
                    GVariant.tuple(
                        GVariant.string(name.bytes()),
                        GVariant.bytes(sub.dirtree().bytes()),
                        GVariant.bytes(sub.dirmeta().bytes()))));
    return GVariant.tuple(
            GVariant.array("(say)", fileList), GVariant.array("(sayay)", directoryList))
        .toBytes();
  }

  /**
   * Reads a directory object; names are checked to be single components and to stand in order.
   *
   * @throws Problem of kind CORRUPT
   */
  public static DirTree dirTree(byte[] bytes) {
    GVariant tuple = GVariant.parse(DIRTREE_TYPE, bytes);
    TreeMap<OsPath, Checksum> files = new TreeMap<>();
    for (GVariant entry : tuple.child(0).elements()) {
      OsPath name = name(entry.child(0).asPath());
      requireLast(files, name);
      files.put(name, checksum(entry.child(1)));
    }
    TreeMap<OsPath, TreeRoot> directories = new TreeMap<>();
    for (GVariant entry : tuple.child(1).elements()) {
      OsPath name = name(entry.child(0).asPath());
      requireLast(directories, name);
      if (files.containsKey(name)) {
        throw Problem.corrupt("a directory object has \"" + name + "\" as file and directory");
      }
      directories.put(name, new TreeRoot(checksum(entry.child(1)), checksum(entry.child(2))));
    }
    return new DirTree(files, directories);
  }

  private static void requireLast(TreeMap<OsPath, ?> names, OsPath name) {
    if (!names.isEmpty() && names.lastKey().compareTo(name) >= 0) {
      throw Problem.corrupt("the names of a directory object are not in order at \"" + name + "\"");
    }
  }

  /** A name that can stand in a directory object: one component, UTF-8. */
  public static OsPath name(OsPath name) {
    if (!name.isName()) {
      throw Problem.corrupt("\"" + name + "\" is no name for an entry of a directory");
    }
    return name;
  }

  private static Checksum checksum(GVariant bytes) {
    return Checksum.of(bytes.asBytes());
  }

  // ---- commits ----

  public static byte[] commit(CommitSpec spec) {
    return GVariant.tuple(
            GVariant.dictionary(spec.metadata()),
            GVariant.bytes(spec.parent() == null ? new byte[0] : spec.parent().bytes()),
            GVariant.array("(say)", List.of()),
            GVariant.string(spec.subject()),
            GVariant.string(spec.body()),
            GVariant.u64be(spec.timestamp()),
            GVariant.bytes(spec.root().dirtree().bytes()),
            GVariant.bytes(spec.root().dirmeta().bytes()))
        .toBytes();
  }

  public static Commit commit(Checksum name, byte[] bytes) {
    GVariant tuple = GVariant.parse(COMMIT_TYPE, bytes);
    byte[] parent = tuple.child(1).asBytes();
    return new Commit(
        name,
        tuple.child(0).asMap(),
        parent.length == 0 ? null : Checksum.of(parent),
        tuple.child(3).asString(),
        tuple.child(4).asString(),
        tuple.child(5).asLongBe(),
        new TreeRoot(checksum(tuple.child(6)), checksum(tuple.child(7))));
  }
}
