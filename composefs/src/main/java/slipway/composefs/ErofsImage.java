package slipway.composefs;

import java.util.SortedMap;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.Metadata;
import slipway.linux.posix.OsPath;

/**
 * A composefs image that was read, as it stands on disk: with the attributes that overlayfs reads
 * and the names that hide the object directories. Its dump tells what was meant.
 *
 * @param version composefs's version of the form, 0 to 2
 * @param root the root directory
 */
public record ErofsImage(int version, Inode root) {
  /**
   * An inode. Names that are hard links share the object.
   *
   * @param metadata mode, owner, times and attributes
   * @param size bytes, as stat(2) has it
   * @param nlink number of links, as the image says it
   * @param data what it holds
   */
  public record Inode(Metadata metadata, long size, int nlink, Data data) {}

  /** What an inode holds beside its metadata. */
  public sealed interface Data {
    /**
     * Names of a directory.
     *
     * @param children without dot and dot-dot
     */
    record Directory(SortedMap<OsPath, Inode> children) implements Data {}

    /** A symbolic link. */
    record Symlink(OsPath target) implements Data {}

    /** A regular file whose bytes are in the image; an empty file too. */
    record Inline(byte[] bytes) implements Data {}

    /**
     * A regular file whose bytes are elsewhere.
     *
     * @param path where, below the directory of objects and without a leading slash, or null; an
     *     image may name what it likes, so it is resolved beneath that directory only
     * @param digest fs-verity's of the content, 32 or 64 bytes, or null
     */
    record Backed(@Nullable OsPath path, byte @Nullable [] digest) implements Data {}

    /**
     * A character or block device.
     *
     * @param rdev as makedev(3) packs it, in 32 bits
     */
    record Device(long rdev) implements Data {}

    /** A fifo or a socket. */
    record None() implements Data {}
  }

  /**
   * Reads an image. Whatever it says is checked before it is used; its names, attributes and levels
   * stay below {@link slipway.base.Limit}'s totals, and its data below the size of the image.
   *
   * @param image the whole file
   * @param where the file's name, for messages
   * @throws slipway.base.Problem of kind CORRUPT that names the byte for an image that is damaged,
   *     is none, or has what composefs images do not have
   */
  public static ErofsImage read(byte[] image, String where) {
    return new ErofsReader(image, where).read();
  }
}
