/**
 * composefs: images of EROFS that hold metadata only and name each file by its fs-verity digest, as
 * mkcomposefs writes them.
 *
 * <pre>
 * 0     header, zero
 * 1024  superblock, 128 bytes
 * 1152  inodes, each with its attributes and, if it is small, its directory
 *       attributes that several inodes share
 *       blocks of 4096 bytes: the directories that did not fit
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.composefs;
