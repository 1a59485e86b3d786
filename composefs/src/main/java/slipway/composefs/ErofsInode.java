package slipway.composefs;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.Metadata;
import slipway.composefs.ErofsFormat.Compact;
import slipway.composefs.ErofsFormat.Dirent;
import slipway.composefs.ErofsFormat.Extended;
import slipway.composefs.ErofsFormat.Inode;
import slipway.composefs.ErofsFormat.XattrArea;
import slipway.linux.posix.OsPath;

/** An inode of a composefs image while it is laid out. */
public final class ErofsInode {
  /** Bytes of a block; the target of a link is shorter. */
  public static final int BLOCK = ErofsFormat.BLOCK;

  private static final int MAX_SHARED = 128;

  /** What follows the metadata. */
  public enum Kind {
    DIRECTORY,
    SYMLINK,
    /** A regular file whose bytes are in the image. */
    INLINED,
    /** A regular file whose bytes are elsewhere. */
    CHUNKED,
    /** Nothing: an empty file, a device, a fifo, a socket. */
    BARE
  }

  final Kind kind;
  public int mode;
  public final int uid;
  public final int gid;
  public final long mtimeSeconds;
  public final int mtimeNanos;
  public long rdev;
  public long size;
  public int nlink;

  /** By full name. */
  public final TreeMap<OsPath, byte[]> xattrs = new TreeMap<>();

  /** Of a directory, dot and dot-dot too. */
  public final TreeMap<OsPath, ErofsInode> children = new TreeMap<>();

  /** Of a symbolic link, or of an inlined file. */
  public byte[] data = {};

  /** The directory and name under which an inode with several names is visited. */
  @Nullable public ErofsInode firstParent;

  @Nullable public OsPath firstName;

  public boolean holdsWhiteouts;

  /** Visit order, or -1 before the visit. */
  int number = -1;

  // The layout, filled in by ErofsLayout.

  boolean extended;
  long position;
  int blocks;
  int tail;
  long firstBlock;
  private List<ErofsXattr> formed = List.of();
  List<ErofsXattr> shared = List.of();
  List<ErofsXattr> unshared = List.of();

  public ErofsInode(Kind kind, Metadata metadata) {
    this.kind = kind;
    this.mode = metadata.mode();
    this.uid = metadata.uid();
    this.gid = metadata.gid();
    this.mtimeSeconds = metadata.mtimeSeconds();
    this.mtimeNanos = metadata.mtimeNanos();
  }

  public boolean isDirectory() {
    return kind == Kind.DIRECTORY;
  }

  public void xattr(String name, byte[] value) {
    xattr(OsPath.of(name), value);
  }

  public void xattr(OsPath name, byte[] value) {
    xattrs.put(name, value);
  }

  boolean isFirstName(ErofsInode parent, OsPath name) {
    return firstParent == parent && java.util.Objects.equals(name, firstName);
  }

  /** Position in units of slots, as directory entries name it. */
  long nid() {
    return position / ErofsFormat.SLOT;
  }

  /** Number of bits of a chunk of a file of this size. */
  int chunkBits() {
    int bits = size <= 1 ? 0 : 64 - Long.numberOfLeadingZeros(size - 1);
    return Math.clamp(bits, ErofsFormat.BLOCK_BITS, ErofsFormat.BLOCK_BITS + Inode.CHUNK_BITS_MASK);
  }

  /** The attributes in the form in which they are counted and written. */
  List<ErofsXattr> formXattrs() {
    formed = new ArrayList<>(xattrs.size());
    for (Map.Entry<OsPath, byte[]> x : xattrs.entrySet()) {
      formed.add(new ErofsXattr(x.getKey(), x.getValue()));
    }
    return formed;
  }

  /** Sorts the attributes into those that the image holds once and those that stand here. */
  void shareXattrs(Map<ErofsXattr, Integer> uses) {
    List<ErofsXattr> once = new ArrayList<>();
    List<ErofsXattr> here = new ArrayList<>();
    for (ErofsXattr xattr : formed) {
      boolean many = uses.getOrDefault(xattr, 0) > 1 && once.size() < MAX_SHARED;
      (many ? once : here).add(xattr);
    }
    shared = once;
    unshared = here;
  }

  /** Bytes of the attribute area. */
  int xattrSize() {
    if (xattrs.isEmpty()) {
      return 0;
    }
    int size = XattrArea.SIZE + XattrArea.UNIT * shared.size();
    for (ErofsXattr x : unshared) {
      size += x.paddedSize();
    }
    return size;
  }

  int inodeSize() {
    return extended ? Extended.SIZE : Compact.SIZE;
  }

  int layout() {
    if (kind == Kind.CHUNKED) {
      return Inode.CHUNK_BASED;
    }
    return tail > 0 ? Inode.FLAT_INLINE : Inode.FLAT_PLAIN;
  }

  /** Computes the size of what follows and how much of it is whole blocks. */
  void measure() {
    switch (kind) {
      case DIRECTORY -> measureDirectory();
      case SYMLINK -> {
        size = data.length;
        tail = data.length;
      }
      case INLINED -> {
        size = data.length;
        split(data.length);
      }
      case CHUNKED -> {
        long chunk = 1L << chunkBits();
        tail = Math.toIntExact(Inode.CHUNK * ((size + chunk - 1) / chunk));
      }
      case BARE -> {}
    }
  }

  private void measureDirectory() {
    int used = 0;
    for (OsPath name : children.keySet()) {
      int length = Dirent.SIZE + name.length();
      if (used + length > BLOCK) {
        blocks++;
        used = 0;
      }
      used += length;
    }
    int whole = blocks;
    blocks = 0;
    split(used);
    blocks += whole;
    size = (long) blocks * BLOCK + tail;
  }

  private void split(int length) {
    blocks = length / BLOCK;
    tail = length % BLOCK;
    if (tail > BLOCK / 2) {
      blocks++;
      tail = 0;
    }
  }
}
