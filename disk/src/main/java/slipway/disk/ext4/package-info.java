/**
 * ext4 without root, mounts and loop devices: {@link slipway.disk.ext4.Ext4Writer} writes a tree
 * into a part of a file, in one pass over the content. {@code Census} counts and numbers what is in
 * the tree, {@code Geometry} places what is in a group of any file system, {@code Volume} gives out
 * the rest, block after block. What it makes is what mke2fs makes; numbers are little-endian.
 *
 * <pre>
 *  blocks of 4096 bytes, groups of 32768 blocks, 16 groups to a flex group
 *
 *    group 0, 1 and powers of 3, 5, 7
 *      superblock              at byte 1024 of block 0; elsewhere a copy, at byte 0
 *      group descriptors       64 bytes each, for all groups
 *      reserved blocks         for more of them, as resize2fs needs; inode 7 owns them: its double
 *                              indirect block names those behind block 0, each of these its copies
 *    first group of a flex group, behind that
 *      16 block bitmaps, 16 inode bitmaps, 16 inode tables
 *    all the rest, in this order
 *      double indirect block of inode 7
 *      journal                 inode 8, empty: a superblock, then zeros
 *      the tree                parents first, siblings in byte order; of each inode
 *                                block of attributes that its inode has no room for
 *                                content, a directory's entries, a long link's target
 *                                blocks of its extents, each as soon as it is full
 *      free
 *
 *  inodes: 2 root, 7 and 8 as above, 11 lost+found, from 12 the tree in the same order
 *    0    128 bytes that ext2 had; at 40 a short link's target, a device, or the root of
 *         the extents: header of 12 bytes, up to 4 entries of 12
 *    128  32 bytes: checksum, nanoseconds, time of creation
 *    160  attributes: magic ea020000, entries from the front, values from the back
 *
 *  directory block: entries (inode, length, length of name, type, name), then 12 bytes with the
 *  checksum that look like an entry without a name. There is no index of names: that is the
 *  kernel's to make.
 * </pre>
 *
 * Everything bears a CRC-32C that begins with the file system's UUID. A group of which nothing is
 * used has no bitmaps and no inode table yet, as its flags say: what is not written is zero,
 * because the region was. The superblock is written last, so an unfinished file system is none.
 */
@org.jspecify.annotations.NullMarked
package slipway.disk.ext4;
