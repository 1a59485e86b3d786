package slipway.composefs;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.Metadata;
import slipway.base.Limit;
import slipway.composefs.ErofsFormat.Compact;
import slipway.composefs.ErofsFormat.Dirent;
import slipway.composefs.ErofsFormat.Extended;
import slipway.composefs.ErofsFormat.Header;
import slipway.composefs.ErofsFormat.SuperBlock;
import slipway.composefs.ErofsImage.Data;
import slipway.composefs.ErofsImage.Inode;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Stat;

/** Reads an image that {@link ErofsWriter}, mkcomposefs or composefs-rs wrote. */
final class ErofsReader {
  private static final int MAX_NANOS = 999_999_999;

  /** More chunks than mkcomposefs puts behind an inode; such a list lies elsewhere. */
  private static final long MAX_CHUNKS = (ErofsFormat.BLOCK - ErofsFormat.SLOT) / 4;

  /** Linux's PATH_MAX with the NUL. */
  private static final int MAX_TARGET = 4095;

  private final ErofsBytes image;
  private final ErofsXattrs xattrs;
  private long inodesAt;
  private long seconds;
  private int nanos;

  /** Inodes that are no directories, by number. */
  private final Map<Long, Inode> leaves = new HashMap<>();

  private final Set<Long> directories = new HashSet<>();

  private long names;
  private long dataBytes;

  ErofsReader(byte[] bytes, String where) {
    this.image = new ErofsBytes(bytes, where);
    this.xattrs = new ErofsXattrs(image);
  }

  ErofsImage read() {
    int version = header();
    ByteBuffer superBlock = superBlock();
    long root = SuperBlock.ROOT.get(superBlock);
    Inode inode = inode(root, root, 0);
    if (!(inode.data() instanceof Data.Directory)) {
      throw image.damaged(field(SuperBlock.ROOT.offset()), "the root is no directory");
    }
    long inodes = SuperBlock.INODES.get(superBlock);
    long found = leaves.size() + directories.size();
    if (inodes != found) {
      throw image.damaged(
          field(SuperBlock.INODES.offset()),
          "the super block counts "
              + Long.toUnsignedString(inodes)
              + " inodes, but names lead to "
              + found);
    }
    return new ErofsImage(version, inode);
  }

  private static long field(int offset) {
    return SuperBlock.START + (long) offset;
  }

  // ---- header and super block ----

  private int header() {
    ByteBuffer header = image.piece(0, Header.SIZE, "composefs's header");
    if (Header.MAGIC.get(header) != Header.MAGIC_VALUE) {
      throw image.damaged(Header.MAGIC.offset(), "it does not begin as a composefs image does");
    }
    if (Header.VERSION.get(header) != Header.VERSION_VALUE) {
      throw image.damaged(
          Header.VERSION.offset(), "its version " + Header.VERSION.get(header) + " is unknown");
    }
    long version = Header.COMPOSEFS_VERSION.get(header);
    if (version > Header.MAX_COMPOSEFS_VERSION) {
      throw image.damaged(
          Header.COMPOSEFS_VERSION.offset(), "composefs's version " + version + " is unknown");
    }
    return (int) version;
  }

  private ByteBuffer superBlock() {
    ByteBuffer block = image.piece(SuperBlock.START, SuperBlock.SIZE, "the super block");
    if (SuperBlock.MAGIC.get(block) != SuperBlock.MAGIC_VALUE) {
      throw image.damaged(field(SuperBlock.MAGIC.offset()), "there is no super block of EROFS");
    }
    if (SuperBlock.BLOCK_BITS.get(block) != ErofsFormat.BLOCK_BITS) {
      throw image.damaged(
          field(SuperBlock.BLOCK_BITS.offset()),
          "its blocks have 2^" + SuperBlock.BLOCK_BITS.get(block) + " bytes instead of 4096");
    }
    long features = SuperBlock.INCOMPATIBLE_FEATURES.get(block) & ~SuperBlock.CHUNKED_FILE;
    if (features != 0) {
      throw image.damaged(
          field(SuperBlock.INCOMPATIBLE_FEATURES.offset()),
          "it has features that composefs images do not have: 0x" + Long.toHexString(features));
    }
    long blocks = SuperBlock.BLOCKS.get(block) * ErofsFormat.BLOCK;
    if (blocks > image.length()) {
      throw image.damaged(
          field(SuperBlock.BLOCKS.offset()),
          "it was cut off: its blocks have " + blocks + " bytes, the file " + image.length());
    }
    image.end(blocks);
    inodesAt = SuperBlock.INODES_BLOCK.get(block) * ErofsFormat.BLOCK;
    xattrs.sharedAt(SuperBlock.XATTRS_BLOCK.get(block) * ErofsFormat.BLOCK);
    seconds = SuperBlock.SECONDS.get(block);
    nanos = nanos(SuperBlock.NANOS.get(block), field(SuperBlock.NANOS.offset()));
    return block;
  }

