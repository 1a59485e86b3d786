/**
 * gzip, zstd, xz and bzip2 as streams: the same bytes give the same compressed bytes on every
 * machine.
 */
@org.jspecify.annotations.NullMarked
package slipway.archive.compress;
