/**
 * gzip and zstd as streams, and xz and bzip2 for reading. Entry: {@link
 * slipway.archive.compress.Compression}.
 *
 * <pre>
 *  first bytes             read by                      written by
 *  1f 8b        gzip       GzipInputStream: all         GzipOutputStream: blocks side by side,
 *                          members, zeros behind them   each with the 32 KiB before it
 *  28 b5 2f fd  zstd       zstd-jni, ZstdGuard          zstd-jni
 *  5x 2a 4d 18             (a frame that is skipped)
 *  BZh          bzip2      decompressArchive alone      never
 *  fd 37 7a 58 5a 00  xz   decompressArchive alone      never
 * </pre>
 *
 * The same input gives the same compressed bytes on every machine, however many processors it has:
 * a layer's digest must not depend on who builds it.
 */
@org.jspecify.annotations.NullMarked
package slipway.archive.compress;
