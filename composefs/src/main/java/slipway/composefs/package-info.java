/**
 * composefs: images of EROFS that hold metadata only and name each file by its fs-verity digest, as
 * mkcomposefs writes them, and their reader. {@link slipway.composefs.ErofsWriter} writes what
 * {@link slipway.composefs.ErofsLayout} placed, {@link slipway.composefs.ErofsImage} reads; both
 * know the fields from {@code ErofsFormat}. {@link slipway.composefs.FsVerity} has the digests.
 *
 * <pre>
 *    0  composefs's header, 32 bytes: magic d0 78 62 9a, version 1, flags, composefs's version
 * 1024  super block, 128 bytes: magic e0 f5 e1 e2, root, number of inodes, time of compact inodes,
 *       number of blocks, block of the shared attributes
 * 1152  inodes, each at a multiple of 32, breadth first:
 *
 *         compact, 32 bytes          extended, 64 bytes
 *          0  format: layout, size    0
 *          2  units of attributes     2
 *          4  mode                    4
 *          6  links                  44
 *          8  length, 4 bytes         8  length, 8 bytes
 *         16  block, device or size of chunks, by type
 *         20  number                 20
 *         24  owner, 26 group        24  owner, 28 group
 *             (time of the super     32  seconds, 40 nanoseconds
 *             block)
 *
 *       behind it its attributes:
 *          0  filter of names, 4  number of shared ones, 12  their places in units of 4
 *             the others: length of name, prefix, length of value; rest of the name; value
 *
 *       behind them what is less than half a block of
 *          a directory: entries of 12 bytes (inode, place of the name, type), then the names
 *          a link's target, or a file's bytes that are in the image
 *          a list of chunks of a file, all ff: its bytes are elsewhere, and the attributes
 *          trusted.overlay.redirect and .metacopy say where, and with which digest
 *
 *       attributes that several inodes share
 *       blocks of 4096 bytes: the directories and files that did not fit
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.composefs;
