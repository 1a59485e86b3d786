package slipway.archive.tar;

import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import slipway.base.Limit;

/**
 * What all layers of one image have cost so far: each may be small, and an image may have thousands
 * that are read at once and whose trees are kept. Safe for use by many threads.
 */
public final class ImageTotals {
  /**
   * Bytes of the heap that an inode of a tree takes beside its names and attributes, about: the
   * node, its metadata and content, and its place in the maps of the layer and of the merged tree.
   */
  private static final int INODE = 512;

  /**
   * Those that an attribute takes beside its name and value, about: two arrays and what has them.
   */
  private static final int ATTRIBUTE = 96;

  private final String where;
  private final AtomicLong content;
  private final AtomicLong memory = new AtomicLong();

  /** Content of all attempts, those that were given up too. */
  private final AtomicLong attempted = new AtomicLong();

  /** What of it is counted there, too; null when it stands alone. */
  private final @Nullable ImageTotals whole;

  /**
   * @param where what is read, for messages, such as {@code the image's layers}
   */
  public ImageTotals(String where) {
    this(where, new AtomicLong(), null);
  }

  private ImageTotals(String where, AtomicLong content, @Nullable ImageTotals whole) {
    this.where = where;
    this.content = content;
    this.whole = whole;
  }

  /** For the next layer of a reader that does not keep the trees: content goes on being counted. */
  public ImageTotals withoutTrees() {
    return new ImageTotals(where, content, null);
  }

  /** For something that may be given up again: what it costs is counted here, too. */
  public ImageTotals attempt() {
    return new ImageTotals(where, new AtomicLong(), this);
  }

  /**
   * Takes an attempt back, whose tree is let go. What it wrote is mostly what comes again another
   * way, and lies on the disk once; attempts have a total of their own, which it still counts in.
   *
   * @param kept bytes of memory that something of it goes on taking
   */
  public void giveUp(long kept) {
    if (whole != null) {
      whole.memory.addAndGet(kept - memory.get());
      whole.content.addAndGet(-content.get());
    }
  }

  /**
   * Counts an inode.
   *
   * @param bytes of its names and attributes
   */
  public void inode(long bytes) {
    // Here and there before either refuses it: what is taken back is what was counted.
    long own = memory.addAndGet(INODE + bytes);
    if (whole != null) {
      whole.inode(bytes);
    }
    Limit.TREE_BYTES.check(own, where);
  }

  /** Bytes of memory that attributes take: empty ones are a few bytes of an archive. */
  public static long attributes(List<Metadata.Xattr> xattrs) {
    long bytes = 0;
    for (Metadata.Xattr xattr : xattrs) {
      bytes += ATTRIBUTE + xattr.name().length() + xattr.value().length;
    }
    return bytes;
  }

  /** Counts bytes of layers once decompressed, holes included. */
  void content(long bytes) {
    // Here and there before either refuses it, as above.
    long own = content.addAndGet(bytes);
    if (whole != null) {
      own = Math.max(own, whole.attempted.addAndGet(bytes));
      whole.content(bytes);
    }
    Limit.IMAGE_BYTES.check(own, where);
  }
}
