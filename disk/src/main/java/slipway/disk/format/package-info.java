/**
 * Formats that finished disks are handed out in, written from the sparse raw file without another
 * program. Entry: {@link slipway.disk.format.ImageFormat}, a record for each format.
 *
 * <pre>
 *  raw file ─▶ RawDisk           its data between holes (SEEK_DATA, SEEK_HOLE), without zeros
 *                 │
 *                 ▼
 *           Compressor           pieces on all processors, given back in their order
 *                 │
 *                 ▼
 *  Qcow2        header │ L1 │ clusters, L2 after each 512 MiB │ refcount blocks │ refcount table
 *  StreamVmdk   header │ descriptor │ grains, a grain table after each 32 MiB │ directory │ footer
 *  FixedVhd     the disk as it is │ footer
 *  GceArchive   gzip of an old GNU tar: disk.raw as a sparse member
 *  Ova          tar: NAME.ovf, NAME.mf, NAME.vmdk
 * </pre>
 *
 * A format is given the file to write and leaves syncing, renaming and removing it to the caller.
 * Identifiers are derived from a seed: the same disk and seed give the same file, whenever it is
 * written.
 */
@org.jspecify.annotations.NullMarked
package slipway.disk.format;
