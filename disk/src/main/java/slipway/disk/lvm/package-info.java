/**
 * A volume group of LVM2 without device mapper, daemons and root: {@link
 * slipway.disk.lvm.PhysicalVolume} writes what vgcreate(8) and lvcreate(8) write, for a group of
 * one partition ({@link slipway.disk.lvm.VolumeGroup}). The content of its volumes is others'
 * affair: each lies in one piece, so that it is a part of the disk as a partition is.
 *
 * <pre>
 *  offset    size
 *  512       512        label        0 LABELONE, 8 sector (1), 16 checksum of 20 to 512,
 *                                    20 offset of what follows (32), 24 LVM2 001
 *                                    32 id of the physical volume, 32 characters; 64 its size
 *                                    72 data: offset, size (0: to the end); 88 none further
 *                                    104 area of the description: offset, size; 120 none further
 *                                    136 version of the extension (2), 140 in use (1),
 *                                    144 no area for boot loaders
 *  4096      512        its head     0 checksum of 4 to 512, 4 magic, 20 version (1),
 *                                    24 offset, 32 size of the area; 40 the description: offset
 *                                    in the area, size, checksum, flags; 64 none further
 *  4608      some KiB   description  text with a zero at its end: name { … } of the group, its
 *                                    physical volume and logical volumes; the next one is
 *                                    written behind it, and around the end of the area
 *  1 MiB     4 MiB each extents      of the volumes, one after another, then free ones
 * </pre>
 *
 * Numbers are little-endian. Checksums are CRC-32, begun with f597a6cf and not inverted. Sectors
 * have 512 bytes here, whatever the disk's are. An id is 32 characters, in six groups of a text;
 * ours are those of a UUID in hexadecimal digits.
 */
@org.jspecify.annotations.NullMarked
package slipway.disk.lvm;
