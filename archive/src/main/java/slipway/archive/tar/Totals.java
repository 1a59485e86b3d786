package slipway.archive.tar;

import slipway.archive.tar.Metadata.Xattr;
import slipway.base.Cleanup;
import slipway.base.Limit;

/**
 * What one layer, archive or directory has cost so far, held to the limits while it is read: a few
 * bytes of an archive may claim any number of files, any size and any amount of memory.
 */
public final class Totals {
  private final String where;
  private final ImageTotals image;
  private long entries;
  private long content;
  private long holes;
  private long xattrs;

  /**
   * @param where what is read, for messages, such as {@code the tar archive}
   */
  public Totals(String where) {
    this(where, new ImageTotals(where));
  }

  /**
   * @param image what the layers of the same image cost together
   */
  public Totals(String where, ImageTotals image) {
    this.where = where;
    this.image = image;
  }

  /**
   * Counts a name and what it stands for.
   *
   * @param names bytes of its path and of the target of a link
   */
  public void entry(Metadata metadata, long names) {
    long attributes = 0;
    for (Xattr xattr : metadata.xattrs()) {
      attributes += xattr.name().length() + xattr.value().length;
    }
    xattrs += attributes;
    Limit.XATTR_BYTES.check(xattrs, where);
    count(names + ImageTotals.attributes(metadata.xattrs()));
  }

  /** Counts a directory that is there only because of what is in it. */
  public void implied(long names) {
    count(names);
  }

  private void count(long bytes) {
    Cleanup.checkStopped();
    Limit.LAYER_ENTRIES.check(++entries, where);
    image.inode(bytes);
  }

  /** Counts bytes of an archive as they are read, headers and padding included. */
  void read(long bytes) {
    Cleanup.checkStopped();
    content += bytes;
    Limit.LAYER_BYTES.check(content + holes, where);
    image.content(bytes);
  }

  /** Counts the holes of a file, before any of it is read. */
  public void holes(long bytes) {
    holes += bytes;
    Limit.LAYER_BYTES.check(content + holes, where);
    image.content(bytes);
  }

  /** Holds a number of directories within each other to its limit. */
  public void depth(int levels) {
    Limit.TREE_DEPTH.check(levels, where);
  }
}
