package slipway.tree;

import java.io.IOException;
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
   * Counts a layer that was read before and is in memory now.
   *
   * @throws slipway.base.Problem (CORRUPT) when the trees are larger than {@link Limit#TREE_BYTES}
   */
  public void add(Layer layer) throws IOException {
    layer.walk(
        (path, node) -> {
          switch (node) {
            case Node.Whiteout w -> inode(path.length());
            case Node.LinkBelow l -> inode(path.length() + l.target().length());
            case Node.Symlink s -> inode(path.length() + s.target().length() + attributes(s));
            case Node.Directory d -> inode(path.length() + attributes(d));
            case Node.File f -> inode(path.length() + attributes(f));
            case Node.Special s -> inode(path.length() + attributes(s));
          }
        });
  }

  private static long attributes(Node node) {
    return node.metadata().xattrs().stream()
        .mapToLong(x -> x.name().length() + x.value().length)
        .sum();
  }

  /**
   * Counts an inode.
   *
   * @param bytes of its names and attributes
   */
  void inode(long bytes) {
    Limit.TREE_BYTES.check(memory.addAndGet(INODE + bytes), where);
  }

  /** Counts bytes of layers once decompressed, holes included. */
  void content(long bytes) {
    Limit.IMAGE_BYTES.check(content.addAndGet(bytes), where);
  }
}