  private int nanos(long value, long at) {
    if (value > MAX_NANOS) {
      throw image.damaged(at, value + " nanoseconds are more than a second");
    }
    return (int) value;
  }

  // ---- inodes ----

  /**
   * The fixed part of an inode.
   *
   * @param bodyAt where the attributes begin
   * @param tailAt where they end
   * @param pointer a block, a device or the size of chunks, as the type and the layout have it
   */
  private record Head(
      long at,
      long bodyAt,
      long tailAt,
      int layout,
      int mode,
      int nlink,
      int uid,
      int gid,
      long seconds,
      int nanos,
      long length,
      long pointer) {}

  private Inode inode(long number, long parent, int depth) {
    Inode known = leaves.get(number);
    if (known != null) {
      return known;
    }
    Head head = head(number);
    Metadata metadata =
        new Metadata(
            head.mode,
            head.uid,
            head.gid,
            head.seconds,
            head.nanos,
            xattrs.read(head.bodyAt, head.tailAt));
    if ((head.mode & Stat.S_IFMT) == Stat.S_IFDIR) {
      if (!directories.add(number)) {
        throw image.damaged(head.at, "two names lead to this directory");
      }
      Limit.TREE_DEPTH.check(depth, image.where());
      Data data = directory(head, number, parent, depth);
      return new Inode(metadata, head.length, head.nlink, data);
    }
    Inode leaf = new Inode(metadata, head.length, head.nlink, leaf(head, metadata));
    leaves.put(number, leaf);
    return leaf;
  }

  private Head head(long number) {
    if (number < 0 || number > image.end() / ErofsFormat.SLOT) {
      throw image.damaged(inodesAt, "there is no inode " + Long.toUnsignedString(number));
    }
    long at = inodesAt + number * ErofsFormat.SLOT;
    int format = ErofsFormat.Inode.FORMAT.get(image.piece(at, Compact.SIZE, "an inode"));
    boolean extended = (format & ErofsFormat.Inode.EXTENDED) != 0;
    int layout = format >> ErofsFormat.Inode.LAYOUT_SHIFT;
    if (layout != ErofsFormat.Inode.FLAT_PLAIN
        && layout != ErofsFormat.Inode.FLAT_INLINE
        && layout != ErofsFormat.Inode.CHUNK_BASED) {
      throw image.damaged(at, "the inode has the unknown format " + format);
    }
    ByteBuffer b = image.piece(at, extended ? Extended.SIZE : Compact.SIZE, "an inode");
    int mode = ErofsFormat.Inode.MODE.get(b);
    if (Stat.entryType(mode) == 0) {
      throw image.damaged(
          at, "the inode's mode " + Integer.toOctalString(mode) + " has no known type");
    }
    long bodyAt = at + b.capacity();
    long tailAt = bodyAt + ErofsFormat.xattrSize(ErofsFormat.Inode.XATTR_COUNT.get(b));
    Head head =
        extended
            ? extended(b, at, bodyAt, tailAt, layout, mode)
            : compact(b, at, bodyAt, tailAt, layout, mode);
    if (head.length < 0) {
      throw image.damaged(at, "the inode has more bytes than any file");
    }
    return head;
  }

  private Head compact(ByteBuffer b, long at, long bodyAt, long tailAt, int layout, int mode) {
    return new Head(
        at,
        bodyAt,
        tailAt,
        layout,
        mode,
        Compact.NLINK.get(b),
        Compact.UID.get(b),
        Compact.GID.get(b),
        seconds,
        nanos,
        Compact.LENGTH.get(b),
        Compact.POINTER.get(b));
  }

  private Head extended(ByteBuffer b, long at, long bodyAt, long tailAt, int layout, int mode) {
    return new Head(
        at,
        bodyAt,
        tailAt,
        layout,
        mode,
        (int) Extended.NLINK.get(b),
        (int) Extended.UID.get(b),
        (int) Extended.GID.get(b),
        Extended.SECONDS.get(b),
        nanos(Extended.NANOS.get(b), at + Extended.NANOS.offset()),
        Extended.LENGTH.get(b),
        Extended.POINTER.get(b));
  }

