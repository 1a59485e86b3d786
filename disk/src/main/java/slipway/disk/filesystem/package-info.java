/**
 * File systems made by the standard tools, and the folders that they are made in.
 *
 * <pre>
 *  FileSystems.make    mkfs.ext4 (with fs-verity), mkfs.xfs or mkfs.btrfs on a loop device
 *  FileSystems.boot    mkfs.ext4 without metadata_csum_seed, which some GRUBs do not know
 *  FileSystems.fat, put     mtools, at the partition's offset in the file: nothing is mounted
 *  SwapArea            room for swapping, written here
 *
 *  Scratch
 *    TMP/slipway-disk-…/             mount point, GRUB's work, the EFI loader
 *    OUTPUT/.slipway-disk-…/         unfinished disks; they are renamed from here
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.disk.filesystem;
