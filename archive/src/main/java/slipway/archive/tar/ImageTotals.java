package slipway.archive.tar;

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

  private final String where;
  private final AtomicLong content;
  private final AtomicLong memory = new AtomicLong();

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

  /** Takes an attempt's tree back, which is let go. The content that it wrote counts still. */
  public void giveUp() {
    if (whole != null) {
      whole.memory.addAndGet(-memory.get());
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

  /** Counts bytes of layers once decompressed, holes included. */
  void content(long bytes) {
    Limit.IMAGE_BYTES.check(content.addAndGet(bytes), where);
    if (whole != null) {
      whole.content(bytes);
    }
  }
}