  private Data leaf(Head head, Metadata metadata) {
    return switch (head.mode & Stat.S_IFMT) {
      case Stat.S_IFREG ->
          head.layout == ErofsFormat.Inode.CHUNK_BASED
              ? backed(head, metadata)
              : new Data.Inline(content(head));
      case Stat.S_IFLNK -> symlink(head);
      case Stat.S_IFCHR, Stat.S_IFBLK -> new Data.Device(head.pointer);
      default -> new Data.None();
    };
  }

  private Data symlink(Head head) {
    if (head.length == 0 || head.length > MAX_TARGET) {
      throw image.damaged(head.at, "the link's target has " + head.length + " bytes");
    }
    byte[] target = content(head);
    if (ErofsBytes.holds(target, 0)) {
      throw image.damaged(head.at, "the link's target holds a NUL byte");
    }
    return new Data.Symlink(OsPath.ofBytes(target));
  }

  private Data backed(Head head, Metadata metadata) {
    requireNoChunks(head);
    byte[] metacopy = metadata.xattr(OverlayXattrs.METACOPY).orElse(new byte[0]);
    if (!OverlayXattrs.isMetacopy(metacopy)) {
      throw image.damaged(
          head.at, "the file's attribute " + OverlayXattrs.METACOPY + " is malformed");
    }
    byte[] redirect = metadata.xattr(OverlayXattrs.REDIRECT).orElse(null);
    return new Data.Backed(
        redirect == null ? null : path(head, redirect), OverlayXattrs.digest(metacopy));
  }

  private OsPath path(Head head, byte[] redirect) {
    if (redirect.length == 0 || ErofsBytes.holds(redirect, 0)) {
      throw image.damaged(
          head.at, "the file's attribute " + OverlayXattrs.REDIRECT + " is no path");
    }
    OsPath path = OsPath.ofBytes(redirect);
    return path.isAbsolute() ? path.substring(1) : path;
  }

  /** A file whose bytes are elsewhere has none here. */
  private void requireNoChunks(Head head) {
    int bits = ErofsFormat.BLOCK_BITS + (int) (head.pointer & ErofsFormat.Inode.CHUNK_BITS_MASK);
    if (head.pointer > ErofsFormat.Inode.CHUNK_BITS_MASK) {
      throw image.damaged(head.at, "the file's chunks have the unknown format " + head.pointer);
    }
    long count = head.length == 0 ? 0 : ((head.length - 1) >> bits) + 1;
    if (count > MAX_CHUNKS) {
      return;
    }
    claim(head, count * ErofsFormat.Inode.CHUNK);
    ByteBuffer chunks =
        image.piece(head.tailAt, count * ErofsFormat.Inode.CHUNK, "the file's list of chunks");
    while (chunks.hasRemaining()) {
      if (chunks.getInt() != ErofsFormat.Inode.NO_CHUNK) {
        throw image.damaged(
            head.tailAt + chunks.position() - ErofsFormat.Inode.CHUNK,
            "a chunk of the file is in the image, where composefs has none");
      }
    }
  }

  // ---- data ----

  /** Data of an honest image does not overlap, so all of it together is smaller than the image. */
  private void claim(Head head, long size) {
    dataBytes += size;
    if (size > image.end() || dataBytes > image.end()) {
      throw image.damaged(
          head.at, "with the inode's " + size + " bytes there are more than the image's");
    }
  }

  /** Where the byte at an offset of the inode's data lies, which is flat. */
  private long position(Head head, long offset) {
    long whole = head.length - tail(head);
    return offset < whole
        ? head.pointer * ErofsFormat.BLOCK + offset
        : head.tailAt + offset - whole;
  }

  /** Bytes that lie behind the inode. */
  private static long tail(Head head) {
    return head.layout == ErofsFormat.Inode.FLAT_INLINE ? head.length % ErofsFormat.BLOCK : 0;
  }

  /** Looks at where flat data lies. */
  private void requireFlat(Head head) {
    if (head.layout == ErofsFormat.Inode.CHUNK_BASED) {
      throw image.damaged(head.at, "only a file may consist of chunks");
    }
    claim(head, head.length);
    long tail = tail(head);
    boolean inline = head.layout == ErofsFormat.Inode.FLAT_INLINE;
    if (inline && (tail == 0 || head.tailAt % ErofsFormat.BLOCK + tail > ErofsFormat.BLOCK)) {
      throw image.damaged(head.at, "the inode's last bytes do not lie in one block");
    }
  }

