/**
 * What layers are made of: tar, and its compression. Both read hostile data and hold it to its
 * limits ({@link slipway.base.Limit}).
 *
 * <pre>
 *  bytes ─▶ compress.Compression   found by the first bytes: none, gzip, zstd
 *                 │                (bzip2 and xz too, of files that people hand out)
 *                 ▼
 *           tar.TarReader          one pass: TarEntry, then its content
 *           tar.TarIndex           files by name, in any order, from many threads
 *
 *  bytes ◀─ compress.Compression ◀─ tar.TarHeaderWriter, tar.TarPacker
 *           the same input gives the same bytes on every machine
 * </pre>
 *
 * What the entries of a layer mean is the affair of {@code slipway.tree}.
 */
@org.jspecify.annotations.NullMarked
package slipway.archive;
