package slipway.archive.tar;

import java.util.concurrent.atomic.AtomicLong;
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

  /**
   * @param where what is read, for messages, such as {@code the image's layers}
   */
  public ImageTotals(String where) {
    this(where, new AtomicLong());
  }

  private ImageTotals(String where, AtomicLong content) {
    this.where = where;
    this.content = content;
  }

  /** For the next layer of a reader that does not keep the trees: content goes on being counted. */
  public ImageTotals withoutTrees() {
    return new ImageTotals(where, content);
  }

  /**
   * Counts an inode.
   *
   * @param bytes of its names and attributes
   */
  public void inode(long bytes) {
    Limit.TREE_BYTES.check(memory.addAndGet(INODE + bytes), where);
  }

  /** Counts bytes of layers once decompressed, holes included. */
  void content(long bytes) {
    Limit.IMAGE_BYTES.check(content.addAndGet(bytes), where);
  }
}