  private byte[] content(Head head) {
    requireFlat(head);
    long whole = head.length - tail(head);
    byte[] content = new byte[(int) head.length];
    if (whole > 0) {
      image.piece(position(head, 0), whole, "the inode's data").get(content, 0, (int) whole);
    }
    image
        .piece(head.tailAt, head.length - whole, "the inode's data")
        .get(content, (int) whole, (int) (head.length - whole));
    return content;
  }

  // ---- directories ----

  private Data directory(Head head, long number, long parent, int depth) {
    requireFlat(head);
    TreeMap<OsPath, Inode> children = new TreeMap<>();
    Entries entries = new Entries(number, parent, depth, children);
    for (long offset = 0; offset < head.length; offset += ErofsFormat.BLOCK) {
      long size = Math.min(ErofsFormat.BLOCK, head.length - offset);
      entries.block(position(head, offset), size);
    }
    if (!entries.dot || !entries.dotDot) {
      throw image.damaged(head.at, "the directory lacks an entry for itself or for its parent");
    }
    return new Data.Directory(children);
  }

  /** The entries of one directory, block by block. */
  private final class Entries {
    private final long number;
    private final long parent;
    private final int depth;
    private final TreeMap<OsPath, Inode> children;
    private @Nullable OsPath last;
    private boolean dot;
    private boolean dotDot;

    Entries(long number, long parent, int depth, TreeMap<OsPath, Inode> children) {
      this.number = number;
      this.parent = parent;
      this.depth = depth;
      this.children = children;
    }

    void block(long at, long size) {
      ByteBuffer block = image.piece(at, size, "a directory");
      int namesAt = nameAt(at);
      if (namesAt == 0 || namesAt % Dirent.SIZE != 0 || namesAt > size) {
        throw image.damaged(at, "the directory's first name is not behind its entries");
      }
      int from = namesAt;
      for (int entryAt = 0; entryAt < namesAt; entryAt += Dirent.SIZE) {
        ByteBuffer entry = image.piece(at + entryAt, Dirent.SIZE, "a directory");
        boolean isLast = entryAt + Dirent.SIZE == namesAt;
        int to = isLast ? (int) size : nameAt(at + entryAt + Dirent.SIZE);
        if (Dirent.NAME.get(entry) != from || to <= from || to > size) {
          throw image.damaged(at + entryAt, "the directory's names do not follow each other");
        }
        ByteBuffer name = block.slice(from, to - from);
        entry(at + entryAt, entry, ErofsBytes.copy(isLast ? upToNul(name) : name));
        from = to;
      }
    }

    private int nameAt(long entry) {
      return Dirent.NAME.get(image.piece(entry, Dirent.SIZE, "a directory"));
    }

    /** The last name of a block is padded. */
    private static ByteBuffer upToNul(ByteBuffer name) {
      for (int i = 0; i < name.limit(); i++) {
        if (name.get(i) == 0) {
          return name.limit(i);
        }
      }
      return name;
    }

    private void entry(long at, ByteBuffer entry, byte[] bytes) {
      if (bytes.length == 0
          || bytes.length > ErofsFormat.MAX_NAME
          || ErofsBytes.holds(bytes, 0)
          || ErofsBytes.holds(bytes, '/')) {
        throw image.damaged(at, "the directory has an entry that is no name");
      }
      OsPath name = OsPath.ofBytes(bytes);
      if (last != null && name.compareTo(last) <= 0) {
        throw image.damaged(at, "the directory's names are not in order");
      }
      last = name;
      long target = Dirent.INODE.get(entry);
      if (!name.isName()) {
        boolean self = name.is(".");
        if (target != (self ? number : parent)) {
          throw image.damaged(at, "the directory's \"" + name + "\" leads elsewhere");
        }
        dot |= self;
        dotDot |= !self;
        return;
      }
      Limit.LAYER_ENTRIES.check(++names, image.where());
      Inode child = inode(target, number, depth + 1);
      if (Dirent.TYPE.get(entry) != Stat.entryType(child.metadata().mode())) {
        throw image.damaged(at, "the directory's entry and its inode are of different types");
      }
      children.put(name, child);
    }
  }
}
